/* Figures of two groups of reports. */
#include "report/compare.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "load/result.h"
#include "report/compare_value.h"
#include "report/statistics.h"

enum { INTERVALS_MIN = 4, SEED = 1 };

struct figure_info {
    const char *key;
    const char *title;
    enum compare_unit unit;
    bool higher_is_better;
    const char *series_key; /* counts of one interval; NULL: the series does not have it */
};

static const struct figure_info infos[] = {
    {"handshakes.per_second", "handshakes", COMPARE_PER_SECOND, true, "handshakes"},
    {"handshakes.full_per_second", "handshakes, full", COMPARE_PER_SECOND, true, NULL},
    {"handshakes.resumed_per_second", "handshakes, resumed", COMPARE_PER_SECOND, true, NULL},
    {"messages.per_second", "messages", COMPARE_PER_SECOND, true, "messages"},
    {"bytes.plain_in_bytes_per_second", "goodput in", COMPARE_BYTES_PER_SECOND, true,
     "plain_in_bytes"},
    {"bytes.plain_out_bytes_per_second", "goodput out", COMPARE_BYTES_PER_SECOND, true,
     "plain_out_bytes"},
    {"latency.connect.p50_ns", "TCP connect, p50", COMPARE_SECONDS, false, NULL},
    {"latency.connect.p99_ns", "TCP connect, p99", COMPARE_SECONDS, false, NULL},
    {"latency.connect.p999_ns", "TCP connect, p99.9", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_full.p50_ns", "handshake, full, p50", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_full.p99_ns", "handshake, full, p99", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_full.p999_ns", "handshake, full, p99.9", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_resumed.p50_ns", "handshake, resumed, p50", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_resumed.p99_ns", "handshake, resumed, p99", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_resumed.p999_ns", "handshake, resumed, p99.9", COMPARE_SECONDS, false,
     NULL},
    {"latency.first_byte.p50_ns", "first byte, p50", COMPARE_SECONDS, false, NULL},
    {"latency.first_byte.p99_ns", "first byte, p99", COMPARE_SECONDS, false, NULL},
    {"latency.first_byte.p999_ns", "first byte, p99.9", COMPARE_SECONDS, false, NULL},
    {"latency.message.p50_ns", "message, p50", COMPARE_SECONDS, false, NULL},
    {"latency.message.p99_ns", "message, p99", COMPARE_SECONDS, false, NULL},
    {"latency.message.p999_ns", "message, p99.9", COMPARE_SECONDS, false, NULL},
    {"latency.message_corrected.p50_ns", "message, corrected, p50", COMPARE_SECONDS, false, NULL},
    {"latency.message_corrected.p99_ns", "message, corrected, p99", COMPARE_SECONDS, false, NULL},
    {"latency.message_corrected.p999_ns", "message, corrected, p99.9", COMPARE_SECONDS, false,
     NULL},
    {"latency.set_up.p50_ns", "set-up, p50", COMPARE_SECONDS, false, NULL},
    {"latency.set_up.p99_ns", "set-up, p99", COMPARE_SECONDS, false, NULL},
    {"latency.set_up.p999_ns", "set-up, p99.9", COMPARE_SECONDS, false, NULL},
    {"latency.set_up_corrected.p50_ns", "set-up, corrected, p50", COMPARE_SECONDS, false, NULL},
    {"latency.set_up_corrected.p99_ns", "set-up, corrected, p99", COMPARE_SECONDS, false, NULL},
    {"latency.set_up_corrected.p999_ns", "set-up, corrected, p99.9", COMPARE_SECONDS, false, NULL},
    {"latency.hello.p50_ns", "then ServerHello, p50", COMPARE_SECONDS, false, NULL},
    {"latency.hello.p99_ns", "then ServerHello, p99", COMPARE_SECONDS, false, NULL},
    {"latency.finish.p50_ns", "then complete, p50", COMPARE_SECONDS, false, NULL},
    {"latency.finish.p99_ns", "then complete, p99", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_ticket.p50_ns", "handshake, ticket, p50", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_ticket.p99_ns", "handshake, ticket, p99", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_id.p50_ns", "handshake, ID, p50", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_id.p99_ns", "handshake, ID, p99", COMPARE_SECONDS, false, NULL},
    {"latency.handshake_early_accepted.p50_ns", "handshake, 0-RTT, p50", COMPARE_SECONDS, false,
     NULL},
    {"latency.handshake_early_accepted.p99_ns", "handshake, 0-RTT, p99", COMPARE_SECONDS, false,
     NULL},
    {"latency.handshake_early_rejected.p50_ns", "0-RTT rejected, p50", COMPARE_SECONDS, false,
     NULL},
    {"latency.handshake_early_rejected.p99_ns", "0-RTT rejected, p99", COMPARE_SECONDS, false,
     NULL},
    {"latency.ticket.p50_ns", "ticket, p50", COMPARE_SECONDS, false, NULL},
    {"latency.ticket.p99_ns", "ticket, p99", COMPARE_SECONDS, false, NULL},
    {"latency.first_byte_early.p50_ns", "first byte, 0-RTT, p50", COMPARE_SECONDS, false, NULL},
    {"latency.first_byte_early.p99_ns", "first byte, 0-RTT, p99", COMPARE_SECONDS, false, NULL},
    {"latency.to_first_byte.p50_ns", "connect to byte, p50", COMPARE_SECONDS, false, NULL},
    {"latency.to_first_byte.p99_ns", "connect to byte, p99", COMPARE_SECONDS, false, NULL},
    {"latency.to_first_byte_early.p50_ns", "connect to byte, 0-RTT, p50", COMPARE_SECONDS, false,
     NULL},
    {"latency.to_first_byte_early.p99_ns", "connect to byte, 0-RTT, p99", COMPARE_SECONDS, false,
     NULL},
    {"client.cost.cpu_seconds_per_handshake", "client CPU, a handshake", COMPARE_SECONDS, false,
     NULL},
    {"client.cost.cpu_seconds_per_message", "client CPU, a message", COMPARE_SECONDS, false, NULL},
    {"client.cost.cpu_seconds_per_gib", "client CPU, a GiB", COMPARE_SECONDS, false, NULL},
    {"server.cost.cpu_seconds_per_handshake", "server CPU, a handshake", COMPARE_SECONDS, false,
     NULL},
    {"server.cost.cpu_seconds_per_message", "server CPU, a message", COMPARE_SECONDS, false, NULL},
    {"server.cost.cpu_seconds_per_gib", "server CPU, a GiB", COMPARE_SECONDS, false, NULL},
};

enum { INFO_COUNT = sizeof(infos) / sizeof(infos[0]) };
static_assert((int)INFO_COUNT <= (int)COMPARE_FIGURES_MAX,
              "every figure has a place in the result");

/* Values as they are collected; grows. */
struct values {
    double *items;
    size_t count, room;
};

/* What a figure's two sides have. */
struct pair {
    struct values base, changed;
    size_t left_out; /* values */
};

static void pair_free(struct pair *pair)
{
    free(pair->base.items);
    free(pair->changed.items);
}

/* Without memory a value is left out. */
static void add(struct values *values, double value)
{
    if (!isfinite(value)) {
        return;
    }
    if (values->count == values->room) {
        size_t room = values->room > 0 ? 2 * values->room : 64;
        double *items = realloc(values->items, room * sizeof(*items));

        if (items == NULL) {
            return;
        }
        values->items = items;
        values->room = room;
    }
    values->items[values->count++] = value;
}

/* Of the operations that a run's latency rests on; NAN: it has no such number. */
static double operations(const json_t *report, const char *latency_key)
{
    char key[COMPARE_KEY_BYTES];
    int phase_bytes = (int)(strrchr(latency_key, '.') - latency_key);

    snprintf(key, sizeof(key), "%.*s.count", phase_bytes, latency_key);
    return compare_number(compare_find(report, key));
}

static void collect_runs(const struct compare_side *side, const struct figure_info *info,
                         struct values *out, size_t *left_out)
{
    size_t length = strlen(info->key);
    bool is_ns = length > 3 && strcmp(info->key + length - 3, "_ns") == 0;

    for (size_t i = 0; i < side->count; i++) {
        double value = compare_number(compare_find(side->reports[i], info->key));

        if (is_ns && operations(side->reports[i], info->key) < COMPARE_OPERATIONS_MIN) {
            *left_out += value > 0;
        } else if (value >
                   0) { /* 0 of what the run never did, as resumed handshakes, says nothing */
            add(out, is_ns ? value / 1e9 : value);
        }
    }
}

/* The last interval is often a stump, which would look like a slow one. */
static void collect_intervals(const struct compare_side *side, const char *series_key,
                              struct values *out)
{
    for (size_t i = 0; i < side->count; i++) {
        const json_t *series = json_object_get(side->reports[i], "series");
        const json_t *row;
        double longest = 0;
        size_t j;

        json_array_foreach(series, j, row)
        {
            longest = fmax(longest, compare_number(json_object_get(row, "seconds")));
        }
        json_array_foreach(series, j, row)
        {
            double seconds = compare_number(json_object_get(row, "seconds"));

            if (seconds > 0 && seconds >= longest / 2) {
                add(out, compare_number(json_object_get(row, series_key)) / seconds);
            }
        }
    }
}

static enum compare_verdict judge(const struct compare_figure *figure, double tolerance)
{
    bool worse = figure->higher_is_better ? figure->ratio < 1 : figure->ratio > 1;
    /* A rate of 95 after 100 and a time of 105 after 100 are both 5% worse. */
    double loss = figure->higher_is_better ? 1 - figure->ratio : figure->ratio - 1;

    if (statistics_mann_whitney_floor(figure->base_count, figure->changed_count) >=
            COMPARE_SIGNIFICANT_P ||
        isnan(figure->p)) {
        return COMPARE_UNDECIDED;
    }
    if (figure->p >= COMPARE_SIGNIFICANT_P || (!worse && loss >= 0)) {
        return COMPARE_NOISE;
    }
    if (!worse) {
        return COMPARE_BETTER;
    }
    return loss > tolerance ? COMPARE_REGRESSION : COMPARE_WORSE;
}

static void compute(struct compare_figure *figure, const struct pair *pair, double tolerance)
{
    const struct values *base = &pair->base;
    const struct values *changed = &pair->changed;
    struct sample base_sample = {.values = base->items, .count = base->count};
    struct sample changed_sample = {.values = changed->items, .count = changed->count};
    struct statistics_interval interval = {.low = NAN, .high = NAN};

    figure->base_count = base->count;
    figure->changed_count = changed->count;
    figure->base_median = statistics_median(base->items, base->count);
    figure->changed_median = statistics_median(changed->items, changed->count);
    figure->ratio = figure->changed_median / figure->base_median;
    figure->p = NAN;
    if (!isfinite(figure->ratio)) {
        figure->ratio = NAN;
        figure->verdict = COMPARE_MISSING;
    } else {
        interval = statistics_bootstrap_ratio(&(struct statistics_bootstrap){
            .base = base_sample, .changed = changed_sample, .seed = SEED});
        if (base->count > 1 && changed->count > 1) {
            figure->p = statistics_mann_whitney(base_sample, changed_sample);
        }
        figure->verdict = judge(figure, tolerance);
    }
    figure->ratio_low = interval.low;
    figure->ratio_high = interval.high;
}

/* With several runs a side those are the values: they are independent, which the intervals of one
 * run are not. */
static enum compare_source collect(const struct compare_input *input,
                                   const struct figure_info *info, struct pair *out)
{
    struct pair intervals = {0};

    collect_runs(&input->base, info, &out->base, &out->left_out);
    collect_runs(&input->changed, info, &out->changed, &out->left_out);
    if (info->series_key == NULL || out->base.count == 0 || out->changed.count == 0 ||
        (out->base.count > 1 && out->changed.count > 1)) {
        return COMPARE_FROM_RUNS;
    }
    collect_intervals(&input->base, info->series_key, &intervals.base);
    collect_intervals(&input->changed, info->series_key, &intervals.changed);
    if (intervals.base.count < INTERVALS_MIN || intervals.changed.count < INTERVALS_MIN) {
        pair_free(&intervals);
        return COMPARE_FROM_RUNS;
    }
    pair_free(out);
    *out = intervals;
    return COMPARE_FROM_INTERVALS;
}

/* What neither side has is no figure of this comparison. */
static void add_figure(const struct compare_input *input, const struct figure_info *info,
                       struct compare_result *out)
{
    struct compare_figure *figure = &out->figures[out->figure_count];
    struct pair pair = {0};
    enum compare_source source = collect(input, info, &pair);

    out->left_out += pair.left_out;
    if (pair.base.count + pair.changed.count > 0) {
        *figure = (struct compare_figure){
            .unit = info->unit, .higher_is_better = info->higher_is_better, .source = source};
        snprintf(figure->key, sizeof(figure->key), "%s", info->key);
        snprintf(figure->title, sizeof(figure->title), "%s", info->title);
        compute(figure, &pair, input->tolerance);
        out->regressions += figure->verdict == COMPARE_REGRESSION;
        out->figure_count++;
    }
    pair_free(&pair);
}

void compare_reports(const struct compare_input *input, struct compare_result *out)
{
    *out = (struct compare_result){.base_runs = input->base.count,
                                   .changed_runs = input->changed.count,
                                   .tolerance = input->tolerance};
    compare_find_differences(input, out);
    if (!out->comparable && !input->anyway) {
        return;
    }
    for (size_t i = 0; i < INFO_COUNT; i++) {
        add_figure(input, &infos[i], out);
    }
}

/* ---- Files ---- */

static int check_figures(const json_t *report, struct error *error)
{
    for (size_t i = 0; i < INFO_COUNT; i++) {
        const json_t *value = compare_find(report, infos[i].key);

        if (value != NULL && !json_is_null(value) && !(compare_number(value) >= 0)) {
            return error_set(error, "%s is not a number from 0 up", infos[i].key);
        }
    }
    return 0;
}

static int check_series(const json_t *report, struct error *error)
{
    static const char *const keys[] = {"seconds", "handshakes", "messages", "plain_in_bytes",
                                       "plain_out_bytes"};
    const json_t *series = json_object_get(report, "series");
    const json_t *row;
    size_t i;

    if (!json_is_array(series)) {
        return error_set(error, "series is missing or not an array");
    }
    if (json_array_size(series) > LOAD_SERIES_MAX) {
        return error_set(error, "series has more than %d rows", LOAD_SERIES_MAX);
    }
    json_array_foreach(series, i, row)
    {
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            if (!(compare_number(json_object_get(row, keys[k])) >= 0)) {
                return error_set(error, "series[%zu].%s is not a number from 0 up", i, keys[k]);
            }
        }
    }
    return 0;
}

static int check_negotiated(const json_t *report, struct error *error)
{
    static const char *const keys[] = {"version", "suite", "group", "certificate", "resumption"};
    const json_t *rows = compare_find(report, "negotiated.combinations");
    const json_t *row;
    size_t i;

    if (!json_is_array(rows)) {
        return error_set(error, "negotiated.combinations is missing or not an array");
    }
    if (json_array_size(rows) > LOAD_NEGOTIATED_MAX) {
        return error_set(error, "negotiated.combinations has more than %d rows",
                         LOAD_NEGOTIATED_MAX);
    }
    json_array_foreach(rows, i, row)
    {
        if (!(compare_number(json_object_get(row, "connections")) >= 0)) {
            return error_set(error, "negotiated.combinations[%zu].connections is not a number", i);
        }
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            const json_t *value = json_object_get(row, keys[k]);

            if (!json_is_string(value) && !json_is_null(value)) {
                return error_set(error, "negotiated.combinations[%zu].%s is not a text", i,
                                 keys[k]);
            }
        }
    }
    return 0;
}

int compare_check(const json_t *report, struct error *error)
{
    const char *schema = json_string_value(json_object_get(report, "schema"));

    if (schema == NULL) {
        return error_set(error, "is not a report of tlsdyno load -J: there is no schema");
    }
    if (strcmp(schema, "tlsdyno-load/1") != 0) {
        return error_set(error, "is of schema '%.64s', where tlsdyno-load/1 is needed", schema);
    }
    if (!json_is_true(json_object_get(report, "succeeded"))) {
        return error_set(error, "is of a run that did not succeed, so there is nothing to compare");
    }
    if (!json_is_object(json_object_get(report, "plan")) ||
        !json_is_object(json_object_get(report, "environment"))) {
        return error_set(error, "plan or environment is missing or not an object");
    }
    if (check_negotiated(report, error) != 0 || check_series(report, error) != 0) {
        return -1;
    }
    return check_figures(report, error);
}
