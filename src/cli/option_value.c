#include "cli/option_value.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/units.h"

static const char NEGATION[] = "no-";

static bool is_last_section(const struct option_table *table, size_t index)
{
    return index == OPTION_SECTIONS_MAX || table->sections[index].rows == NULL;
}

/* info NULL: after the last one. */
static struct option_match match_at(const struct option_table *table, size_t index)
{
    size_t first = 0;

    for (size_t s = 0; !is_last_section(table, s); s++) {
        const struct option_section *section = &table->sections[s];

        if (index - first < section->count) {
            return (struct option_match){
                .info = &section->rows[index - first], .base = section->base, .index = index};
        }
        first += section->count;
    }
    assert(first <= OPTION_ROWS_MAX);
    return (struct option_match){0};
}

const struct option_info *options_row(const struct option_table *table, size_t index)
{
    return match_at(table, index).info;
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

struct option_match option_match(const struct option_table *table, const char *name, char letter)
{
    struct option_match match;

    for (size_t i = 0; (match = match_at(table, i)).info != NULL; i++) {
        if (name == NULL ? match.info->letter == letter
                         : name_matches(match.info, name, &match.negated)) {
            return match;
        }
    }
    return match;
}

const struct option_info *options_find(const struct option_table *table, const char *name)
{
    struct option_match match = option_match(table, name, 0);

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

int option_value_put(struct option_match match, void *config, const char *text, struct error *error)
{
    struct error reason = {0};
    char allowed[OPTION_ALLOWED_BYTES];

    if (text[0] == '\0') {
        error_set(&reason, "the value is empty");
    } else if (set_value(match.info, (char *)config + match.base, text, &reason) == 0) {
        return 0;
    }
    if (strstr(reason.text, text) == NULL) { /* many reasons quote the value themselves */
        error_prefix(&reason, "'%s'", text);
    }
    options_allowed(match.info, allowed);
    return error_set(error, "%s%s%s", reason.text, allowed[0] != '\0' ? "; allowed: " : "",
                     allowed);
}

void option_switch_put(struct option_match match, void *config, bool on)
{
    char *field = (char *)config + match.base + match.info->offset;
    bool value = on != match.negated;

    if (match.info->width == sizeof(enum option_decision)) {
        enum option_decision decision = value ? OPTION_YES : OPTION_NO;

        memcpy(field, &decision, sizeof(decision));
        return;
    }
    value = value != match.info->inverted;
    memcpy(field, &value, sizeof(value));
}

void option_values_init(const struct option_table *table, void *config)
{
    struct option_match match;

    for (size_t i = 0; (match = match_at(table, i)).info != NULL; i++) {
        if (match.info->initial != NULL) {
            struct error error = {0};
            int wrong =
                set_value(match.info, (char *)config + match.base, match.info->initial, &error);

            assert(wrong == 0); /* the table's fault, not the person's */
            (void)wrong;
        }
    }
}
