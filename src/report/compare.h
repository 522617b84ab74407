/* Two groups of load reports, figure by figure: what differs, by how much, and whether that is more
 * than chance. The reports come from files, so nothing in them is taken for granted. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

struct error;

enum {
    COMPARE_RUNS_MAX = 256, /* a side */
    COMPARE_FIGURES_MAX = 64,
    COMPARE_DIFFERENCES_MAX = 96,
    COMPARE_KEY_BYTES = 256,
    COMPARE_TITLE_BYTES = 32,
    COMPARE_TEXT_BYTES = 256,
};

/* A p-value below this is called significant. */
static const double COMPARE_SIGNIFICANT_P = 0.05;

/* A run's latency of fewer operations says more about those few than about the run: it is left out.
 */
enum { COMPARE_OPERATIONS_MIN = 20 };

struct compare_side {
    json_t *reports[COMPARE_RUNS_MAX]; /* compare_check() has accepted them; only read */
    size_t count;
};

struct compare_input {
    struct compare_side base, changed;
    double tolerance; /* share of the base's median that a figure may be worse by */
    bool anyway;      /* also when the runs are not comparable */
};

enum compare_unit { COMPARE_PER_SECOND, COMPARE_BYTES_PER_SECOND, COMPARE_SECONDS };

/* Where a figure's values come from. */
enum compare_source {
    COMPARE_FROM_RUNS,      /* one of each run */
    COMPARE_FROM_INTERVALS, /* a rate, one of each interval, since a side has but one run */
};

enum compare_verdict {
    COMPARE_MISSING,    /* a side does not have the figure */
    COMPARE_UNDECIDED,  /* too few values to tell a difference from chance */
    COMPARE_NOISE,      /* no significant difference: it may be chance */
    COMPARE_BETTER,     /* significantly */
    COMPARE_WORSE,      /* significantly, within the tolerance */
    COMPARE_REGRESSION, /* significantly, beyond the tolerance */
};

struct compare_figure {
    char key[COMPARE_KEY_BYTES];     /* its path in the report: "latency.message.p99_ns" */
    char title[COMPARE_TITLE_BYTES]; /* for people */
    enum compare_unit unit;          /* of the medians; seconds also where the report has ns */
    bool higher_is_better;
    enum compare_source source;
    size_t base_count, changed_count; /* values */
    double base_median, changed_median;
    double ratio;                 /* changed over base */
    double ratio_low, ratio_high; /* bootstrap, 95%; NAN: there is no interval */
    double p;                     /* Mann-Whitney; NAN: not tested */
    enum compare_verdict verdict;
};

enum compare_matter {
    COMPARE_NEGOTIATED,  /* versions, suites ... and how many connections had them */
    COMPARE_WORK,        /* what was done: mode, sizes */
    COMPARE_ENVIRONMENT, /* machines, programs, settings; and what went wrong */
};

/* Something that is not the same in all runs. Each side's values, distinct ones joined by " | ". */
struct compare_difference {
    enum compare_matter matter;
    char key[COMPARE_KEY_BYTES];
    char base[COMPARE_TEXT_BYTES];
    char changed[COMPARE_TEXT_BYTES];
};

struct compare_result {
    size_t base_runs, changed_runs;
    size_t left_out; /* latencies of fewer than COMPARE_OPERATIONS_MIN operations, in all runs */
    double tolerance;
    struct compare_figure figures[COMPARE_FIGURES_MAX];
    size_t figure_count;
    struct compare_difference differences[COMPARE_DIFFERENCES_MAX];
    size_t difference_count;
    bool comparable; /* no difference in what was negotiated, or in the work */
    size_t regressions;
};

/* Whether `report` is a load report with a shape that the comparison can read. Returns 0, or -1 and
 * a sentence without the file's name. */
int compare_check(const json_t *report, struct error *error);

/* Each side has at least one run. There are no figures when the runs are not comparable, unless
 * `anyway` is set. */
void compare_reports(const struct compare_input *input, struct compare_result *out);

const char *compare_verdict_name(enum compare_verdict verdict); /* "regression"; static */
const char *compare_matter_name(enum compare_matter matter);    /* "negotiated"; static */

/* At most 96 columns, unless a single word is longer; ASCII. */
void compare_text(FILE *out, const struct compare_result *result);

/* A new reference, schema "tlsdyno-compare/1"; NULL when memory is out. */
json_t *compare_json(const struct compare_result *result);

/* ---- For compare.c, from compare_differences.c ---- */

/* Fills in differences, difference_count and comparable. */
void compare_find_differences(const struct compare_input *input, struct compare_result *out);
