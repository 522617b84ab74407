#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/options.h"

enum { ARGUMENTS_MAX = 12 };

struct inner {
    uint32_t fragment;
};

struct config {
    const char *target;
    enum option_decision check;
    bool verbose;
    bool no_tickets;
    uint32_t count;
    uint64_t bytes;
    uint64_t timeout_ns;
    uint32_t lifetime_s;
    const char *file;
    int colour;
    struct option_list names;
    int sum;
    struct inner inner;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static int add(void *config, const char *value, struct error *error)
{
    struct config *c = config;

    if (value[0] < '0' || value[0] > '9') {
        return error_set(error, "not a digit");
    }
    c->sum += value[0] - '0';
    return 0;
}

static const struct option_info rows[] = {
    {.name = "check",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .group = "A",
     .help = "h",
     OPTION_FIELD(struct config, check)},
    {.name = "verbose",
     .letter = 'v',
     .kind = OPTION_SWITCH,
     .group = "A",
     .help = "h",
     OPTION_FIELD(struct config, verbose)},
    {.name = "tickets",
     .letter = 'k',
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     .group = "A",
     .help = "h",
     OPTION_FIELD(struct config, no_tickets)},
    {.name = "count",
     .letter = 'c',
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "A",
     .help = "h",
     .initial = "5",
     .min = 1,
     .max = 1000,
     OPTION_FIELD(struct config, count)},
    {.name = "bytes",
     .kind = OPTION_BYTES,
     .argument = "N",
     .group = "A",
     .help = "h",
     OPTION_FIELD(struct config, bytes)},
    {.name = "timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "A",
     .help = "h",
     .min = 10 * OPTION_MILLISECOND,
     OPTION_FIELD(struct config, timeout_ns)},
    {.name = "lifetime",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "A",
     .help = "h",
     .unit_ns = OPTION_SECOND,
     OPTION_FIELD(struct config, lifetime_s)},
    {.name = "file",
     .letter = 'f',
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "A",
     .help = "h",
     OPTION_FIELD(struct config, file)},
    {.name = "colour",
     .kind = OPTION_CHOICE,
     .argument = "C",
     .group = "A",
     .help = "h",
     .initial = "green",
     .choices = colours,
     OPTION_FIELD(struct config, colour)},
    {.name = "name",
     .kind = OPTION_LIST,
     .argument = "NAME",
     .group = "A",
     .help = "h",
     .max = 2,
     OPTION_FIELD(struct config, names)},
    {.name = "add",
     .kind = OPTION_FUNCTION,
     .argument = "N",
     .group = "A",
     .help = "h",
     .function = add},
};

static const struct option_info inner_rows[] = {
    {.name = "fragment",
     .kind = OPTION_BYTES,
     .argument = "N",
     .group = "B",
     .help = "h",
     .min = 512,
     .max = 16384,
     OPTION_FIELD(struct inner, fragment)},
};

static const struct option_table table = {
    .command = "test",
    .operand = "TARGET",
    .operand_offset = offsetof(struct config, target),
    .sections = {{rows, sizeof(rows) / sizeof(rows[0]), 0},
                 {inner_rows, 1, offsetof(struct config, inner)}},
};

static const struct option_table without_operand = {
    .command = "bare",
    .sections = {{rows, sizeof(rows) / sizeof(rows[0]), 0}},
};

static struct config config;
static struct option_files files;
static struct error error;

static void reset(void)
{
    config = (struct config){0};
    error = (struct error){0};
}

/* Parses what follows the command's name. */
#define PARSE(...) parse(&table, (char *[ARGUMENTS_MAX]){"test", __VA_ARGS__})

static enum options_result parse(const struct option_table *which, char **argv)
{
    int argc = 0;

    reset();
    while (argv[argc] != NULL) {
        argc++;
    }
    option_files_free(&files); /* of the parse before */
    return options_parse(which, argc, argv, &config, &files, &error);
}

static void assert_wrong(enum options_result result, const char *sentence)
{
    cr_assert_eq(result, OPTIONS_WRONG);
    cr_assert_str_eq(error.text, sentence);
}

Test(options, values_come_as_next_argument_or_after_equals)
{
    cr_assert_eq(PARSE("--count", "10", "--file=a=b", "x"), OPTIONS_PARSED, "%s", error.text);
    cr_assert_eq(config.count, 10);
    cr_assert_str_eq(config.file, "a=b");
    cr_assert_str_eq(config.target, "x");
}

Test(options, letters_take_values_together_or_apart_and_switches_bundle)
{
    cr_assert_eq(PARSE("-c10", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.count, 10);
    cr_assert_eq(PARSE("-c", "11", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.count, 11);
    cr_assert_eq(PARSE("-vc12", "x"), OPTIONS_PARSED);
    cr_assert(config.verbose);
    cr_assert_eq(config.count, 12);
}

Test(options, unknown_letter_is_refused)
{
    assert_wrong(PARSE("-vx", "t"), "unknown option -x; see tlsdyno test --help");
}

Test(options, initial_values_hold_until_something_is_given)
{
    cr_assert_eq(PARSE("x"), OPTIONS_PARSED);
    cr_assert_eq(config.count, 5);
    cr_assert_eq(config.colour, 1);
    cr_assert_not(config.verbose);
    cr_assert_null(config.file);
}

Test(options, the_last_of_several_values_counts)
{
    cr_assert_eq(PARSE("-c1", "-c2", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.count, 2);
}

Test(options, operands_may_come_before_options_and_after_two_dashes)
{
    cr_assert_eq(PARSE("x", "-v"), OPTIONS_PARSED);
    cr_assert(config.verbose);
    cr_assert_eq(PARSE("-v", "--", "--file"), OPTIONS_PARSED);
    cr_assert_str_eq(config.target, "--file");
    cr_assert_eq(PARSE("-"), OPTIONS_PARSED);
    cr_assert_str_eq(config.target, "-");
}

Test(options, missing_and_surplus_operands_are_refused)
{
    assert_wrong(PARSE("-v"), "test needs a TARGET; see tlsdyno test --help");
    assert_wrong(PARSE("x", "y"), "unexpected argument 'y': test takes one TARGET");
    assert_wrong(parse(&without_operand, (char *[]){"bare", "y", NULL}),
                 "unexpected argument 'y': bare takes only options");
}

Test(options, negatable_switches_have_both_forms)
{
    cr_assert_eq(PARSE("--no-tickets", "x"), OPTIONS_PARSED);
    cr_assert(config.no_tickets);
    cr_assert_eq(PARSE("--no-tickets", "--tickets", "x"), OPTIONS_PARSED);
    cr_assert_not(config.no_tickets);
    cr_assert_eq(PARSE("--no-tickets", "-k", "x"), OPTIONS_PARSED);
    cr_assert_not(config.no_tickets);
}

Test(options, other_switches_have_one)
{
    cr_assert_eq(PARSE("--no-verbose", "x"), OPTIONS_WRONG);
}

Test(options, switches_take_no_value)
{
    assert_wrong(PARSE("--verbose=yes", "x"), "--verbose takes no value, but was given 'yes'");
}

Test(options, unknown_names_get_the_nearest_real_one)
{
    assert_wrong(PARSE("--cuont", "3", "x"), "unknown option --cuont; did you mean --count?");
    assert_wrong(PARSE("--no-ticket", "x"),
                 "unknown option --no-ticket; did you mean --no-tickets?");
    assert_wrong(PARSE("--fragmnt=512", "x"), "unknown option --fragmnt; did you mean --fragment?");
    assert_wrong(PARSE("--zzzzzz", "x"), "unknown option --zzzzzz; see tlsdyno test --help");
}

Test(options, abbreviations_are_no_options)
{
    assert_wrong(PARSE("--fil", "f", "x"), "unknown option --fil; did you mean --file?");
}

Test(options, missing_values_are_named_with_what_is_allowed)
{
    assert_wrong(PARSE("x", "--count"),
                 "--count needs a value: --count N; allowed: a number from 1 to 1000");
    assert_wrong(PARSE("x", "-c"),
                 "--count needs a value: --count N; allowed: a number from 1 to 1000");
    assert_wrong(PARSE("x", "--file="), "--file: the value is empty");
}

Test(options, ends_of_a_range_belong_to_it)
{
    cr_assert_eq(PARSE("--fragment", "512", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.inner.fragment, 512);
    cr_assert_eq(PARSE("--fragment", "16Ki", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.inner.fragment, 16384);
}

Test(options, values_beyond_a_range_are_refused)
{
    assert_wrong(PARSE("--fragment", "511", "x"),
                 "--fragment: '511': out of range; allowed: a size (100, 16k, 16Ki) from 512 to "
                 "16384");
    cr_assert_eq(PARSE("--fragment", "16385", "x"), OPTIONS_WRONG);
    cr_assert_eq(PARSE("--count", "0", "x"), OPTIONS_WRONG);
    cr_assert_eq(PARSE("--count", "-3", "x"), OPTIONS_WRONG);
    cr_assert_eq(PARSE("--count", "ten", "x"), OPTIONS_WRONG);
    cr_assert_eq(PARSE("--timeout", "9ms", "x"), OPTIONS_WRONG);
}

Test(options, durations_are_kept_in_the_unit_of_their_field)
{
    cr_assert_eq(PARSE("--timeout", "10ms", "--lifetime", "2m", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.timeout_ns, 10000000);
    cr_assert_eq(config.lifetime_s, 120);
}

Test(options, durations_finer_or_larger_than_their_field_are_refused)
{
    cr_assert_eq(PARSE("--lifetime", "1500ms", "x"), OPTIONS_WRONG);
    cr_assert_eq(PARSE("--lifetime", "5000000000s", "x"), OPTIONS_WRONG);
}

Test(options, sizes_fill_wide_fields)
{
    cr_assert_eq(PARSE("--bytes", "5Gi", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.bytes, 5ull << 30);
}

Test(options, choices_become_their_index)
{
    cr_assert_eq(PARSE("--colour", "blue", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.colour, 2);
}

Test(options, other_words_are_no_choice)
{
    assert_wrong(PARSE("--colour", "pink", "x"),
                 "--colour: 'pink': unknown; allowed: red, green or blue");
}

Test(options, lists_keep_their_order_up_to_their_limit)
{
    cr_assert_eq(PARSE("--name", "a", "--name=b", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.names.count, 2);
    cr_assert_str_eq(config.names.items[0], "a");
    cr_assert_str_eq(config.names.items[1], "b");
    cr_assert_null(config.names.items[2]);
}

Test(options, lists_beyond_their_limit_are_refused)
{
    assert_wrong(PARSE("--name", "a", "--name", "b", "--name", "c", "x"),
                 "--name: 'c': given too often; allowed: up to 2 of them");
}

Test(options, functions_see_each_value)
{
    cr_assert_eq(PARSE("--add", "3", "--add", "4", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.sum, 7);
}

Test(options, functions_say_what_is_wrong)
{
    assert_wrong(PARSE("--add", "z", "x"), "--add: 'z': not a digit");
}

Test(options, help_is_seen_before_what_is_missing)
{
    cr_assert_eq(PARSE("--help"), OPTIONS_HELP);
    cr_assert_eq(PARSE("-v", "-h"), OPTIONS_HELP);
}

Test(options, help_after_two_dashes_is_an_operand)
{
    cr_assert_eq(PARSE("--", "--help"), OPTIONS_PARSED);
}

Test(options, rows_are_found_by_name_in_every_section)
{
    cr_assert_eq(options_find(&table, "verbose"), &rows[1]);
    cr_assert_eq(options_find(&table, "fragment"), &inner_rows[0]);
    cr_assert_null(options_find(&table, "no-tickets"));
    cr_assert_null(options_find(&table, "nothing"));
}

Test(options, rows_of_all_sections_are_one_sequence)
{
    size_t count = sizeof(rows) / sizeof(rows[0]);

    cr_assert_eq(options_row(&table, 0), &rows[0]);
    cr_assert_eq(options_row(&table, count), &inner_rows[0]);
    cr_assert_null(options_row(&table, count + 1));
}

Test(options, undecided_switches_stay_so_until_they_are_given)
{
    cr_assert_eq(PARSE("x"), OPTIONS_PARSED);
    cr_assert_eq(config.check, OPTION_UNDECIDED);
    cr_assert_eq(PARSE("--check", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.check, OPTION_YES);
    cr_assert_eq(PARSE("--check", "--no-check", "x"), OPTIONS_PARSED);
    cr_assert_eq(config.check, OPTION_NO);
}

static void write_temporary(char path[64], const char *text)
{
    FILE *file;

    snprintf(path, 64, "/tmp/tlsdyno-options-XXXXXX");
    file = fdopen(mkstemp(path), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(options, files_are_taken_before_the_command_line_and_after_initial_values)
{
    char path[64];

    write_temporary(path, "count = 7\nverbose = true\nfragment = 512\n");
    cr_assert_eq(PARSE("--config", path, "x"), OPTIONS_PARSED, "%s", error.text);
    cr_assert_eq(config.count, 7);
    cr_assert(config.verbose);
    cr_assert_eq(config.inner.fragment, 512);
    cr_assert_eq(config.colour, 1);
    cr_assert_eq(PARSE("-c", "8", "x", "--config", path), OPTIONS_PARSED, "%s", error.text);
    cr_assert_eq(config.count, 8);
    remove(path);
}

Test(options, an_option_that_is_given_hides_every_line_about_it)
{
    char path[64];

    write_temporary(path, "name = a\nname = b\nadd = 5\ntickets = false\n");
    cr_assert_eq(PARSE("--name", "c", "--add=1", "-k", "--config", path, "x"), OPTIONS_PARSED, "%s",
                 error.text);
    cr_assert_eq(config.names.count, 1);
    cr_assert_str_eq(config.names.items[0], "c");
    cr_assert_eq(config.sum, 1);
    cr_assert_not(config.no_tickets);
    remove(path);
}

Test(options, later_files_add_to_earlier_ones)
{
    char first[64];
    char second[64];

    write_temporary(first, "name = a\ncount = 1\n");
    write_temporary(second, "name = b\ncount = 2\n");
    cr_assert_eq(PARSE("--config", first, "--config", second, "x"), OPTIONS_PARSED, "%s",
                 error.text);
    cr_assert_eq(config.names.count, 2);
    cr_assert_eq(config.count, 2);
    remove(first);
    remove(second);
}

Test(options, files_with_mistakes_are_wrong)
{
    char path[64];
    char sentence[256];

    write_temporary(path, "count = 7\nconut = 8\n");
    snprintf(sentence, sizeof(sentence), "%s:2: unknown key 'conut'; did you mean 'count'?", path);
    assert_wrong(PARSE("--config", path, "x"), sentence);
    remove(path);
    snprintf(sentence, sizeof(sentence), "--config: cannot read %s: No such file or directory",
             path);
    assert_wrong(PARSE("--config", path, "x"), sentence);
    assert_wrong(PARSE("x", "--config"), "--config needs a value: --config FILE");
    assert_wrong(PARSE("x", "--config="), "--config: the name of the file is empty");
}

Test(options, too_many_files_are_refused)
{
    char *argv[2 * OPTION_FILES_MAX + 5] = {"test", "x"};

    for (size_t i = 0; i <= OPTION_FILES_MAX; i++) {
        argv[2 + 2 * i] = "--config";
        argv[3 + 2 * i] = "/dev/null";
    }
    assert_wrong(parse(&table, argv), "--config /dev/null: there are 8 files already");
    argv[2 + 2 * OPTION_FILES_MAX] = NULL;
    cr_assert_eq(parse(&table, argv), OPTIONS_PARSED, "%s", error.text);
}
