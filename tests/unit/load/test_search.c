#include <criterion/criterion.h>

#include "load/search.h"

enum { RATE_MAX = 10 * 1000 * 1000 };

/* A server that keeps up to `capacity` a second, and whose every `noise`th run goes the other way;
 * 0: none. */
struct oracle {
    uint64_t capacity;
    unsigned noise;
    unsigned runs;
};

static struct load_search search_all(struct oracle *oracle, uint64_t first)
{
    struct load_search search;
    bool is_going_on = true;

    load_search_init(&search, first, RATE_MAX);
    while (is_going_on) {
        bool is_kept = search.rate <= oracle->capacity;

        oracle->runs++;
        cr_assert_leq(oracle->runs, LOAD_SEARCH_RUNS_MAX);
        cr_assert(search.rate >= 1 && search.rate <= RATE_MAX);
        if (oracle->noise > 0 && oracle->runs % oracle->noise == 0) {
            is_kept = !is_kept;
        }
        is_going_on = load_search_tell(&search, is_kept);
    }
    return search;
}

Test(search, capacity_is_found_within_two_percent_from_any_guess)
{
    const uint64_t capacities[] = {1, 2, 7, 99, 1000, 12345, 999999};

    for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
        for (uint64_t first = 1; first <= 1000 * 1000; first *= 10) {
            const uint64_t capacity = capacities[i];
            struct oracle oracle = {.capacity = capacity};
            const struct load_search search = search_all(&oracle, first);

            if (first / capacity > 60) {
                continue; /* out of sight: the next test's */
            }
            cr_expect_eq(search.stage, LOAD_SEARCH_FOUND);
            cr_expect_leq(search.kept, capacity);
            cr_expect_gt(search.failed, capacity);
            cr_expect_leq(search.failed - search.kept, 1 + search.failed / 50, "%lu of %lu",
                          search.kept, capacity);
        }
    }
}

Test(search, what_is_never_kept_is_given_up)
{
    for (uint64_t first = 1; first <= 1000 * 1000; first *= 10) {
        struct oracle oracle = {.capacity = 0};
        const struct load_search search = search_all(&oracle, first);

        cr_expect_eq(search.stage, LOAD_SEARCH_NOT_FOUND);
        cr_expect_eq(search.kept, 0);
        cr_expect_leq(search.failed, 1 + first / 64);
        cr_expect_leq(oracle.runs, 16);
    }
}

Test(search, what_is_always_kept_ends_at_the_highest_rate)
{
    struct oracle oracle = {.capacity = UINT64_MAX};
    const struct load_search search = search_all(&oracle, 1);

    cr_expect_eq(search.stage, LOAD_SEARCH_FOUND);
    cr_expect_eq(search.kept, RATE_MAX);
    cr_expect_eq(search.failed, 0);
}

Test(search, one_bad_run_in_many_does_not_pull_the_rate_down)
{
    for (unsigned noise = 3; noise < 12; noise++) {
        struct oracle oracle = {.capacity = 5000, .noise = noise};
        const struct load_search search = search_all(&oracle, 6000);

        if (search.stage == LOAD_SEARCH_FOUND) {
            cr_expect_geq(search.kept, 5000 * 7 / 10, "noise %u: %lu", noise, search.kept);
            cr_expect_leq(search.kept, 6000, "noise %u: %lu", noise, search.kept);
        } else {
            cr_expect_eq(noise, 3, "every third run is wrong, so three in a row are rare");
        }
    }
}

Test(search, a_rate_that_does_not_hold_again_is_left_for_a_lower_one)
{
    struct load_search search;

    load_search_init(&search, 100, 100);
    cr_assert(load_search_tell(&search, true)); /* the highest there is: to be confirmed */
    cr_assert_eq(search.stage, LOAD_SEARCH_CONFIRMING);
    cr_assert(load_search_tell(&search, false));
    cr_expect_eq(search.rate, 95);
    cr_expect_eq(search.kept, 0);
    cr_expect_eq(search.failed, 100);
    cr_expect(load_search_tell(&search, true));
    cr_expect(load_search_tell(&search, true));
    cr_expect_not(load_search_tell(&search, true));
    cr_expect_eq(search.stage, LOAD_SEARCH_FOUND);
    cr_expect_eq(search.kept, 95);
}
