#include "sweep/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "report/statistics.h"

const char *sweep_status_name(enum sweep_status status)
{
    static const char *const names[] = {
        [SWEEP_PENDING] = "pending",
        [SWEEP_DONE] = "done",
        [SWEEP_SKIPPED] = "skipped",
        [SWEEP_FAILED] = "failed",
    };

    return names[status];
}

static void skip(struct sweep_cell_state *state, const char *reason)
{
    state->status = SWEEP_SKIPPED;
    snprintf(state->reason, sizeof(state->reason), "%s", reason);
}

/* IANA's name of a suite becomes OpenSSL's, which is what command lines take. */
static void use_own_name(const struct sweep_capabilities *capabilities, struct sweep_value *suite)
{
    const struct sweep_capability *known = sweep_suite_find(capabilities, suite->text);

    if (known != NULL) {
        snprintf(suite->text, sizeof(suite->text), "%s", known->name);
    }
}

int sweep_study_open(struct sweep_study *study, struct error *error)
{
    char reason[SWEEP_REASON_BYTES];

    study->cell_count = sweep_matrix_count(&study->matrix);
    study->cells = calloc(study->cell_count, sizeof(*study->cells));
    if (study->cells == NULL) {
        study->cell_count = 0;
        return error_set(error, "out of memory");
    }
    for (size_t i = 0; i < study->cell_count; i++) {
        struct sweep_cell_state *state = &study->cells[i];

        sweep_matrix_cell(&study->matrix, i, &state->cell);
        use_own_name(&study->capabilities, &state->cell.values[SWEEP_SUITE]);
        state->runs = calloc(study->rounds, sizeof(*state->runs));
        if (state->runs == NULL) {
            return error_set(error, "out of memory");
        }
        if (sweep_obstacle(&study->capabilities, &state->cell, reason) != NULL) {
            skip(state, reason);
        }
    }
    return 0;
}

void sweep_study_close(struct sweep_study *study)
{
    for (size_t i = 0; i < study->cell_count; i++) {
        free(study->cells[i].runs);
    }
    free(study->cells);
    study->cells = NULL;
    study->cell_count = 0;
}

static bool is_pending_with(const struct sweep_cell_state *state, const char *certificate)
{
    return state->status == SWEEP_PENDING &&
           strcmp(state->cell.values[SWEEP_CERTIFICATE].text, certificate) == 0;
}

int sweep_study_make_certificates(struct sweep_study *study, struct error *error)
{
    const struct sweep_values *values = &study->matrix.axes[SWEEP_CERTIFICATE];

    for (size_t v = 0; v < values->count; v++) {
        const char *name = values->items[v].text;
        struct error reason = {0};
        bool is_needed = false;

        for (size_t i = 0; i < study->cell_count && !is_needed; i++) {
            is_needed = is_pending_with(&study->cells[i], name);
        }
        if (!is_needed || values->items[v].is_null ||
            sweep_run_make_certificate(&study->settings, sweep_certificate_find(name), &reason) ==
                0) {
            continue;
        }
        if (atomic_load_explicit(study->settings.stop, memory_order_relaxed)) {
            return error_set(error, "interrupted before the first run");
        }
        for (size_t i = 0; i < study->cell_count; i++) {
            if (is_pending_with(&study->cells[i], name)) {
                skip(&study->cells[i], reason.text);
            }
        }
    }
    return 0;
}

void sweep_order(uint64_t seed, unsigned round, size_t count, size_t out[])
{
    struct random random = {.state = seed};

    random.state = random_next(&random) + round;
    for (size_t i = 0; i < count; i++) { /* Fisher and Yates, inside out */
        size_t j = random_below(&random, i + 1);

        out[i] = out[j];
        out[j] = i;
    }
}

static void fail(struct sweep_cell_state *state, const char *reason)
{
    state->status = SWEEP_FAILED;
    state->rounds_done = 0;
    snprintf(state->reason, sizeof(state->reason), "%s", reason);
}

void sweep_study_take(struct sweep_study *study, struct sweep_cell_state *state,
                      const json_t *report)
{
    const struct sweep_negotiated *earlier = &state->negotiated;
    struct sweep_negotiated now;
    struct error error = {0};

    if (sweep_negotiated_read(report, &study->capabilities, &state->cell, &now, &error) != 0) {
        fail(state, error.text);
        return;
    }
    if (state->rounds_done > 0 &&
        (strcmp(earlier->version, now.version) != 0 || strcmp(earlier->suite, now.suite) != 0 ||
         strcmp(earlier->group, now.group) != 0 ||
         strcmp(earlier->certificate, now.certificate) != 0)) {
        error_set(&error, "rounds negotiated different things: %s %s %s %s, and %s %s %s %s",
                  earlier->version, earlier->suite, earlier->group, earlier->certificate,
                  now.version, now.suite, now.group, now.certificate);
        fail(state, error.text);
        return;
    }
    state->negotiated = now;
    sweep_figures_read(report, state->cell.mode, state->runs[state->rounds_done]);
    state->rounds_done++;
    if (state->rounds_done == study->rounds) {
        state->status = SWEEP_DONE;
    }
}

static bool is_stopped(const struct sweep_study *study)
{
    return atomic_load_explicit(study->settings.stop, memory_order_relaxed);
}

static int run_cell(struct sweep_study *study, struct sweep_cell_state *state,
                    const struct sweep_hooks *hooks, struct error *error)
{
    struct error reason = {0};
    json_t *report;

    hooks->on_begin(hooks->user, state, state->rounds_done);
    report = sweep_run(&study->settings, &state->cell, &reason);
    if (is_stopped(study)) { /* what was cut short is no run */
        json_decref(report);
        return 0;
    }
    if (report != NULL) {
        sweep_study_take(study, state, report);
    } else {
        fail(state, reason.text);
    }
    json_decref(report);
    return hooks->on_end(hooks->user, state, error);
}

int sweep_study_run(struct sweep_study *study, const struct sweep_hooks *hooks, struct error *error)
{
    size_t *order = calloc(study->cell_count, sizeof(*order));
    int outcome = 0;

    if (order == NULL) {
        return error_set(error, "out of memory");
    }
    for (unsigned round = 0; round < study->rounds && outcome == 0; round++) {
        sweep_order(study->seed, round, study->cell_count, order);
        for (size_t i = 0; i < study->cell_count && outcome == 0 && !is_stopped(study); i++) {
            struct sweep_cell_state *state = &study->cells[order[i]];

            if (state->status == SWEEP_PENDING && state->rounds_done <= round) {
                outcome = run_cell(study, state, hooks, error);
            }
        }
    }
    free(order);
    return outcome;
}

size_t sweep_study_runs_left(const struct sweep_study *study)
{
    size_t left = 0;

    for (size_t i = 0; i < study->cell_count; i++) {
        const struct sweep_cell_state *state = &study->cells[i];

        left += state->status == SWEEP_PENDING ? study->rounds - state->rounds_done : 0;
    }
    return left;
}

size_t sweep_study_count(const struct sweep_study *study, enum sweep_status status)
{
    size_t count = 0;

    for (size_t i = 0; i < study->cell_count; i++) {
        count += study->cells[i].status == status;
    }
    return count;
}

void sweep_summarize(const struct sweep_cell_state *state, enum sweep_figure figure,
                     double room[SWEEP_ROUNDS_MAX], struct sweep_summary *out)
{
    double sorted[SWEEP_ROUNDS_MAX];
    struct statistics_interval interval;

    *out = (struct sweep_summary){.values = room};
    for (unsigned round = 0; round < state->rounds_done; round++) {
        if (isfinite(state->runs[round][figure])) {
            room[out->count++] = state->runs[round][figure];
        }
    }
    if (out->count > 0) {
        memcpy(sorted, room, out->count * sizeof(*sorted));
        out->median = statistics_median(sorted, out->count);
        interval = statistics_bootstrap_median((struct sample){room, out->count}, 1);
        out->low = interval.low;
        out->high = interval.high;
    }
}
