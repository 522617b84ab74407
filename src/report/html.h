/* One self-contained page (no network, no script) from results that were read back from files:
 * reports of load and of sweep, side by side. The files may come from anybody, so nothing in them
 * is taken for granted, and none of their words reaches the page unescaped, or a picture at all.
 *
 *     html_check() of each document; html_plots() says what to draw; whoever may run programs lets
 *     gnuplot draw it, or does not; html_write().
 *
 * Pure functions; any thread. The input is borrowed. */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "report/plot.h"

struct error;

enum { HTML_FILES_MAX = PLOT_STYLES_MAX }; /* more curves than that nobody can tell apart */

enum html_kind { HTML_LOAD, HTML_SWEEP };

struct html_file {
    const char *name;       /* for people: as it was typed */
    const json_t *document; /* html_check() has accepted it */
};

struct html_input {
    struct html_file files[HTML_FILES_MAX];
    size_t count; /* one at least */
    const char *title;
    const char *no_pictures; /* why nothing was drawn: a sentence; NULL: it was */
};

/* Whether a document is a result that the page can show. Returns 0, or -1 and a sentence that names
 * the key, without the file's name. */
int html_check(const json_t *document, struct error *error);

/* What to draw, empty lists included. NULL when memory is out. */
struct plot_list *html_plots(const struct html_input *input);

void html_write(FILE *out, const struct html_input *input, const struct plot_list *plots);
