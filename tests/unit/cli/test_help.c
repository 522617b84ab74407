#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "cli/options.h"

static const char *const words[] = {"one", "two", NULL};

static const struct option_info rows[] = {
    {.name = "alpha",
     .letter = 'a',
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "First",
     .help = "how many of a thing there are in a sentence that is long enough to be wrapped",
     .initial = "3",
     .min = 1,
     .max = 9},
    {.name = "beta",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .group = "Second",
     .help = "a switch",
     .default_text = "on"},
    {.name = "gamma",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "First",
     .help = "a time",
     .min = 10 * OPTION_MILLISECOND,
     .max = OPTION_DAY},
    {.name = "delta",
     .kind = OPTION_CHOICE,
     .argument = "W",
     .group = "First",
     .help = "a word",
     .choices = words},
};

static const struct option_table table = {
    .command = "demo",
    .summary = "Shows help.",
    .operand = "TARGET",
    .epilogue = "Examples:\n  none\n",
    .sections = {{rows, 2, 0}, {rows + 2, 2, 0}},
};

static char *print(const struct option_table *which)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    options_print_help(which, out);
    fclose(out);
    return text;
}

static void assert_allowed(const struct option_info *info, const char *expected)
{
    char text[OPTION_ALLOWED_BYTES];

    cr_assert_str_eq(options_allowed(info, text), expected);
}

Test(help, groups_rows_of_all_sections_under_one_heading)
{
    char *text = print(&table);
    const char *expected =
        "usage: tlsdyno demo [OPTION...] TARGET\n"
        "\n"
        "Shows help.\n"
        "\n"
        "First:\n"
        "  -a, --alpha N               how many of a thing there are in a sentence that\n"
        "                              is long enough to be wrapped (default: 3)\n"
        "      --gamma TIME            a time\n"
        "      --delta W               a word\n"
        "\n"
        "Second:\n"
        "      --[no-]beta             a switch (default: on)\n"
        "\n"
        "      --config FILE           take options from a file with lines of NAME =\n"
        "                              VALUE first; those given here win\n"
        "  -h, --help                  print this help and exit\n"
        "\n"
        "Examples:\n"
        "  none\n";

    cr_assert_eq(strcmp(text, expected), 0, "%s", text);
    free(text);
}

Test(help, no_line_is_wider_than_a_terminal)
{
    char *text = print(&table);

    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        cr_assert_leq(strlen(line), 80, "%s", line);
    }
    free(text);
}

Test(help, says_what_is_allowed)
{
    struct option_info unlimited = rows[0];

    assert_allowed(&rows[0], "a number from 1 to 9");
    assert_allowed(&rows[1], "");
    assert_allowed(&rows[2], "a duration (250ms, 10s, 2m) from 10ms to 24h");
    assert_allowed(&rows[3], "one or two");
    unlimited.max = 0;
    assert_allowed(&unlimited, "a number from 1");
    unlimited.min = 0;
    assert_allowed(&unlimited, "a number");
}
