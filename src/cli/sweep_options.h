/* What the command line of `tlsdyno sweep` says, and the rows that put it there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "sweep/plan.h"
#include "sweep/study.h"

struct error;

struct sweep_options {
    struct option_list plans; /* operands; one at most */
    int mode;                 /* 0: the plan's, else rr; then enum load_mode + 1 */
    const char *axes[SWEEP_AXIS_COUNT];
    uint32_t rounds;
    uint64_t duration_ns;
    uint64_t warmup_ns;
    uint64_t seed;
    struct sweep_settings settings; /* what has options of its own in it */
    const char *server_cpus;
    const char *load_cpus;
    const char *json_file;
    const char *csv_file;
    bool resume;
};

/* Rows over struct sweep_options. */
enum { SWEEP_OPTION_COUNT = 26 };

extern const struct option_info sweep_option_rows[SWEEP_OPTION_COUNT];

/* Completes the study: matrix, rounds, times, CPUs; refuses what would be ignored. Strings are
 * borrowed. Returns 0, or -1 and a sentence. */
int sweep_options_settle(const struct sweep_options *options, struct sweep_study *out,
                         struct error *error);
