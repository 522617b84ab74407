/* The cells of a sweep, found by their parameters. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/compare_value.h"
#include "report/html_sweep.h"
#include "report/html_value.h"

const struct sweep_figure sweep_figures[SWEEP_FIGURE_COUNT] = {
    {"goodput_bytes_per_second", "Goodput", html_format_bytes_rate, .in_heat_map = true,
     .of_fragments = true},
    {"handshakes_per_second", "Handshakes a second", text_format_rate, .in_heat_map = true},
    {"messages_per_second", "Messages a second", text_format_rate},
    {"handshake_seconds", "Full handshake", text_format_seconds, .lower_is_better = true},
    {"first_byte_seconds", "Time to first byte", text_format_seconds, .lower_is_better = true,
     .is_time = true, .of_fragments = true},
    {"message_seconds", "Time to whole message", text_format_seconds, .lower_is_better = true,
     .is_time = true, .of_fragments = true},
    {"latency_p99_seconds", "Latency, p99", text_format_seconds, .lower_is_better = true},
    {"record_bytes_mean", "Record, mean", html_format_bytes},
    {"overhead_share", "More on the wire", text_format_percent, .lower_is_better = true},
    {"server_cpu_seconds_per_byte", "Server CPU, a byte", text_format_seconds,
     .lower_is_better = true, .in_heat_map = true},
    {"client_cpu_seconds_per_byte", "Client CPU, a byte", text_format_seconds,
     .lower_is_better = true},
    {"server_cpu_seconds_per_handshake", "Server CPU, a handshake", text_format_seconds,
     .lower_is_better = true, .in_heat_map = true},
    {"client_cpu_seconds_per_handshake", "Client CPU, a handshake", text_format_seconds,
     .lower_is_better = true},
    {"server_cpu_seconds_per_message", "Server CPU, a message", text_format_seconds,
     .lower_is_better = true},
    {"client_cpu_seconds_per_message", "Client CPU, a message", text_format_seconds,
     .lower_is_better = true},
    {"server_busy_share", "Busiest server worker", text_format_percent},
    {"client_busy_share", "Busiest load thread", text_format_percent, .lower_is_better = true},
    {"errors", "Errors", text_format_whole, .lower_is_better = true},
};

/* ---- Axes ---- */

static struct sweep_axis *axis_of(struct sweep *sweep, const char *name)
{
    for (size_t i = 0; i < sweep->axis_count; i++) {
        if (strcmp(sweep->axes[i].name, name) == 0) {
            return &sweep->axes[i];
        }
    }
    if (sweep->axis_count == SWEEP_AXES_MAX) {
        return NULL;
    }
    struct sweep_axis *axis = &sweep->axes[sweep->axis_count++];

    *axis = (struct sweep_axis){.name = name};
    return axis;
}

double sweep_value_number(const json_t *value)
{
    const char *text = json_string_value(value);

    if (text == NULL || strspn(text, "0123456789") != strlen(text) || text[0] == '\0') {
        return compare_number(value);
    }
    return strtod(text, NULL);
}

/* Numbers find their place by size; after them stand the words. */
static bool axis_add(struct sweep_axis *axis, const json_t *value)
{
    size_t at = axis->count;

    for (size_t i = 0; i < axis->count; i++) {
        if (json_equal(axis->items[i], value)) {
            return true;
        }
    }
    if (axis->count == SWEEP_VALUES_MAX) {
        return false;
    }
    while (at > 0 && !isnan(sweep_value_number(value)) &&
           !(sweep_value_number(axis->items[at - 1]) <= sweep_value_number(value))) {
        axis->items[at] = axis->items[at - 1];
        at--;
    }
    axis->items[at] = value;
    axis->count++;
    return true;
}

bool sweep_is(const json_t *document)
{
    const char *schema = html_text(document, "schema");

    return schema != NULL && strcmp(schema, "tlsdyno-sweep/1") == 0;
}

static void read_axes(struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->cell_count; i++) {
        json_t *parameters = json_object_get(json_array_get(sweep->cells, i), "parameters");
        const char *name;
        json_t *value;

        json_object_foreach(parameters, name, value)
        {
            struct sweep_axis *axis = axis_of(sweep, name);

            if (axis == NULL || !axis_add(axis, value)) {
                sweep->cut = true;
            }
        }
    }
}

static uint8_t index_of(const struct sweep_axis *axis, const json_t *cell)
{
    const json_t *value = json_object_get(json_object_get(cell, "parameters"), axis->name);

    for (size_t i = 0; i < axis->count; i++) {
        if (json_equal(axis->items[i], value)) {
            return (uint8_t)i;
        }
    }
    return SWEEP_NO_VALUE;
}

struct sweep *sweep_new(const json_t *document)
{
    struct sweep *sweep = calloc(1, sizeof(*sweep));

    if (sweep == NULL) {
        return NULL;
    }
    sweep->cells = json_object_get(document, "cells");
    sweep->cell_count = json_array_size(sweep->cells);
    if (sweep->cell_count > SWEEP_CELLS_MAX) {
        sweep->cell_count = SWEEP_CELLS_MAX;
        sweep->cut = true;
    }
    read_axes(sweep);
    for (size_t i = 0; i < sweep->cell_count; i++) {
        for (size_t axis = 0; axis < sweep->axis_count; axis++) {
            sweep->index[i][axis] = index_of(&sweep->axes[axis], json_array_get(sweep->cells, i));
        }
    }
    return sweep;
}

const char *sweep_axis_title(const char *axis)
{
    static const char *const titles[][2] = {
        {"version", "version"},
        {"suite", "suite"},
        {"group", "group"},
        {"certificate", "certificate"},
        {"fragment", "fragment"},
        {"message_bytes", "message bytes"},
        {"connections", "connections"},
        {"link_bits_per_second", "link"},
        {"mode", "mode"},
    };

    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (strcmp(titles[i][0], axis) == 0) {
            return titles[i][1];
        }
    }
    return "other parameter";
}

const char *sweep_value_text(const char *axis, const json_t *value, char out[SWEEP_TEXT_BYTES])
{
    double number = sweep_value_number(value);
    char text[UNITS_TEXT_BYTES];
    bool is_link = strcmp(axis, "link_bits_per_second") == 0;

    if (json_is_string(value) && isnan(number)) {
        snprintf(out, SWEEP_TEXT_BYTES, "%s", json_string_value(value));
    } else if (is_link && (json_is_null(value) || number == 0)) {
        snprintf(out, SWEEP_TEXT_BYTES, "no limit");
    } else if (json_is_boolean(value)) {
        snprintf(out, SWEEP_TEXT_BYTES, "%s", json_is_true(value) ? "yes" : "no");
    } else if (!(number >= 0 && number <= HTML_NUMBER_MAX)) {
        snprintf(out, SWEEP_TEXT_BYTES, "default");
    } else if (is_link) {
        snprintf(out, SWEEP_TEXT_BYTES, "%s", html_format_link(number, text));
    } else {
        snprintf(out, SWEEP_TEXT_BYTES, "%s", text_format_whole(number, text));
    }
    return out;
}

/* ---- Cells ---- */

struct sweep_spread sweep_spread(const json_t *cell, const char *figure)
{
    const json_t *figures = json_object_get(cell, "figures");
    const json_t *value = json_object_get(figures, figure);
    struct sweep_spread spread = {.median = html_number(value, "median"),
                                  .low = html_number(value, "low"),
                                  .high = html_number(value, "high")};

    if (json_is_number(value)) { /* a figure without rounds */
        spread.median = html_number(figures, figure);
    }
    spread.low = fmin(spread.low, spread.median); /* the median, where there is no interval */
    spread.high = fmax(spread.high, spread.median);
    return spread;
}

double sweep_median(const json_t *cell, const char *figure)
{
    return sweep_spread(cell, figure).median;
}

static const json_t *value_at(const struct sweep_slice *slice, size_t axis)
{
    return slice->sweep->axes[axis].items[slice->index[axis]];
}

const json_t *sweep_find(const struct sweep_slice *slice)
{
    const struct sweep *sweep = slice->sweep;

    for (size_t i = 0; i < sweep->cell_count; i++) {
        if (memcmp(sweep->index[i], slice->index, sweep->axis_count) == 0) {
            return json_array_get(sweep->cells, i);
        }
    }
    return NULL;
}

/* ---- Slices ---- */

void sweep_slice_first(const struct sweep *sweep, struct sweep_slice *out)
{
    *out = (struct sweep_slice){.sweep = sweep};
}

void sweep_slice_last(const struct sweep *sweep, struct sweep_slice *out)
{
    sweep_slice_first(sweep, out);
    for (size_t i = 0; i < sweep->axis_count && i < SWEEP_AXES_MAX; i++) { /* the latter for gcc */
        out->index[i] = (uint8_t)(sweep->axes[i].count - 1);
    }
}

bool sweep_slice_next(struct sweep_slice *slice, const struct sweep_axis *but,
                      const struct sweep_axis *nor)
{
    for (size_t i = 0; i < slice->sweep->axis_count; i++) {
        const struct sweep_axis *axis = &slice->sweep->axes[i];

        if (axis == but || axis == nor) {
            continue;
        }
        if (++slice->index[i] < axis->count) {
            return true;
        }
        slice->index[i] = 0;
    }
    return false;
}

void sweep_slice_set(struct sweep_slice *slice, const struct sweep_axis *axis, size_t index)
{
    slice->index[axis - slice->sweep->axes] = (uint8_t)index;
}

const char *sweep_slice_text(const struct sweep_slice *slice, const struct sweep_axis *but,
                             const struct sweep_axis *nor, char out[SWEEP_SLICE_BYTES])
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < slice->sweep->axis_count && used < SWEEP_SLICE_BYTES - 1; i++) {
        const struct sweep_axis *axis = &slice->sweep->axes[i];
        char text[SWEEP_TEXT_BYTES];

        if (axis->count < 2 || axis == but || axis == nor) {
            continue;
        }
        used += (size_t)snprintf(out + used, SWEEP_SLICE_BYTES - used, "%s%s %s",
                                 used > 0 ? ", " : ": ", sweep_axis_title(axis->name),
                                 sweep_value_text(axis->name, value_at(slice, i), text));
    }
    return out;
}
