/* Which rates to try in order to find the highest one that a server keeps. Pure: told what came of
 * each run, it says the next rate. Any thread.
 *
 * Runs are noisy, so nothing is believed once: a rate has failed when two runs in a row failed, and
 * is confirmed when LOAD_SEARCH_CONFIRM runs in a row kept it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    LOAD_SEARCH_CONFIRM = 3,    /* runs that must keep the found rate */
    LOAD_SEARCH_RUNS_MAX = 128, /* no search takes more */
};

enum load_search_stage {
    LOAD_SEARCH_NARROW, /* doubles until a rate fails, then halves what is between */
    LOAD_SEARCH_CONFIRMING,
    LOAD_SEARCH_FOUND,     /* `kept` is confirmed */
    LOAD_SEARCH_NOT_FOUND, /* no rate is */
};

struct load_search {
    enum load_search_stage stage;
    uint64_t rate;     /* of the next run */
    uint64_t rate_max; /* never tried beyond */
    uint64_t rate_min; /* when this one fails, and none was kept, there is none */
    uint64_t kept;     /* the highest that was kept and has not failed later; 0: none */
    uint64_t failed;   /* the lowest that failed; 0: none */
    unsigned in_a_row; /* narrowing: runs at `rate` that failed; confirming: that kept it */
    unsigned retreats; /* rates that were kept first and not confirmed */
};

/* `first`: a guess, best the rate of a closed loop; at least 1. */
void load_search_init(struct load_search *search, uint64_t first, uint64_t rate_max);

/* Whether the run at search->rate kept what it must. Returns whether another run is needed. */
bool load_search_tell(struct load_search *search, bool is_kept);
