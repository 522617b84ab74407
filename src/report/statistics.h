/* What two small samples say about each other: pure functions of numbers, without assumptions about
 * how those are distributed. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A sample's values in any order; finite, borrowed. */
struct sample {
    const double *values;
    size_t count;
};

struct statistics_interval {
    double low, high; /* both NAN: there is none */
};

/* The middle value, or the mean of the two in the middle; NAN for none. Sorts `values`. */
double statistics_median(double *values, size_t count);

/* A bootstrap interval for median(changed) / median(base), by percentiles: both samples are drawn
 * anew, with replacement, `draws` times (0: 10,000), and the middle 95% of the ratios kept. The
 * same seed gives the same interval. None when a sample has fewer than two values, when a ratio has
 * no value, or when memory is out. */
struct statistics_bootstrap {
    struct sample base, changed;
    uint64_t seed;
    unsigned draws;
};

struct statistics_interval statistics_bootstrap_ratio(const struct statistics_bootstrap *bootstrap);

/* Likewise for the median of one sample, with as many draws as above by default. */
struct statistics_interval statistics_bootstrap_median(struct sample sample, uint64_t seed);

/* The two-sided p-value of the Mann-Whitney U test (Mann, Whitney, Annals of Mathematical
 * Statistics 18, 1947): how often samples from one and the same source would lie at least this far
 * apart. Exact for at most 20 values a side and no ties, else by the normal approximation with
 * corrections for ties and for continuity. NAN when a sample is empty or memory is out. */
double statistics_mann_whitney(struct sample a, struct sample b);

/* The smallest p-value that samples of these sizes can give: two runs a side never give less than
 * 0.33, however far apart they lie. */
double statistics_mann_whitney_floor(size_t count_a, size_t count_b);
