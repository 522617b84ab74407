#include "base/histogram.h"

#include <assert.h>
#include <float.h>
#include <locale.h>
#include <math.h>

enum { SUB_COUNT = 1 << HISTOGRAM_SUB_BITS };

static const uint64_t VALUE_MAX_NS = ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1;

/* Buckets come in groups of SUB_COUNT. Group 0 holds the values below SUB_COUNT, one a bucket;
 * group g those with HISTOGRAM_SUB_BITS + g significant bits, 2^(g-1) a bucket. */
static unsigned bucket_index(uint64_t value_ns)
{
    unsigned group;

    if (value_ns < SUB_COUNT) {
        return (unsigned)value_ns;
    }
    group = 64 - (unsigned)__builtin_clzll(value_ns) - HISTOGRAM_SUB_BITS;
    return (group << HISTOGRAM_SUB_BITS) + (unsigned)(value_ns >> (group - 1)) - SUB_COUNT;
}

uint64_t histogram_bucket_low(unsigned index)
{
    unsigned group = index >> HISTOGRAM_SUB_BITS;

    assert(index < HISTOGRAM_BUCKETS);
    if (group == 0) {
        return index;
    }
    return (uint64_t)(index % SUB_COUNT + SUB_COUNT) << (group - 1);
}

uint64_t histogram_bucket_high(unsigned index)
{
    assert(index < HISTOGRAM_BUCKETS);
    return index + 1 < HISTOGRAM_BUCKETS ? histogram_bucket_low(index + 1) - 1 : VALUE_MAX_NS;
}

static void publish(uint64_t *field, uint64_t value)
{
    __atomic_store_n(field, value, __ATOMIC_RELAXED);
}

void histogram_record(struct histogram *histogram, uint64_t value_ns)
{
    uint64_t *bucket;

    value_ns = value_ns == 0 ? 1 : value_ns > VALUE_MAX_NS ? VALUE_MAX_NS : value_ns;
    if (value_ns > histogram->max_ns) {
        publish(&histogram->max_ns, value_ns);
    }
    if (value_ns < histogram->min_ns || histogram->min_ns == 0) {
        publish(&histogram->min_ns, value_ns);
    }
    publish(&histogram->sum_ns, histogram->sum_ns + value_ns);
    publish(&histogram->count, histogram->count + 1);
    /* Last, and a release: who sees the value in its bucket also sees a fitting maximum. On x86
     * this is a plain store. */
    bucket = &histogram->buckets[bucket_index(value_ns)];
    __atomic_store_n(bucket, *bucket + 1, __ATOMIC_RELEASE);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    uint64_t count = 0;
    uint64_t min_ns;
    uint64_t max_ns;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t bucket = __atomic_load_n(&from->buckets[i], __ATOMIC_ACQUIRE);

        into->buckets[i] += bucket;
        count += bucket;
    }
    if (count == 0) {
        return;
    }
    /* The count is that of the buckets just read, not from->count, which may be ahead of them: a
     * percentile must find as many values as it was told to look for. */
    into->count += count;
    into->sum_ns += __atomic_load_n(&from->sum_ns, __ATOMIC_RELAXED);
    min_ns = __atomic_load_n(&from->min_ns, __ATOMIC_RELAXED);
    max_ns = __atomic_load_n(&from->max_ns, __ATOMIC_RELAXED);
    if (into->min_ns == 0 || min_ns < into->min_ns) {
        into->min_ns = min_ns;
    }
    if (max_ns > into->max_ns) {
        into->max_ns = max_ns;
    }
}

static uint64_t subtract_to_zero(uint64_t from, uint64_t amount)
{
    return from > amount ? from - amount : 0;
}

void histogram_subtract(struct histogram *from, const struct histogram *earlier)
{
    uint64_t max_ns = from->max_ns;
    uint64_t min_ns = from->min_ns;

    from->count = 0;
    from->sum_ns = subtract_to_zero(from->sum_ns, earlier->sum_ns);
    from->max_ns = 0;
    from->min_ns = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        from->buckets[i] = subtract_to_zero(from->buckets[i], earlier->buckets[i]);
        if (from->buckets[i] == 0) {
            continue;
        }
        if (from->count == 0) {
            uint64_t low = histogram_bucket_low(i);

            from->min_ns = low > min_ns ? low : min_ns;
        }
        from->count += from->buckets[i];
        from->max_ns = histogram_bucket_high(i);
    }
    if (from->max_ns > max_ns) {
        from->max_ns = max_ns;
    }
    if (from->count == 0) {
        from->sum_ns = 0;
    }
}

/* How many of `count` values make `fraction` of them, at least 1. */
static uint64_t rank_of(double fraction, uint64_t count)
{
    /* 99.9% of 1,000 comes out a hair above 999, which must not round up to 1,000. */
    double rank = ceil(fraction * (double)count * (1 - 4 * DBL_EPSILON));

    if (!(rank > 1)) {
        return 1;
    }
    return rank >= (double)count ? count : (uint64_t)rank;
}

/* A place in the sorted values: the bucket, and how many values lie in it and before. */
struct place {
    unsigned bucket;
    uint64_t count;
};

/* Moves on to the bucket that holds the value of this rank (1 is the smallest). */
static void place_seek(struct place *place, const struct histogram *histogram, uint64_t rank)
{
    while (place->count < rank && place->bucket + 1 < HISTOGRAM_BUCKETS) {
        place->bucket++;
        place->count += histogram->buckets[place->bucket];
    }
}

static uint64_t place_value(const struct place *place, const struct histogram *histogram)
{
    uint64_t high = histogram_bucket_high(place->bucket);

    return high < histogram->max_ns ? high : histogram->max_ns;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    struct place place = {0}; /* bucket 0, the value 0, is never used */
    uint64_t rank;

    if (histogram->count == 0) {
        return 0;
    }
    rank = rank_of(percent / 100, histogram->count);
    /* Not by its bucket: a merged maximum may belong to a value that was not counted yet. */
    if (rank == histogram->count) {
        return histogram->max_ns;
    }
    place_seek(&place, histogram, rank);
    return place_value(&place, histogram);
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : (double)histogram->sum_ns / (double)histogram->count;
}

static double bucket_middle(unsigned index)
{
    return ((double)histogram_bucket_low(index) + (double)histogram_bucket_high(index)) / 2;
}

/* Each value taken as the middle of its bucket. */
static double standard_deviation(const struct histogram *histogram)
{
    double mean = 0;
    double variance = 0;

    if (histogram->count == 0) {
        return 0;
    }
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        mean += (double)histogram->buckets[i] / (double)histogram->count * bucket_middle(i);
    }
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        double distance = bucket_middle(i) - mean;

        variance += (double)histogram->buckets[i] / (double)histogram->count * distance * distance;
    }
    return sqrt(variance);
}

static double to_ms(double ns)
{
    return ns / 1e6;
}

/* The percentiles 0, 10 ... 50, 55 ... 75, 77.5 ...: five steps to each halving of what remains to
 * 100, until the last value is reached. */
static void write_rows(const struct histogram *histogram, FILE *out)
{
    enum { STEPS_PER_HALVING = 5, HALVINGS_MAX = 64 }; /* 64 tell any two 64-bit ranks apart */
    struct place place = {0};

    for (unsigned step = 0;
         place.count < histogram->count && step < HALVINGS_MAX * STEPS_PER_HALVING; step++) {
        double halved = ldexp(1, -(int)(step / STEPS_PER_HALVING));
        double remaining = halved * (1 - step % STEPS_PER_HALVING / (2.0 * STEPS_PER_HALVING));

        place_seek(&place, histogram, rank_of(1 - remaining, histogram->count));
        fprintf(out, " %12.6f %14.12f %10ju %14.2f\n",
                to_ms((double)place_value(&place, histogram)), 1 - remaining,
                (uintmax_t)place.count, 1 / remaining);
    }
    fprintf(out, " %12.6f %14.12f %10ju %14s\n", to_ms((double)histogram->max_ns), 1.0,
            (uintmax_t)histogram->count, "inf");
}

void histogram_write_percentiles(const struct histogram *histogram, FILE *out)
{
    /* Plotters read a decimal point, whatever the locale of the program that embeds us. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(plain);

    fprintf(out, " %12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
            "1/(1-Percentile)");
    if (histogram->count > 0) {
        write_rows(histogram, out);
    }
    fprintf(out, "#[Mean    = %12.6f, StdDeviation   = %12.6f]\n", to_ms(histogram_mean(histogram)),
            to_ms(standard_deviation(histogram)));
    fprintf(out, "#[Max     = %12.6f, Total count    = %12ju]\n", to_ms((double)histogram->max_ns),
            (uintmax_t)histogram->count);
    /* In HdrHistogram's terms its first bucket spans two of our groups. */
    fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n",
            HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS, 2 * SUB_COUNT);
    uselocale(before);
    freelocale(plain);
}
