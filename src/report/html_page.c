/* The page as a whole. */
#include "report/html_page.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report/html_sweep.h"
#include "report/html_value.h"

struct plot_list *html_plots(const struct html_input *input)
{
    struct plot_list *list = plot_list_new();

    if (list == NULL) {
        return NULL;
    }
    plot_load_runs(input, list);
    for (size_t file = 0; file < input->count; file++) {
        if (sweep_is(input->files[file].document)) {
            plot_sweep(input, file, list);
        }
    }
    return list;
}

/* ---- Pictures ---- */

static void write_key(FILE *out, const struct plot *plot)
{
    fputs("<ul class=\"key\">", out);
    for (size_t i = 0; i < plot->key_count; i++) {
        const struct plot_key *key = &plot->keys[i];

        fprintf(out, "<li><i class=\"d%u%s\"></i>", key->style % PLOT_STYLES_MAX + 1,
                key->dashed ? " dash" : "");
        html_escape(out, key->text);
        fputs("</li>", out);
    }
    fputs("</ul>\n", out);
}

static void write_plot(FILE *out, const struct plot *plot, bool with_note)
{
    static const char *const classes[PLOT_WIDTHS] = {"wide", "narrow"};

    if (plot->svg[PLOT_WIDE] == NULL || plot->svg[PLOT_NARROW] == NULL) {
        return;
    }
    fputs("<figure>", out);
    html_element(out, "h3", plot->title);
    if (plot->key_count > 0) {
        write_key(out, plot);
    }
    for (int width = 0; width < PLOT_WIDTHS; width++) {
        fprintf(out, "<div class=\"%s\">%s</div>\n", classes[width], plot->svg[width]);
    }
    if (with_note) {
        html_element(out, "figcaption", plot->note);
    }
    fputs("</figure>\n", out);
}

void html_write_plots(FILE *out, const struct plot_list *plots, enum plot_topic topic, size_t file)
{
    const char *said = NULL;

    for (size_t i = 0; i < plots->count; i++) {
        const struct plot *plot = &plots->items[i];

        if (plot->topic == topic && (topic != PLOT_SWEEP || plot->file == file)) {
            write_plot(out, plot, plot->note != said);
            said = plot->note;
        }
    }
}

/* ---- Heads ---- */

/* The rate that a run is about, for its card. */
static void write_headline(FILE *out, const json_t *run)
{
    const char *mode = html_text(run, "plan.mode");
    char text[UNITS_TEXT_BYTES];
    char line[128];

    if (mode != NULL && strcmp(mode, "handshake") == 0) {
        snprintf(
            line, sizeof(line), "%s handshakes/s",
            text_format_known(html_number(run, "handshakes.per_second"), text_format_rate, text));
    } else if (mode != NULL && strcmp(mode, "rr") == 0) {
        snprintf(
            line, sizeof(line), "%s messages/s",
            text_format_known(html_number(run, "messages.per_second"), text_format_rate, text));
    } else {
        snprintf(line, sizeof(line), "%s",
                 text_format_known(html_number(run, "bytes.plain_in_bytes_per_second") +
                                       html_number(run, "bytes.plain_out_bytes_per_second"),
                                   html_format_bytes_rate, text));
    }
    html_element(out, "div class=\"big\"", line);
}

static void write_combination(FILE *out, const json_t *run)
{
    const json_t *rows = json_object_get(json_object_get(run, "negotiated"), "combinations");
    const json_t *first = json_array_get(rows, 0);
    static const char *const keys[] = {"version", "suite", "group", "certificate"};
    const char *separator = "";

    fputs("<div class=\"soft\">", out);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text = html_text(first, keys[i]);

        if (text != NULL && text[0] != '\0') {
            fputs(separator, out);
            html_escape(out, text);
            separator = ", ";
        }
    }
    if (json_array_size(rows) > 1) {
        fprintf(out, " and %zu more", json_array_size(rows) - 1);
    }
    fputs("</div>\n", out);
}

static void write_card(FILE *out, const struct html_input *input, size_t file)
{
    const json_t *document = input->files[file].document;
    const char *started = html_text(document, "started");

    fputs("<div class=\"card\"><h3>", out);
    html_badge(out, file);
    fputc(' ', out);
    html_escape(out, input->files[file].name);
    fputs("</h3>\n", out);
    if (sweep_is(document)) {
        fprintf(out, "<div class=\"big\">%zu cells</div>\n",
                json_array_size(json_object_get(document, "cells")));
        html_element(out, "div class=\"soft\"", "sweep");
    } else {
        write_headline(out, document);
        write_combination(out, document);
        fputs("<div class=\"soft\">", out);
        html_escape(out, html_text(document, "target") != NULL ? html_text(document, "target")
                                                               : "target not known");
        fputs("</div>\n", out);
    }
    if (started != NULL) {
        html_element(out, "div class=\"soft\"", started);
    }
    fputs("</div>\n", out);
}

/* The warnings come before they are known to be none, hence the buffer. */
static void write_warnings(FILE *out, const struct html_input *input)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *buffer = open_memstream(&text, &bytes);
    size_t count;

    if (buffer == NULL) {
        return;
    }
    count = html_write_warnings(buffer, input);
    if (fclose(buffer) == 0 && count > 0) {
        fprintf(out,
                "<section class=\"warnings\"><h2>Before you believe these figures</h2><ul>\n%s"
                "</ul></section>\n",
                text);
    } else if (count == 0) {
        fputs("<p class=\"clean\">No warnings.</p>\n", out);
    }
    free(text);
}

static void write_head(FILE *out, const struct html_input *input)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          /* Not even a hostile file could make the page load or run anything. */
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'unsafe-inline'\">\n",
          out);
    html_element(out, "title", input->title);
    fprintf(out, "<style>\n%s</style></head>\n<body><main>\n", html_style);
    /* What gnuplot's points refer to. */
    fputs(
        "<svg width=\"0\" height=\"0\" style=\"position:absolute;width:0\" aria-hidden=\"true\">"
        "<defs><circle id=\"gpPt6\" r=\"1\" fill=\"currentColor\" stroke=\"none\"/></defs></svg>\n",
        out);
}

void html_write(FILE *out, const struct html_input *input, const struct plot_list *plots)
{
    size_t loads = 0;

    write_head(out, input);
    html_element(out, "h1", input->title);
    html_element(out, "p class=\"soft\"",
                 "Written by tlsdyno " TLSDYNO_VERSION " from the results of the files below.");
    write_warnings(out, input);
    fputs("<div class=\"cards\">\n", out);
    for (size_t file = 0; file < input->count; file++) {
        write_card(out, input, file);
        loads += !sweep_is(input->files[file].document);
    }
    fputs("</div>\n", out);
    if (input->no_pictures != NULL) {
        fputs("<section class=\"warnings\"><h2>No pictures</h2>", out);
        html_element(out, "p", input->no_pictures);
        fputs("</section>\n", out);
    }
    if (loads > 0) {
        html_write_plots(out, plots, PLOT_LATENCY, 0);
        html_write_plots(out, plots, PLOT_RATE, 0);
        html_write_plots(out, plots, PLOT_WATERFALL, 0);
        html_write_load_tables(out, input);
    }
    for (size_t file = 0; file < input->count; file++) {
        if (sweep_is(input->files[file].document)) {
            html_write_sweep(out, input, file, plots);
        }
    }
    if (plots->cut) {
        html_element(out, "p class=\"soft\"", "There would have been more pictures than fit here.");
    }
    fputs("</main></body></html>\n", out);
}
