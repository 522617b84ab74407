/* Commands that take any number of operands; those that take one or none are in test_options.c. */
#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/options.h"

struct config {
    bool verbose;
    struct option_list words;
};

static const struct option_info rows[] = {
    {.name = "verbose",
     .letter = 'v',
     .kind = OPTION_SWITCH,
     .group = "A",
     .help = "h",
     OPTION_FIELD(struct config, verbose)},
};

static const struct option_table table = {
    .command = "many",
    .operand = "WORD...",
    .operand_repeats = true,
    .operand_offset = offsetof(struct config, words),
    .sections = {{rows, 1, 0}},
};

static struct config config;
static struct error error;

static enum options_result parse(char **argv)
{
    struct option_files files = {0};
    int argc = 0;

    while (argv[argc] != NULL) {
        argc++;
    }
    config = (struct config){0};
    return options_parse(&table, argc, argv, &config, &files, &error);
}

Test(operands, are_taken_in_order_between_and_after_options)
{
    cr_assert_eq(parse((char *[]){"many", "x", "-v", "y", "--", "-z", NULL}), OPTIONS_PARSED);
    cr_assert(config.verbose);
    cr_assert_eq(config.words.count, 3);
    cr_assert_str_eq(config.words.items[0], "x");
    cr_assert_str_eq(config.words.items[1], "y");
    cr_assert_str_eq(config.words.items[2], "-z");
    cr_assert_null(config.words.items[3]);
}

Test(operands, may_be_none)
{
    cr_assert_eq(parse((char *[]){"many", "-v", NULL}), OPTIONS_PARSED);
    cr_assert_eq(config.words.count, 0);
}

Test(operands, beyond_the_list_are_refused)
{
    char *argv[OPTION_LIST_MAX + 3] = {"many"};

    for (int i = 1; i <= OPTION_LIST_MAX; i++) {
        argv[i] = "x";
    }
    cr_assert_eq(parse(argv), OPTIONS_PARSED);
    argv[OPTION_LIST_MAX + 1] = "y";
    cr_assert_eq(parse(argv), OPTIONS_WRONG);
    cr_assert_str_eq(error.text, "unexpected argument 'y': there are 256 already");
}
