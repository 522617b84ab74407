/* What a table says in words: the allowed values of a row, and the text of --help. */
#include <inttypes.h>
#include <string.h>

#include "cli/options.h"

enum { HELP_COLUMNS = 80, HELP_INDENT = 30, HELP_NAME_BYTES = 96 };

/* Exactly, in the largest unit that needs no fraction, as units_parse_duration() would read it. */
static void format_duration(uint64_t ns, char *out, size_t out_bytes)
{
    static const struct {
        const char *suffix;
        uint64_t ns;
    } units[] = {
        {"h", OPTION_HOUR},   {"m", 60 * OPTION_SECOND},
        {"s", OPTION_SECOND}, {"ms", OPTION_MILLISECOND},
        {"us", 1000},         {"ns", 1},
    };
    size_t i = 0;

    while (ns % units[i].ns != 0) {
        i++;
    }
    snprintf(out, out_bytes, "%" PRIu64 "%s", ns / units[i].ns, units[i].suffix);
}

static void format_number(const struct option_info *info, uint64_t value, char *out,
                          size_t out_bytes)
{
    if (info->kind == OPTION_DURATION) {
        format_duration(value, out, out_bytes);
    } else {
        snprintf(out, out_bytes, "%" PRIu64, value);
    }
}

static void describe_range(const struct option_info *info, const char *what,
                           char out[OPTION_ALLOWED_BYTES])
{
    char min[32];
    char max[32];
    char unit[32];
    size_t used;

    format_number(info, info->min, min, sizeof(min));
    format_number(info, info->max, max, sizeof(max));
    if (info->max != 0) {
        snprintf(out, OPTION_ALLOWED_BYTES, "%s from %s to %s", what, min, max);
    } else if (info->min != 0) {
        snprintf(out, OPTION_ALLOWED_BYTES, "%s from %s", what, min);
    } else {
        snprintf(out, OPTION_ALLOWED_BYTES, "%s", what);
    }
    if (info->unit_ns > 1) {
        format_duration(info->unit_ns, unit, sizeof(unit));
        used = strlen(out);
        snprintf(out + used, OPTION_ALLOWED_BYTES - used, " in steps of %s", unit);
    }
}

static void describe_choices(const struct option_info *info, char out[OPTION_ALLOWED_BYTES])
{
    size_t used = 0;

    for (size_t i = 0; info->choices[i] != NULL && used < OPTION_ALLOWED_BYTES; i++) {
        const char *between = i == 0 ? "" : info->choices[i + 1] == NULL ? " or " : ", ";

        used += (size_t)snprintf(out + used, OPTION_ALLOWED_BYTES - used, "%s%s", between,
                                 info->choices[i]);
    }
}

const char *options_allowed(const struct option_info *info, char out[OPTION_ALLOWED_BYTES])
{
    out[0] = '\0';
    switch (info->kind) {
    case OPTION_COUNT:
        describe_range(info, "a number", out);
        break;
    case OPTION_BYTES:
        describe_range(info, "a size (100, 16k, 16Ki)", out);
        break;
    case OPTION_DURATION:
        describe_range(info, "a duration (250ms, 10s, 2m)", out);
        break;
    case OPTION_CHOICE:
        describe_choices(info, out);
        break;
    case OPTION_LIST:
        snprintf(out, OPTION_ALLOWED_BYTES, "up to %" PRIu64 " of them",
                 info->max != 0 ? info->max : (uint64_t)OPTION_LIST_MAX);
        break;
    case OPTION_SWITCH:
    case OPTION_STRING:
    case OPTION_FUNCTION: /* its own sentence says it */
        break;
    }
    return out;
}

/* Prints the words of `text`, from column `column` on, in lines that begin at `indent`. */
static void print_wrapped(FILE *out, const char *text, int column, int indent)
{
    const char *word = text;
    bool line_start = true;

    while (*word != '\0') {
        int bytes = (int)strcspn(word, " \n");

        if (!line_start && column + 1 + bytes > HELP_COLUMNS) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
            line_start = true;
        }
        fprintf(out, "%s%.*s", line_start ? "" : " ", bytes, word);
        column += bytes + (line_start ? 0 : 1);
        line_start = false;
        word += bytes;
        if (*word != '\0') {
            word++;
        }
    }
    fputc('\n', out);
}

static void print_row(FILE *out, const struct option_info *info)
{
    const char *by_default = info->initial != NULL ? info->initial : info->default_text;
    char names[HELP_NAME_BYTES];
    char sentence[512];
    char letter[8] = "    ";
    int column;

    if (info->letter != '\0') {
        snprintf(letter, sizeof(letter), "-%c, ", info->letter);
    }
    snprintf(names, sizeof(names), "  %s--%s%s%s%s", letter, info->negatable ? "[no-]" : "",
             info->name, info->argument != NULL ? " " : "",
             info->argument != NULL ? info->argument : "");
    snprintf(sentence, sizeof(sentence), "%s%s%s%s", info->help,
             by_default != NULL ? " (default: " : "", by_default != NULL ? by_default : "",
             by_default != NULL ? ")" : "");
    column = fprintf(out, "%s", names);
    if (column + 2 > HELP_INDENT) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", HELP_INDENT - column, "");
    print_wrapped(out, sentence, HELP_INDENT, HELP_INDENT);
}

bool options_is_group_start(const struct option_table *table, size_t index)
{
    const char *group = options_row(table, index)->group;

    for (size_t i = 0; i < index; i++) {
        if (strcmp(options_row(table, i)->group, group) == 0) {
            return false;
        }
    }
    return true;
}

void options_print_help(const struct option_table *table, FILE *out)
{
    const struct option_info *first;

    fprintf(out, "usage: tlsdyno %s [OPTION...]%s%s\n\n", table->command,
            table->operand != NULL ? " " : "", table->operand != NULL ? table->operand : "");
    print_wrapped(out, table->summary, 0, 0);
    /* A group may have rows in several sections. */
    for (size_t i = 0; (first = options_row(table, i)) != NULL; i++) {
        const struct option_info *row;

        if (!options_is_group_start(table, i)) {
            continue;
        }
        fprintf(out, "\n%s:\n", first->group);
        for (size_t j = i; (row = options_row(table, j)) != NULL; j++) {
            if (strcmp(row->group, first->group) == 0) {
                print_row(out, row);
            }
        }
    }
    fputc('\n', out);
    for (size_t i = 0; i < OPTION_COMMON_COUNT; i++) {
        print_row(out, &option_common_rows[i]);
    }
    if (table->epilogue != NULL) {
        fprintf(out, "\n%s", table->epilogue);
    }
}
