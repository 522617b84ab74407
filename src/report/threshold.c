#include "report/threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/figures.h"
#include "report/text_words.h"

enum threshold_unit { UNIT_DURATION, UNIT_COUNT, UNIT_SHARE };

struct threshold_metric {
    const char *name;
    enum threshold_unit unit;
    double percent;     /* durations: the percentile; 100: the maximum */
    const char *phrase; /* in sentences */
};

static const struct threshold_metric metrics[] = {
    {"p50", UNIT_DURATION, 50, "the p50 latency"},
    {"p90", UNIT_DURATION, 90, "the p90 latency"},
    {"p99", UNIT_DURATION, 99, "the p99 latency"},
    {"p99.9", UNIT_DURATION, 99.9, "the p99.9 latency"},
    {"max", UNIT_DURATION, 100, "the highest latency"},
    {"errors", UNIT_COUNT, 0, "the number of errors"},
    {"rate", UNIT_COUNT, 0, "the rate a second"},
    {"lost", UNIT_COUNT, 0, "the number of idle connections that were lost"},
    {"resumed", UNIT_SHARE, 0, "the resumed share of the sessions offered"},
    {"early", UNIT_SHARE, 0, "the accepted share of early data"},
    {"stapled", UNIT_SHARE, 0, "the share of full handshakes with a good OCSP staple"},
};

enum { METRIC_COUNT = sizeof metrics / sizeof metrics[0], CONDITION_BYTES = 64 };

static const struct threshold_metric *find_metric(const char *name, size_t bytes)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        if (strlen(metrics[i].name) == bytes && memcmp(metrics[i].name, name, bytes) == 0) {
            return &metrics[i];
        }
    }
    return NULL;
}

/* The phase that "hello.p99" begins with. */
static bool find_phase(const char *text, size_t bytes, enum load_phase *out)
{
    for (unsigned i = 0; i < LOAD_PHASE_COUNT; i++) {
        const char *name = load_phase_name(i);

        if (strlen(name) == bytes && memcmp(name, text, bytes) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* "99%", "99.5" */
static int parse_percent(const char *text, double *out_share, struct error *error)
{
    const size_t digits = strspn(text, "0123456789.");
    char *end;
    const double percent = strtod(text, &end);

    if (digits == 0 || end != text + digits || (strcmp(end, "") != 0 && strcmp(end, "%") != 0) ||
        percent > 100) {
        return error_set(error, "\"%s\" is no percentage from 0%% to 100%%", text);
    }
    *out_share = percent / 100;
    return 0;
}

static int parse_value(const struct threshold_metric *metric, const char *text, double *out,
                       struct error *error)
{
    uint64_t number;
    int status;

    if (metric->unit == UNIT_SHARE) {
        return parse_percent(text, out, error);
    }
    status = metric->unit == UNIT_DURATION ? units_parse_duration(text, &number, error)
                                           : units_parse_count(text, &number, error);
    *out = status == 0 ? (double)number : 0;
    return status;
}

static int append(struct thresholds *thresholds, const struct threshold *threshold,
                  struct error *error)
{
    if (thresholds->count == THRESHOLDS_MAX) {
        return error_set(error, "more than %d conditions", THRESHOLDS_MAX);
    }
    thresholds->rows[thresholds->count++] = *threshold;
    return 0;
}

static int parse_condition(struct thresholds *thresholds, const char *text, struct error *error)
{
    const size_t name_bytes = strcspn(text, "<>");
    const size_t phase_bytes = strcspn(text, ".");
    struct threshold threshold = {.is_below = text[name_bytes] == '<'};

    threshold.has_phase =
        phase_bytes < name_bytes && find_phase(text, phase_bytes, &threshold.phase);
    threshold.metric = threshold.has_phase
                           ? find_metric(text + phase_bytes + 1, name_bytes - phase_bytes - 1)
                           : find_metric(text, name_bytes);
    if (threshold.has_phase && threshold.metric != NULL &&
        threshold.metric->unit != UNIT_DURATION) {
        threshold.metric = NULL;
    }
    if (text[name_bytes] == '\0') {
        return error_set(error, "\"%s\" is no condition such as p99>2ms or rate<1000", text);
    }
    if (threshold.metric == NULL) {
        return error_set(
            error,
            "\"%.*s\" is not measured; there are p50, p90, p99, p99.9 and max, each also "
            "of a phase such as hello.p99, errors, rate, lost, resumed, early and "
            "stapled",
            (int)name_bytes, text);
    }
    if (parse_value(threshold.metric, text + name_bytes + 1, &threshold.value, error) != 0) {
        return error_prefix(error, "%s", text);
    }
    return append(thresholds, &threshold, error);
}

int thresholds_parse(struct thresholds *thresholds, const char *text, struct error *error)
{
    char condition[CONDITION_BYTES];

    for (;;) {
        const size_t bytes = strcspn(text, ",");

        if (bytes >= sizeof condition) {
            return error_set(error, "\"%.40s...\" is too long for a condition", text);
        }
        memcpy(condition, text, bytes);
        condition[bytes] = '\0';
        if (parse_condition(thresholds, condition, error) != 0) {
            return -1;
        }
        if (text[bytes] == '\0') {
            return 0;
        }
        text += bytes + 1;
    }
}

int thresholds_expect_resumed(struct thresholds *thresholds, const char *percent,
                              struct error *error)
{
    struct threshold threshold = {.metric = find_metric("resumed", strlen("resumed")),
                                  .is_below = true};

    if (parse_percent(percent, &threshold.value, error) != 0) {
        return -1;
    }
    return append(thresholds, &threshold, error);
}

int thresholds_check(const struct thresholds *thresholds, const struct load_plan *plan,
                     struct error *error)
{
    for (size_t i = 0; i < thresholds->count; i++) {
        const struct threshold_metric *metric = thresholds->rows[i].metric;
        const bool is_stream = plan->mode == LOAD_UPLOAD || plan->mode == LOAD_DOWNLOAD;

        if (strcmp(metric->name, "resumed") == 0 && plan->resume == LOAD_RESUME_NONE &&
            !plan->early_data && !plan->keep_session) {
            return error_set(error, "a resumed share is expected, but without --resume no session "
                                    "is offered");
        }
        if (strcmp(metric->name, "lost") == 0 && plan->idle == 0) {
            return error_set(error, "%s is asked for, but not --idle", metric->phrase);
        }
        if ((strcmp(metric->name, "early") == 0 && !plan->early_data) ||
            (strcmp(metric->name, "stapled") == 0 && !plan->tls.request_ocsp)) {
            return error_set(error, "%s is asked for, but not %s", metric->phrase,
                             plan->early_data ? "--status" : "--early-data or --status");
        }
        if (is_stream && !thresholds->rows[i].has_phase &&
            (metric->unit == UNIT_DURATION || strcmp(metric->name, "rate") == 0)) {
            return error_set(error, "%s cannot be told in --mode %s, which has no messages",
                             metric->phrase, load_mode_name(plan->mode));
        }
    }
    return 0;
}

bool threshold_is_latency(const struct threshold *threshold)
{
    return threshold->metric->unit == UNIT_DURATION;
}

bool threshold_is_of(const struct threshold *threshold, const char *metric)
{
    return strcmp(threshold->metric->name, metric) == 0;
}

static double latency_ns(const struct threshold *threshold, const struct load_plan *plan,
                         const struct load_result *result)
{
    struct histogram latency = {0};

    if (threshold->has_phase) {
        histogram_merge(&latency, &result->phases[threshold->phase]);
    } else {
        load_main_latency(plan, result->phases, &latency);
    }
    return latency.count == 0 ? NAN
                              : (double)histogram_percentile(&latency, threshold->metric->percent);
}

/* NAN: not measured. */
static double measured(const struct threshold *threshold, const struct load_plan *plan,
                       const struct load_result *result)
{
    const struct threshold_metric *metric = threshold->metric;
    const struct report_input input = {.plan = plan, .result = result};
    struct report_figures figures;

    if (metric->unit == UNIT_DURATION) {
        return latency_ns(threshold, plan, result);
    }
    if (strcmp(metric->name, "errors") == 0) {
        return (double)result->errors_total;
    }
    if (strcmp(metric->name, "lost") == 0) {
        return (double)result->idle_asked - (double)result->idle_verified;
    }
    report_figures_compute(&figures, &input);
    if (metric->unit == UNIT_SHARE) {
        return strcmp(metric->name, "early") == 0     ? figures.early_share
               : strcmp(metric->name, "stapled") == 0 ? figures.stapled_share
                                                      : figures.resumed_share;
    }
    return plan->mode == LOAD_HANDSHAKE ? figures.handshakes_per_second
                                        : figures.messages_per_second;
}

/* Enough digits that a violation by little does not look like none. */
static const char *format(const struct threshold_metric *metric, double value,
                          char out[UNITS_TEXT_BYTES])
{
    switch (metric->unit) {
    case UNIT_DURATION:
        return units_format_duration(value, out);
    case UNIT_SHARE:
        snprintf(out, UNITS_TEXT_BYTES, "%.4g%%", value * 100);
        return out;
    case UNIT_COUNT:
        break;
    }
    snprintf(out, UNITS_TEXT_BYTES, "%.7g", value);
    return out;
}

bool threshold_is_violated(const struct threshold *threshold, const struct load_plan *plan,
                           const struct load_result *result, char out[THRESHOLD_TEXT_BYTES])
{
    const struct threshold_metric *metric = threshold->metric;
    const char *of = threshold->has_phase ? " of " : "";
    const char *phase = threshold->has_phase ? load_phase_name(threshold->phase) : "";
    const double value = measured(threshold, plan, result);
    char is[UNITS_TEXT_BYTES];
    char limit[UNITS_TEXT_BYTES];

    if (isnan(value)) {
        snprintf(out, THRESHOLD_TEXT_BYTES,
                 "%s%s%s could not be measured: there was nothing to measure", metric->phrase, of,
                 phase);
        return true;
    }
    if (threshold->is_below ? value >= threshold->value : value <= threshold->value) {
        return false;
    }
    snprintf(out, THRESHOLD_TEXT_BYTES, "%s%s%s is %s, %s the %s that was asked for",
             metric->phrase, of, phase, format(metric, value, is),
             threshold->is_below ? "below" : "above", format(metric, threshold->value, limit));
    return true;
}
