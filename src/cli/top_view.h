/* The rates as lines of text, for a terminal of any size and for none. */
#pragma once

#include <stdio.h>

#include "cli/top_rates.h"

enum top_emphasis { TOP_PLAIN, TOP_TITLE, TOP_HEADING, TOP_TOTAL, TOP_TROUBLE, TOP_DIM };

enum { TOP_LINE_BYTES = 160, TOP_COLUMNS_MIN = 20 };

struct top_frame {
    const char *url;
    const char *clock;             /* "12:34:56" */
    const struct top_rates *rates; /* NULL: none yet */
    const char *trouble;           /* why there is no new answer: a sentence; NULL */
    enum top_order order;
    bool paused;
    double interval; /* seconds */
};

typedef void top_print_line(void *user, size_t row, enum top_emphasis emphasis, const char *line);

/* Prints at most `height` lines of at most `width` columns, ASCII, from row 0 on: what does not fit
 * is counted in a line that says so. */
void top_view_print(const struct top_frame *frame, size_t width, size_t height,
                    top_print_line *print, void *user);

/* All of it, without the line of keys. */
void top_view_once(FILE *out, const struct top_frame *frame);
