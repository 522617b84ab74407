/* A log-linear histogram of durations in the manner of HdrHistogram (hdrhistogram.org): every value
 * from 1 ns to about 18 minutes is kept within 1/128 of itself, in fixed memory.
 *
 * One thread records; any thread may merge from it meanwhile, and then sees each value either
 * counted or not yet, and counted ones within the minimum and maximum. (Sum, minimum and maximum
 * may already know the one value that is being recorded.) Everything else is for a histogram that
 * no other thread touches. Zeroed memory is an empty histogram. */
#pragma once

#include <stdint.h>
#include <stdio.h>

enum {
    HISTOGRAM_SUB_BITS = 7,    /* 128 steps for each power of two */
    HISTOGRAM_VALUE_BITS = 40, /* larger values count as 2^40 - 1 ns, 0 as 1 ns */
    HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS,
};

struct histogram {
    uint64_t count;
    uint64_t sum_ns;
    uint64_t max_ns;
    uint64_t min_ns; /* 0 while empty */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram *histogram, uint64_t value_ns);

/* Adds what `from` holds. `from` may be recorded into by its thread meanwhile; `into` is the
 * caller's. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* Takes away what `earlier`, an older state of the same histogram, held: what remains is what was
 * recorded in between. Minimum and maximum are then those of the buckets. An `earlier` that holds
 * more (the counters were reset in between) leaves 0 in those buckets. */
void histogram_subtract(struct histogram *from, const struct histogram *earlier);

/* The smallest kept value that at least `percent` of the recorded ones do not exceed: the highest
 * value of its bucket, or the true maximum where that is lower. 0 when empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

/* In nanoseconds, exact; 0 when empty. */
double histogram_mean(const struct histogram *histogram);

/* The lowest and highest value that bucket `index` stands for. */
uint64_t histogram_bucket_low(unsigned index);
uint64_t histogram_bucket_high(unsigned index);

/* Writes HdrHistogram's percentile text (value in milliseconds), which its plotters read. */
void histogram_write_percentiles(const struct histogram *histogram, FILE *out);
