/* The parts of the page. */
#pragma once

#include "report/html.h"

extern const char html_style[];

/* What a reader must know before any figure: <li>s, none when there is nothing. Returns how many.
 */
size_t html_write_warnings(FILE *out, const struct html_input *input);

/* Tables of all load runs, side by side: figures, latencies, what was negotiated, machines ... */
void html_write_load_tables(FILE *out, const struct html_input *input);

/* The pictures of one topic; of a sweep, those of that file. */
void html_write_plots(FILE *out, const struct plot_list *plots, enum plot_topic topic, size_t file);
