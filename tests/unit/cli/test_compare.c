#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "base/error.h"
#include "cli/command.h"

enum { ARGUMENTS_MAX = 16, PATH_BYTES = 64, RUNS = 5 };

static char directory[PATH_BYTES]; /* each test has its own process */
static struct error error;

static void make_directory(void)
{
    strcpy(directory, "/tmp/tlsdyno-compare-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
}

static void remove_directory(void)
{
    char command[PATH_BYTES + 16];

    snprintf(command, sizeof(command), "rm -r %s", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(compare, .init = make_directory, .fini = remove_directory);

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(name, "we");

    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

/* A report with no more than compare needs. */
static void write_report(const char *name, const char *suite, double rate)
{
    json_t *report = json_pack(
        "{s:s, s:b, s:{s:s}, s:{}, s:{s:[{s:s, s:s, s:n, s:n, s:s, s:i}]}, s:[], s:{s:f}}",
        "schema", "tlsdyno-load/1", "succeeded", 1, "plan", "mode", "rr", "environment",
        "negotiated", "combinations", "version", "TLSv1.3", "suite", suite, "group", "certificate",
        "resumption", "full", "connections", 1, "series", "messages", "per_second", rate);

    cr_assert_eq(json_dump_file(report, name, 0), 0);
    json_decref(report);
}

/* base0.json to base4.json and new0.json to new4.json. */
static void write_runs(double base, double changed)
{
    for (int i = 0; i < RUNS; i++) {
        char name[PATH_BYTES];

        snprintf(name, sizeof(name), "base%d.json", i);
        write_report(name, "A", base + 2 * i);
        snprintf(name, sizeof(name), "new%d.json", i);
        write_report(name, "A", changed + 2 * i + 1);
    }
}

#define RUN(...) run((char *[ARGUMENTS_MAX]){"compare", __VA_ARGS__})

/* The exit status; what is printed goes nowhere. */
static int run(char **argv)
{
    void *config = calloc(1, compare_command.config_bytes);
    struct option_files files = {0};
    int argc = 0;
    int status = EXIT_USAGE;

    while (argv[argc] != NULL) {
        argc++;
    }
    error = (struct error){0};
    cr_assert_not_null(freopen("/dev/null", "w", stdout));
    if (options_parse(&compare_command.table, argc, argv, config, &files, &error) ==
        OPTIONS_PARSED) {
        status = compare_command.run(config, argv, &error);
    }
    free(config);
    return status;
}

static void assert_says(const char *words)
{
    cr_assert_not_null(strstr(error.text, words), "'%s' does not say '%s'", error.text, words);
}

#define BASE "base0.json,base1.json,base2.json,base3.json,base4.json"
#define NEW  "new0.json,new1.json,new2.json,new3.json,new4.json"

Test(compare, equal_runs_pass_and_slower_ones_violate)
{
    write_runs(1000, 1000);
    cr_assert_eq(RUN("--base", BASE, "--new", NEW), EXIT_SUCCESS, "%s", error.text);
    write_runs(1000, 900);
    cr_assert_eq(RUN("--base", BASE, "--new", NEW), EXIT_VIOLATED);
    assert_says("1 figure is worse by more than 5%");
    cr_assert_eq(RUN("--base", BASE, "--new", NEW, "--tolerance", "20%", "--json"), EXIT_SUCCESS);
    cr_assert_eq(RUN("--base", NEW, "--new", BASE), EXIT_SUCCESS, "faster is no violation");
}

Test(compare, lists_may_be_repeated_and_the_first_operand_is_the_base)
{
    write_runs(1000, 500);
    cr_assert_eq(
        RUN("--base", "base0.json", "--base", "base1.json,base2.json,base3.json", "--new", NEW),
        EXIT_VIOLATED);
    cr_assert_eq(RUN("base0.json", "new0.json", "new1.json"), EXIT_SUCCESS, "too few to decide");
}

Test(compare, directory_stands_for_its_reports)
{
    cr_assert_eq(system("mkdir a b empty"), 0);
    write_runs(1000, 500);
    cr_assert_eq(system("mv base*.json a; mv new*.json b"), 0);
    write_text("b/notes.txt", "no report");
    cr_assert_eq(RUN("a", "b"), EXIT_VIOLATED, "%s", error.text);
    cr_assert_eq(RUN("a", "empty"), EXIT_USAGE);
    assert_says("empty has no files");
}

Test(compare, another_suite_is_refused_unless_anyway)
{
    write_report("a.json", "A", 1000);
    write_report("b.json", "B", 1000);
    cr_assert_eq(RUN("a.json", "b.json"), EXIT_USAGE);
    assert_says("--anyway");
    cr_assert_eq(RUN("a.json", "b.json", "--anyway"), EXIT_SUCCESS, "%s", error.text);
}

Test(compare, sides_must_be_two_and_named_one_way)
{
    write_report("a.json", "A", 1000);
    cr_assert_eq(run((char *[]){"compare", NULL}), EXIT_USAGE);
    assert_says("two sides");
    cr_assert_eq(RUN("a.json"), EXIT_USAGE);
    cr_assert_eq(RUN("--base", "a.json"), EXIT_USAGE);
    cr_assert_eq(RUN("--base", "a.json", "--new", "a.json", "a.json"), EXIT_USAGE);
    cr_assert_eq(RUN("a.json", "a.json", "--tolerance", "5x"), EXIT_USAGE);
    assert_says("percentage");
    cr_assert_eq(RUN("a.json", "a.json", "--tolerance", "nan"), EXIT_USAGE);
    cr_assert_eq(RUN("a.json", "a.json", "--tolerance", "-1"), EXIT_USAGE);
}

Test(compare, broken_files_are_named_with_what_is_wrong)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"", "bad.json is no JSON: line 1"},
        {"{\n\"schema\": ", "bad.json is no JSON: line 2"},
        {"\xff\xfe", "bad.json is no JSON"},
        {"[]", "bad.json: is not a report"},
        {"{\"schema\": \"tlsdyno-load/9\"}", "bad.json: is of schema 'tlsdyno-load/9'"},
        {"{\"schema\": \"tlsdyno-load/1\", \"succeeded\": 1}", "bad.json: is of a run"},
        {"{\"schema\": 1, \"schema\": 1}", "bad.json is no JSON"},
    };

    write_report("a.json", "A", 1000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_text("bad.json", rows[i].text);
        cr_assert_eq(RUN("a.json", "bad.json"), EXIT_USAGE, "%zu", i);
        assert_says(rows[i].words);
    }
    cr_assert_eq(RUN("a.json", "missing.json"), EXIT_USAGE);
    assert_says("cannot read missing.json");
}

/* A report cut short anywhere, or with a byte changed, is refused or compared, and no worse. */
Test(compare, damaged_files_never_crash_it)
{
    char text[4096] = "";
    FILE *file;

    write_report("a.json", "A", 1000);
    file = fopen("a.json", "re");
    cr_assert_gt(fread(text, 1, sizeof(text) - 1, file), 0);
    fclose(file);
    for (size_t i = 0; i < strlen(text); i++) {
        char damaged[sizeof(text)];

        strcpy(damaged, text);
        damaged[i] = "0\"[{n}"[i % 6];
        write_text("bad.json", damaged);
        RUN("a.json", "bad.json", "--anyway");
        damaged[i] = '\0';
        write_text("bad.json", damaged);
        cr_assert_eq(RUN("a.json", "bad.json"), EXIT_USAGE);
    }
}
