/* A sweep's cells by their parameters, and the page's part about it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/html.h"
#include "report/text_words.h"

enum {
    SWEEP_AXES_MAX = 16,
    SWEEP_VALUES_MAX = 32,
    SWEEP_CELLS_MAX = 4096,
    SWEEP_TEXT_BYTES = 96,
    SWEEP_SLICE_BYTES = 256,
    SWEEP_FIGURE_COUNT = 18,
    SWEEP_NO_VALUE = 255,
};

/* The values of one parameter: numbers ascending, others as they first come. */
struct sweep_axis {
    const char *name;
    const json_t *items[SWEEP_VALUES_MAX];
    size_t count;
};

/* Borrows from the document; too large for the stack. Axes are what the cells have, so that a cell
 * is always found. */
struct sweep {
    const json_t *cells;
    size_t cell_count;
    struct sweep_axis axes[SWEEP_AXES_MAX];
    size_t axis_count;
    uint8_t index[SWEEP_CELLS_MAX][SWEEP_AXES_MAX]; /* of each cell's values; SWEEP_NO_VALUE */
    bool cut;                                       /* axes or values that there was no room for */
};

struct sweep_figure {
    const char *key;   /* of a cell's figures */
    const char *title; /* "Goodput" */
    text_format *format;
    bool lower_is_better;
    bool is_time;
    bool in_heat_map;
    bool of_fragments; /* worth a curve over fragment sizes */
};

extern const struct sweep_figure sweep_figures[SWEEP_FIGURE_COUNT];

bool sweep_is(const json_t *document);

/* Heap, freed with free(3); NULL when memory is out. */
struct sweep *sweep_new(const json_t *document);

/* What a value is as a number: fragments are words, "4096" or "dynamic". NAN: none. */
double sweep_value_number(const json_t *value);

/* "4,096" for a fragment, "100 Mbit/s" for a link. Returns out. */
const char *sweep_value_text(const char *axis, const json_t *value, char out[SWEEP_TEXT_BYTES]);
const char *sweep_axis_title(const char *axis);

struct sweep_spread {
    double median, low, high; /* NAN: not measured */
};

/* The cell may be NULL. */
struct sweep_spread sweep_spread(const json_t *cell, const char *figure);
double sweep_median(const json_t *cell, const char *figure);

/* One value of each axis. */
struct sweep_slice {
    const struct sweep *sweep;
    uint8_t index[SWEEP_AXES_MAX];
};

/* The first and the last value of each axis, and the next combination of the axes other than these
 * two, which may be NULL; false after the last one. */
void sweep_slice_first(const struct sweep *sweep, struct sweep_slice *out);
void sweep_slice_last(const struct sweep *sweep, struct sweep_slice *out);
bool sweep_slice_next(struct sweep_slice *slice, const struct sweep_axis *but,
                      const struct sweep_axis *nor);
void sweep_slice_set(struct sweep_slice *slice, const struct sweep_axis *axis, size_t index);

/* ": TLSv1.3, 64 kB": the axes that vary, other than these two; "" when there are none. */
const char *sweep_slice_text(const struct sweep_slice *slice, const struct sweep_axis *but,
                             const struct sweep_axis *nor, char out[SWEEP_SLICE_BYTES]);

/* The cell with these parameters, or NULL. */
const json_t *sweep_find(const struct sweep_slice *slice);

/* The page's section, pictures included. */
void html_write_sweep(FILE *out, const struct html_input *input, size_t file,
                      const struct plot_list *plots);
