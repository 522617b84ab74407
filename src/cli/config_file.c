#include "cli/config_file.h"

#include <string.h>

#include "base/error.h"
#include "cli/file.h"
#include "cli/option_value.h"
#include "cli/suggest.h"

static const char BLANKS[] = " \t\r";

char *config_file_read(const char *name, struct error *error)
{
    struct file_content content;

    if (file_read(name, CONFIG_FILE_BYTES_MAX, &content, error) != 0) {
        return NULL;
    }
    if (strlen((const char *)content.bytes) != content.count) {
        file_content_free(&content);
        error_set(error, "%s is no text: it has a zero byte", name);
        return NULL;
    }
    return (char *)content.bytes;
}

/* Cuts blanks off both ends. */
static char *trim(char *text)
{
    size_t bytes;

    text += strspn(text, BLANKS);
    bytes = strlen(text);
    while (bytes > 0 && strchr(BLANKS, text[bytes - 1]) != NULL) {
        bytes--;
    }
    text[bytes] = '\0';
    return text;
}

static int refuse_unknown(const struct option_table *table, const char *key, struct error *error)
{
    const struct option_info *info;
    struct suggestion suggestion;

    suggestion_init(&suggestion, key);
    for (size_t i = 0; (info = options_row(table, i)) != NULL; i++) {
        suggestion_offer(&suggestion, info->name);
    }
    if (suggestion.best[0] != '\0') {
        return error_set(error, "unknown key '%s'; did you mean '%s'?", key, suggestion.best);
    }
    return error_set(error, "unknown key '%s'; the keys are the long options of tlsdyno %s --help",
                     key, table->command);
}

static int put_switch(struct option_match match, void *config, const char *value,
                      struct error *error)
{
    bool on = strcmp(value, "true") == 0;

    if (!on && strcmp(value, "false") != 0) {
        return error_set(error, "'%s' is neither true nor false", value);
    }
    option_switch_put(match, config, on);
    return 0;
}

static int apply_line(const struct option_table *table, char *line,
                      const bool hidden[OPTION_ROWS_MAX], void *config, struct error *error)
{
    char *value = line;
    const char *key = trim(strsep(&value, "="));
    struct option_match match;
    int outcome;

    if (value == NULL) {
        return error_set(error, "'%s' is no line of the form NAME = VALUE", key);
    }
    value = trim(value);
    match = option_match(table, key, '\0');
    if (match.info == NULL) {
        return refuse_unknown(table, key, error);
    }
    if (match.negated) {
        return error_set(error, "unknown key '%s'; write '%s = false'", key, match.info->name);
    }
    if (hidden[match.index]) {
        return 0;
    }
    outcome = match.info->kind == OPTION_SWITCH ? put_switch(match, config, value, error)
                                                : option_value_put(match, config, value, error);
    return outcome == 0 ? 0 : error_prefix(error, "%s", key);
}

int config_file_apply(const struct option_table *table, const char *name, char *text,
                      const bool hidden[OPTION_ROWS_MAX], void *config, struct error *error)
{
    char *line;

    for (unsigned number = 1; (line = strsep(&text, "\n")) != NULL; number++) {
        line = trim(line);
        if (line[0] != '\0' && line[0] != '#' &&
            apply_line(table, line, hidden, config, error) != 0) {
            return error_prefix(error, "%s:%u", name, number);
        }
    }
    return 0;
}
