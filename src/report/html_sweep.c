/* A sweep's section: what stayed the same, its pictures, and all its cells as a table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/compare_value.h"
#include "report/html_page.h"
#include "report/html_sweep.h"
#include "report/html_value.h"

static void write_fixed(FILE *out, const struct sweep *sweep)
{
    const char *separator = "<p>The same in all cells: ";
    char text[SWEEP_TEXT_BYTES];

    for (size_t i = 0; i < sweep->axis_count; i++) {
        const struct sweep_axis *axis = &sweep->axes[i];

        if (axis->count == 1 && !json_is_null(axis->items[0])) {
            fputs(separator, out);
            html_escape(out, sweep_axis_title(axis->name));
            fputc(' ', out);
            html_escape(out, sweep_value_text(axis->name, axis->items[0], text));
            separator = ", ";
        }
    }
    fputs(separator[0] == ',' ? ".</p>\n" : "", out);
}

/* Whatever an object has, in its order. */
static void write_members(FILE *out, const json_t *object)
{
    const char *key;
    json_t *value;
    char text[UNITS_TEXT_BYTES];

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (json_is_string(value) || json_is_number(value) || json_is_boolean(value)) {
            fputs("<tr>", out);
            html_element(out, "th", key);
            if (json_is_number(value)) {
                snprintf(text, sizeof(text), "%.12g", compare_number(value));
            } else if (json_is_boolean(value)) {
                snprintf(text, sizeof(text), "%s", json_is_true(value) ? "on" : "off");
            }
            html_element(out, "td", json_is_string(value) ? json_string_value(value) : text);
            fputs("</tr>\n", out);
        }
    }
}

static void write_settings(FILE *out, const json_t *document)
{
    static const char *const facts[] = {"version", "started", "finished", "rounds", "seed"};

    fputs("<div class=\"scroll\"><table><tbody>\n", out);
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        json_t *fact = json_pack("{s:O*}", facts[i], json_object_get(document, facts[i]));

        write_members(out, fact);
        json_decref(fact);
    }
    write_members(out, json_object_get(document, "settings"));
    write_members(out, json_object_get(document, "environment"));
    fputs("</tbody></table></div>\n", out);
}

static bool figure_is_used(const struct sweep *sweep, const struct sweep_figure *figure)
{
    for (size_t i = 0; i < sweep->cell_count; i++) {
        if (!isnan(sweep_median(json_array_get(sweep->cells, i), figure->key))) {
            return true;
        }
    }
    return false;
}

/* "1.2 ms (1.1 ms - 1.4 ms)" */
static void write_spread(FILE *out, struct sweep_spread spread, text_format *format)
{
    char median[UNITS_TEXT_BYTES];
    char low[UNITS_TEXT_BYTES];
    char high[UNITS_TEXT_BYTES];

    fputs("<td class=\"n\">", out);
    html_escape(out, text_format_known(spread.median, format, median));
    if (spread.high > spread.low) {
        fprintf(out, "<br><span class=\"soft\">%s to %s</span>", format(spread.low, low),
                format(spread.high, high));
    }
    fputs("</td>", out);
}

static void write_negotiated(FILE *out, const json_t *cell)
{
    static const char *const keys[] = {"version", "suite", "group", "certificate"};
    json_t *negotiated = json_object_get(cell, "negotiated");
    const char *separator = "";

    fputs("<td>", out);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text = html_text(negotiated, keys[i]);

        if (text != NULL && text[0] != '\0') {
            fputs(separator, out);
            html_escape(out, text);
            separator = ", ";
        }
    }
    fputs(separator[0] == '\0' ? "-</td>" : "</td>", out);
}

static void write_cell(FILE *out, const struct sweep *sweep, const json_t *cell,
                       const bool used[SWEEP_FIGURE_COUNT])
{
    const char *status = html_text(cell, "status");
    const char *reason = html_text(cell, "reason");
    char text[SWEEP_TEXT_BYTES];

    fputs("<tr>", out);
    for (size_t i = 0; i < sweep->axis_count; i++) {
        const struct sweep_axis *axis = &sweep->axes[i];

        if (axis->count > 1) {
            html_element(
                out, "td class=\"w\"",
                sweep_value_text(axis->name,
                                 json_object_get(json_object_get(cell, "parameters"), axis->name),
                                 text));
        }
    }
    for (size_t i = 0; i < SWEEP_FIGURE_COUNT; i++) {
        if (used[i]) {
            write_spread(out, sweep_spread(cell, sweep_figures[i].key), sweep_figures[i].format);
        }
    }
    write_negotiated(out, cell);
    fputs("<td>", out);
    html_escape(out, status != NULL ? status : "-");
    if (reason != NULL && reason[0] != '\0') {
        fputs(": ", out);
        html_escape(out, reason);
    }
    fputs("</td></tr>\n", out);
}

static void write_cells(FILE *out, const struct sweep *sweep)
{
    bool used[SWEEP_FIGURE_COUNT];

    fputs("<div class=\"scroll\"><table><thead><tr>", out);
    for (size_t i = 0; i < sweep->axis_count; i++) {
        if (sweep->axes[i].count > 1) {
            html_element(out, "th", sweep_axis_title(sweep->axes[i].name));
        }
    }
    for (size_t i = 0; i < SWEEP_FIGURE_COUNT; i++) {
        used[i] = figure_is_used(sweep, &sweep_figures[i]);
        if (used[i]) {
            html_element(out, "th class=\"n\"", sweep_figures[i].title);
        }
    }
    fputs("<th>negotiated</th><th>status</th></tr></thead><tbody>\n", out);
    for (size_t i = 0; i < sweep->cell_count; i++) {
        write_cell(out, sweep, json_array_get(sweep->cells, i), used);
    }
    fputs("</tbody></table></div>\n", out);
}

void html_write_sweep(FILE *out, const struct html_input *input, size_t file,
                      const struct plot_list *plots)
{
    const json_t *document = input->files[file].document;
    struct sweep *sweep = sweep_new(document);

    if (sweep == NULL) {
        return;
    }
    fputs("<h2>", out);
    html_badge(out, file);
    fputs(" Sweep", out);
    if (html_text(document, "plan") != NULL) {
        fputs(": ", out);
        html_escape(out, html_text(document, "plan"));
    }
    fputs("</h2>\n", out);
    write_fixed(out, sweep);
    html_write_plots(out, plots, PLOT_SWEEP, file);
    fputs("<h3>All cells</h3>\n", out);
    write_cells(out, sweep);
    html_element(out, "p class=\"soft\"",
                 "Medians of the rounds, and below them the 95% bootstrap intervals.");
    if (sweep->cut) {
        html_element(out, "p class=\"soft\"",
                     "Some values of the axes are not told apart here: "
                     "there are too many.");
    }
    fputs("<h3>Machine and settings</h3>\n", out);
    write_settings(out, document);
    if (html_text(document, "command_line") != NULL) {
        fputs("<p>", out);
        html_element(out, "code", html_text(document, "command_line"));
        fputs("</p>\n", out);
    }
    free(sweep);
}
