#include "cli/output_file.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/error.h"

static char directory[64]; /* each test has its own process */
static struct error error;
static struct output_file file;

static void init(void)
{
    strcpy(directory, "/tmp/tlsdyno-output-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
}

static void fini(void)
{
    char command[80];

    snprintf(command, sizeof(command), "rm -r %s", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(output_file, .init = init, .fini = fini);

static void write_text(const char *text)
{
    cr_assert_eq(output_file_open(&file, "result", &error), 0, "%s", error.text);
    fputs(text, file.stream);
}

static void check_content(const char *wanted)
{
    char text[32] = "";
    FILE *in = fopen("result", "re");

    cr_assert_not_null(in);
    cr_assert_eq(fread(text, 1, sizeof(text) - 1, in), strlen(wanted));
    cr_assert_str_eq(text, wanted);
    fclose(in);
}

/* Of unfinished files. */
static size_t count_parts(void)
{
    glob_t found = {0};
    size_t count;

    glob("*.part", 0, NULL, &found);
    count = found.gl_pathc;
    globfree(&found);
    return count;
}

Test(output_file, has_its_name_only_once_it_is_kept)
{
    write_text("whole");
    cr_assert_neq(access("result", F_OK), 0);
    cr_assert_eq(output_file_keep(&file, &error), 0, "%s", error.text);
    check_content("whole");
    cr_assert_eq(count_parts(), 0);
}

Test(output_file, two_that_are_written_at_once_are_whole_and_the_last_one_stays)
{
    struct output_file other;

    write_text("one");
    cr_assert_eq(output_file_open(&other, "result", &error), 0, "%s", error.text);
    cr_assert_eq(count_parts(), 2);
    fputs("the other", other.stream);
    cr_assert_eq(output_file_keep(&other, &error), 0, "%s", error.text);
    check_content("the other");
    cr_assert_eq(output_file_keep(&file, &error), 0, "%s", error.text);
    check_content("one");
    cr_assert_eq(count_parts(), 0);
}

Test(output_file, has_the_permissions_that_the_mask_leaves)
{
    struct stat status;

    umask(027);
    write_text("whole");
    cr_assert_eq(output_file_keep(&file, &error), 0, "%s", error.text);
    cr_assert_eq(stat("result", &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0640);
}

Test(output_file, dropped_leaves_what_was_there_before)
{
    write_text("before");
    cr_assert_eq(output_file_keep(&file, &error), 0);
    write_text("after");
    output_file_drop(&file);
    output_file_drop(&file);
    check_content("before");
    cr_assert_eq(count_parts(), 0);
}

Test(output_file, a_device_is_written_in_place_and_its_want_of_room_told)
{
    cr_assert_eq(output_file_open(&file, "/dev/full", &error), 0, "%s", error.text);
    fputs("too much", file.stream);
    cr_assert_eq(output_file_keep(&file, &error), -1);
    cr_assert_str_eq(error.text, "cannot write /dev/full: No space left on device");
    cr_assert_eq(access("/dev/full", F_OK), 0);
}

Test(output_file, a_directory_that_is_not_there_is_named_at_once)
{
    cr_assert_eq(output_file_open(&file, "none/result", &error), -1);
    cr_assert_str_eq(error.text, "cannot write none/result: No such file or directory");
    output_file_drop(&file);
}
