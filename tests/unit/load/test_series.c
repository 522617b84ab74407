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
