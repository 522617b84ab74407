#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/random.h"

static struct histogram *histogram_new(void)
{
    struct histogram *histogram = calloc(1, sizeof(*histogram));

    cr_assert_not_null(histogram);
    return histogram;
}

static int compare_values(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The text that the histogram writes; the caller frees it. */
static char *percentiles_text(const struct histogram *histogram)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    cr_assert_not_null(out);
    histogram_write_percentiles(histogram, out);
    fclose(out);
    return text;
}

Test(histogram, buckets_follow_each_other_without_a_gap)
{
    cr_assert_eq(histogram_bucket_low(0), 0);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t low = histogram_bucket_low(i);
        uint64_t high = histogram_bucket_high(i);

        cr_assert_leq(low, high);
        cr_assert_leq((high - low) * 128, low, "bucket %u is wider than 1/128 of its values", i);
        if (i + 1 < HISTOGRAM_BUCKETS) {
            cr_assert_eq(histogram_bucket_low(i + 1), high + 1);
        } else {
            cr_assert_eq(high, ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1);
        }
    }
}

Test(histogram, both_ends_of_each_bucket_are_counted_in_it)
{
    struct histogram *histogram = histogram_new();

    for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++) {
        histogram_record(histogram, histogram_bucket_low(i));
        histogram_record(histogram, histogram_bucket_high(i));
        cr_assert_eq(histogram->buckets[i], 2, "bucket %u", i);
    }
    cr_assert_eq(histogram->count, 2 * (HISTOGRAM_BUCKETS - 1));
    free(histogram);
}

Test(histogram, an_empty_one_answers_zero)
{
    struct histogram *histogram = histogram_new();
    char *text = percentiles_text(histogram);

    cr_assert_eq(histogram_percentile(histogram, 50), 0);
    cr_assert_eq(histogram_percentile(histogram, 100), 0);
    cr_assert_eq(histogram_mean(histogram), 0);
    cr_assert_not_null(strstr(text, "Total count    =            0]"));
    free(text);
    free(histogram);
}

Test(histogram, one_value_is_every_percentile)
{
    static const double PERCENTS[] = {-1, 0, 1e-9, 50, 99.999, 100, 200};
    struct histogram *histogram = histogram_new();

    histogram_record(histogram, 1234567);
    for (size_t i = 0; i < sizeof(PERCENTS) / sizeof(*PERCENTS); i++) {
        cr_assert_eq(histogram_percentile(histogram, PERCENTS[i]), 1234567);
    }
    cr_assert_eq(histogram_percentile(histogram, (double)NAN), 1234567);
    cr_assert_eq(histogram->min_ns, 1234567);
    cr_assert_eq(histogram->max_ns, 1234567);
    cr_assert_eq(histogram_mean(histogram), 1234567);
    free(histogram);
}

Test(histogram, values_beyond_the_ends_count_as_the_ends)
{
    struct histogram *histogram = histogram_new();

    histogram_record(histogram, 0);
    histogram_record(histogram, UINT64_MAX);
    cr_assert_eq(histogram->count, 2);
    cr_assert_eq(histogram->min_ns, 1);
    cr_assert_eq(histogram->max_ns, ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1);
    cr_assert_eq(histogram_percentile(histogram, 50), 1);
    cr_assert_eq(histogram_percentile(histogram, 51), histogram->max_ns);
    free(histogram);
}

/* 1 to 100 are kept exactly, so each percentile is its own value, and a hair more is the next. */
Test(histogram, percentiles_of_one_to_a_hundred_are_exact)
{
    struct histogram *histogram = histogram_new();

    for (uint64_t value = 100; value > 0; value--) {
        histogram_record(histogram, value);
    }
    for (unsigned percent = 1; percent < 100; percent++) {
        cr_assert_eq(histogram_percentile(histogram, percent), percent);
        cr_assert_eq(histogram_percentile(histogram, percent + 0.001), percent + 1);
    }
    cr_assert_eq(histogram_percentile(histogram, 0), 1);
    cr_assert_eq(histogram_percentile(histogram, 100), 100);
    cr_assert_eq(histogram_mean(histogram), 50.5);
    free(histogram);
}

/* 99.9% of 1,000 is 999 of them, though in floating point it comes out a hair above. */
Test(histogram, rounding_does_not_lift_a_percentile)
{
    struct histogram *histogram = histogram_new();

    for (int i = 0; i < 999; i++) {
        histogram_record(histogram, 10);
    }
    histogram_record(histogram, 1000000);
    cr_assert_eq(histogram_percentile(histogram, 99.9), 10);
    cr_assert_eq(histogram_percentile(histogram, 99.91), 1000000);
    free(histogram);
}

Test(histogram, percentiles_of_random_values_are_within_a_128th)
{
    enum { COUNT = 50000 };
    static const double PERCENTS[] = {0.01, 1, 10, 50, 90, 99, 99.9, 99.99, 100};
    struct random random = {.state = 7};
    struct histogram *histogram = histogram_new();
    uint64_t *values = calloc(COUNT, sizeof(*values));

    for (size_t i = 0; i < COUNT; i++) {
        /* Even over the orders of magnitude, 1 ns to 2^39 ns. */
        values[i] = random_next(&random) >> (25 + random_below(&random, 38));
        values[i] = values[i] > 0 ? values[i] : 1;
        histogram_record(histogram, values[i]);
    }
    qsort(values, COUNT, sizeof(*values), compare_values);
    for (size_t i = 0; i < sizeof(PERCENTS) / sizeof(*PERCENTS); i++) {
        size_t rank = (size_t)ceil(PERCENTS[i] * COUNT / 100 - 1e-6);
        uint64_t exact = values[rank - 1];
        uint64_t kept = histogram_percentile(histogram, PERCENTS[i]);

        cr_assert(kept >= exact && kept - exact <= exact / 128, "%g%%: %ju for %ju", PERCENTS[i],
                  (uintmax_t)kept, (uintmax_t)exact);
    }
    cr_assert_eq(histogram_percentile(histogram, 100), values[COUNT - 1]);
    cr_assert_eq(histogram->min_ns, values[0]);
    free(values);
    free(histogram);
}

Test(histogram, merging_equals_recording_everything_in_one)
{
    struct random random = {.state = 8};
    struct histogram *parts[2] = {histogram_new(), histogram_new()};
    struct histogram *whole = histogram_new();
    struct histogram *merged = histogram_new();

    for (int i = 0; i < 10000; i++) {
        uint64_t value = random_below(&random, NS_PER_S) + 5;

        histogram_record(parts[i % 2], value);
        histogram_record(whole, value);
    }
    histogram_merge(merged, parts[0]);
    histogram_merge(merged, parts[1]);
    cr_assert_arr_eq(merged, whole, sizeof(*whole));
    free(parts[0]);
    free(parts[1]);
    free(whole);
    free(merged);
}

Test(histogram, merging_an_empty_one_changes_nothing)
{
    struct histogram *histogram = histogram_new();
    struct histogram *before = histogram_new();
    struct histogram *empty = histogram_new();

    histogram_record(histogram, 5);
    *before = *histogram;
    histogram_merge(histogram, empty);
    cr_assert_arr_eq(histogram, before, sizeof(*before));
    free(histogram);
    free(before);
    free(empty);
}

/* A merge that comes while a value is being recorded finds the count ahead of the buckets. */
Test(histogram, merging_counts_what_the_buckets_hold)
{
    struct histogram *live = histogram_new();
    struct histogram *merged = histogram_new();

    histogram_record(live, 100);
    live->count++;
    histogram_merge(merged, live);
    cr_assert_eq(merged->count, 1);
    free(live);
    free(merged);
}

Test(histogram, subtracting_leaves_what_came_in_between)
{
    struct histogram *histogram = histogram_new();
    struct histogram *earlier = histogram_new();

    histogram_record(histogram, 1);
    histogram_record(histogram, 5000000);
    *earlier = *histogram;
    histogram_record(histogram, 10);
    histogram_record(histogram, 1000);
    histogram_subtract(histogram, earlier);
    cr_assert_eq(histogram->count, 2);
    cr_assert_eq(histogram->sum_ns, 1010);
    cr_assert_eq(histogram->min_ns, 10);
    cr_assert_eq(histogram->max_ns, 1003, "the end of the bucket of 1000");
    cr_assert_eq(histogram_percentile(histogram, 50), 10);
    free(histogram);
    free(earlier);
}

Test(histogram, subtracting_itself_leaves_nothing)
{
    struct histogram *histogram = histogram_new();
    struct histogram *earlier = histogram_new();
    struct histogram *empty = histogram_new();

    histogram_record(histogram, 77);
    *earlier = *histogram;
    histogram_subtract(histogram, earlier);
    cr_assert_arr_eq(histogram, empty, sizeof(*empty));
    free(histogram);
    free(earlier);
    free(empty);
}

Test(histogram, subtracting_more_than_there_is_leaves_nothing)
{
    struct histogram *histogram = histogram_new();
    struct histogram *larger = histogram_new();
    struct histogram *empty = histogram_new();

    histogram_record(histogram, 77);
    histogram_record(larger, 77);
    histogram_record(larger, 77);
    histogram_subtract(histogram, larger);
    cr_assert_arr_eq(histogram, empty, sizeof(*empty));
    free(histogram);
    free(larger);
    free(empty);
}

/* The known text of 1 ms, 2 ms and two of 4 ms. A value is the end of its bucket, which for 1 ms is
 * 1.003519 ms, or the true maximum. */
Test(histogram, percentile_text_of_a_small_one)
{
    struct histogram *histogram = histogram_new();
    static const char EXPECTED[] = "        Value     Percentile TotalCount 1/(1-Percentile)\n"
                                   "\n"
                                   "     1.003519 0.000000000000          1           1.00\n"
                                   "     1.003519 0.100000000000          1           1.11\n"
                                   "     1.003519 0.200000000000          1           1.25\n"
                                   "     2.007039 0.300000000000          2           1.43\n"
                                   "     2.007039 0.400000000000          2           1.67\n"
                                   "     2.007039 0.500000000000          2           2.00\n"
                                   "     4.000000 0.550000000000          4           2.22\n"
                                   "     4.000000 1.000000000000          4            inf\n"
                                   "#[Mean    =     2.750000, StdDeviation   =     1.300950]\n"
                                   "#[Max     =     4.000000, Total count    =            4]\n"
                                   "#[Buckets =           33, SubBuckets     =          256]\n";
    char *text;

    histogram_record(histogram, 1 * NS_PER_MS);
    histogram_record(histogram, 2 * NS_PER_MS);
    histogram_record(histogram, 4 * NS_PER_MS);
    histogram_record(histogram, 4 * NS_PER_MS);
    text = percentiles_text(histogram);
    cr_assert_str_eq(text, EXPECTED);
    free(text);
    free(histogram);
}

/* Reads the text as plotters do: four columns a line, comments skipped. */
Test(histogram, percentile_text_of_many_is_monotonic_and_true)
{
    struct histogram *histogram = histogram_new();
    double value;
    double fraction;
    double last_value = 0;
    double last_fraction = -1;
    double inverse;
    unsigned long total;
    unsigned long last_total = 0;
    int rows = 0;
    char *text;
    char *rest;

    for (uint64_t us = 1; us <= 100000; us++) {
        histogram_record(histogram, us * NS_PER_US);
    }
    text = percentiles_text(histogram);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (sscanf(line, " %lf %lf %lu %lf", &value, &fraction, &total, &inverse) != 4) {
            continue;
        }
        rows++;
        cr_assert(value >= last_value && fraction >= last_fraction && total >= last_total, "%s",
                  line);
        cr_assert_geq((double)total, fraction * 100000 - 1e-3, "%s", line);
        cr_assert_float_eq(value, fraction * 100, value / 100 + 0.002, "%s", line);
        if (fraction < 1) {
            cr_assert_float_eq(inverse, 1 / (1 - fraction), inverse * 1e-3 + 0.01, "%s", line);
        }
        last_value = value;
        last_fraction = fraction;
        last_total = total;
    }
    /* Five to each halving until the last bucket, which holds about 400 of the 100,000 values:
     * eight halvings. Then the row of the maximum, whose "inf" sscanf reads too. */
    cr_assert(rows > 5 * 8 && rows <= 5 * 9, "%d rows", rows);
    cr_assert_eq(last_total, 100000);
    cr_assert_eq(last_fraction, 1);
    cr_assert_eq(last_value, 100);
    free(text);
    free(histogram);
}

Test(histogram, percentile_text_has_a_decimal_point_in_any_locale)
{
    struct histogram *histogram = histogram_new();
    char *text;

    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        cr_skip("the machine has no German locale");
    }
    histogram_record(histogram, NS_PER_MS);
    text = percentiles_text(histogram);
    cr_assert_not_null(strstr(text, "1.000000"));
    free(text);
    free(histogram);
}
