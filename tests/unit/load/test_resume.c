#include <criterion/criterion.h>

#include "load/resume.h"

static unsigned resumed_of(unsigned percent, unsigned decisions)
{
    struct resume_mix mix = {.percent = percent};
    unsigned resumed = 0;

    for (unsigned i = 0; i < decisions; i++) {
        resumed += resume_mix_next(&mix, true) ? 1 : 0;
    }
    return resumed;
}

Test(resume, the_mix_is_exact_in_every_hundred)
{
    for (unsigned percent = 0; percent <= 100; percent++) {
        cr_expect_eq(resumed_of(percent, 100), percent);
        cr_expect_eq(resumed_of(percent, 1000), 10 * percent);
    }
}

Test(resume, what_was_not_possible_is_made_up_for)
{
    struct resume_mix mix = {.percent = 70, .owed_max = 16};
    unsigned resumed = 0;

    for (unsigned i = 0; i < 200; i++) {
        resumed += resume_mix_next(&mix, i >= 16) ? 1 : 0;
    }
    cr_expect_eq(resumed, 140);
}

Test(resume, what_was_never_possible_is_owed_within_bounds)
{
    struct resume_mix mix = {.percent = 50, .owed_max = 3};

    for (unsigned i = 0; i < 1000; i++) {
        cr_expect(!resume_mix_next(&mix, false));
    }
    for (unsigned i = 0; i < 6; i++) { /* three owed, and half of these six */
        cr_expect(resume_mix_next(&mix, true), "%u", i);
    }
    cr_expect_leq(mix.due, 199);
    resume_mix_forget(&mix);
    cr_expect_lt(mix.due, 100);
}

Test(resume, the_mix_is_even_and_never_in_bursts)
{
    struct resume_mix mix = {.percent = 25};

    for (int i = 1; i <= 40; i++) {
        cr_expect_eq(resume_mix_next(&mix, true), i % 4 == 0);
    }
}

Test(resume, an_empty_pool_gives_nothing)
{
    struct resume_pool pool;

    cr_assert(resume_pool_init(&pool, 4));
    cr_expect_null(resume_pool_take(&pool));
    resume_pool_deinit(&pool);
    resume_pool_deinit(&pool);
}
