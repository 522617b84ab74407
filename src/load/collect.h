/* What all threads of a run have found out, put together. */
#pragma once

#include "base/histogram.h"
#include "load/thread.h"

/* Any time while the threads run. */
struct collect_live {
    uint64_t totals[LOAD_TOTAL_COUNT];
    uint32_t connections; /* in any state */
};

void collect_live(struct load_thread *const *threads, unsigned count, struct collect_live *out);
void collect_phase(struct load_thread *const *threads, unsigned count, enum load_phase phase,
                   struct histogram *out);

/* After the threads have ended; fills all of the result but series and interrupted. */
void collect_result(const struct load_plan *plan, struct load_thread *const *threads,
                    unsigned count, struct load_result *out);
