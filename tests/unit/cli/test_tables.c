/* What holds for every row of every command. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/commands.h"

enum { ROWS_MAX = OPTION_ROWS_MAX };

static size_t collect(const struct option_table *table, const struct option_info *out[ROWS_MAX])
{
    size_t count = 0;

    while (options_row(table, count) != NULL) {
        cr_assert_lt(count, ROWS_MAX);
        out[count] = options_row(table, count);
        count++;
    }
    return count;
}

static void assert_complete(const struct option_info *info)
{
    cr_assert_not_null(info->name);
    cr_assert_not_null(info->group, "%s", info->name);
    cr_assert_not_null(info->help, "%s", info->name);
    cr_assert_neq(info->help[strlen(info->help) - 1], '.', "%s", info->name);
    cr_assert_eq(info->argument == NULL, info->kind == OPTION_SWITCH, "%s", info->name);
    cr_assert(info->kind != OPTION_CHOICE || info->choices != NULL, "%s", info->name);
    cr_assert_eq(info->function == NULL, info->kind != OPTION_FUNCTION, "%s", info->name);
    cr_assert_eq(info->width == 0, info->kind == OPTION_FUNCTION, "%s", info->name);
    for (const char *c = info->name; *c != '\0'; c++) {
        cr_assert(islower((unsigned char)*c) || *c == '-', "%s", info->name);
    }
}

static size_t width_of(enum option_kind kind)
{
    switch (kind) {
    case OPTION_SWITCH:
        return sizeof(bool);
    case OPTION_STRING:
        return sizeof(char *);
    case OPTION_CHOICE:
        return sizeof(int);
    case OPTION_LIST:
        return sizeof(struct option_list);
    case OPTION_COUNT:
    case OPTION_BYTES:
    case OPTION_DURATION:
    case OPTION_FUNCTION:
        break;
    }
    return 0;
}

Test(tables, rows_are_complete)
{
    for (size_t c = 0; c < command_count; c++) {
        const struct option_info *rows[ROWS_MAX];
        size_t count = collect(&commands[c]->table, rows);

        for (size_t i = 0; i < count; i++) {
            assert_complete(rows[i]);
        }
    }
}

Test(tables, fields_have_the_width_of_their_kind)
{
    for (size_t c = 0; c < command_count; c++) {
        const struct option_info *rows[ROWS_MAX];
        size_t count = collect(&commands[c]->table, rows);

        for (size_t i = 0; i < count; i++) {
            size_t width = width_of(rows[i]->kind);

            if (rows[i]->kind == OPTION_SWITCH && rows[i]->width == sizeof(enum option_decision)) {
                cr_assert(rows[i]->negatable && !rows[i]->inverted, "%s", rows[i]->name);
            } else if (width != 0) {
                cr_assert_eq(rows[i]->width, width, "%s", rows[i]->name);
            } else if (rows[i]->kind != OPTION_FUNCTION) {
                cr_assert(rows[i]->width == 4 || rows[i]->width == 8, "%s", rows[i]->name);
            }
        }
    }
}

Test(tables, names_and_letters_are_unique_in_a_command)
{
    for (size_t c = 0; c < command_count; c++) {
        const struct option_info *rows[ROWS_MAX];
        size_t count = collect(&commands[c]->table, rows);

        for (size_t i = 0; i < count; i++) {
            cr_assert_neq(rows[i]->letter, 'h', "%s", rows[i]->name);
            cr_assert_str_neq(rows[i]->name, "config");
            for (size_t j = 0; j < i; j++) {
                cr_assert_str_neq(rows[i]->name, rows[j]->name);
                cr_assert(rows[i]->letter == '\0' || rows[i]->letter != rows[j]->letter, "%s",
                          rows[i]->name);
            }
        }
    }
}

Test(tables, initial_values_are_values)
{
    for (size_t c = 0; c < command_count; c++) {
        void *config = calloc(1, commands[c]->config_bytes);
        struct option_files files = {0};
        struct error error = {0};
        char *argv[] = {"command", "operand", NULL};
        int argc = commands[c]->table.operand != NULL ? 2 : 1;

        cr_assert_eq(options_parse(&commands[c]->table, argc, argv, config, &files, &error),
                     OPTIONS_PARSED, "%s", error.text);
        free(config);
    }
}

Test(tables, commands_are_found_by_name)
{
    for (size_t c = 0; c < command_count; c++) {
        cr_assert_eq(command_find(commands[c]->table.command), commands[c]);
    }
    cr_assert_null(command_find("server"));
    cr_assert_null(command_find(""));
}
