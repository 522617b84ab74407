/* Pictures of a sweep: heat maps of two of its axes, and what fragments cost. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/html_sweep.h"
#include "report/html_value.h"

enum { SLICES_MAX = 4, SLICES_TRIED_MAX = 64, POSITIONS_MAX = 24, LINEAR_RATIO_MAX = 20 };

/* ---- Heat map ---- */

/* Viridis-like from dark to light in even steps of lightness (cividis, made for every kind of
 * colour vision): low is dark. */
static unsigned heat_colour(double share)
{
    static const unsigned char stops[][3] = {{0, 34, 78},     {42, 63, 109},   {87, 92, 109},
                                             {125, 124, 120}, {166, 157, 117}, {210, 193, 97},
                                             {254, 232, 56}};
    const int last = sizeof(stops) / sizeof(stops[0]) - 1;
    double position = fmin(fmax(share, 0), 1) * last;
    int below = (int)fmin(floor(position), last - 1);
    double part = position - below;
    unsigned colour = 0;

    for (int i = 0; i < 3; i++) {
        double value = stops[below][i] + part * (stops[below + 1][i] - stops[below][i]);

        colour = colour << 8 | (unsigned)lround(value);
    }
    return colour;
}

static void write_tics(FILE *script, char axis, const struct sweep_axis *values)
{
    char text[SWEEP_TEXT_BYTES];
    char label[PLOT_LABEL_BYTES];

    fprintf(script, "set %ctics scale 0 (", axis);
    for (size_t i = 0; i < values->count; i++) {
        fprintf(script, "%s'%s' %zu", i > 0 ? ", " : "",
                plot_label(sweep_value_text(values->name, values->items[i], text), label), i);
    }
    fputs(")\n", script);
}

struct heat {
    const struct sweep_figure *figure;
    const struct sweep_axis *columns, *rows;
    const struct sweep_slice *slice;
};

/* The median of the cell at this column and row; NAN where there is none. */
static double heat_value(const struct heat *heat, size_t column, size_t row)
{
    struct sweep_slice at = *heat->slice;

    sweep_slice_set(&at, heat->columns, column);
    sweep_slice_set(&at, heat->rows, row);
    return sweep_median(sweep_find(&at), heat->figure->key);
}

static void write_cells(const struct heat *heat, double low, double high, FILE *script)
{
    for (size_t column = 0; column < heat->columns->count; column++) {
        for (size_t row = 0; row < heat->rows->count; row++) {
            double value = heat_value(heat, column, row);
            double share = high > low ? (value - low) / (high - low) : 0.5;
            char text[UNITS_TEXT_BYTES];

            if (isnan(value)) {
                fprintf(script, "set label '-' at %zu,%zu center tc rgb '#010120'\n", column, row);
                continue;
            }
            if (heat->figure->lower_is_better) {
                share = 1 - share;
            }
            fprintf(script,
                    "set object rectangle from %g,%g to %g,%g fs solid 1 noborder fc rgb '#%06x'\n",
                    (double)column - 0.485, (double)row - 0.47, (double)column + 0.485,
                    (double)row + 0.47, heat_colour(share));
            fprintf(script, "set label '%s' at %zu,%zu center front tc rgb '#%s'\n",
                    heat->figure->format(value, text), column, row,
                    share > 0.47 ? "000000" : "ffffff");
        }
    }
}

/* On a narrow page the many values go down, where there is room, and the few across. */
static void write_map(const struct heat *heat, double low, double high, FILE *script)
{
    write_tics(script, 'x', heat->columns);
    write_tics(script, 'y', heat->rows);
    fprintf(script, "set xrange [-0.5:%zu.5]\nset yrange [%zu.5:-0.5]\nset xlabel '%s'\n",
            heat->columns->count - 1, heat->rows->count - 1, sweep_axis_title(heat->columns->name));
    write_cells(heat, low, high, script);
}

static bool draw_heat(size_t file, const struct heat *heat, struct plot_list *list)
{
    double low = INFINITY;
    double high = 0;
    size_t cells = 0;
    char slice[SWEEP_SLICE_BYTES];
    FILE *script;
    struct plot *plot;

    for (size_t column = 0; column < heat->columns->count; column++) {
        for (size_t row = 0; row < heat->rows->count; row++) {
            double value = heat_value(heat, column, row);

            if (!isnan(value)) {
                low = fmin(low, value);
                high = fmax(high, value);
                cells++;
            }
        }
    }
    plot = cells > 1 ? plot_begin(list, &script) : NULL;
    if (plot == NULL) {
        return false;
    }
    plot->topic = PLOT_SWEEP;
    plot->file = file;
    plot->height[PLOT_WIDE] = 90 + 44 * (unsigned)heat->rows->count;
    plot->height[PLOT_NARROW] = 230 + 30 * (unsigned)heat->columns->count;
    snprintf(plot->title, sizeof(plot->title), "%s%.120s", heat->figure->title,
             sweep_slice_text(heat->slice, heat->columns, heat->rows, slice));
    plot->note = heat->figure->lower_is_better
                     ? "Medians of the rounds; lighter is less, and better. A dash: not measured."
                     : "Medians of the rounds; lighter is more, and better. A dash: not measured.";
    fputs("unset border\nunset grid\nif (narrow) {\n", script);
    write_map(&(struct heat){.figure = heat->figure,
                             .columns = heat->rows,
                             .rows = heat->columns,
                             .slice = heat->slice},
              low, high, script);
    fputs("set xtics rotate by 90 right\n} else {\n", script);
    write_map(heat, low, high, script);
    fputs("}\nplot NaN\n", script);
    plot_end(list, script);
    return true;
}

/* The axes that vary, the one for the columns first: sizes read from left to right. */
static bool choose_axes(const struct sweep *sweep, const struct sweep_axis **out_columns,
                        const struct sweep_axis **out_rows)
{
    *out_columns = *out_rows = NULL;
    for (size_t i = 0; i < sweep->axis_count; i++) {
        const struct sweep_axis *axis = &sweep->axes[i];

        if (axis->count > 1 && axis->count <= POSITIONS_MAX && *out_columns == NULL &&
            !isnan(sweep_value_number(axis->items[0]))) {
            *out_columns = axis;
        }
    }
    for (size_t i = 0; i < sweep->axis_count; i++) {
        const struct sweep_axis *axis = &sweep->axes[i];

        if (axis->count > 1 && axis->count <= POSITIONS_MAX && axis != *out_columns) {
            if (*out_rows == NULL) {
                *out_rows = axis;
            } else if (*out_columns == NULL) {
                *out_columns = axis;
            }
        }
    }
    return *out_columns != NULL && *out_rows != NULL;
}

/* ---- Fragments ---- */

static const struct sweep_axis *axis_named(const struct sweep *sweep, const char *name)
{
    for (size_t i = 0; i < sweep->axis_count; i++) {
        if (strcmp(sweep->axes[i].name, name) == 0) {
            return &sweep->axes[i];
        }
    }
    return NULL;
}

/* One line for each link; without such an axis, one for the machine as it is. */
struct trade {
    const struct sweep_figure *figure;
    const struct sweep_axis *fragments;
    const struct sweep_axis *links; /* NULL: none */
    const struct sweep_slice *slice;
};

static const json_t *trade_cell(const struct trade *trade, size_t link, size_t fragment)
{
    struct sweep_slice at = *trade->slice;

    sweep_slice_set(&at, trade->fragments, fragment);
    if (trade->links != NULL) {
        sweep_slice_set(&at, trade->links, link);
    }
    return sweep_find(&at);
}

static size_t link_count(const struct trade *trade)
{
    return trade->links != NULL ? trade->links->count : 1;
}

/* "position median low high" */
static size_t write_line(const struct trade *trade, size_t link, FILE *script, double *low,
                         double *high)
{
    size_t points = 0;

    for (size_t i = 0; i < trade->fragments->count; i++) {
        struct sweep_spread spread = sweep_spread(trade_cell(trade, link, i), trade->figure->key);

        if (!(spread.median > 0)) {
            if (script != NULL) {
                fputs("\n", script); /* a gap */
            }
            continue;
        }
        if (script != NULL) {
            fprintf(script, "%zu %.9g %.9g %.9g\n", i, spread.median, spread.low, spread.high);
        }
        *low = fmin(*low, spread.low);
        *high = fmax(*high, spread.high);
        points++;
    }
    return points;
}

static void write_lines(const struct trade *trade, struct plot *plot, FILE *script)
{
    double unused_low = INFINITY;
    double unused_high = 0;
    char text[SWEEP_TEXT_BYTES];

    for (size_t link = 0; link < link_count(trade); link++) {
        fprintf(script, "$l%zu << EOD\n", link);
        if (write_line(trade, link, script, &unused_low, &unused_high) == 0) {
            fputs("0 NaN NaN NaN\n", script);
        }
        fputs("EOD\n", script);
    }
    for (size_t link = 0; link < link_count(trade); link++) {
        const char *name = trade->links != NULL ? sweep_value_text(trade->links->name,
                                                                   trade->links->items[link], text)
                                                : "this machine";
        char label[PLOT_LABEL_BYTES];

        plot_label(name, label);
        fprintf(script, "%s $l%zu using 1:3:4 with filledcurves fs transparent solid 0.18 noborder",
                link == 0 ? "plot" : ",", link);
        fprintf(script, " fc rgb '#0101%02zx' title '%s'", link % PLOT_STYLES_MAX + 1, label);
        fprintf(script, ", $l%zu using 1:2 with linespoints pt 7 ps 0.7 lw 2.5", link);
        plot_write_style(script, (unsigned)link, false);
        fprintf(script, " title '%s'", label);
        plot_add_key(plot, (unsigned)link, false, name);
    }
    fputs("\n", script);
}

static bool draw_trade(size_t file, const struct trade *trade, struct plot_list *list)
{
    double low = INFINITY;
    double high = 0;
    size_t points = 0;
    char slice[SWEEP_SLICE_BYTES];
    FILE *script;
    struct plot *plot;

    for (size_t link = 0; link < link_count(trade); link++) {
        size_t its = write_line(trade, link, NULL, &low, &high);

        points = its > points ? its : points;
    }
    plot = points > 1 ? plot_begin(list, &script) : NULL;
    if (plot == NULL) {
        return false;
    }
    plot->topic = PLOT_SWEEP;
    plot->file = file;
    plot->height[PLOT_WIDE] = 360;
    plot->height[PLOT_NARROW] = 320;
    snprintf(plot->title, sizeof(plot->title), "%s by fragment size%.100s", trade->figure->title,
             sweep_slice_text(trade->slice, trade->fragments, trade->links, slice));
    plot->note = "Medians of the rounds, with the interval around them as a band.";
    write_tics(script, 'x', trade->fragments);
    fprintf(script,
            "set xrange [-0.3:%zu.3]\nif (narrow) set xtics rotate by -40\n"
            "if (!narrow) set xlabel 'fragment'\n",
            trade->fragments->count - 1);
    /* From one link to the next it is a factor of ten, which would lay the slow ones on the axis.
     */
    if (trade->figure->is_time || high > LINEAR_RATIO_MAX * low) {
        plot_write_log_axis(script, 'y', low, high, trade->figure->format);
    } else {
        plot_write_linear_axis(script, 'y', high, trade->figure->format);
    }
    write_lines(trade, plot, script);
    plot_end(list, script);
    return true;
}

static void draw_trades(size_t file, const struct sweep *sweep, struct plot_list *list)
{
    struct trade trade = {.fragments = axis_named(sweep, "fragment"),
                          .links = axis_named(sweep, "link_bits_per_second")};

    if (trade.fragments == NULL || trade.fragments->count < 2 ||
        trade.fragments->count > POSITIONS_MAX) {
        return;
    }
    for (size_t i = 0; i < SWEEP_FIGURE_COUNT; i++) {
        struct sweep_slice slice;
        size_t drawn = 0;
        size_t tried = 0;

        if (!sweep_figures[i].of_fragments) {
            continue;
        }
        trade.figure = &sweep_figures[i];
        trade.slice = &slice;
        sweep_slice_first(sweep, &slice);
        do {
            drawn += draw_trade(file, &trade, list);
        } while (drawn < SLICES_MAX && ++tried < SLICES_TRIED_MAX &&
                 sweep_slice_next(&slice, trade.fragments, trade.links));
    }
}

/* Where curves have shown what varies, one heat map of each figure sums it up: of the last slice,
 * which has the fastest link. */
static void draw_heats(size_t file, const struct sweep *sweep, bool with_curves,
                       struct plot_list *list)
{
    struct heat heat = {0};

    if (!choose_axes(sweep, &heat.columns, &heat.rows)) {
        return;
    }
    for (size_t i = 0; i < SWEEP_FIGURE_COUNT; i++) {
        struct sweep_slice slice;
        size_t drawn = 0;
        size_t tried = 0;

        if (!sweep_figures[i].in_heat_map) {
            continue;
        }
        heat.figure = &sweep_figures[i];
        heat.slice = &slice;
        sweep_slice_first(sweep, &slice);
        if (with_curves) {
            sweep_slice_last(sweep, &slice);
        }
        do {
            drawn += draw_heat(file, &heat, list);
        } while (drawn < SLICES_MAX && ++tried < SLICES_TRIED_MAX &&
                 sweep_slice_next(&slice, heat.columns, heat.rows));
    }
}

void plot_sweep(const struct html_input *input, size_t file, struct plot_list *list)
{
    struct sweep *sweep = sweep_new(input->files[file].document);

    if (sweep != NULL) {
        size_t before = list->count;

        draw_trades(file, sweep, list);
        draw_heats(file, sweep, list->count > before, list);
    }
    free(sweep);
}
