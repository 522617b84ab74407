/* Time in nanoseconds: clock_gettime(2). Code that can be tested takes the time as a parameter, and
 * only the loops at the top read the clock. */
#pragma once

#include <stdint.h>
#include <time.h>

static const uint64_t NS_PER_US = 1000;
static const uint64_t NS_PER_MS = 1000 * 1000;
static const uint64_t NS_PER_S = 1000 * 1000 * 1000;

static inline uint64_t clock_read_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Since an arbitrary start; never goes back (CLOCK_MONOTONIC). */
static inline uint64_t clock_now_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

/* CPU time of the calling thread, user and system. */
static inline uint64_t clock_thread_cpu_ns(void)
{
    return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* CPU time of the whole process, user and system. */
static inline uint64_t clock_process_cpu_ns(void)
{
    return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}
