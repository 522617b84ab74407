/* What is not the same in all runs of a comparison. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/compare.h"
#include "report/compare_value.h"

enum { DEPTH_MAX = 4 }; /* of what is looked through; reports have 3 */

/* How far the shares of a combination may lie apart: 2 points. How many connections resume depends
 * a little on when the first tickets arrive. */
static const double SHARE_TOLERANCE = 0.02;

/* What makes runs a different piece of work, if it differs. */
static const char *const work_keys[] = {"plan.mode",
                                        "plan.plain_tcp",
                                        "plan.message_bytes",
                                        "plan.response_bytes",
                                        "plan.rate_per_second",
                                        "plan.arrivals",
                                        "plan.requests_per_connection",
                                        "plan.idle"};

/* What is looked through besides; objects with all that is in them. Answers that went wrong are
 * often fast ones. */
static const char *const environment_keys[] = {
    "plan",
    "environment",
    "version",
    "target",
    "insecure",
    "client.threads",
    "server.version",
    "server.openssl",
    "server.record_layer",
    "server.workers",
    "errors.count",
    "messages.corrupt",
    "messages.http_status_other",
};

static_assert((int)COMPARE_KEY_BYTES == (int)COMPARE_TEXT_BYTES, "append() writes both");

static const json_t *report_at(const struct compare_input *input, size_t index)
{
    return index < input->base.count ? input->base.reports[index]
                                     : input->changed.reports[index - input->base.count];
}

static bool is_known(const struct compare_result *result, const char *key)
{
    for (size_t i = 0; i < result->difference_count; i++) {
        if (strcmp(result->differences[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

static void append(char out[COMPARE_TEXT_BYTES], const char *text)
{
    size_t used = strlen(out);

    snprintf(out + used, COMPARE_TEXT_BYTES - used, "%s", text);
    for (char *c = out + used; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~') { /* from somebody's file to somebody's terminal */
            *c = '?';
        }
    }
}

/* NULL when there are too many; then the last one is as good as a thousand more. */
static struct compare_difference *add(struct compare_result *result, enum compare_matter matter,
                                      const char *key)
{
    struct compare_difference *difference;

    if (matter != COMPARE_ENVIRONMENT) {
        result->comparable = false;
    }
    if (result->difference_count == COMPARE_DIFFERENCES_MAX) {
        return NULL;
    }
    difference = &result->differences[result->difference_count++];
    *difference = (struct compare_difference){.matter = matter};
    append(difference->key, key);
    return difference;
}

/* ---- Settings and environment ---- */

/* Missing is as good as null. */
static const json_t *value_of(const json_t *report, const char *key)
{
    const json_t *value = compare_find(report, key);

    return json_is_null(value) ? NULL : value;
}

static bool equal(const json_t *a, const json_t *b)
{
    return a == b || (a != NULL && b != NULL && json_equal(a, b));
}

static void append_value(char out[COMPARE_TEXT_BYTES], const json_t *value)
{
    char *dumped;

    if (json_is_string(value)) {
        append(out, json_string_value(value));
        return;
    }
    dumped = value != NULL
                 ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9))
                 : NULL;
    append(out, dumped != NULL ? dumped : "-");
    free(dumped);
}

/* The side's values, each once. */
static void list_values(const struct compare_side *side, const char *key,
                        char out[COMPARE_TEXT_BYTES])
{
    for (size_t i = 0; i < side->count; i++) {
        const json_t *value = value_of(side->reports[i], key);
        size_t earlier = 0;

        while (earlier < i && !equal(value_of(side->reports[earlier], key), value)) {
            earlier++;
        }
        if (earlier == i) {
            append(out, i > 0 ? " | " : "");
            append_value(out, value);
        }
    }
}

static void compare_key(const struct compare_input *input, enum compare_matter matter,
                        const char *key, struct compare_result *out)
{
    size_t count = input->base.count + input->changed.count;
    const json_t *first = value_of(report_at(input, 0), key);
    struct compare_difference *difference;
    size_t i = 1;

    while (i < count && equal(first, value_of(report_at(input, i), key))) {
        i++;
    }
    if (i == count || is_known(out, key)) {
        return;
    }
    difference = add(out, matter, key);
    if (difference != NULL) {
        list_values(&input->base, key, difference->base);
        list_values(&input->changed, key, difference->changed);
    }
}

/* Every leaf below `key` that some run has. */
static void compare_below(const struct compare_input *input, const json_t *value, const char *key,
                          unsigned depth, struct compare_result *out)
{
    const char *name;
    json_t *member;

    if (!json_is_object(value)) {
        compare_key(input, COMPARE_ENVIRONMENT, key, out);
        return;
    }
    json_object_foreach((json_t *)value, name, member)
    {
        char path[COMPARE_KEY_BYTES];

        if (depth < DEPTH_MAX &&
            snprintf(path, sizeof(path), "%s.%s", key, name) < (int)sizeof(path)) {
            compare_below(input, member, path, depth + 1, out);
        }
    }
}

/* ---- What was negotiated ---- */

static void combination_name(const json_t *row, char out[COMPARE_TEXT_BYTES])
{
    static const char *const keys[] = {"version", "suite", "group", "certificate", "resumption"};

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text = json_string_value(json_object_get(row, keys[i]));

        if (text != NULL) {
            append(out, out[0] != '\0' ? ", " : "");
            append(out, text);
        }
    }
}

/* Of the run's connections, 0-1. */
static double share_of(const json_t *report, const char *wanted)
{
    const json_t *rows = compare_find(report, "negotiated.combinations");
    const json_t *row;
    double all = 0;
    double those = 0;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        double connections = compare_number(json_object_get(row, "connections"));
        char name[COMPARE_TEXT_BYTES];

        combination_name(row, name);
        all += connections;
        those += strcmp(name, wanted) == 0 ? connections : 0;
    }
    return all > 0 ? those / all : 0;
}

struct range {
    double low, high;
};

static struct range shares_of(const struct compare_side *side, const char *name)
{
    struct range range = {.low = 1, .high = 0};

    for (size_t i = 0; i < side->count; i++) {
        double share = share_of(side->reports[i], name);

        range.low = fmin(range.low, share);
        range.high = fmax(range.high, share);
    }
    return range;
}

static void print_range(char out[COMPARE_TEXT_BYTES], struct range range)
{
    if (range.high - range.low < 0.001) {
        snprintf(out, COMPARE_TEXT_BYTES, "%.1f%%", range.low * 100);
    } else {
        snprintf(out, COMPARE_TEXT_BYTES, "%.1f to %.1f%%", range.low * 100, range.high * 100);
    }
}

static void compare_combination(const struct compare_input *input, const char *name,
                                struct compare_result *out)
{
    struct range base = shares_of(&input->base, name);
    struct range changed = shares_of(&input->changed, name);
    struct compare_difference *difference;

    if (fmax(base.high, changed.high) - fmin(base.low, changed.low) <= SHARE_TOLERANCE) {
        return;
    }
    difference = add(out, COMPARE_NEGOTIATED, name);
    if (difference != NULL) {
        print_range(difference->base, base);
        print_range(difference->changed, changed);
    }
}

static void compare_negotiated(const struct compare_input *input, struct compare_result *out)
{
    for (size_t i = 0; i < input->base.count + input->changed.count; i++) {
        const json_t *rows = compare_find(report_at(input, i), "negotiated.combinations");
        const json_t *row;
        size_t j;

        json_array_foreach(rows, j, row)
        {
            char name[COMPARE_TEXT_BYTES];

            combination_name(row, name);
            if (!is_known(out, name)) {
                compare_combination(input, name, out);
            }
        }
    }
}

void compare_find_differences(const struct compare_input *input, struct compare_result *out)
{
    out->comparable = true;
    compare_negotiated(input, out);
    for (size_t i = 0; i < sizeof(work_keys) / sizeof(work_keys[0]); i++) {
        compare_key(input, COMPARE_WORK, work_keys[i], out);
    }
    for (size_t run = 0; run < input->base.count + input->changed.count; run++) {
        for (size_t i = 0; i < sizeof(environment_keys) / sizeof(environment_keys[0]); i++) {
            const json_t *value = compare_find(report_at(input, run), environment_keys[i]);

            compare_below(input, value, environment_keys[i], 0, out);
        }
    }
}
