/* When the messages or handshakes of an open loop are to begin. The schedule knows nothing of the
 * server: a slow answer moves no arrival. Each thread has its share of the same schedule. */
#pragma once

#include <stdint.h>

#include "base/random.h"
#include "load/plan.h"

struct arrivals_options {
    enum load_arrivals kind;
    uint64_t rate;     /* a second, over all threads; at least 1 */
    unsigned threads;  /* of all processes; at least 1 */
    unsigned index;    /* of this thread, below `threads` */
    uint64_t start_ns; /* the same for all threads */
};

struct arrivals {
    struct arrivals_options options;
    uint64_t made;      /* arrivals of this thread so far */
    double offset_ns;   /* Poisson: of the last arrival from the start */
    struct random dice; /* Poisson: the same throws in each run */
};

void arrivals_init(struct arrivals *arrivals, const struct arrivals_options *options);

/* The time of this thread's next arrival, never before the one before it. Constant: the threads
 * take turns, so that all of them together are evenly spaced. Poisson: exponential gaps of the
 * thread's own; Poisson streams put together are one again. */
uint64_t arrivals_next(struct arrivals *arrivals);
