/* Pictures: what gnuplot shall draw, and what came of it. Scripts hold numbers and words of ours
 * only; what a file says in words is reduced to letters, digits and a few signs first
 * (plot_label()), and stands in no position where gnuplot would run it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "report/text_words.h"

enum {
    PLOT_STYLES_MAX = 8,
    PLOT_KEYS_MAX = 16,
    PLOT_LABEL_BYTES = 48,
    PLOT_LISTED_MAX = 64,
};

/* Each picture is drawn twice, so that its words are as large on a telephone as on a wall. */
enum plot_width { PLOT_WIDE, PLOT_NARROW, PLOT_WIDTHS };

/* Where a picture belongs on the page. */
enum plot_topic { PLOT_LATENCY, PLOT_RATE, PLOT_WATERFALL, PLOT_SWEEP };

/* A row of the legend, which the page prints as text. */
struct plot_key {
    unsigned style; /* the colour */
    bool dashed;
    char text[160]; /* may be a file's words */
};

struct plot {
    enum plot_topic topic;
    size_t file;      /* the sweep that it is of; the others are of all runs */
    char title[200];  /* may hold a file's words */
    const char *note; /* how to read it; static */
    struct plot_key keys[PLOT_KEYS_MAX];
    size_t key_count;
    unsigned height[PLOT_WIDTHS];
    char *body; /* of the script */
    size_t body_bytes;
    char *svg[PLOT_WIDTHS]; /* plot_take_svg(); NULL: not drawn */
};

struct plot_list {
    struct plot items[PLOT_LISTED_MAX];
    size_t count;
    bool cut; /* there would have been more */
};

/* NULL when memory is out. */
struct plot_list *plot_list_new(void);
void plot_list_free(struct plot_list *list); /* accepts NULL */

/* The next one, zeroed, and where to write its script; NULL when the list is full or memory is out.
 * plot_end() closes the script and counts the picture. */
struct plot *plot_begin(struct plot_list *list, FILE **out_script);
void plot_end(struct plot_list *list, FILE *script);

void plot_add_key(struct plot *plot, unsigned style, bool dashed, const char *text);

/* The whole script for one width, heap. NULL when memory is out. */
char *plot_script(const struct plot *plot, enum plot_width width);

/* Keeps what gnuplot printed, made fit to stand in a page. Returns 0, or -1 when it is no picture
 * of the kind that plot_script() asks for. */
int plot_take_svg(struct plot *plot, enum plot_width width, const char *text);

/* ---- For the files that write scripts ---- */

/* Letters, digits and " ,._+:/-"; whatever else the text has becomes '?'. Cut with "..". */
const char *plot_label(const char *text, char out[PLOT_LABEL_BYTES]);

/* " lc rgb '#0101NN' dt N": the style sheet gives it the colour that the scheme has for it. */
void plot_write_style(FILE *script, unsigned style, bool dashed);

/* Ticks at 1 (and 2 and 5) of each decade: "set ytics ('1 ms' 0.001, ...)", and the range. `low`
 * and `high` are positive. */
void plot_write_log_axis(FILE *script, char axis, double low, double high, text_format *format);

/* Ticks from 0 up to `high`. */
void plot_write_linear_axis(FILE *script, char axis, double high, text_format *format);

/* What there is to draw of load runs, and of one sweep. */
struct html_input;
void plot_load_runs(const struct html_input *input, struct plot_list *list);
void plot_waterfall(const struct html_input *input, struct plot_list *list);
void plot_sweep(const struct html_input *input, size_t file, struct plot_list *list);
