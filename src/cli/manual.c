#include "cli/manual.h"

#include <ctype.h>
#include <string.h>

#include "cli/commands.h"

static const char CONFIGURATION[] =
    "With --config FILE, options are taken from a file with lines of the form NAME = VALUE, where "
    "NAME is a long option without its dashes and VALUE what it would be given. Switches are true "
    "or false. A line that begins with # is a comment; nothing quotes or continues a line. Options "
    "that may be repeated have several lines. An option on the command line hides all lines about "
    "it. Mistakes are reported with file and line.";

static const char STATUS[] = "0 on success, 1 when the command failed, 2 when it was used wrongly. "
                             "Any but 0 comes with one sentence on standard error.";

static const char ENVIRONMENT[] =
    "TLSDYNO_PASSPHRASE decrypts encrypted keys and PKCS#12 files where no --passphrase-file is "
    "given.\n\n"
    "SSLKEYLOGFILE names the file that the secrets of all connections are appended to where no "
    "--keylog-file is given. The program warns when it is set.";

/* One character as roff must be told it to print it as it is; a dash as the one that people type.
 */
static void print_character(FILE *out, char character)
{
    static const struct {
        char character;
        const char *escape;
    } escapes[] = {
        {'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"},
        {'^', "\\(ha"}, {'~', "\\(ti"}, {'`', "\\(ga"},
    };

    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        if (escapes[i].character == character) {
            fputs(escapes[i].escape, out);
            return;
        }
    }
    fputc(character, out);
}

static void print_text(FILE *out, const char *text)
{
    bool line_start = true;

    for (; *text != '\0'; text++) {
        if (line_start && *text == '.') {
            fputs("\\&", out); /* or it would begin a request */
        }
        print_character(out, *text);
        line_start = *text == '\n';
    }
}

static void print_upper(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        print_character(out, (char)toupper((unsigned char)*text));
    }
}

/* Paragraphs that an empty line parts. */
static void print_paragraphs(FILE *out, const char *text)
{
    const char *end;

    for (; (end = strstr(text, "\n\n")) != NULL; text = end + 2) {
        char paragraph[2048];

        snprintf(paragraph, sizeof(paragraph), "%.*s", (int)(end - text), text);
        print_text(out, paragraph);
        fputs("\n.PP\n", out);
    }
    print_text(out, text);
    fputc('\n', out);
}

static void print_section(FILE *out, const char *heading, const char *text)
{
    fprintf(out, ".SH %s\n", heading);
    print_paragraphs(out, text);
}

static void print_title(FILE *out, const char *command)
{
    fputs(".TH TLSDYNO", out);
    if (command != NULL) {
        print_character(out, '-');
        print_upper(out, command);
    }
    fprintf(out, " 1 \"\" \"tlsdyno %s\" \"User Commands\"\n", TLSDYNO_VERSION);
}

static void print_option(FILE *out, const struct option_info *info)
{
    const char *by_default = info->initial != NULL ? info->initial : info->default_text;
    char allowed[OPTION_ALLOWED_BYTES];

    fputs(".TP\n", out);
    if (info->letter != '\0') {
        fprintf(out, "\\fB\\-%c\\fR, ", info->letter);
    }
    fprintf(out, "\\fB\\-\\-%s", info->negatable ? "[no\\-]" : "");
    print_text(out, info->name);
    fputs("\\fR", out);
    if (info->argument != NULL) {
        fputs(" \\fI", out);
        print_text(out, info->argument);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    print_text(out, info->help);
    fputs(".\n", out);
    options_allowed(info, allowed);
    if (allowed[0] != '\0') {
        fputs("Allowed: ", out);
        print_text(out, allowed);
        fputs(".\n", out);
    }
    if (by_default != NULL) {
        fputs("Default: ", out);
        print_text(out, by_default);
        fputs(".\n", out);
    }
}

static void print_options(FILE *out, const struct option_table *table)
{
    const struct option_info *first;
    const struct option_info *row;

    fputs(".SH OPTIONS\n", out);
    for (size_t i = 0; (first = options_row(table, i)) != NULL; i++) {
        if (!options_is_group_start(table, i)) {
            continue;
        }
        fputs(".SS ", out);
        print_text(out, first->group);
        fputc('\n', out);
        for (size_t j = i; (row = options_row(table, j)) != NULL; j++) {
            if (strcmp(row->group, first->group) == 0) {
                print_option(out, row);
            }
        }
    }
    fputs(".SS Common\n", out);
    for (size_t i = 0; i < OPTION_COMMON_COUNT; i++) {
        print_option(out, &option_common_rows[i]);
    }
}

/* The epilogue has a heading of its own in --help; here .SH is one. */
static void print_examples(FILE *out, const char *epilogue)
{
    const char *line = strchr(epilogue, '\n');

    fputs(".SH EXAMPLES\n.nf\n", out);
    print_text(out, line != NULL ? line + 1 : epilogue);
    fputs(".fi\n", out);
}

static void print_see_also(FILE *out, const struct command *besides)
{
    const char *separator = ",\n";

    fputs(".SH SEE ALSO\n", out);
    if (besides != NULL) {
        fputs(".BR tlsdyno (1)", out);
    } else {
        separator = "";
    }
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i] != besides) {
            fprintf(out, "%s.BR tlsdyno\\-%s (1)", separator, commands[i]->table.command);
            separator = ",\n";
        }
    }
    fputc('\n', out);
}

/* Of one command, or with NULL of all. */
static void print_status(FILE *out, const struct command *only)
{
    print_section(out, "EXIT STATUS", STATUS);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = commands[i];

        if (command->violated != NULL && (only == NULL || only == command)) {
            fprintf(out, ".PP\n3 of tlsdyno %s: ", command->table.command);
            print_text(out, command->violated);
            fputs(".\n", out);
        }
    }
}

void manual_print_program(FILE *out)
{
    print_title(out, NULL);
    fputs(".SH NAME\ntlsdyno \\- a dynamometer for TLS\n"
          ".SH SYNOPSIS\n.B tlsdyno\n\\fICOMMAND\\fR [\\fIOPTION\\fR...]\n.br\n"
          ".B tlsdyno\n\\fB\\-\\-help\\fR | \\fB\\-\\-version\\fR\n",
          out);
    print_section(out, "DESCRIPTION",
                  "Puts a TLS server under a known load and measures what it gives. The program is "
                  "the server, the load generator and the tools around them; each command has "
                  "--help and a manual page of its own. --version says what the OpenSSL and the "
                  "kernel at hand offer.");
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < command_count; i++) {
        fprintf(out, ".TP\n.BR tlsdyno\\-%s (1)\n", commands[i]->table.command);
        print_text(out, commands[i]->help);
        fputs(".\n", out);
    }
    print_section(out, "CONFIGURATION FILES", CONFIGURATION);
    print_section(out, "ENVIRONMENT", ENVIRONMENT);
    print_status(out, NULL);
    print_see_also(out, NULL);
}

void manual_print_command(const struct command *command, FILE *out)
{
    const struct option_table *table = &command->table;

    print_title(out, table->command);
    fprintf(out, ".SH NAME\ntlsdyno\\-%s \\- ", table->command);
    print_text(out, command->help);
    fprintf(out, "\n.SH SYNOPSIS\n.B tlsdyno %s\n[\\fIOPTION\\fR...]", table->command);
    if (table->operand != NULL) {
        fprintf(out, " \\fI%s\\fR", table->operand);
    }
    fputc('\n', out);
    print_section(out, "DESCRIPTION", table->summary);
    print_options(out, table);
    for (size_t i = 0; i < MANUAL_SECTIONS_MAX && command->manual[i].heading != NULL; i++) {
        print_section(out, command->manual[i].heading, command->manual[i].text);
    }
    print_section(out, "CONFIGURATION FILES", CONFIGURATION);
    print_status(out, command);
    if (table->epilogue != NULL) {
        print_examples(out, table->epilogue);
    }
    print_see_also(out, command);
}
