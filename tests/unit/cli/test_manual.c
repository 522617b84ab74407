#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/manual.h"

static char *print(const struct command *command)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    if (command == NULL) {
        manual_print_program(out);
    } else {
        manual_print_command(command, out);
    }
    fclose(out);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    cr_assert_not_null(strstr(text, part), "%s", part);
}

/* Outside text blocks, only known requests may begin a line with a dot. */
static void assert_requests(char *text)
{
    static const char *const known[] = {".TH ", ".SH ", ".SS ", ".TP", ".B ",
                                        ".BR ", ".br",  ".PP",  ".nf", ".fi"};

    for (char *line; (line = strsep(&text, "\n")) != NULL;) {
        bool found = line[0] != '.' && line[0] != '\'';

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            found = found || strncmp(line, known[i], strlen(known[i])) == 0;
        }
        cr_assert(found, "%s", line);
    }
}

Test(manual, every_option_of_every_command_is_there)
{
    for (size_t c = 0; c < command_count; c++) {
        char *text = print(commands[c]);
        const struct option_info *row;

        for (size_t i = 0; (row = options_row(&commands[c]->table, i)) != NULL; i++) {
            char name[128] = "";

            for (const char *from = row->name; *from != '\0'; from++) {
                strncat(name, *from == '-' ? "\\-" : (char[]){*from, '\0'},
                        sizeof(name) - strlen(name) - 1);
            }
            strncat(name, "\\fR", sizeof(name) - strlen(name) - 1);
            assert_has(text, name);
        }
        assert_has(text, "\\-\\-config");
        assert_requests(text);
        free(text);
    }
}

Test(manual, what_roff_would_take_for_its_own_is_escaped)
{
    static const struct option_info rows[] = {
        {.name = "odd",
         .kind = OPTION_STRING,
         .argument = "A-B",
         .group = "Odd",
         .help = ".begins with a dot, 'quotes', a \\ and ^~`",
         .default_text = "none"},
    };
    const struct command command = {
        .help = "is odd",
        .table = {.command = "odd", .summary = "Odd.", .sections = {{rows, 1, 0}}},
    };
    char *text = print(&command);

    assert_has(text, ".TH TLSDYNO\\-ODD 1 ");
    assert_has(text, "\\fB\\-\\-odd\\fR \\fIA\\-B\\fR\n"
                     "\\&.begins with a dot, \\(aqquotes\\(aq, a \\e and \\(ha\\(ti\\(ga.\n"
                     "Default: none.\n");
    assert_requests(text);
    free(text);
}

Test(manual, the_programs_own_page_leads_to_the_commands)
{
    char *text = print(NULL);

    assert_has(text, ".TH TLSDYNO 1 ");
    for (size_t i = 0; i < command_count; i++) {
        char reference[64];

        snprintf(reference, sizeof(reference), ".BR tlsdyno\\-%s (1)", commands[i]->table.command);
        assert_has(text, reference);
    }
    assert_requests(text);
    free(text);
}

Test(manual, a_status_of_its_own_stands_with_a_command_and_the_program)
{
    static const char fail_if[] = "\n3 of tlsdyno load: a condition of \\-\\-fail\\-if is true";
    char *load = print(&load_command);
    char *serve = print(&serve_command);
    char *program = print(NULL);

    assert_has(load, fail_if);
    assert_has(program, fail_if);
    assert_has(program, "\n3 of tlsdyno compare: ");
    cr_assert_null(strstr(load, "3 of tlsdyno compare"));
    cr_assert_null(strstr(serve, "3 of tlsdyno"));
    free(program);
    free(serve);
    free(load);
}

Test(manual, sections_of_a_command_keep_their_paragraphs)
{
    const struct command command = {
        .help = "speaks",
        .table = {.command = "speak", .summary = "Speaks.", .operand = "WHAT"},
        .manual = {{"TWO", "First.\n\nSecond."}},
    };
    char *text = print(&command);

    assert_has(text, "[\\fIOPTION\\fR...] \\fIWHAT\\fR\n");
    assert_has(text, ".SH TWO\nFirst.\n.PP\nSecond.\n.SH ");
    free(text);
}
