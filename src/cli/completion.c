#include "cli/completion.h"

#include <string.h>

#include "cli/commands.h"

/* bash gives --name=value as three words. Where nothing is offered, "-o default" makes readline
 * offer names of files; compopt +o takes that back for values that are none. */
static const char HEAD[] =
    "# bash completion for tlsdyno\n"
    "\n"
    "_tlsdyno()\n"
    "{\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
    "\n"
    "    if [[ $word == = ]]; then\n"
    "        word=\n"
    "    elif [[ $before == = ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    COMPREPLY=()\n";

static const char TAIL[] = "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                           "}\n"
                           "\n"
                           "complete -o default -F _tlsdyno tlsdyno\n";

enum value { VALUE_NONE, VALUE_WORDS, VALUE_FILE, VALUE_OTHER };

static enum value value_of(const struct option_info *info)
{
    if (info->argument == NULL) {
        return VALUE_NONE;
    }
    if (info->choices != NULL) {
        return VALUE_WORDS;
    }
    return strstr(info->argument, "FILE") != NULL ? VALUE_FILE : VALUE_OTHER;
}

/* What the word before the current one is when it is this option. */
static void print_pattern(FILE *out, const char *command, const struct option_info *info)
{
    fprintf(out, "%s:--%s", command, info->name);
    if (info->letter != '\0') {
        fprintf(out, " | %s:-%c", command, info->letter);
    }
}

/* The rows of the table, then those of every command; NULL after the last one. */
static const struct option_info *any_row(const struct option_table *table, size_t index)
{
    size_t count = 0;

    while (options_row(table, count) != NULL) {
        count++;
    }
    if (index < count) {
        return options_row(table, index);
    }
    return index - count < OPTION_COMMON_COUNT ? &option_common_rows[index - count] : NULL;
}

static void print_words(FILE *out, const struct option_table *table)
{
    const struct option_info *row;

    for (size_t i = 0; (row = any_row(table, i)) != NULL; i++) {
        if (value_of(row) == VALUE_WORDS) {
            fputs("        ", out);
            print_pattern(out, table->command, row);
            for (size_t j = 0; row->choices[j] != NULL; j++) {
                fprintf(out, "%s%s", j == 0 ? ") words='" : " ", row->choices[j]);
            }
            fputs("' ;;\n", out);
        }
    }
}

/* One branch for all options with this kind of value. */
static void print_branch(FILE *out, const struct option_table *table, enum value value,
                         const char *action)
{
    const char *before = "        ";
    const struct option_info *row;

    for (size_t i = 0; (row = any_row(table, i)) != NULL; i++) {
        if (value_of(row) == value) {
            fputs(before, out);
            print_pattern(out, table->command, row);
            before = " | ";
        }
    }
    if (before[1] == '|') {
        fprintf(out, ") %s ;;\n", action);
    }
}

static void print_names(FILE *out, const struct option_info *info)
{
    fprintf(out, " --%s", info->name);
    if (info->negatable) {
        fprintf(out, " --no-%s", info->name);
    }
}

static void print_command(FILE *out, const struct option_table *table)
{
    const struct option_info *row;

    print_words(out, table);
    print_branch(out, table, VALUE_FILE, "return");
    print_branch(out, table, VALUE_OTHER, "compopt +o default 2>/dev/null; return");
    fprintf(out, "        %s:*) words='", table->command);
    for (size_t i = 0; (row = any_row(table, i)) != NULL; i++) {
        print_names(out, row);
    }
    fputs("' ;;\n", out);
}

void completion_print_bash(FILE *out)
{
    fputs(HEAD, out);
    fputs("    if ((COMP_CWORD == 1)); then\n        words='", out);
    for (size_t i = 0; i < command_count; i++) {
        fprintf(out, "%s ", commands[i]->table.command);
    }
    fputs("--help --version'\n    else\n        case ${COMP_WORDS[1]}:$before in\n", out);
    for (size_t i = 0; i < command_count; i++) {
        print_command(out, &commands[i]->table);
    }
    fputs("        esac\n    fi\n", out);
    fputs(TAIL, out);
}
