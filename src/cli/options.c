#include "cli/options.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/units.h"
#include "cli/suggest.h"

static const char NEGATION[] = "no-";

struct parser {
    const struct option_table *table;
    int argc;
    char **argv;
    int index; /* of the argument being read */
    char *config;
    bool operand_given;
    struct error *error;
};

/* An option as it was given. */
struct match {
    const struct option_info *info; /* NULL: there is no such option */
    size_t base;
    bool negated;
};

static bool is_last_section(const struct option_table *table, size_t index)
{
    return index == OPTION_SECTIONS_MAX || table->sections[index].rows == NULL;
}

static bool name_matches(const struct option_info *info, const char *name, bool *out_negated)
{
    *out_negated = false;
    if (strcmp(info->name, name) == 0) {
        return true;
    }
    *out_negated = true;
    return info->negatable && strncmp(name, NEGATION, strlen(NEGATION)) == 0 &&
           strcmp(info->name, name + strlen(NEGATION)) == 0;
}

/* By long name, or by letter when `name` is NULL. */
static struct match find(const struct option_table *table, const char *name, char letter)
{
    for (size_t s = 0; !is_last_section(table, s); s++) {
        const struct option_section *section = &table->sections[s];

        for (size_t i = 0; i < section->count; i++) {
            struct match match = {.info = &section->rows[i], .base = section->base};

            if (name == NULL ? match.info->letter == letter
                             : name_matches(match.info, name, &match.negated)) {
                return match;
            }
        }
    }
    return (struct match){0};
}

const struct option_info *options_find(const struct option_table *table, const char *name)
{
    struct match match = find(table, name, 0);

    return match.negated ? NULL : match.info;
}

static void store_number(const struct option_info *info, char *field, uint64_t value)
{
    if (info->width == sizeof(uint64_t)) {
        memcpy(field, &value, sizeof(value));
    } else {
        uint32_t narrow = (uint32_t)value;

        assert(info->width == sizeof(narrow) && value <= UINT32_MAX);
        memcpy(field, &narrow, sizeof(narrow));
    }
}

static int set_number(const struct option_info *info, char *field, const char *text,
                      struct error *error)
{
    uint64_t unit = info->unit_ns == 0 ? 1 : info->unit_ns;
    uint64_t max = info->max != 0 ? info->max : UINT64_MAX;
    uint64_t value;

    if (info->width == sizeof(uint32_t) && max / unit > UINT32_MAX) {
        max = UINT32_MAX * unit;
    }
    if (info->kind == OPTION_DURATION) {
        if (units_parse_duration(text, &value, error) != 0) {
            return -1;
        }
    } else if (units_parse_count(text, &value, error) != 0) {
        return -1;
    }
    if (value < info->min || value > max || value % unit != 0) {
        return error_set(error, "out of range");
    }
    store_number(info, field, value / unit);
    return 0;
}

static int set_choice(const struct option_info *info, char *field, const char *text,
                      struct error *error)
{
    for (size_t i = 0; info->choices[i] != NULL; i++) {
        if (strcmp(info->choices[i], text) == 0) {
            store_number(info, field, i);
            return 0;
        }
    }
    return error_set(error, "unknown");
}

static int set_list(const struct option_info *info, char *field, const char *text,
                    struct error *error)
{
    struct option_list list;
    size_t max = info->max != 0 && info->max < OPTION_LIST_MAX ? info->max : OPTION_LIST_MAX;

    memcpy(&list, field, sizeof(list));
    if (list.count == max) {
        return error_set(error, "given too often");
    }
    list.items[list.count++] = text;
    memcpy(field, &list, sizeof(list));
    return 0;
}

static int set_value(const struct option_info *info, char *section, const char *text,
                     struct error *error)
{
    char *field = section + info->offset;

    switch (info->kind) {
    case OPTION_SWITCH:
        break;
    case OPTION_COUNT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        return set_number(info, field, text, error);
    case OPTION_STRING:
        memcpy(field, &text, sizeof(text));
        return 0;
    case OPTION_CHOICE:
        return set_choice(info, field, text, error);
    case OPTION_LIST:
        return set_list(info, field, text, error);
    case OPTION_FUNCTION:
        return info->function(section, text, error);
    }
    assert(info->kind != OPTION_SWITCH); /* which has no value */
    return -1;
}

/* A value that the person gave: whatever is wrong with it becomes one sentence. */
static int take_value(struct parser *parser, struct match match, const char *text)
{
    const struct option_info *info = match.info;
    struct error reason = {0};
    char allowed[OPTION_ALLOWED_BYTES];

    if (text[0] == '\0') {
        error_set(&reason, "the value is empty");
    } else if (set_value(info, parser->config + match.base, text, &reason) == 0) {
        return 0;
    }
    if (strstr(reason.text, text) == NULL) { /* many reasons quote the value themselves */
        error_prefix(&reason, "'%s'", text);
    }
    options_allowed(info, allowed);
    return error_set(parser->error, "--%s: %s%s%s", info->name, reason.text,
                     allowed[0] != '\0' ? "; allowed: " : "", allowed);
}

static void take_switch(struct parser *parser, struct match match)
{
    bool value = !match.negated;

    if (match.info->inverted) {
        value = !value;
    }
    memcpy(parser->config + match.base + match.info->offset, &value, sizeof(value));
}

/* The value that follows as an argument of its own. */
static int take_next(struct parser *parser, struct match match)
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
    struct suggestion suggestion;
    char word[SUGGESTION_BYTES];
    char negated[SUGGESTION_BYTES];

    snprintf(word, sizeof(word), "%.*s", (int)name_bytes, name);
    suggestion_init(&suggestion, word);
    for (size_t s = 0; !is_last_section(parser->table, s); s++) {
        const struct option_section *section = &parser->table->sections[s];

        for (size_t i = 0; i < section->count; i++) {
            suggestion_offer(&suggestion, section->rows[i].name);
            if (section->rows[i].negatable) {
                snprintf(negated, sizeof(negated), "%s%s", NEGATION, section->rows[i].name);
                suggestion_offer(&suggestion, negated);
            }
        }
    }
    suggestion_offer(&suggestion, "help");
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
    struct match match = {0};

    if (name_bytes < sizeof(name)) {
        snprintf(name, sizeof(name), "%.*s", (int)name_bytes, argument);
        match = find(parser->table, name, 0);
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
        struct match match = find(parser->table, NULL, *letters);

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

static int parse_operand(struct parser *parser, const char *text)
{
    const struct option_table *table = parser->table;

    if (table->operand == NULL) {
        return error_set(parser->error, "unexpected argument '%s': %s takes only options", text,
                         table->command);
    }
    if (parser->operand_given) {
        return error_set(parser->error, "unexpected argument '%s': %s takes one %s", text,
                         table->command, table->operand);
    }
    parser->operand_given = true;
    memcpy(parser->config + table->operand_offset, &text, sizeof(text));
    return 0;
}

static void apply_initial_values(struct parser *parser)
{
    for (size_t s = 0; !is_last_section(parser->table, s); s++) {
        const struct option_section *section = &parser->table->sections[s];

        for (size_t i = 0; i < section->count; i++) {
            const struct option_info *info = &section->rows[i];

            if (info->initial != NULL) {
                int wrong =
                    set_value(info, parser->config + section->base, info->initial, parser->error);

                assert(!wrong); /* the table's fault, not the person's */
                (void)wrong;
            }
        }
    }
}

static int parse_argument(struct parser *parser, bool *only_operands)
{
    const char *argument = parser->argv[parser->index];

    if (*only_operands || argument[0] != '-' || argument[1] == '\0') {
        return parse_operand(parser, argument);
    }
    if (strcmp(argument, "--") == 0) {
        *only_operands = true;
        return 0;
    }
    if (argument[1] == '-') {
        return parse_long(parser, argument + 2);
    }
    return parse_letters(parser, argument + 1);
}

enum options_result options_parse(const struct option_table *table, int argc, char **argv,
                                  void *config, struct error *error)
{
    struct parser parser = {
        .table = table, .argc = argc, .argv = argv, .index = 1, .config = config, .error = error};
    bool only_operands = false;

    apply_initial_values(&parser);
    for (; parser.index < argc; parser.index++) {
        const char *argument = argv[parser.index];

        if (!only_operands && (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)) {
            return OPTIONS_HELP;
        }
        if (parse_argument(&parser, &only_operands) != 0) {
            return OPTIONS_WRONG;
        }
    }
    if (table->operand != NULL && !parser.operand_given) {
        error_set(error, "%s needs a %s; see tlsdyno %s --help", table->command, table->operand,
                  table->command);
        return OPTIONS_WRONG;
    }
    return OPTIONS_PARSED;
}
