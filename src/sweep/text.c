/* A study for a person: what all cells have in common, a row for each cell, and in words what did
 * not become one. */
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "report/text_words.h"
#include "sweep/study.h"

enum {
    COLUMNS = 100,
    GAP = 2,
    BUSY_COLUMNS = 11,  /* "  97%/100%" */
    SPREAD_COLUMNS = 6, /* " ±12%" and one for a third digit */
    FIGURE_COLUMNS_MAX = 8,
    EXPLAINED_MAX = 24, /* lines about cells without figures */
};

struct column {
    enum sweep_figure figure;
    const char *title;
    text_format *format;
    double factor; /* 0: 1 */
    unsigned width;
};

static const double IDLE_SHARE = 0.9;
static const double GIB = 1024.0 * 1024 * 1024;

static const char *format_rate_bytes(double value, char out[UNITS_TEXT_BYTES])
{
    char number[UNITS_TEXT_BYTES];

    snprintf(out, UNITS_TEXT_BYTES, "%.29s/s", units_format_bytes(value, number));
    return out;
}

/* In the order of their importance: the last ones are left out where the screen is too narrow. */
static const struct column of_handshakes[] = {
    {SWEEP_HANDSHAKES_PER_SECOND, "handshakes/s", text_format_rate, 0, 12},
    {SWEEP_HANDSHAKE_SECONDS, "handshake", text_format_seconds, 0, 9},
    {SWEEP_SERVER_CPU_PER_HANDSHAKE, "S CPU", text_format_seconds, 0, 7},
    {SWEEP_CLIENT_CPU_PER_HANDSHAKE, "C CPU", text_format_seconds, 0, 7},
    {SWEEP_LATENCY_P99_SECONDS, "p99", text_format_seconds, 0, 7},
    {0},
};

static const struct column of_messages[] = {
    {SWEEP_MESSAGES_PER_SECOND, "messages/s", text_format_rate, 0, 10},
    {SWEEP_GOODPUT, "goodput", format_rate_bytes, 0, 9},
    {SWEEP_MESSAGE_SECONDS, "message", text_format_seconds, 0, 7},
    {SWEEP_SERVER_CPU_PER_MESSAGE, "S CPU", text_format_seconds, 0, 7},
    {SWEEP_CLIENT_CPU_PER_MESSAGE, "C CPU", text_format_seconds, 0, 7},
    {SWEEP_LATENCY_P99_SECONDS, "p99", text_format_seconds, 0, 7},
    {0},
};

static const struct column of_fragments[] = {
    {SWEEP_GOODPUT, "goodput", format_rate_bytes, 0, 9},
    {SWEEP_FIRST_BYTE_SECONDS, "1st byte", text_format_seconds, 0, 8},
    {SWEEP_MESSAGE_SECONDS, "message", text_format_seconds, 0, 7},
    {SWEEP_RECORD_BYTES_MEAN, "record", text_format_whole, 0, 6},
    {SWEEP_SERVER_CPU_PER_BYTE, "S CPU", text_format_seconds, GIB, 7},
    {SWEEP_CLIENT_CPU_PER_BYTE, "C CPU", text_format_seconds, GIB, 7},
    {0},
};

static const struct column of_streams[] = {
    {SWEEP_GOODPUT, "goodput", format_rate_bytes, 0, 9},
    {SWEEP_RECORD_BYTES_MEAN, "record", text_format_whole, 0, 6},
    {SWEEP_SERVER_CPU_PER_BYTE, "S CPU", text_format_seconds, GIB, 7},
    {SWEEP_CLIENT_CPU_PER_BYTE, "C CPU", text_format_seconds, GIB, 7},
    {SWEEP_OVERHEAD_SHARE, "overhead", text_format_percent, 0, 8},
    {0},
};

struct table {
    const struct sweep_study *study;
    const struct column *columns;
    size_t column_count; /* that fit */
    size_t spread_count; /* of those the first so many have room for their spread */
    unsigned axis_widths[SWEEP_AXIS_COUNT]; /* 0: the axis does not vary */
    bool ascii;
};

/* ---- Values of axes ---- */

/* 16384 as "16 KiB", 10000000 as "10M". */
static const char *axis_text(enum sweep_axis axis, const struct sweep_value *value,
                             char out[SWEEP_TEXT_BYTES])
{
    static const char *const binary[] = {"B", "KiB", "MiB", "GiB"};
    static const char *const decimal[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
    uint64_t number = value->number;
    uint64_t step = axis == SWEEP_MESSAGE ? 1024 : 1000;
    unsigned unit = 0;

    if (value->is_null || (axis != SWEEP_MESSAGE && axis != SWEEP_LINK)) {
        snprintf(out, SWEEP_TEXT_BYTES, "%s", value->text);
        return out;
    }
    while (unit < 3 && number >= step && number % step == 0) {
        number /= step;
        unit++;
    }
    snprintf(out, SWEEP_TEXT_BYTES, "%lu %s", number,
             axis == SWEEP_MESSAGE ? binary[unit] : decimal[unit]);
    return out;
}

static unsigned axis_width(const struct sweep_study *study, enum sweep_axis axis)
{
    const struct sweep_values *values = &study->matrix.axes[axis];
    size_t width = strlen(sweep_axis_infos[axis].title);
    char text[SWEEP_TEXT_BYTES];

    if (!sweep_matrix_varies(&study->matrix, axis)) {
        return 0;
    }
    for (size_t i = 0; i < values->count; i++) {
        size_t length = strlen(axis_text(axis, &values->items[i], text));

        width = length > width ? length : width;
    }
    return (unsigned)width;
}

const char *sweep_cell_name(const struct sweep_study *study, const struct sweep_cell *cell,
                            char out[SWEEP_NAME_BYTES])
{
    char text[SWEEP_TEXT_BYTES];
    size_t used = 0;

    out[0] = '\0';
    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        if (sweep_matrix_varies(&study->matrix, axis) && used < SWEEP_NAME_BYTES) {
            used +=
                (size_t)snprintf(out + used, SWEEP_NAME_BYTES - used, "%s%s", used > 0 ? ", " : "",
                                 axis_text(axis, &cell->values[axis], text));
        }
    }
    if (used == 0) {
        snprintf(out, SWEEP_NAME_BYTES, "the cell");
    }
    return out;
}

/* ---- The table ---- */

static const struct column *columns_of(const struct sweep_study *study)
{
    switch (study->matrix.mode) {
    case LOAD_HANDSHAKE:
        return of_handshakes;
    case LOAD_UPLOAD:
    case LOAD_DOWNLOAD:
        return of_streams;
    case LOAD_RR:
        break;
    }
    return sweep_matrix_varies(&study->matrix, SWEEP_FRAGMENT) ||
                   sweep_matrix_varies(&study->matrix, SWEEP_LINK)
               ? of_fragments
               : of_messages;
}

static void lay_out(struct table *table)
{
    unsigned used = BUSY_COLUMNS;

    table->columns = columns_of(table->study);
    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        table->axis_widths[axis] = axis_width(table->study, axis);
        used += table->axis_widths[axis] > 0 ? table->axis_widths[axis] + GAP : 0;
    }
    while (table->columns[table->column_count].title != NULL &&
           used + table->columns[table->column_count].width + GAP <= COLUMNS) {
        used += table->columns[table->column_count++].width + GAP;
    }
    while (table->spread_count < table->column_count && used + SPREAD_COLUMNS <= COLUMNS) {
        used += SPREAD_COLUMNS;
        table->spread_count++;
    }
}

static void print_heading(FILE *out, const struct table *table)
{
    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        if (table->axis_widths[axis] > 0) {
            fprintf(out, "%-*s", (int)(table->axis_widths[axis] + GAP),
                    sweep_axis_infos[axis].title);
        }
    }
    for (size_t i = 0; i < table->column_count; i++) {
        fprintf(out, "%*s%*s", (int)(table->columns[i].width + (i > 0 ? GAP : 0)),
                table->columns[i].title, i < table->spread_count ? SPREAD_COLUMNS : 0, "");
    }
    fprintf(out, "%*s\n", BUSY_COLUMNS, "busy S/C");
}

/* How far the farther end of the interval lies from the median. */
static void print_spread(FILE *out, const struct sweep_summary *summary, bool ascii)
{
    double away = fmax(summary->high - summary->median, summary->median - summary->low);
    char text[UNITS_TEXT_BYTES] = "";

    if (isfinite(away) && summary->median > 0) {
        snprintf(text, sizeof(text), "%.0f%%", ceil(100 * away / summary->median));
        fprintf(out, " %s%-*s", ascii ? "~" : "±", SPREAD_COLUMNS - 2, text);
    } else {
        fprintf(out, "%*s", SPREAD_COLUMNS, "");
    }
}

static double median_of(const struct sweep_cell_state *state, enum sweep_figure figure)
{
    double room[SWEEP_ROUNDS_MAX];
    struct sweep_summary summary;

    sweep_summarize(state, figure, room, &summary);
    return summary.count > 0 ? summary.median : NAN;
}

static void print_busy(FILE *out, const struct sweep_cell_state *state)
{
    double server = median_of(state, SWEEP_SERVER_BUSY_SHARE);
    double client = median_of(state, SWEEP_CLIENT_BUSY_SHARE);
    char text[32];
    char server_text[16] = "-";

    if (isfinite(server)) {
        snprintf(server_text, sizeof(server_text), "%.0f%%", fmin(100, 100 * server));
    }
    snprintf(text, sizeof(text), "%s/%.0f%%", server_text, fmin(100, 100 * client));
    fprintf(out, "%*s\n", BUSY_COLUMNS, text);
}

static void print_row(FILE *out, const struct table *table, const struct sweep_cell_state *state)
{
    double room[SWEEP_ROUNDS_MAX];
    struct sweep_summary summary;
    char axis_value[SWEEP_TEXT_BYTES];
    char text[UNITS_TEXT_BYTES];

    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        if (table->axis_widths[axis] > 0) {
            fprintf(out, "%-*s", (int)(table->axis_widths[axis] + GAP),
                    axis_text(axis, &state->cell.values[axis], axis_value));
        }
    }
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        double factor = column->factor > 0 ? column->factor : 1;

        sweep_summarize(state, column->figure, room, &summary);
        fprintf(out, "%*s", (int)(column->width + (i > 0 ? GAP : 0)),
                text_format_known(summary.count > 0 ? summary.median * factor : NAN, column->format,
                                  text));
        if (i < table->spread_count) {
            print_spread(out, &summary, table->ascii);
        }
    }
    print_busy(out, state);
}

/* ---- Around it ---- */

static const char *negotiated_of(const struct sweep_cell_state *state, enum sweep_axis axis)
{
    const struct sweep_negotiated *negotiated = &state->negotiated;

    return axis == SWEEP_VERSION       ? negotiated->version
           : axis == SWEEP_SUITE       ? negotiated->suite
           : axis == SWEEP_GROUP       ? negotiated->group
           : axis == SWEEP_CERTIFICATE ? negotiated->certificate
                                       : "";
}

/* What every cell that ran negotiated alike; NULL: they did not, or none ran. */
static const char *common_of(const struct sweep_study *study, enum sweep_axis axis)
{
    const char *common = NULL;

    for (size_t i = 0; i < study->cell_count; i++) {
        if (study->cells[i].rounds_done > 0) {
            const char *text = negotiated_of(&study->cells[i], axis);

            if (common != NULL && strcmp(common, text) != 0) {
                return NULL;
            }
            common = text;
        }
    }
    return common != NULL && common[0] != '\0' ? common : NULL;
}

/* What all cells share, as it was negotiated rather than as it was asked for. */
static void print_common(FILE *out, const struct sweep_study *study)
{
    char line[512];
    char text[SWEEP_TEXT_BYTES];
    size_t used =
        (size_t)snprintf(line, sizeof(line), "mode %s", load_mode_name(study->matrix.mode));

    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        const struct sweep_value *value = &study->matrix.axes[axis].items[0];
        const char *common = common_of(study, axis);

        if (sweep_matrix_varies(&study->matrix, axis)) {
            continue;
        }
        if (axis <= SWEEP_CERTIFICATE) {
            used += common != NULL
                        ? (size_t)snprintf(line + used, sizeof(line) - used, ", %s", common)
                        : 0;
        } else if (!value->is_null) {
            used += (size_t)snprintf(line + used, sizeof(line) - used, ", %s %s",
                                     sweep_axis_infos[axis].title, axis_text(axis, value, text));
        }
    }
    text_print_fact(out, "cells", line);
}

static void print_head(FILE *out, const struct sweep_study *study)
{
    const struct sweep_settings *settings = &study->settings;
    char text[2 * SWEEP_CPUS_BYTES + 64];
    char duration[UNITS_TEXT_BYTES];
    char server_cpus[SWEEP_CPUS_BYTES];
    char load_cpus[SWEEP_CPUS_BYTES];

    fprintf(out, "tlsdyno sweep%s%s\n", study->plan != NULL ? " " : "",
            study->plan != NULL ? study->plan : "");
    print_common(out, study);
    snprintf(text, sizeof(text), "%u round%s of %s each, cells in random order (seed %lu)",
             study->rounds, study->rounds == 1 ? "" : "s",
             units_format_duration((double)settings->duration_ns, duration), study->seed);
    text_print_fact(out, "runs", text);
    if (settings->target != NULL) {
        text_print_fact(out, "server", settings->target);
    } else if (settings->no_pin) {
        text_print_fact(out, "server", "its own process, on any CPU");
    } else if (CPU_EQUAL(&settings->server_cpus, &settings->load_cpus)) {
        text_print_fact(out, "server", "NOTE: server and load share the one CPU that there is");
    } else {
        snprintf(text, sizeof(text), "on CPU %s, the load on CPU %s",
                 sweep_cpus_format(&settings->server_cpus, server_cpus),
                 sweep_cpus_format(&settings->load_cpus, load_cpus));
        text_print_fact(out, "server", text);
    }
    snprintf(text, sizeof(text), "%s, %u CPUs, %s, %s", study->environment.cpu_model,
             study->environment.cpu_count, study->environment.kernel,
             study->openssl_version != NULL ? study->openssl_version : "OpenSSL");
    text_print_fact(out, "machine", text);
}

static void explain(FILE *out, const struct sweep_study *study, enum sweep_status status)
{
    size_t count = sweep_study_count(study, status);
    size_t printed = 0;
    char name[SWEEP_NAME_BYTES];
    char line[SWEEP_NAME_BYTES + 2 + SWEEP_REASON_BYTES];

    if (count == 0) {
        return;
    }
    fprintf(out, "\n%s:\n", status == SWEEP_SKIPPED ? "Skipped" : "Failed");
    for (size_t i = 0; i < study->cell_count && printed < EXPLAINED_MAX; i++) {
        if (study->cells[i].status == status) {
            snprintf(line, sizeof(line), "%s: %s",
                     sweep_cell_name(study, &study->cells[i].cell, name), study->cells[i].reason);
            fputs("  ", out);
            text_print_wrapped(out, line, 2);
            printed++;
        }
    }
    if (printed < count) {
        fprintf(out, "  and %zu more, which --json and --csv tell of\n", count - printed);
    }
}

/* Neither side was what held the rate down, nor a link that was made slow. */
static bool was_idle(const struct sweep_cell_state *state)
{
    return state->rounds_done > 0 && state->cell.values[SWEEP_LINK].is_null &&
           median_of(state, SWEEP_SERVER_BUSY_SHARE) < IDLE_SHARE &&
           median_of(state, SWEEP_CLIENT_BUSY_SHARE) < IDLE_SHARE;
}

static void print_notes(FILE *out, const struct sweep_study *study, const struct table *table)
{
    double errors = 0;
    size_t idle = 0;
    char text[320];
    bool has_spread = table->spread_count > 0 && study->rounds > 1;

    snprintf(text, sizeof(text),
             "Medians of the rounds%s%s%s. S: server, C: client; CPU: time for %s; busy: the "
             "busiest thread of each.",
             has_spread ? "; " : "",
             !has_spread    ? ""
             : table->ascii ? "~"
                            : "±",
             has_spread ? " how far their 95% bootstrap intervals reach" : "",
             table->columns == of_handshakes ? "a handshake"
             : table->columns == of_messages ? "a message"
                                             : "a GiB of plaintext");
    fputc('\n', out);
    text_print_wrapped(out, text, 0);
    for (size_t i = 0; i < study->cell_count; i++) {
        double of_cell = median_of(&study->cells[i], SWEEP_ERRORS);

        errors += isfinite(of_cell) ? of_cell : 0;
        idle += was_idle(&study->cells[i]);
    }
    if (idle > 0) {
        snprintf(text, sizeof(text),
                 "NOTE: in %zu of %zu cells neither side was busy: other programs, the network, or "
                 "too few connections (-c) held the rates down. CPU times tell more then.",
                 idle, study->cell_count);
        text_print_wrapped(out, text, 0);
    }
    if (table->columns == of_fragments && sweep_matrix_varies(&study->matrix, SWEEP_LINK)) {
        text_print_wrapped(out,
                           "NOTE: on paced links the beginning of an answer leaves in a burst: its "
                           "first byte comes too early. tools/link makes a true slow link.",
                           0);
    }
    if (errors > 0) {
        fprintf(out,
                "NOTE: connections went wrong in some runs: see 'errors' in --json or --csv\n");
    }
}

static void print_missing(FILE *out, const struct sweep_study *study)
{
    size_t left = sweep_study_runs_left(study);

    if (left > 0) {
        fprintf(out, "\nPARTIAL: %zu run%s missing\n", left, left == 1 ? " is" : "s are");
    }
}

void sweep_text(FILE *out, const struct sweep_study *study, bool ascii)
{
    struct table table = {.study = study, .ascii = ascii};
    bool has_rows = false;

    lay_out(&table);
    print_head(out, study);
    for (size_t i = 0; i < study->cell_count; i++) {
        if (study->cells[i].rounds_done > 0) {
            if (!has_rows) {
                fputc('\n', out);
                print_heading(out, &table);
                has_rows = true;
            }
            print_row(out, &table, &study->cells[i]);
        }
    }
    if (has_rows) {
        print_notes(out, study, &table);
    }
    explain(out, study, SWEEP_SKIPPED);
    explain(out, study, SWEEP_FAILED);
    print_missing(out, study);
}
