#include <criterion/criterion.h>
#include <stdlib.h>

#include "load/series.h"

static struct load_interval second(unsigned index)
{
    return (struct load_interval){.start_s = index, .seconds = 1, .messages = index, .errors = 1};
}

static void add_seconds(struct series *series, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        const struct load_interval interval = second(i);

        series_add(series, &interval);
    }
}

Test(series, keeps_every_interval_while_there_is_room)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct series series = {.out = result};

    add_seconds(&series, 0, LOAD_SERIES_MAX);
    cr_expect_eq(result->series_count, LOAD_SERIES_MAX);
    cr_expect_eq(result->series[LOAD_SERIES_MAX - 1].messages, LOAD_SERIES_MAX - 1);
    free(result);
}

Test(series, joins_neighbours_when_full_and_loses_nothing)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct series series = {.out = result};
    const unsigned seconds = 5 * LOAD_SERIES_MAX + 3;
    uint64_t messages = 0;
    double covered = 0;

    add_seconds(&series, 0, seconds);
    cr_expect_leq(result->series_count, LOAD_SERIES_MAX);
    cr_expect_eq(result->series[0].seconds, 8);
    for (size_t i = 0; i < result->series_count; i++) {
        cr_expect_eq(result->series[i].start_s, covered);
        covered += result->series[i].seconds;
        messages += result->series[i].messages;
    }
    cr_expect_eq(covered, seconds);
    cr_expect_eq(messages, (uint64_t)seconds * (seconds - 1) / 2);
    free(result);
}

/* Rows that end at these times, each with as many messages as seconds. */
static struct load_result *rows_until(const double *ends, size_t count)
{
    struct load_result *result = calloc(1, sizeof *result);
    double begin = 0;

    cr_assert_not_null(result);
    for (size_t i = 0; i < count; i++) {
        result->series[i] =
            (struct load_interval){.start_s = begin,
                                   .seconds = ends[i] - begin,
                                   .messages = (uint64_t)(10 * (ends[i] - begin) + 0.5)};
        begin = ends[i];
    }
    result->series_count = count;
    return result;
}

static void merge_rows(const double *a, size_t a_count, const double *b, size_t b_count,
                       struct load_result *out)
{
    struct load_result *one = rows_until(a, a_count);
    struct load_result *two = rows_until(b, b_count);

    series_merge(one, two);
    *out = *one;
    free(one);
    free(two);
}

#define MERGE(a, b, out)                                                                           \
    merge_rows((a), sizeof(a) / sizeof(a)[0], (b), sizeof(b) / sizeof(b)[0], (out))

Test(series, two_processes_meet_where_their_intervals_end_together)
{
    struct load_result *result = calloc(1, sizeof *result);
    const double a[] = {1.0, 2.0, 3.1, 4.0};
    const double b[] = {1.01, 2.02, 3.0, 4.0};

    MERGE(a, b, result);
    cr_assert_eq(result->series_count, 4);
    cr_expect_eq(result->series[0].messages, 20);
    cr_expect_float_eq(result->series[3].seconds, 1, 0.11);
    free(result);
}

Test(series, one_that_looked_late_makes_a_longer_row_and_no_spike)
{
    struct load_result *result = calloc(1, sizeof *result);
    const double a[] = {1, 2, 3, 4};
    const double b[] = {1, 3, 4};

    MERGE(a, b, result);
    cr_assert_eq(result->series_count, 3);
    cr_expect_eq(result->series[1].start_s, 1);
    cr_expect_eq(result->series[1].seconds, 2);
    cr_expect_eq(result->series[1].messages, 40);
    cr_expect_eq(result->series[2].messages, 20);
    free(result);
}

Test(series, one_that_went_on_for_longer_keeps_its_last_intervals)
{
    struct load_result *result = calloc(1, sizeof *result);
    const double a[] = {1, 1.5};
    const double b[] = {1, 2, 3};

    MERGE(a, b, result);
    cr_assert_eq(result->series_count, 3);
    cr_expect_eq(result->series[1].seconds, 1);
    cr_expect_eq(result->series[1].messages, 15);
    cr_expect_eq(result->series[2].messages, 10);
    MERGE(b, a, result);
    cr_assert_eq(result->series_count, 3);
    cr_expect_eq(result->series[1].messages, 15);
    cr_expect_eq(result->series[2].messages, 10);
    free(result);
}

Test(series, two_that_never_end_together_are_one_row)
{
    struct load_result *result = calloc(1, sizeof *result);
    const double a[] = {1, 2, 3};
    const double b[] = {0.5, 1.5, 2.5};

    MERGE(a, b, result);
    cr_assert_eq(result->series_count, 1);
    cr_expect_eq(result->series[0].seconds, 3);
    cr_expect_eq(result->series[0].messages, 55);
    free(result);
}
