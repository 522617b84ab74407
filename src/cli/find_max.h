/* --find-max: runs of a load plan, one after another, until the highest rate that keeps an
 * objective is found. */
#pragma once

#include "load/load.h"
#include "report/find_max.h"

struct error;

struct find_max_task {
    struct load_plan *plan; /* completed; ends with the rate of the last run */
    const struct thresholds *objective;
    const struct load_hooks *hooks;
    struct find_max *out;       /* zeroed but for its objective; filled as far as the search came */
    struct load_result *result; /* of the last run */
};

/* Defaults for what was left at zero: 2 s a run, and a warm-up that is long enough for answers
 * which just keep the objective to come. Before load_plan_complete(). */
void find_max_defaults(struct load_plan *plan, const struct thresholds *objective);

/* A line on standard error for each run. Returns 0, also when no rate was kept, or -1 and a
 * sentence. */
int find_max_search(const struct find_max_task *task, struct error *error);
