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

/* The totals when each thread began to measure; after CONTROL_MEASURING. */
void collect_begin(struct load_thread *const *threads, unsigned count, struct collect_live *out);

/* After the threads have ended; adds all but the series and `interrupted` to the result. `scratch`
 * holds one thread's at a time. */
void collect_result(struct load_thread *const *threads, unsigned count, struct load_result *scratch,
                    struct load_result *out);
