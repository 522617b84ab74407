#include "cli/load_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/error.h"

static char directory[64]; /* each test has its own process */
static struct load_result *result;
static struct error error;

static void init(void)
{
    strcpy(directory, "/tmp/tlsdyno-files-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
    result = calloc(1, sizeof(*result));
    histogram_record(&result->phases[LOAD_PHASE_MESSAGE], 1000000);
    histogram_record(&result->phases[LOAD_PHASE_CONNECT], 2000000);
}

static void fini(void)
{
    char command[80];

    snprintf(command, sizeof(command), "rm -r %s", directory);
    cr_assert_eq(system(command), 0);
    free(result);
}

TestSuite(load_files, .init = init, .fini = fini);

static void write_files(const char *csv, const char *percentiles)
{
    struct load_files files = {0};

    cr_assert_eq(load_files_open(&files, csv, percentiles, &error), 0, "%s", error.text);
    cr_assert_eq(load_files_write(&files, result, &error), 0, "%s", error.text);
    load_files_close(&files);
}

static void assert_begins(const char *name, const char *words)
{
    char text[64] = "";
    FILE *file = fopen(name, "re");

    cr_assert_not_null(file, "%s", name);
    cr_assert_gt(fread(text, 1, sizeof(text) - 1, file), 0);
    fclose(file);
    cr_assert_eq(strncmp(text, words, strlen(words)), 0, "%s", text);
}

Test(load_files, percentiles_have_a_file_for_each_phase_that_was_seen)
{
    write_files(NULL, "lat.hgrm");
    assert_begins("lat.message.hgrm", "        Value");
    assert_begins("lat.connect.hgrm", "        Value");
    cr_assert_neq(access("lat.first_byte.hgrm", F_OK), 0);
    cr_assert_neq(access("lat.hgrm", F_OK), 0);
}

Test(load_files, phase_stands_before_the_last_dot_of_the_name_alone)
{
    write_files(NULL, "./plain");
    cr_assert_eq(access("plain.message", F_OK), 0);
    write_files(NULL, ".hidden");
    cr_assert_eq(access(".hidden.message", F_OK), 0);
}

Test(load_files, csv_is_written)
{
    write_files("run.csv", NULL);
    assert_begins("run.csv", "row,phase,");
}

Test(load_files, none_are_written_when_none_are_asked_for)
{
    write_files(NULL, NULL);
}

Test(load_files, what_cannot_be_written_is_named_before_the_run)
{
    struct load_files files = {0};

    cr_assert_eq(load_files_open(&files, "no/run.csv", NULL, &error), -1);
    cr_assert_not_null(strstr(error.text, "--csv: cannot write no/run.csv"), "%s", error.text);
    cr_assert_eq(load_files_open(&files, NULL, "no/lat.hgrm", &error), -1);
    cr_assert_not_null(strstr(error.text, "--percentiles: cannot write no/lat.hgrm"), "%s",
                       error.text);
    load_files_close(&files);
}

Test(load_files, full_disk_is_a_failure)
{
    struct load_files files = {0};

    cr_assert_eq(load_files_open(&files, "/dev/full", NULL, &error), 0);
    cr_assert_eq(load_files_write(&files, result, &error), -1);
    cr_assert_not_null(strstr(error.text, "No space left"), "%s", error.text);
    load_files_close(&files);
}
