/* Pictures of load runs: latencies by percentile, rate over time, waterfall. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/compare_value.h"
#include "report/html.h"
#include "report/html_value.h"

enum { SERIES_POINTS_MAX = 400, PHASES_MAX = 32, NAME_BYTES = 64 };

static bool is_load(const struct html_file *file)
{
    const char *schema = html_text(file->document, "schema");

    return schema != NULL && strcmp(schema, "tlsdyno-load/1") == 0;
}

static const json_t *histogram_of(const struct html_file *file, const char *phase)
{
    const json_t *histogram = json_object_get(json_object_get(file->document, "latency"), phase);

    return is_load(file) && json_array_size(json_object_get(histogram, "buckets")) > 0 ? histogram
                                                                                       : NULL;
}

/* ---- Latency by percentile ---- */

/* What a family of curves spans. */
struct extent {
    double low, high; /* seconds */
    double count;     /* of the largest histogram */
};

static void extent_add(struct extent *extent, const json_t *histogram)
{
    const json_t *buckets = json_object_get(histogram, "buckets");
    double first = compare_number(json_array_get(json_array_get(buckets, 0), 0)) / 1e9;
    /* A few operations that took no time at all must not flatten all that happened to the others.
     */
    double low = fmax(first, html_number(histogram, "p50_ns") / 1e10);
    double high = html_number(histogram, "max_ns") / 1e9;

    extent->low = extent->low == 0 ? low : fmin(extent->low, low);
    extent->high = fmax(extent->high, fmax(low, high));
    extent->count = fmax(extent->count, html_number(histogram, "count"));
}

/* Percentile q is drawn at 1 / (1 - q), as HdrHistogram's plotters do; the slowest operation at
 * their number. Points that the eye would not tell from the last one are left out. */
static void write_curve(FILE *script, const json_t *histogram)
{
    const json_t *buckets = json_object_get(histogram, "buckets");
    const json_t *pair;
    double count = 0;
    double seen = 0;
    double last_x = 0;
    double last_y = 0;
    size_t i;

    json_array_foreach(buckets, i, pair)
    {
        count += compare_number(json_array_get(pair, 1));
    }
    json_array_foreach(buckets, i, pair)
    {
        double y = compare_number(json_array_get(pair, 0)) / 1e9;
        seen += compare_number(json_array_get(pair, 1));
        /* The bucket's value holds from the share below it to the share up to it. */
        double x = seen < count ? count / (count - seen) : count;

        if (i == 0) {
            fprintf(script, "1 %.6g\n", y);
        } else if (i + 1 < json_array_size(buckets) && x < last_x * 1.02 && y < last_y * 1.02) {
            continue;
        }
        fprintf(script, "%.6g %.6g\n", fmax(x, 1), fmin(y, html_number(histogram, "max_ns") / 1e9));
        last_x = x;
        last_y = y;
    }
    fputs("EOD\n", script);
}

static void write_percentile_axis(FILE *script, double count)
{
    static const char *const titles[] = {"0",       "90%%",     "99%%",     "99.9%%",
                                         "99.99%%", "99.999%%", "99.9999%%"};
    const int decades = sizeof(titles) / sizeof(titles[0]);
    double top = fmin(fmax(count, 10), 1e6);

    fprintf(script, "set logscale x\nset xrange [1:%.9g]\nset xtics (", top * 1.1);
    for (int i = 0; i < decades && pow(10, i) <= top * 1.1; i++) {
        fprintf(script, "%s'%s' %.9g", i > 0 ? ", " : "", titles[i], pow(10, i));
    }
    fputs(")\nif (!narrow) set xtics add ('50%%' 2)\n"
          "if (!narrow) set xlabel 'percentile of operations'\n",
          script);
}

/* Whether a phase is the corrected one of another. */
static bool split_corrected(const char *phase, char out_raw[NAME_BYTES])
{
    static const char suffix[] = "_corrected";
    size_t length = strlen(phase);
    size_t suffix_length = sizeof(suffix) - 1;

    if (length <= suffix_length || strcmp(phase + length - suffix_length, suffix) != 0) {
        return false;
    }
    snprintf(out_raw, NAME_BYTES, "%.*s", (int)(length - suffix_length), phase);
    return true;
}

/* One curve, or two: raw is dashed where there is a corrected one. */
struct curve {
    const struct html_file *file;
    const char *phase;
    unsigned style;
    bool dashed;
};

struct curves {
    struct curve items[PLOT_KEYS_MAX];
    size_t count;
    struct extent extent;
};

static void add_curve(struct curves *curves, struct curve curve)
{
    if (curves->count < PLOT_KEYS_MAX) {
        curves->items[curves->count++] = curve;
        extent_add(&curves->extent, histogram_of(curve.file, curve.phase));
    }
}

static void add_family(struct curves *curves, const struct html_file *file, const char *phase,
                       unsigned style)
{
    json_t *latency = json_object_get(file->document, "latency");
    char corrected[NAME_BYTES];
    bool both;

    snprintf(corrected, sizeof(corrected), "%.48s_corrected", phase);
    both = histogram_of(file, corrected) != NULL;
    if (both) {
        const char *key = json_object_iter_key(json_object_iter_at(latency, corrected));

        add_curve(curves, (struct curve){.file = file, .phase = key, .style = style});
    }
    add_curve(curves, (struct curve){.file = file, .phase = phase, .style = style, .dashed = both});
}

static void draw_curves(const struct html_input *input, const struct curves *curves,
                        const char *title, struct plot_list *list)
{
    FILE *script;
    struct plot *plot = curves->count > 0 ? plot_begin(list, &script) : NULL;

    if (plot == NULL) {
        return;
    }
    plot->topic = PLOT_LATENCY;
    snprintf(plot->title, sizeof(plot->title), "%s", title);
    plot->note =
        "How long the slowest operations took: at 99% stands the time that one in a hundred "
        "exceeded. Both axes are logarithmic. A curve ends at its slowest operation, so its "
        "right end rests on few.";
    plot_write_log_axis(script, 'y', curves->extent.low, curves->extent.high, text_format_seconds);
    write_percentile_axis(script, curves->extent.count);
    for (size_t i = 0; i < curves->count; i++) {
        fprintf(script, "$c%zu << EOD\n", i);
        write_curve(script, histogram_of(curves->items[i].file, curves->items[i].phase));
    }
    for (size_t i = 0; i < curves->count; i++) {
        const struct curve *curve = &curves->items[i];
        char letter[HTML_LETTER_BYTES];
        char text[160];
        char label[PLOT_LABEL_BYTES];

        snprintf(text, sizeof(text), "%s%s%s%s",
                 input->count > 1 ? html_letter((size_t)(curve->file - input->files), letter) : "",
                 input->count > 1 ? ": " : "", html_phase_title(curve->phase),
                 curve->dashed ? ", raw" : "");
        plot_add_key(plot, curve->style, curve->dashed, text);
        fprintf(script, "%s $c%zu using 1:2 with fsteps lw 2.5", i == 0 ? "plot" : ",", i);
        plot_write_style(script, curve->style, curve->dashed);
        fprintf(script, " title '%s'", plot_label(text, label));
    }
    fputs("\n", script);
    plot_end(list, script);
}

/* The waterfall has the parts of a handshake, and the table has all; what resumed in one way or
 * another is drawn as a whole only where a run does not tell the ways apart. */
static bool is_drawn(const struct html_file *file, const char *phase)
{
    if (strcmp(phase, "handshake_resumed") == 0) {
        return histogram_of(file, "handshake_ticket") == NULL &&
               histogram_of(file, "handshake_id") == NULL;
    }
    return strcmp(phase, "hello") != 0 && strcmp(phase, "finish") != 0;
}

/* The phases that any run has, in the order of the first that has them; corrected ones belong to
 * their raw ones. */
static size_t list_phases(const struct html_input *input, const char *out[PHASES_MAX])
{
    size_t count = 0;
    char raw[NAME_BYTES];

    for (size_t i = 0; i < input->count; i++) {
        const json_t *latency = json_object_get(input->files[i].document, "latency");
        const char *key;
        json_t *value;

        json_object_foreach((json_t *)(uintptr_t)latency, key, value)
        {
            bool known = split_corrected(key, raw) || strlen(key) >= NAME_BYTES ||
                         histogram_of(&input->files[i], key) == NULL ||
                         !is_drawn(&input->files[i], key);

            for (size_t j = 0; j < count && !known; j++) {
                known = strcmp(out[j], key) == 0;
            }
            if (!known && count < PHASES_MAX) {
                out[count++] = key;
            }
        }
    }
    return count;
}

static bool is_of_messages(const char *phase)
{
    return strcmp(phase, "message") == 0 || strcmp(phase, "first_byte") == 0 ||
           strcmp(phase, "start_delay") == 0;
}

/* One run: all that is about messages in one picture, all that is about connections in another. */
static void draw_one_run(const struct html_input *input, const char *const phases[], size_t count,
                         struct plot_list *list)
{
    for (int messages = 1; messages >= 0; messages--) {
        struct curves curves = {0};
        unsigned style = 0;

        for (size_t i = 0; i < count; i++) {
            if (is_of_messages(phases[i]) == (messages == 1)) {
                add_family(&curves, &input->files[0], phases[i], style++);
            }
        }
        draw_curves(input, &curves,
                    messages == 1 ? "Latency by percentile: messages"
                                  : "Latency by percentile: connections",
                    list);
    }
}

/* Of several runs a picture for each phase. */
static void draw_latencies(const struct html_input *input, struct plot_list *list)
{
    const char *phases[PHASES_MAX];
    size_t count = list_phases(input, phases);

    if (input->count == 1) {
        draw_one_run(input, phases, count, list);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct curves curves = {0};
        char title[200];

        for (size_t file = 0; file < input->count; file++) {
            if (histogram_of(&input->files[file], phases[i]) != NULL) {
                add_family(&curves, &input->files[file], phases[i], (unsigned)file);
            }
        }
        snprintf(title, sizeof(title), "Latency by percentile: %.100s",
                 html_phase_title(phases[i]));
        draw_curves(input, &curves, title, list);
    }
}

/* ---- Rate over time ---- */

struct rate_info {
    const char *key[2]; /* of the series, added up */
    const char *title;
    text_format *format;
};

static const struct rate_info rate_infos[] = {
    {{"handshakes"}, "Handshakes a second, over time", units_format_count},
    {{"messages"}, "Messages a second, over time", units_format_count},
    {{"plain_in_bytes", "plain_out_bytes"},
     "Plaintext a second, over time, both directions",
     html_format_bytes_rate},
};

/* What the run is about. */
static const struct rate_info *rate_info_of(const struct html_file *file)
{
    const char *mode = html_text(file->document, "plan.mode");

    if (!is_load(file) || mode == NULL) {
        return NULL;
    }
    return &rate_infos[strcmp(mode, "handshake") == 0 ? 0 : strcmp(mode, "rr") == 0 ? 1 : 2];
}

/* Writes the curve as steps when there is a script; returns its highest rate either way. */
static double walk_series(const struct html_file *file, const struct rate_info *info, FILE *script,
                          double *out_end)
{
    const json_t *series = json_object_get(file->document, "series");
    size_t count = json_array_size(series);
    size_t joined = count / SERIES_POINTS_MAX + 1;
    double highest = 0;
    double rate = 0;

    *out_end = 0;
    for (size_t i = 0; i < count; i += joined) {
        double start = html_number(json_array_get(series, i), "start_seconds");
        double seconds = 0;
        double amount = 0;

        for (size_t j = i; j < i + joined && j < count; j++) {
            const json_t *row = json_array_get(series, j);

            seconds += html_number(row, "seconds");
            amount += html_number(row, info->key[0]);
            amount += info->key[1] != NULL ? html_number(row, info->key[1]) : 0;
        }
        if (!(start >= 0 && seconds > 0 && amount >= 0)) {
            continue;
        }
        rate = amount / seconds;
        highest = fmax(highest, rate);
        *out_end = fmax(*out_end, start + seconds);
        if (script != NULL) {
            fprintf(script, "%.6g %.6g\n%.6g %.6g\n", start, rate, start + seconds, rate);
        }
    }
    return highest;
}

static void draw_rate(const struct html_input *input, const struct rate_info *info,
                      struct plot_list *list)
{
    double highest = 0;
    double end = 0;
    bool is_first = true;
    FILE *script;
    struct plot *plot;

    for (size_t i = 0; i < input->count; i++) {
        double its_end;

        if (rate_info_of(&input->files[i]) == info) {
            highest = fmax(highest, walk_series(&input->files[i], info, NULL, &its_end));
            end = fmax(end, its_end);
        }
    }
    plot = end > 0 ? plot_begin(list, &script) : NULL;
    if (plot == NULL) {
        return;
    }
    plot->topic = PLOT_RATE;
    plot->height[PLOT_WIDE] = 320;
    plot->height[PLOT_NARROW] = 280;
    snprintf(plot->title, sizeof(plot->title), "%s", info->title);
    plot->note = "Each interval's own rate; warm-up is not shown. A rate that climbs, sags or "
                 "swings was not steady, and its mean hides that.";
    plot_write_linear_axis(script, 'y', highest, info->format);
    fprintf(script, "set xrange [0:%.9g]\nset xtics autofreq\nset format x '%%g s'\n", end);
    for (size_t i = 0; i < input->count; i++) {
        double its_end;

        if (rate_info_of(&input->files[i]) == info) {
            fprintf(script, "$r%zu << EOD\n", i);
            walk_series(&input->files[i], info, script, &its_end);
            fputs("EOD\n", script);
        }
    }
    for (size_t i = 0; i < input->count; i++) {
        char letter[HTML_LETTER_BYTES];
        char text[160];

        if (rate_info_of(&input->files[i]) == info) {
            snprintf(text, sizeof(text), "%s: %.120s", html_letter(i, letter),
                     input->files[i].name);
            plot_add_key(plot, (unsigned)i, false, text);
            fprintf(script, "%s $r%zu using 1:2 with lines lw 2.5", is_first ? "plot" : ",", i);
            plot_write_style(script, (unsigned)i, false);
            fprintf(script, " title '%s'", letter);
            is_first = false;
        }
    }
    fputs("\n", script);
    plot_end(list, script);
}

void plot_load_runs(const struct html_input *input, struct plot_list *list)
{
    draw_latencies(input, list);
    for (size_t i = 0; i < sizeof(rate_infos) / sizeof(rate_infos[0]); i++) {
        draw_rate(input, &rate_infos[i], list);
    }
    plot_waterfall(input, list);
}
