#include "report/statistics.h"

#include <math.h>

#include <criterion/criterion.h>

#define SAMPLE(...)                                                                                \
    (struct sample)                                                                                \
    {                                                                                              \
        .values = (double[]){__VA_ARGS__},                                                         \
        .count = sizeof((double[]){__VA_ARGS__}) / sizeof(double)                                  \
    }

Test(statistics, median_is_the_middle_or_the_mean_of_two)
{
    cr_assert_float_eq(statistics_median((double[]){3, 1, 2}, 3), 2, 1e-12);
    cr_assert_float_eq(statistics_median((double[]){4, 1, 3, 2}, 4), 2.5, 1e-12);
    cr_assert_float_eq(statistics_median((double[]){7}, 1), 7, 1e-12);
    cr_assert(isnan(statistics_median(NULL, 0)));
}

/* Two orders of all (n + m choose n) lie farthest apart. */
Test(statistics, mann_whitney_of_parted_samples_is_known)
{
    cr_assert_float_eq(statistics_mann_whitney(SAMPLE(1, 2, 3), SAMPLE(4, 5, 6)), 2.0 / 20, 1e-12);
    cr_assert_float_eq(statistics_mann_whitney(SAMPLE(1, 2, 3, 4), SAMPLE(5, 6, 7, 8)), 2.0 / 70,
                       1e-12);
    cr_assert_float_eq(statistics_mann_whitney(SAMPLE(9, 8, 7, 6, 5), SAMPLE(4, 3, 2, 1, 0)),
                       2.0 / 252, 1e-12);
}

/* U = 3 of 3 x 4: 7 of the 35 orders give at most 3. */
Test(statistics, mann_whitney_of_mixed_samples_is_known)
{
    cr_assert_float_eq(statistics_mann_whitney(SAMPLE(1, 3, 5), SAMPLE(2, 4, 6, 7)), 2 * 7.0 / 35,
                       1e-12);
    cr_assert_float_eq(statistics_mann_whitney(SAMPLE(2, 4, 6, 7), SAMPLE(1, 3, 5)), 2 * 7.0 / 35,
                       1e-12);
    cr_assert_float_eq(statistics_mann_whitney(SAMPLE(1, 4), SAMPLE(2, 3)), 1, 1e-12);
}

/* z = (8 - 0.5) / sqrt(16 / 12 * (9 - 12 / 56)) by hand. */
Test(statistics, mann_whitney_corrects_for_ties)
{
    double p = statistics_mann_whitney(SAMPLE(1, 1, 2, 3), SAMPLE(4, 5, 5, 6));

    cr_assert_float_eq(p, erfc(7.5 / sqrt(16.0 / 12 * (9 - 12.0 / 56)) / sqrt(2)), 1e-12);
    cr_assert_float_eq(p, 0.0284, 0.0001);
    cr_assert_float_eq(statistics_mann_whitney(SAMPLE(5, 5, 5), SAMPLE(5, 5, 5)), 1, 1e-12);
}

Test(statistics, mann_whitney_approximation_meets_the_exact_value)
{
    double low[21];
    double high[20];

    for (int i = 0; i < 21; i++) {
        low[i] = i * 2;
    }
    for (int i = 0; i < 20; i++) {
        high[i] = i * 2 + 13;
    }
    /* 21 values a side are too many for the exact way, 20 are not. */
    cr_assert_float_eq(statistics_mann_whitney((struct sample){low, 21}, (struct sample){high, 20}),
                       statistics_mann_whitney((struct sample){low, 20}, (struct sample){high, 20}),
                       0.02);
}

Test(statistics, mann_whitney_of_nothing_is_unknown)
{
    cr_assert(isnan(statistics_mann_whitney((struct sample){0}, SAMPLE(1, 2))));
    cr_assert(isnan(statistics_mann_whitney(SAMPLE(1, 2), (struct sample){0})));
}

Test(statistics, floor_is_what_parted_samples_give)
{
    cr_assert_float_eq(statistics_mann_whitney_floor(2, 2), 2.0 / 6, 1e-12);
    cr_assert_float_eq(statistics_mann_whitney_floor(4, 4), 2.0 / 70, 1e-12);
    cr_assert_float_eq(statistics_mann_whitney_floor(1, 1), 1, 1e-12);
    cr_assert_lt(statistics_mann_whitney_floor(3600, 3600), 1e-9);
}

Test(statistics, bootstrap_repeats_with_its_seed_and_holds_the_ratio)
{
    struct statistics_bootstrap bootstrap = {.base = SAMPLE(100, 101, 99, 102, 98),
                                             .changed = SAMPLE(200, 202, 198, 204, 196),
                                             .seed = 1};
    struct statistics_interval first = statistics_bootstrap_ratio(&bootstrap);
    struct statistics_interval again = statistics_bootstrap_ratio(&bootstrap);

    cr_assert(first.low <= again.low && first.low >= again.low);
    cr_assert(first.high <= again.high && first.high >= again.high);
    cr_assert(first.low > 1.9 && first.low < 2, "%f", first.low);
    cr_assert(first.high > 2 && first.high < 2.1, "%f", first.high);
}

/* Of three values the least is the median when drawn at least twice: 7 of 27 times. So the lower
 * end is 1 / 3 and the upper 3. */
Test(statistics, bootstrap_of_three_values_reaches_their_ends)
{
    struct statistics_bootstrap bootstrap = {.base = SAMPLE(1, 2, 3), .changed = SAMPLE(3, 1, 2)};
    struct statistics_interval interval = statistics_bootstrap_ratio(&bootstrap);

    cr_assert_float_eq(interval.low, 1.0 / 3, 1e-12);
    cr_assert_float_eq(interval.high, 3, 1e-12);
}

Test(statistics, bootstrap_of_equal_values_is_a_point)
{
    struct statistics_bootstrap bootstrap = {.base = SAMPLE(4, 4), .changed = SAMPLE(6, 6)};
    struct statistics_interval interval = statistics_bootstrap_ratio(&bootstrap);

    cr_assert_float_eq(interval.low, 1.5, 1e-12);
    cr_assert_float_eq(interval.high, 1.5, 1e-12);
}

Test(statistics, bootstrap_needs_two_values_a_side_and_a_ratio)
{
    struct statistics_bootstrap bootstrap = {.base = SAMPLE(1), .changed = SAMPLE(1, 2)};

    cr_assert(isnan(statistics_bootstrap_ratio(&bootstrap).low));
    bootstrap = (struct statistics_bootstrap){.base = SAMPLE(0, 0, 0), .changed = SAMPLE(1, 2)};
    cr_assert(isnan(statistics_bootstrap_ratio(&bootstrap).high));
}

/* Of three values every drawn median is one of them, and each end is far from rare. */
Test(statistics, bootstrap_of_one_median_stays_among_the_values)
{
    struct statistics_interval interval = statistics_bootstrap_median(SAMPLE(10, 20, 30), 1);
    struct statistics_interval same = statistics_bootstrap_median(SAMPLE(5, 5, 5, 5), 1);

    cr_assert_float_eq(interval.low, 10, 1e-12);
    cr_assert_float_eq(interval.high, 30, 1e-12);
    cr_assert_float_eq(same.low, 5, 1e-12);
    cr_assert_float_eq(same.high, 5, 1e-12);
}

Test(statistics, one_value_has_no_interval)
{
    cr_assert(isnan(statistics_bootstrap_median(SAMPLE(10), 1).low));
}
