#include "report/find_max.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "report/figures.h"
#include "report/json_words.h"
#include "report/text_words.h"

/* From here on the load generator's own CPU may be what gave in. */
static const double BUSY = 0.9;

static int check(const struct thresholds *thresholds, size_t first, struct error *error)
{
    bool has_limit = false;

    for (size_t i = first; i < thresholds->count; i++) {
        const struct threshold *row = &thresholds->rows[i];

        if (row->has_phase) {
            return error_set(error,
                             "a phase's time does not count what waits for a connection; say "
                             "p99<5ms without the phase, which is corrected for that");
        }
        if (threshold_is_latency(row) && row->is_below) {
            return error_set(error, "a latency must stay below something: p99<5ms, not p99>5ms");
        }
        if (threshold_is_of(row, "rate") || threshold_is_of(row, "errors")) {
            return error_set(error, "the rate is what is searched for, and errors are never kept: "
                                    "leave both out");
        }
        has_limit = has_limit || threshold_is_latency(row);
    }
    return has_limit ? 0 : error_set(error, "no latency is bounded; say p99<5ms, for instance");
}

int find_max_parse(struct thresholds *thresholds, const char *text, struct error *error)
{
    const size_t first = thresholds->count;

    if (thresholds_parse(thresholds, text, error) != 0) {
        return -1;
    }
    for (size_t i = first; i < thresholds->count; i++) {
        thresholds->rows[i].is_below = !thresholds->rows[i].is_below;
    }
    return check(thresholds, first, error);
}

static const struct histogram *latency_of(const struct load_plan *plan,
                                          const struct load_result *result)
{
    if (plan->mode == LOAD_HANDSHAKE) {
        return &result->phases[plan->rate > 0 ? LOAD_PHASE_SET_UP_CORRECTED : LOAD_PHASE_SET_UP];
    }
    return &result->phases[plan->rate > 0 ? LOAD_PHASE_MESSAGE_CORRECTED : LOAD_PHASE_MESSAGE];
}

/* Why the run is not kept; NULL: it is, as far as the objective does not say otherwise. */
static const char *find_fault(const struct load_result *result,
                              const struct report_figures *figures, char out[THRESHOLD_TEXT_BYTES])
{
    char number[UNITS_TEXT_BYTES];

    if (result->interrupted) {
        return "interrupted";
    }
    if (result->errors_total > 0) {
        snprintf(out, THRESHOLD_TEXT_BYTES, "%s error%s, the most frequent: %.100s",
                 text_format_integer(result->errors_total, number),
                 result->errors_total == 1 ? "" : "s",
                 result->error_count > 0 ? result->errors[0].reason : "not known");
        return out;
    }
    if (result->messages_corrupt + result->http_status_other > 0) {
        snprintf(out, THRESHOLD_TEXT_BYTES, "%s answers were not what they should be",
                 text_format_integer(result->messages_corrupt + result->http_status_other, number));
        return out;
    }
    if (figures->rate_missed || result->dropped > 0) {
        snprintf(out, THRESHOLD_TEXT_BYTES, "rate missed: %.1f%% of what was due%s",
                 figures->achieved_share * 100,
                 figures->achieved_share > 1 ? ", for it had fallen behind before" : "");
        return out;
    }
    return NULL;
}

void find_max_judge(struct find_max_run *out, const struct thresholds *thresholds,
                    const struct load_plan *plan, const struct load_result *result)
{
    const struct report_input input = {.plan = plan, .result = result};
    const struct histogram *latency = latency_of(plan, result);
    char text[THRESHOLD_TEXT_BYTES];
    struct report_figures figures;
    const char *fault;

    report_figures_compute(&figures, &input);
    *out = (struct find_max_run){
        .rate = plan->rate,
        .per_second = plan->mode == LOAD_HANDSHAKE ? figures.handshakes_per_second
                                                   : figures.messages_per_second,
        .p50_ns = histogram_percentile(latency, 50),
        .p99_ns = histogram_percentile(latency, 99),
        .p999_ns = histogram_percentile(latency, 99.9),
        .max_ns = latency->max_ns,
        .errors = result->errors_total,
        .busiest = result->busiest_thread,
    };
    if (plan->rate == 0) {
        return;
    }
    fault = find_fault(result, &figures, text);
    for (size_t i = 0; fault == NULL && i < thresholds->count; i++) {
        if (threshold_is_violated(&thresholds->rows[i], plan, result, text)) {
            fault = text;
        }
    }
    out->is_kept = fault == NULL;
    snprintf(out->reason, sizeof(out->reason), "%s", fault != NULL ? fault : "");
}

static const char *asked(const struct find_max_run *run, char out[UNITS_TEXT_BYTES])
{
    return run->rate > 0 ? text_format_integer(run->rate, out) : "closed loop";
}

void find_max_print_run(FILE *out, const struct find_max_run *run)
{
    char rate[UNITS_TEXT_BYTES];
    char time[UNITS_TEXT_BYTES];

    if (run->rate == 0) {
        fprintf(out, "closed loop: %s a second\n", text_format_rate(run->per_second, rate));
        return;
    }
    fprintf(out, "%s a second: %s, p99 %s%s%s\n", asked(run, rate),
            run->is_kept ? "kept" : "not kept", units_format_duration((double)run->p99_ns, time),
            run->is_kept ? "" : ": ", run->reason);
}

static void print_row(FILE *out, const struct find_max_run *run)
{
    const uint64_t times[] = {run->p50_ns, run->p99_ns, run->p999_ns, run->max_ns};
    char text[UNITS_TEXT_BYTES];

    fprintf(out, "  %12s", asked(run, text));
    fprintf(out, " %12s", text_format_known(run->per_second, text_format_rate, text));
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        fprintf(out, " %9s", units_format_duration((double)times[i], text));
    }
    fprintf(out, " %7s", text_format_integer(run->errors, text));
    fprintf(out, " %7s", text_format_percent(run->busiest, text));
    fprintf(out, "  %s\n", run->rate == 0 ? "-" : run->is_kept ? "yes" : "no");
}

/* The first run that failed at the lowest rate that did. */
static const struct find_max_run *find_failed(const struct find_max *search)
{
    for (size_t i = 0; i < search->run_count; i++) {
        if (search->failed > 0 && search->runs[i].rate == search->failed &&
            !search->runs[i].is_kept) {
            return &search->runs[i];
        }
    }
    return NULL;
}

static void print_outcome(FILE *out, const struct find_max *search)
{
    const struct find_max_run *failed = find_failed(search);
    char number[UNITS_TEXT_BYTES];
    char text[THRESHOLD_TEXT_BYTES + 64];

    if (search->kept > 0) {
        fprintf(out, "  highest kept: %s a second, %s\n", text_format_integer(search->kept, number),
                search->is_confirmed ? "confirmed by further runs" : "NOT CONFIRMED");
    } else {
        fputs("  highest kept: NONE\n", out);
    }
    if (failed != NULL) {
        snprintf(text, sizeof(text), "%s a second: %s", text_format_integer(failed->rate, number),
                 failed->reason);
        fputs("  lowest failed: ", out);
        text_print_wrapped(out, text, 17);
    }
    if (failed != NULL && failed->busiest > BUSY) {
        fputs("  NOTE: the load generator was busy then, so it may be what gave in.\n", out);
    }
}

void find_max_print(FILE *out, const struct find_max *search)
{
    if (search == NULL) {
        return;
    }
    fputs("\nHighest rate that keeps ", out);
    text_print_wrapped(out, search->objective, 24);
    fprintf(out, "  %12s %12s %9s %9s %9s %9s %7s %7s  %s\n", "asked", "achieved", "p50", "p99",
            "p99.9", "max", "errors", "busiest", "kept");
    for (size_t i = 0; i < search->run_count; i++) {
        print_row(out, &search->runs[i]);
    }
    print_outcome(out, search);
    fputs("  What follows is the last run alone.\n", out);
}

static json_t *run_json(const struct find_max_run *run)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rate_per_second",
                     json_count_filled(run->rate), "achieved_per_second",
                     json_number(run->per_second), "p50_ns", json_count(run->p50_ns), "p99_ns",
                     json_count(run->p99_ns), "p999_ns", json_count(run->p999_ns), "max_ns",
                     json_count(run->max_ns), "errors", json_count(run->errors),
                     "busiest_thread_share", json_number(run->busiest), "kept",
                     run->rate > 0 ? json_boolean(run->is_kept) : json_null(), "reason",
                     json_text_filled(run->reason));
}

json_t *find_max_json(const struct find_max *search)
{
    json_t *runs;

    if (search == NULL) {
        return json_null();
    }
    runs = json_array();
    for (size_t i = 0; i < search->run_count; i++) {
        runs = json_append(runs, run_json(&search->runs[i]));
    }
    return json_pack("{s:o, s:o, s:o, s:b, s:o}", "objective", json_text(search->objective),
                     "kept_per_second", json_count_filled(search->kept), "failed_per_second",
                     json_count_filled(search->failed), "confirmed", search->is_confirmed, "runs",
                     runs);
}
