#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/config_file.h"
#include "cli/option_value.h"

struct config {
    bool tickets;
    bool no_pin;
    uint32_t count;
    const char *file;
    struct option_list names;
};

enum { ROW_TICKETS, ROW_PIN, ROW_COUNT, ROW_FILE, ROW_NAME };

static const struct option_info rows[] = {
    {.name = "tickets", .kind = OPTION_SWITCH, OPTION_FIELD(struct config, tickets)},
    {.name = "pin",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     OPTION_FIELD(struct config, no_pin)},
    {.name = "count", .kind = OPTION_COUNT, .max = 9, OPTION_FIELD(struct config, count)},
    {.name = "file", .kind = OPTION_STRING, OPTION_FIELD(struct config, file)},
    {.name = "name", .kind = OPTION_LIST, .max = 2, OPTION_FIELD(struct config, names)},
};

static const struct option_table table = {
    .command = "test",
    .sections = {{rows, sizeof(rows) / sizeof(rows[0]), 0}},
};

/* What a text came to; the configuration's strings point into it. */
struct applied {
    char text[512];
    struct config config;
    struct error error;
    int outcome;
};

static struct applied *apply_hiding(const char *text, const bool hidden[OPTION_ROWS_MAX])
{
    struct applied *applied = calloc(1, sizeof(*applied));

    snprintf(applied->text, sizeof(applied->text), "%s", text);
    applied->outcome = config_file_apply(&table, "a.conf", applied->text, hidden, &applied->config,
                                         &applied->error);
    return applied;
}

static struct applied *apply(const char *text)
{
    const bool hidden[OPTION_ROWS_MAX] = {false};

    return apply_hiding(text, hidden);
}

static void assert_refused(const char *text, const char *sentence)
{
    struct applied *applied = apply(text);

    cr_assert_eq(applied->outcome, -1, "%s", text);
    cr_assert_str_eq(applied->error.text, sentence);
    free(applied);
}

Test(config_file, lines_are_names_and_values_between_blanks)
{
    struct applied *applied = apply("count = 7\n\tfile=a b = c # d \r\n\n  # count = 99\n");

    cr_assert_eq(applied->outcome, 0, "%s", applied->error.text);
    cr_assert_eq(applied->config.count, 7);
    cr_assert_str_eq(applied->config.file, "a b = c # d");
    free(applied);
}

Test(config_file, a_line_that_is_neither_is_refused_with_its_number)
{
    assert_refused("# one\n\ncount 7\n", "a.conf:3: 'count 7' is no line of the form NAME = VALUE");
    assert_refused("tickets\n", "a.conf:1: 'tickets' is no line of the form NAME = VALUE");
}

Test(config_file, switches_are_true_or_false)
{
    struct applied *applied = apply("tickets = true\npin = false\n");

    cr_assert_eq(applied->outcome, 0, "%s", applied->error.text);
    cr_assert(applied->config.tickets);
    cr_assert(applied->config.no_pin);
    free(applied);
    applied = apply("pin = false\npin = true");
    cr_assert_eq(applied->outcome, 0, "%s", applied->error.text);
    cr_assert_not(applied->config.no_pin);
    free(applied);
}

Test(config_file, switches_are_nothing_else_and_never_negated)
{
    assert_refused("pin = yes", "a.conf:1: pin: 'yes' is neither true nor false");
    assert_refused("pin =", "a.conf:1: pin: '' is neither true nor false");
    assert_refused("no-pin = true", "a.conf:1: unknown key 'no-pin'; write 'pin = false'");
}

Test(config_file, repeatable_keys_repeat)
{
    struct applied *applied = apply("name = a\nname = b\n");

    cr_assert_eq(applied->outcome, 0, "%s", applied->error.text);
    cr_assert_eq(applied->config.names.count, 2);
    cr_assert_str_eq(applied->config.names.items[1], "b");
    free(applied);
}

Test(config_file, values_are_checked_as_on_the_command_line)
{
    assert_refused("name = a\nname = b\nname = c",
                   "a.conf:3: name: 'c': given too often; allowed: up to 2 of them");
    assert_refused("count = 10",
                   "a.conf:1: count: '10': out of range; allowed: a number from 0 to 9");
    assert_refused("file = ", "a.conf:1: file: the value is empty");
}

Test(config_file, unknown_keys_get_the_nearest_real_one)
{
    assert_refused("cuont = 3", "a.conf:1: unknown key 'cuont'; did you mean 'count'?");
    assert_refused("--count = 3", "a.conf:1: unknown key '--count'; did you mean 'count'?");
    assert_refused("zzzzzzz = 3", "a.conf:1: unknown key 'zzzzzzz'; the keys are the long options "
                                  "of tlsdyno test --help");
    assert_refused(" = 3", "a.conf:1: unknown key ''; the keys are the long options of tlsdyno "
                           "test --help");
}

Test(config_file, hidden_rows_are_passed_over)
{
    const bool hidden[OPTION_ROWS_MAX] = {[ROW_COUNT] = true, [ROW_NAME] = true};
    struct applied *applied = apply_hiding("count = 3\nname = a\nfile = f\n", hidden);

    cr_assert_eq(applied->outcome, 0, "%s", applied->error.text);
    cr_assert_eq(applied->config.count, 0);
    cr_assert_eq(applied->config.names.count, 0);
    cr_assert_str_eq(applied->config.file, "f");
    free(applied);
}

static char *write_temporary(char path[64], const void *bytes, size_t count)
{
    FILE *file;

    snprintf(path, 64, "/tmp/tlsdyno-config-XXXXXX");
    file = fdopen(mkstemp(path), "w");
    cr_assert_not_null(file);
    fwrite(bytes, 1, count, file);
    fclose(file);
    return path;
}

Test(config_file, files_are_read_whole)
{
    struct error error = {0};
    char path[64];
    char *text = config_file_read(write_temporary(path, "count = 1\n", 10), &error);

    cr_assert_not_null(text, "%s", error.text);
    cr_assert_str_eq(text, "count = 1\n");
    free(text);
    remove(path);
}

Test(config_file, binary_missing_and_unreadable_files_are_named)
{
    struct error error = {0};
    char path[64];

    cr_assert_null(config_file_read(write_temporary(path, "a\0b", 3), &error));
    cr_assert_not_null(strstr(error.text, path), "%s", error.text);
    remove(path);
    cr_assert_null(config_file_read(path, &error));
    cr_assert_not_null(strstr(error.text, "No such file"), "%s", error.text);
    cr_assert_null(config_file_read("/tmp", &error));
    cr_assert_not_null(strstr(error.text, "directory"), "%s", error.text);
}
