#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/config_file.h"
#include "cli/option_value.h"
#include "cli/suggest.h"

/* The arguments are read twice: first to see which options are given, since those hide what
 * configuration files say, then to take their values. */
enum pass { PASS_LOOK, PASS_TAKE };

struct parser {
    const struct option_table *table;
    int argc;
    char **argv;
    int index; /* of the argument being read */
    enum pass pass;
    bool only_operands; /* after -- */
    bool operand_given;
    bool given[OPTION_ROWS_MAX];
    const char *file_names[OPTION_FILES_MAX];
    size_t file_count;
    void *config;
    struct error *error;
};

const struct option_info option_common_rows[OPTION_COMMON_COUNT] = {
    {.name = "config",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .help = "take options from a file with lines of NAME = VALUE first; those given here win"},
    {.name = "help", .letter = 'h', .kind = OPTION_SWITCH, .help = "print this help and exit"},
};

static const struct option_info *const config_row = &option_common_rows[0];

static struct option_match find(const struct option_table *table, const char *name)
{
    struct option_match match = option_match(table, name, 0);

    if (match.info == NULL && strcmp(name, config_row->name) == 0) {
        match.info = config_row;
    }
    return match;
}

static int take_file_name(struct parser *parser, const char *name)
{
    if (parser->pass == PASS_TAKE) {
        return 0;
    }
    if (name[0] == '\0') {
        return error_set(parser->error, "--config: the name of the file is empty");
    }
    if (parser->file_count == OPTION_FILES_MAX) {
        return error_set(parser->error, "--config %s: there are %d files already", name,
                         OPTION_FILES_MAX);
    }
    parser->file_names[parser->file_count++] = name;
    return 0;
}

static int take_value(struct parser *parser, struct option_match match, const char *text)
{
    if (match.info == config_row) {
        return take_file_name(parser, text);
    }
    if (parser->pass == PASS_LOOK) {
        parser->given[match.index] = true;
        return 0;
    }
    if (option_value_put(match, parser->config, text, parser->error) != 0) {
        return error_prefix(parser->error, "--%s", match.info->name);
    }
    return 0;
}

static void take_switch(struct parser *parser, struct option_match match)
{
    if (parser->pass == PASS_LOOK) {
        parser->given[match.index] = true;
    } else {
        option_switch_put(match, parser->config, true);
    }
}

/* The value that follows as an argument of its own. */
static int take_next(struct parser *parser, struct option_match match)
{
    char allowed[OPTION_ALLOWED_BYTES];

    if (parser->index + 1 == parser->argc) {
        options_allowed(match.info, allowed);
        return error_set(parser->error, "--%s needs a value: --%s %s%s%s", match.info->name,
                         match.info->name, match.info->argument,
                         allowed[0] != '\0' ? "; allowed: " : "", allowed);
    }
    return take_value(parser, match, parser->argv[++parser->index]);
}

static int refuse_unknown(struct parser *parser, const char *name, size_t name_bytes)
{
    const struct option_info *info;
    struct suggestion suggestion;
    char word[SUGGESTION_BYTES];
    char negated[SUGGESTION_BYTES];

    snprintf(word, sizeof(word), "%.*s", (int)name_bytes, name);
    suggestion_init(&suggestion, word);
    for (size_t i = 0; (info = options_row(parser->table, i)) != NULL; i++) {
        suggestion_offer(&suggestion, info->name);
        if (info->negatable) {
            snprintf(negated, sizeof(negated), "no-%s", info->name);
            suggestion_offer(&suggestion, negated);
        }
    }
    for (size_t i = 0; i < OPTION_COMMON_COUNT; i++) {
        suggestion_offer(&suggestion, option_common_rows[i].name);
    }
    if (suggestion.best[0] != '\0') {
        return error_set(parser->error, "unknown option --%s; did you mean --%s?", word,
                         suggestion.best);
    }
    return error_set(parser->error, "unknown option --%s; see tlsdyno %s --help", word,
                     parser->table->command);
}

static int parse_long(struct parser *parser, const char *argument)
{
    const char *equals = strchr(argument, '=');
    size_t name_bytes = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
    char name[SUGGESTION_BYTES];
    struct option_match match = {0};

    if (name_bytes < sizeof(name)) {
        snprintf(name, sizeof(name), "%.*s", (int)name_bytes, argument);
        match = find(parser->table, name);
    }
    if (match.info == NULL) {
        return refuse_unknown(parser, argument, name_bytes);
    }
    if (match.info->kind != OPTION_SWITCH) {
        return equals != NULL ? take_value(parser, match, equals + 1) : take_next(parser, match);
    }
    if (equals != NULL) {
        return error_set(parser->error, "--%s takes no value, but was given '%s'", name,
                         equals + 1);
    }
    take_switch(parser, match);
    return 0;
}

/* One argument may hold several switches, and a value after the last letter. */
static int parse_letters(struct parser *parser, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        struct option_match match = option_match(parser->table, NULL, *letters);

        if (match.info == NULL) {
            return error_set(parser->error, "unknown option -%c; see tlsdyno %s --help", *letters,
                             parser->table->command);
        }
        if (match.info->kind != OPTION_SWITCH) {
            return letters[1] != '\0' ? take_value(parser, match, letters + 1)
                                      : take_next(parser, match);
        }
        take_switch(parser, match);
    }
    return 0;
}

static int append_operand(struct parser *parser, const char *text)
{
    char *field = (char *)parser->config + parser->table->operand_offset;
    struct option_list list;

    memcpy(&list, field, sizeof(list));
    if (list.count == OPTION_LIST_MAX) {
        return error_set(parser->error, "unexpected argument '%s': there are %d already", text,
                         OPTION_LIST_MAX);
    }
    list.items[list.count++] = text;
    memcpy(field, &list, sizeof(list));
    return 0;
}

static int parse_operand(struct parser *parser, const char *text)
{
    const struct option_table *table = parser->table;

    if (table->operand == NULL) {
        return error_set(parser->error, "unexpected argument '%s': %s takes only options", text,
                         table->command);
    }
    if (table->operand_repeats) {
        return parser->pass == PASS_LOOK ? 0 : append_operand(parser, text);
    }
    if (parser->operand_given) {
        return error_set(parser->error, "unexpected argument '%s': %s takes one %s", text,
                         table->command, table->operand);
    }
    parser->operand_given = true;
    memcpy((char *)parser->config + table->operand_offset, &text, sizeof(text));
    return 0;
}

static int parse_argument(struct parser *parser)
{
    const char *argument = parser->argv[parser->index];

    if (parser->only_operands || argument[0] != '-' || argument[1] == '\0') {
        return parse_operand(parser, argument);
    }
    if (strcmp(argument, "--") == 0) {
        parser->only_operands = true;
        return 0;
    }
    if (argument[1] == '-') {
        return parse_long(parser, argument + 2);
    }
    return parse_letters(parser, argument + 1);
}

static enum options_result parse_all(struct parser *parser, enum pass pass)
{
    parser->pass = pass;
    parser->only_operands = false;
    parser->operand_given = false;
    for (parser->index = 1; parser->index < parser->argc; parser->index++) {
        const char *argument = parser->argv[parser->index];

        if (!parser->only_operands &&
            (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)) {
            return OPTIONS_HELP;
        }
        if (parse_argument(parser) != 0) {
            return OPTIONS_WRONG;
        }
    }
    return OPTIONS_PARSED;
}

static int take_files(struct parser *parser, struct option_files *files)
{
    for (size_t i = 0; i < parser->file_count; i++) {
        char *text = config_file_read(parser->file_names[i], parser->error);

        if (text == NULL) {
            return error_prefix(parser->error, "--config");
        }
        files->texts[files->count++] = text;
        if (config_file_apply(parser->table, parser->file_names[i], text, parser->given,
                              parser->config, parser->error) != 0) {
            return -1;
        }
    }
    return 0;
}

void option_files_free(struct option_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->texts[i]);
    }
    files->count = 0;
}

enum options_result options_parse(const struct option_table *table, int argc, char **argv,
                                  void *config, struct option_files *files, struct error *error)
{
    struct parser parser = {
        .table = table, .argc = argc, .argv = argv, .config = config, .error = error};
    enum options_result result;

    option_values_init(table, config);
    result = parse_all(&parser, PASS_LOOK);
    if (result != OPTIONS_PARSED) {
        return result;
    }
    if (take_files(&parser, files) != 0) {
        return OPTIONS_WRONG;
    }
    result = parse_all(&parser, PASS_TAKE);
    if (result == OPTIONS_PARSED && table->operand != NULL && !table->operand_repeats &&
        !parser.operand_given) {
        error_set(error, "%s needs a %s; see tlsdyno %s --help", table->command, table->operand,
                  table->command);
        return OPTIONS_WRONG;
    }
    return result;
}
