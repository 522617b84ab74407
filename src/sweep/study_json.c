/* A study as its file has it, and back. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "report/compare_value.h"
#include "sweep/study.h"

/* jansson's "o" takes over the reference given, and a NULL given makes json_pack() fail: so only
 * the last call sees that memory was out. */

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *finite_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *settings_json(const struct sweep_settings *settings)
{
    bool own = settings->target == NULL;
    char server[SWEEP_CPUS_BYTES];
    char load[SWEEP_CPUS_BYTES];

    return json_pack(
        "{s:o, s:f, s:f, s:o, s:o, s:o}", "target", text_or_null(settings->target),
        "duration_seconds", (double)settings->duration_ns / 1e9, "warmup_seconds",
        (double)settings->warmup_ns / 1e9, "server_cpus",
        settings->no_pin || !own ? json_null()
                                 : json_string(sweep_cpus_format(&settings->server_cpus, server)),
        "load_cpus",
        settings->no_pin ? json_null() : json_string(sweep_cpus_format(&settings->load_cpus, load)),
        "listen", own ? json_string(settings->listen) : json_null());
}

static json_t *axes_json(const struct sweep_matrix *matrix)
{
    json_t *rows = json_array();

    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        json_t *values;

        if (!sweep_matrix_varies(matrix, axis)) {
            continue;
        }
        values = json_array();
        for (size_t i = 0; i < matrix->axes[axis].count; i++) {
            json_array_append_new(values, json_string(matrix->axes[axis].items[i].text));
        }
        json_array_append_new(
            rows, json_pack("{s:s, s:o}", "name", sweep_axis_infos[axis].name, "values", values));
    }
    return rows;
}

static json_t *parameters_json(const struct sweep_cell *cell)
{
    json_t *object = json_pack("{s:s}", "mode", load_mode_name(cell->mode));

    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        const struct sweep_value *value = &cell->values[axis];

        json_object_set_new(object, sweep_axis_infos[axis].name,
                            value->is_null ? json_null()
                            : sweep_axis_infos[axis].is_number
                                ? json_integer((json_int_t)value->number)
                                : json_string(value->text));
    }
    return object;
}

static json_t *figure_json(const struct sweep_cell_state *state, enum sweep_figure figure)
{
    double room[SWEEP_ROUNDS_MAX];
    struct sweep_summary summary;
    json_t *values;

    sweep_summarize(state, figure, room, &summary);
    if (summary.count == 0) {
        return json_null();
    }
    values = json_array();
    for (size_t i = 0; i < summary.count; i++) {
        json_array_append_new(values, json_real(summary.values[i]));
    }
    return json_pack("{s:f, s:o, s:o, s:o}", "median", summary.median, "low",
                     finite_or_null(summary.low), "high", finite_or_null(summary.high), "values",
                     values);
}

static json_t *figures_json(const struct sweep_cell_state *state)
{
    json_t *object = json_object();

    for (unsigned figure = 0; figure < SWEEP_FIGURE_COUNT; figure++) {
        json_t *value = figure_json(state, figure);

        if (json_is_null(value)) {
            json_decref(value);
        } else {
            json_object_set_new(object, sweep_figure_name(figure), value);
        }
    }
    return object;
}

static json_t *negotiated_json(const struct sweep_cell_state *state)
{
    const struct sweep_negotiated *negotiated = &state->negotiated;

    if (state->rounds_done == 0) {
        return json_null();
    }
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "version", text_or_null(negotiated->version), "suite",
        text_or_null(negotiated->suite), "group", text_or_null(negotiated->group), "signature",
        text_or_null(negotiated->signature), "certificate", text_or_null(negotiated->certificate));
}

static json_t *cells_json(const struct sweep_study *study)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < study->cell_count; i++) {
        const struct sweep_cell_state *state = &study->cells[i];

        json_array_append_new(
            rows,
            json_pack("{s:o, s:o, s:s, s:o, s:i, s:o}", "parameters", parameters_json(&state->cell),
                      "negotiated", negotiated_json(state), "status",
                      sweep_status_name(state->status), "reason", text_or_null(state->reason),
                      "rounds_done", (int)state->rounds_done, "figures", figures_json(state)));
    }
    return rows;
}

json_t *sweep_study_json(const struct sweep_study *study)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:I, s:i, s:o, s:o, s:o, s:o}", "schema",
                     "tlsdyno-sweep/1", "version", TLSDYNO_VERSION, "plan",
                     text_or_null(study->plan), "command_line", text_or_null(study->command_line),
                     "started", text_or_null(study->started), "finished",
                     text_or_null(study->finished), "partial", sweep_study_runs_left(study) > 0,
                     "seed", (json_int_t)study->seed, "rounds", (int)study->rounds, "settings",
                     settings_json(&study->settings), "environment",
                     report_environment_json(&study->environment, study->openssl_version), "axes",
                     axes_json(&study->matrix), "cells", cells_json(study));
}

/* ---- And back ---- */

/* What must be the same, or the runs would not be of one study. */
static int check_same(const struct sweep_study *study, const json_t *file, struct error *error)
{
    static const char *const keys[] = {"schema",
                                       "version",
                                       "settings",
                                       "environment.cpu_model",
                                       "environment.kernel",
                                       "environment.openssl"};
    json_t *own = sweep_study_json(study);
    const char *different = NULL;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && different == NULL; i++) {
        const json_t *ours = compare_find(own, keys[i]);
        const json_t *theirs = compare_find(file, keys[i]);

        if (ours == NULL || theirs == NULL || !json_equal(ours, theirs)) {
            different = keys[i];
        }
    }
    json_decref(own);
    if (different != NULL) {
        return error_set(error, "it is of another study: '%s' is not the same", different);
    }
    return 0;
}

static const json_t *find_row(const json_t *file, const struct sweep_cell *cell)
{
    const json_t *rows = json_object_get(file, "cells");
    json_t *parameters = parameters_json(cell);
    const json_t *found = NULL;
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (found == NULL && json_equal(json_object_get(row, "parameters"), parameters)) {
            found = row;
        }
    }
    json_decref(parameters);
    return found;
}

static void copy_negotiated(const json_t *row, struct sweep_negotiated *out)
{
    const struct {
        const char *key;
        char *text;
    } fields[] = {{"version", out->version},
                  {"suite", out->suite},
                  {"group", out->group},
                  {"signature", out->signature},
                  {"certificate", out->certificate}};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *text =
            json_string_value(json_object_get(json_object_get(row, "negotiated"), fields[i].key));

        snprintf(fields[i].text, SWEEP_TEXT_BYTES, "%s", text != NULL ? text : "");
    }
}

/* A figure that some rounds lack cannot be told apart by round any more: it keeps its values, which
 * is all that medians need. */
static void copy_runs(const json_t *row, struct sweep_cell_state *state)
{
    const json_t *figures = json_object_get(row, "figures");

    for (unsigned figure = 0; figure < SWEEP_FIGURE_COUNT; figure++) {
        const json_t *values =
            json_object_get(json_object_get(figures, sweep_figure_name(figure)), "values");

        for (unsigned round = 0; round < state->rounds_done; round++) {
            state->runs[round][figure] = compare_number(json_array_get(values, round));
        }
    }
}

int sweep_study_resume(struct sweep_study *study, const json_t *file, struct error *error)
{
    const char *started = json_string_value(json_object_get(file, "started"));

    if (check_same(study, file, error) != 0) {
        return -1;
    }
    study->seed = (uint64_t)json_integer_value(json_object_get(file, "seed"));
    if (started != NULL) {
        snprintf(study->started, sizeof(study->started), "%s", started);
    }
    for (size_t i = 0; i < study->cell_count; i++) {
        struct sweep_cell_state *state = &study->cells[i];
        const json_t *row = find_row(file, &state->cell);
        json_int_t done = json_integer_value(json_object_get(row, "rounds_done"));

        if (state->status == SWEEP_PENDING && done > 0) {
            state->rounds_done = done < study->rounds ? (unsigned)done : study->rounds;
            state->status = state->rounds_done == study->rounds ? SWEEP_DONE : SWEEP_PENDING;
            copy_negotiated(row, &state->negotiated);
            copy_runs(row, state);
        }
    }
    return 0;
}
