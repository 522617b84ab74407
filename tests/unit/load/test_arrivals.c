#include <criterion/criterion.h>

#include "base/clock.h"
#include "load/arrivals.h"

static struct arrivals make(enum load_arrivals kind, uint64_t rate, unsigned threads,
                            unsigned index)
{
    struct arrivals arrivals;

    arrivals_init(
        &arrivals,
        &(struct arrivals_options){
            .kind = kind, .rate = rate, .threads = threads, .index = index, .start_ns = 5000});
    return arrivals;
}

Test(arrivals, constant_ones_are_evenly_spaced)
{
    struct arrivals arrivals = make(LOAD_ARRIVALS_CONSTANT, 1000, 1, 0);

    for (uint64_t i = 0; i < 10; i++) {
        cr_expect_eq(arrivals_next(&arrivals), 5000 + i * NS_PER_MS);
    }
}

Test(arrivals, threads_take_turns_in_one_even_schedule)
{
    struct arrivals first = make(LOAD_ARRIVALS_CONSTANT, 1000, 2, 0);
    struct arrivals second = make(LOAD_ARRIVALS_CONSTANT, 1000, 2, 1);

    for (uint64_t i = 0; i < 10; i++) {
        cr_expect_eq(arrivals_next(&first), 5000 + 2 * i * NS_PER_MS);
        cr_expect_eq(arrivals_next(&second), 5000 + (2 * i + 1) * NS_PER_MS);
    }
}

Test(arrivals, a_rate_that_does_not_divide_a_second_adds_up_no_error)
{
    struct arrivals arrivals = make(LOAD_ARRIVALS_CONSTANT, 7, 1, 0);
    uint64_t at_ns = 0;

    for (int i = 0; i <= 7 * 86400; i++) {
        at_ns = arrivals_next(&arrivals);
    }
    cr_expect_eq(at_ns, 5000 + 86400 * NS_PER_S);
}

Test(arrivals, poisson_has_the_mean_and_the_spread_of_exponential_gaps)
{
    enum { COUNT = 100000 };
    struct arrivals arrivals = make(LOAD_ARRIVALS_POISSON, 2000, 2, 1);
    uint64_t before_ns = 5000;
    double squares = 0;
    unsigned long_gaps = 0;

    for (int i = 0; i < COUNT; i++) {
        const uint64_t at_ns = arrivals_next(&arrivals);
        const double gap_ms = (double)(at_ns - before_ns) / (double)NS_PER_MS;

        cr_assert_geq(at_ns, before_ns);
        squares += gap_ms * gap_ms;
        long_gaps += gap_ms > 3 ? 1 : 0;
        before_ns = at_ns;
    }
    /* This thread's mean gap is 1 ms: the sum of gaps is COUNT ms, that of squares 2 COUNT ms^2,
     * and e^-3 of them are longer than 3 ms. */
    cr_expect_float_eq((double)(before_ns - 5000) / (double)NS_PER_MS / COUNT, 1, 0.02);
    cr_expect_float_eq(squares / COUNT, 2, 0.1);
    cr_expect_float_eq((double)long_gaps / COUNT, 0.0498, 0.005);
}

Test(arrivals, poisson_repeats_itself_and_differs_between_threads)
{
    struct arrivals once = make(LOAD_ARRIVALS_POISSON, 1000, 2, 0);
    struct arrivals again = make(LOAD_ARRIVALS_POISSON, 1000, 2, 0);
    struct arrivals other = make(LOAD_ARRIVALS_POISSON, 1000, 2, 1);
    const uint64_t first_ns = arrivals_next(&once);

    cr_expect_eq(arrivals_next(&again), first_ns);
    cr_expect_neq(arrivals_next(&other), first_ns);
}
