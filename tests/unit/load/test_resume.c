#include <criterion/criterion.h>

#include "load/resume.h"

static unsigned resumed_of(unsigned percent, unsigned decisions)
{
    struct resume_mix mix = {.percent = percent};
    unsigned resumed = 0;

    for (unsigned i = 0; i < decisions; i++) {
        resumed += resume_mix_next(&mix) ? 1 : 0;
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

Test(resume, the_mix_is_even_and_never_in_bursts)
{
    struct resume_mix mix = {.percent = 25};

    for (int i = 1; i <= 40; i++) {
        cr_expect_eq(resume_mix_next(&mix), i % 4 == 0);
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
