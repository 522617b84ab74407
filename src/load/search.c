#include "load/search.h"

enum {
    FAILURES_TO_BELIEVE = 2,
    RESOLUTION = 50, /* what lies between kept and failed: at most 1/50 of the latter */
    GIVE_UP = 64,    /* below 1/64 of the guess nothing is looked for */
    RETREAT = 20,    /* by 1/20 after a rate was not confirmed */
    RETREATS_MAX = 10,
};

static uint64_t at_least_one(uint64_t value)
{
    return value > 0 ? value : 1;
}

void load_search_init(struct load_search *search, uint64_t first, uint64_t rate_max)
{
    const uint64_t rate = first < rate_max ? at_least_one(first) : rate_max;

    *search = (struct load_search){
        .rate = rate, .rate_max = rate_max, .rate_min = at_least_one(rate / GIVE_UP)};
}

/* The run that has just kept it is the first one. */
static void begin_confirming(struct load_search *search)
{
    search->stage = LOAD_SEARCH_CONFIRMING;
    search->rate = search->kept;
    search->in_a_row = 1;
}

static void choose_rate(struct load_search *search)
{
    if (search->failed == 0) {
        if (search->rate == search->rate_max) {
            begin_confirming(search);
        } else {
            search->rate =
                search->rate > search->rate_max / 2 ? search->rate_max : 2 * search->rate;
        }
        return;
    }
    if (search->kept == 0 && search->failed <= search->rate_min) {
        search->stage = LOAD_SEARCH_NOT_FOUND;
    } else if (search->failed - search->kept <= at_least_one(search->failed / RESOLUTION)) {
        begin_confirming(search);
    } else {
        search->rate = search->kept + (search->failed - search->kept) / 2;
    }
}

static void narrow(struct load_search *search, bool is_kept)
{
    if (!is_kept && ++search->in_a_row < FAILURES_TO_BELIEVE) {
        return;
    }
    search->in_a_row = 0;
    if (is_kept) {
        search->kept = search->rate;
    } else {
        search->failed = search->rate;
    }
    choose_rate(search);
}

/* What is not kept each time is too much: a little less, from the beginning. */
static void confirm(struct load_search *search, bool is_kept)
{
    if (is_kept) {
        search->kept = search->rate;
        if (++search->in_a_row == LOAD_SEARCH_CONFIRM) {
            search->stage = LOAD_SEARCH_FOUND;
        }
        return;
    }
    search->failed = search->rate;
    search->kept = 0;
    search->in_a_row = 0;
    if (search->rate == 1 || ++search->retreats == RETREATS_MAX) {
        search->stage = LOAD_SEARCH_NOT_FOUND;
    } else {
        search->rate -= at_least_one(search->rate / RETREAT);
    }
}

bool load_search_tell(struct load_search *search, bool is_kept)
{
    if (search->stage == LOAD_SEARCH_NARROW) {
        narrow(search, is_kept);
    } else {
        confirm(search, is_kept);
    }
    return search->stage == LOAD_SEARCH_NARROW || search->stage == LOAD_SEARCH_CONFIRMING;
}
