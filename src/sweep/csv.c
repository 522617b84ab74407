/* A study as a table for spreadsheets: RFC 4180, one row a cell. */
#include <locale.h>
#include <math.h>
#include <string.h>

#include "sweep/study.h"

/* Reasons are sentences, with commas. */
static void write_text(FILE *out, const char *text)
{
    fputs(",\"", out);
    for (; *text != '\0'; text++) {
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, out);
    }
    fputc('"', out);
}

static void write_header(FILE *out)
{
    fputs("mode", out);
    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        fprintf(out, ",%s", sweep_axis_infos[axis].name);
    }
    fputs(",status,reason,rounds_done", out);
    for (unsigned figure = 0; figure < SWEEP_FIGURE_COUNT; figure++) {
        const char *name = sweep_figure_name(figure);

        fprintf(out, ",%s,%s_low,%s_high", name, name, name);
    }
    fputs("\r\n", out);
}

static void write_number(FILE *out, double value)
{
    if (isfinite(value)) {
        fprintf(out, ",%.9g", value);
    } else {
        fputc(',', out);
    }
}

static void write_row(FILE *out, const struct sweep_cell_state *state)
{
    fputs(load_mode_name(state->cell.mode), out);
    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        const struct sweep_value *value = &state->cell.values[axis];

        fprintf(out, ",%s", value->is_null ? "" : value->text);
    }
    fprintf(out, ",%s", sweep_status_name(state->status));
    write_text(out, state->reason);
    fprintf(out, ",%u", state->rounds_done);
    for (unsigned figure = 0; figure < SWEEP_FIGURE_COUNT; figure++) {
        double room[SWEEP_ROUNDS_MAX];
        struct sweep_summary summary;

        sweep_summarize(state, figure, room, &summary);
        write_number(out, summary.count > 0 ? summary.median : NAN);
        write_number(out, summary.count > 0 ? summary.low : NAN);
        write_number(out, summary.count > 0 ? summary.high : NAN);
    }
    fputs("\r\n", out);
}

void sweep_csv(FILE *out, const struct sweep_study *study)
{
    /* A decimal comma would split the columns. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(plain);

    write_header(out);
    for (size_t i = 0; i < study->cell_count; i++) {
        write_row(out, &study->cells[i]);
    }
    uselocale(before);
    freelocale(plain);
}
