/* Runs a load plan: threads, connections, phases, and one result. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "load/plan.h"
#include "load/result.h"

struct error;

/* Told about every plan->interval_ns while the run lasts, from the thread that called load_run().
 */
struct load_progress {
    const char *stage;    /* "warmup" or "measure"; making the connections belongs to the warm-up */
    double elapsed_s;     /* of the stage */
    double total_s;       /* of the stage; 0: not known, or until the count is reached */
    uint64_t done;        /* handshakes or messages so far in the measured time */
    uint64_t wanted;      /* plan->count */
    uint32_t connections; /* now, in any state */
    struct load_interval interval; /* since the last call */
    uint64_t p50_ns,
        p99_ns; /* of the mode's main phase, so far in the measured time; 0: none yet */
};

struct load_hooks {
    void (*progress)(void *user, const struct load_progress *progress);
    /* The measured time begins and ends: when to read the server's counters. Never one without the
     * other. */
    void (*measure_begin)(void *user);
    void (*measure_end)(void *user);
    /* plan->keep_session: the newest session that was not used up, serialised; at the end, if there
     * is one. */
    void (*session)(void *user, const uint8_t *data, size_t bytes);
    /* Where several processes run the plan together, they wait for one another here, before
     * anything that all shall begin or have ended. Returns whether all can go on; one says by
     * `goes_on` that it cannot, or was stopped. NULL: there is only this one. */
    bool (*meet)(void *user, bool goes_on);
    void *user;
    const atomic_bool *stop; /* set by a signal handler: end early; NULL: never */
};

/* Returns 0 with *out filled, even when every connection failed, or -1 and a sentence when the run
 * could not start (none when it was another process that could not). `hooks` may be NULL. Blocks
 * for as long as the plan says and about a second to take the connections down. */
int load_run(const struct load_plan *plan, const struct load_hooks *hooks, struct load_result *out,
             struct error *error);
