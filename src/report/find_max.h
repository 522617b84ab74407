/* The search for the highest rate that keeps an objective: its runs, judged, and what came of it,
 * as a table and as JSON. Pure functions; any thread. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "report/threshold.h"

enum { FIND_MAX_RUNS_MAX = 132 };

struct find_max_run {
    uint64_t rate; /* that was asked for; 0: a closed loop, the guess that a search begins with */
    double per_second;                        /* that was achieved */
    uint64_t p50_ns, p99_ns, p999_ns, max_ns; /* corrected; of the closed loop, raw */
    uint64_t errors;
    double busiest; /* thread of the load generator, 0-1 */
    bool is_kept;
    char reason[THRESHOLD_TEXT_BYTES]; /* why it was not; "" */
};

struct find_max {
    const char *objective; /* as it was typed */
    uint64_t kept;         /* the highest rate kept; 0: none */
    uint64_t failed;       /* the lowest that was not; 0: none */
    bool is_confirmed;     /* `kept`, by further runs */
    struct find_max_run runs[FIND_MAX_RUNS_MAX];
    size_t run_count;
};

/* Appends what the objective "p99<5ms,resumed>90%" forbids: its conditions turned round. Refuses
 * those that no search can have: it must bound a latency from above, and that of the whole
 * operation, which is the corrected one. Returns 0, or -1 and a sentence. */
int find_max_parse(struct thresholds *thresholds, const char *text, struct error *error);

/* A run of an open loop is kept when nothing failed, the rate was achieved and no condition of
 * `thresholds` was broken. A closed loop is only described. */
void find_max_judge(struct find_max_run *out, const struct thresholds *thresholds,
                    const struct load_plan *plan, const struct load_result *result);

/* "12,000 a second: kept, p99 1.2 ms" */
void find_max_print_run(FILE *out, const struct find_max_run *run);

/* NULL: nothing. */
void find_max_print(FILE *out, const struct find_max *search);

/* null for NULL. */
json_t *find_max_json(const struct find_max *search);
