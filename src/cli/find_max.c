#include "cli/find_max.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "load/search.h"
#include "report/report.h"

static_assert((int)FIND_MAX_RUNS_MAX > (int)LOAD_SEARCH_RUNS_MAX, "and the closed loop");

void find_max_defaults(struct load_plan *plan, const struct thresholds *objective)
{
    if (plan->duration_ns == 0) {
        plan->duration_ns = 2 * NS_PER_S;
    }
    if (plan->warmup_ns > 0) {
        return;
    }
    plan->warmup_ns = plan->duration_ns / 4;
    for (size_t i = 0; i < objective->count; i++) {
        const struct threshold *row = &objective->rows[i];

        if (threshold_is_latency(row) && row->value > (double)plan->warmup_ns) {
            plan->warmup_ns = (uint64_t)row->value;
        }
    }
}

/* Returns the run, or NULL and a sentence. */
static const struct find_max_run *run_once(const struct find_max_task *task, uint64_t rate,
                                           struct error *error)
{
    struct find_max *search = task->out;
    struct find_max_run *run = &search->runs[search->run_count];

    task->plan->rate = rate;
    if (load_run(task->plan, task->hooks, task->result, error) != 0) {
        return NULL;
    }
    find_max_judge(run, task->objective, task->plan, task->result);
    search->run_count++;
    fprintf(stderr, "find-max: run %zu, ", search->run_count);
    find_max_print_run(stderr, run);
    return run;
}

int find_max_search(const struct find_max_task *task, struct error *error)
{
    const struct find_max_run *run = run_once(task, 0, error);
    struct load_search search;
    bool is_going_on;

    if (run == NULL) {
        return -1;
    }
    if (!report_succeeded(task->plan, task->result) || task->result->interrupted) {
        return 0; /* the report says why */
    }
    load_search_init(&search, (uint64_t)run->per_second, LOAD_RATE_MAX);
    do {
        run = run_once(task, search.rate, error);
        if (run == NULL) {
            return -1;
        }
        if (task->result->interrupted) {
            break; /* which says nothing about the rate */
        }
        is_going_on = load_search_tell(&search, run->is_kept);
    } while (is_going_on);
    task->out->kept = search.kept;
    task->out->failed = search.failed;
    task->out->is_confirmed = search.stage == LOAD_SEARCH_FOUND;
    return 0;
}
