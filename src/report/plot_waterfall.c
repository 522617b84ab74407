/* Where the time of a connection goes: the medians of its phases, one after another. */
#include <math.h>
#include <string.h>

#include "report/html.h"
#include "report/html_value.h"

enum { STEPS_MAX = 8, ROWS_MAX = 48 };

/* In the order in which they pass. A chain is drawn when it has a handshake. */
static const char *const chains[][STEPS_MAX] = {
    {"connect", "hello", "finish", "ticket", "first_byte"},
    {"connect", "handshake_full", "ticket", "first_byte"},
    {"connect", "handshake_resumed", "ticket", "first_byte"},
};
enum { CHAIN_COUNT = sizeof(chains) / sizeof(chains[0]) };

struct bar {
    size_t file;
    const char *phase;
    double start, p50, p90; /* seconds */
};

struct bars {
    struct bar items[ROWS_MAX];
    size_t count;
    double end;
};

static double percentile_of(const struct html_file *file, const char *phase, const char *key)
{
    const json_t *histogram = json_object_get(json_object_get(file->document, "latency"), phase);

    return html_number(histogram, key) / 1e9;
}

/* The second of the chain is what makes it one. */
static bool has_chain(const struct html_file *file, size_t chain)
{
    return percentile_of(file, chains[chain][1], "p50_ns") > 0;
}

static void add_chain(const struct html_input *input, size_t file, size_t chain, struct bars *bars)
{
    double start = 0;

    for (size_t i = 0; i < STEPS_MAX && chains[chain][i] != NULL; i++) {
        struct bar bar = {
            .file = file,
            .phase = chains[chain][i],
            .start = start,
            .p50 = percentile_of(&input->files[file], chains[chain][i], "p50_ns"),
            .p90 = percentile_of(&input->files[file], chains[chain][i], "p90_ns"),
        };

        if (bar.p50 > 0 && bars->count < ROWS_MAX) {
            bars->items[bars->count++] = bar;
            start += bar.p50;
            bars->end = fmax(bars->end, fmax(start, bar.start + bar.p90));
        }
    }
}

static void write_bars(const struct html_input *input, const struct bars *bars, FILE *script)
{
    fprintf(script, "set yrange [%zu.6:-0.6]\nset ytics scale 0 (", bars->count - 1);
    for (size_t i = 0; i < bars->count; i++) {
        char letter[HTML_LETTER_BYTES];

        fprintf(script, "%s'%s%s%s' %zu", i > 0 ? ", " : "",
                input->count > 1 ? html_letter(bars->items[i].file, letter) : "",
                input->count > 1 ? " " : "", html_phase_title(bars->items[i].phase), i);
    }
    fputs(")\nset grid noytics xtics\nset style fill solid 1 noborder\n", script);
    for (size_t i = 0; i < bars->count; i++) {
        const struct bar *bar = &bars->items[i];
        char text[UNITS_TEXT_BYTES];

        fprintf(script,
                "set arrow from %.9g,%zu to %.9g,%zu nohead lw 2 lc rgb '#010122'\n"
                "set object rectangle from %.9g,%zu.32 to %.9g,%g fs solid noborder",
                bar->start + bar->p50, i, bar->start + fmax(bar->p90, bar->p50), i, bar->start, i,
                bar->start + bar->p50, (double)i - 0.32);
        fprintf(script, " fc rgb '#0101%02zx'\n", bar->file % PLOT_STYLES_MAX + 1);
        fprintf(script, "set label '%s' at %.9g,%zu left offset 0.6,0 tc rgb '#010120'\n",
                text_format_seconds(bar->p50, text), bar->start + fmax(bar->p90, bar->p50), i);
    }
    fputs("plot NaN\n", script);
}

void plot_waterfall(const struct html_input *input, struct plot_list *list)
{
    struct bars bars = {0};
    FILE *script;
    struct plot *plot;

    for (size_t file = 0; file < input->count; file++) {
        for (size_t chain = 0; chain < CHAIN_COUNT; chain++) {
            if (has_chain(&input->files[file], chain)) {
                add_chain(input, file, chain, &bars);
                if (chain == 0) {
                    break; /* the others only tell the same less finely */
                }
            }
        }
    }
    plot = bars.count > 0 ? plot_begin(list, &script) : NULL;
    if (plot == NULL) {
        return;
    }
    plot->topic = PLOT_WATERFALL;
    plot->height[PLOT_WIDE] = 90 + 34 * (unsigned)bars.count;
    plot->height[PLOT_NARROW] = 80 + 30 * (unsigned)bars.count;
    snprintf(plot->title, sizeof(plot->title), "Where the time of a connection goes");
    plot->note = "The median of each phase, laid end to end; the thin line goes on to its 90th "
                 "percentile. Medians of parts do not add up to the median of the whole.";
    plot_write_linear_axis(script, 'x', bars.end * 1.15, text_format_seconds);
    fputs("set border 1\nif (narrow) set xtics rotate by -35\n", script);
    write_bars(input, &bars, script);
    plot_end(list, script);
}
