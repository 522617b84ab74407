/* A comparison as text for a person and as JSON for a program. */
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "report/compare.h"
#include "report/text_words.h"

const char *compare_verdict_name(enum compare_verdict verdict)
{
    static const char *const names[] = {
        [COMPARE_MISSING] = "missing", [COMPARE_UNDECIDED] = "undecided",
        [COMPARE_NOISE] = "noise",     [COMPARE_BETTER] = "better",
        [COMPARE_WORSE] = "worse",     [COMPARE_REGRESSION] = "regression",
    };

    return names[verdict];
}

const char *compare_matter_name(enum compare_matter matter)
{
    static const char *const names[] = {[COMPARE_NEGOTIATED] = "negotiated",
                                        [COMPARE_WORK] = "work",
                                        [COMPARE_ENVIRONMENT] = "environment"};

    return names[matter];
}

/* ---- Text ---- */

enum { CELL_BYTES = UNITS_TEXT_BYTES + 4 };

static const char *median_text(double value, enum compare_unit unit, char out[CELL_BYTES])
{
    char text[UNITS_TEXT_BYTES];

    if (isnan(value)) {
        return strcpy(out, "-");
    }
    switch (unit) {
    case COMPARE_PER_SECOND:
        snprintf(out, CELL_BYTES, "%s/s", text_format_rate(value, text));
        break;
    case COMPARE_BYTES_PER_SECOND:
        snprintf(out, CELL_BYTES, "%s/s", units_format_bytes(value, text));
        break;
    case COMPARE_SECONDS:
        snprintf(out, CELL_BYTES, "%s", text_format_seconds(value, text));
        break;
    }
    return out;
}

static const char *number_text(double value, char out[CELL_BYTES])
{
    if (isnan(value)) {
        return strcpy(out, "-");
    }
    if (value >= 999.5) {
        return strcpy(out, ">999");
    }
    snprintf(out, CELL_BYTES, value < 100 ? "%.3f" : "%.0f", value);
    return out;
}

static const char *p_text(double p, char out[CELL_BYTES])
{
    return p < 0.001 ? strcpy(out, "<0.001") : number_text(p, out);
}

static const char *interval_text(const struct compare_figure *figure, char out[2 * CELL_BYTES])
{
    char low[CELL_BYTES];
    char high[CELL_BYTES];

    if (isnan(figure->ratio_low)) {
        return strcpy(out, "none");
    }
    snprintf(out, 2 * CELL_BYTES, "%s-%s", number_text(figure->ratio_low, low),
             number_text(figure->ratio_high, high));
    return out;
}

static void print_figure(FILE *out, const struct compare_figure *figure)
{
    char base[CELL_BYTES];
    char changed[CELL_BYTES];
    char ratio[CELL_BYTES];
    char interval[2 * CELL_BYTES];
    char p[CELL_BYTES];

    fprintf(out, "  %-26s%c %11s %11s %7s %13s %7s  %s\n", figure->title,
            figure->source == COMPARE_FROM_INTERVALS ? '*' : ' ',
            median_text(figure->base_median, figure->unit, base),
            median_text(figure->changed_median, figure->unit, changed),
            number_text(figure->ratio, ratio), interval_text(figure, interval),
            p_text(figure->p, p), compare_verdict_name(figure->verdict));
}

static bool any_from_intervals(const struct compare_result *result)
{
    for (size_t i = 0; i < result->figure_count; i++) {
        if (result->figures[i].source == COMPARE_FROM_INTERVALS) {
            return true;
        }
    }
    return false;
}

static bool any_undecided(const struct compare_result *result)
{
    for (size_t i = 0; i < result->figure_count; i++) {
        if (result->figures[i].verdict == COMPARE_UNDECIDED) {
            return true;
        }
    }
    return false;
}

static void print_note(FILE *out, const char *text)
{
    fputs("  ", out);
    text_print_wrapped(out, text, 2);
}

static void print_figures(FILE *out, const struct compare_result *result)
{
    fprintf(out, "\n%-29s %11s %11s %7s %13s %7s  %s\n", "Medians", "base", "new", "ratio",
            "95% of ratio", "p", "verdict");
    for (size_t i = 0; i < result->figure_count; i++) {
        print_figure(out, &result->figures[i]);
    }
    if (any_from_intervals(result)) {
        print_note(out,
                   "* A side has but one run: medians of the intervals within runs, which are "
                   "less independent than runs are, so that their p is too small. Latencies "
                   "and CPU times have no intervals then. Several runs a side give an answer.");
    }
    if (result->left_out > 0) {
        char text[COMPARE_TEXT_BYTES];

        snprintf(text, sizeof(text),
                 "Left out: %zu latencies of runs that had fewer than %d operations of their kind.",
                 result->left_out, COMPARE_OPERATIONS_MIN);
        print_note(out, text);
    }
    if (any_undecided(result)) {
        print_note(out, "undecided: no difference between so few values can have p below 0.05; it "
                        "takes four runs a side.");
    }
}

static void print_differences(FILE *out, const struct compare_result *result,
                              enum compare_matter matter, const char *heading)
{
    bool first = true;

    for (size_t i = 0; i < result->difference_count; i++) {
        const struct compare_difference *difference = &result->differences[i];

        if (difference->matter != matter) {
            continue;
        }
        fprintf(out, "%s%s", first ? "\n" : "", first ? heading : "");
        first = false;
        print_note(out, difference->key);
        fputs("    base  ", out);
        text_print_wrapped(out, difference->base, 10);
        fputs("    new   ", out);
        text_print_wrapped(out, difference->changed, 10);
    }
}

void compare_text(FILE *out, const struct compare_result *result)
{
    fprintf(out, "tlsdyno compare: base %zu run%s, new %zu run%s, tolerance %g%%\n",
            result->base_runs, result->base_runs == 1 ? "" : "s", result->changed_runs,
            result->changed_runs == 1 ? "" : "s", result->tolerance * 100);
    print_differences(out, result, COMPARE_NEGOTIATED,
                      "Negotiated, which differs (share of connections)\n");
    print_differences(out, result, COMPARE_WORK, "Work done, which differs\n");
    if (result->figure_count > 0) {
        print_figures(out, result);
    }
    print_differences(out, result, COMPARE_ENVIRONMENT,
                      "Environment, settings and errors that differ\n");
}

/* ---- JSON ---- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *figures_json(const struct compare_result *result)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < result->figure_count; i++) {
        const struct compare_figure *figure = &result->figures[i];

        json_array_append_new(
            rows,
            json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s}",
                      "figure", figure->key, "title", figure->title, "unit",
                      figure->unit == COMPARE_SECONDS            ? "seconds"
                      : figure->unit == COMPARE_BYTES_PER_SECOND ? "bytes_per_second"
                                                                 : "per_second",
                      "higher_is_better", figure->higher_is_better, "values_from",
                      figure->source == COMPARE_FROM_RUNS ? "runs" : "intervals", "base_values",
                      (json_int_t)figure->base_count, "new_values",
                      (json_int_t)figure->changed_count, "base_median", number(figure->base_median),
                      "new_median", number(figure->changed_median), "ratio", number(figure->ratio),
                      "ratio_low", number(figure->ratio_low), "ratio_high",
                      number(figure->ratio_high), "p", number(figure->p), "verdict",
                      compare_verdict_name(figure->verdict)));
    }
    return rows;
}

static json_t *differences_json(const struct compare_result *result)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < result->difference_count; i++) {
        const struct compare_difference *difference = &result->differences[i];

        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "matter",
                                              compare_matter_name(difference->matter), "key",
                                              difference->key, "base", difference->base, "new",
                                              difference->changed));
    }
    return rows;
}

json_t *compare_json(const struct compare_result *result)
{
    return json_pack("{s:s, s:I, s:I, s:f, s:b, s:I, s:I, s:o, s:o}", "schema", "tlsdyno-compare/1",
                     "base_runs", (json_int_t)result->base_runs, "new_runs",
                     (json_int_t)result->changed_runs, "tolerance_share", result->tolerance,
                     "comparable", result->comparable, "regressions",
                     (json_int_t)result->regressions, "left_out", (json_int_t)result->left_out,
                     "figures", figures_json(result), "differences", differences_json(result));
}
