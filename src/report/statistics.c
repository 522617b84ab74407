#include "report/statistics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum {
    DRAWS_DEFAULT = 10000,
    EXACT_COUNT_MAX = 20, /* the approximation is good to three digits beyond */
    U_MAX = EXACT_COUNT_MAX * EXACT_COUNT_MAX,
};

static int compare_values(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double middle_of(const double *sorted, size_t count)
{
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double statistics_median(double *values, size_t count)
{
    if (count == 0) {
        return NAN;
    }
    qsort(values, count, sizeof(*values), compare_values);
    return middle_of(values, count);
}

/* ---- Bootstrap ---- */

/* A sorted sample, and how often each of its values was drawn: the drawn sample's median is then
 * found by counting, without sorting it. */
struct urn {
    double *sorted;
    uint32_t *times;
    size_t count;
};

static int urn_init(struct urn *urn, struct sample sample)
{
    *urn = (struct urn){.sorted = malloc(sample.count * sizeof(double)),
                        .times = malloc(sample.count * sizeof(uint32_t)),
                        .count = sample.count};
    if (urn->sorted == NULL || urn->times == NULL) {
        return -1;
    }
    memcpy(urn->sorted, sample.values, sample.count * sizeof(double));
    qsort(urn->sorted, urn->count, sizeof(double), compare_values);
    return 0;
}

static void urn_deinit(struct urn *urn)
{
    free(urn->sorted);
    free(urn->times);
}

static double urn_draw_median(struct urn *urn, struct random *random)
{
    size_t lower_rank = (urn->count - 1) / 2;
    size_t upper_rank = urn->count / 2;
    size_t passed = 0;
    size_t lower = 0;
    size_t upper;

    memset(urn->times, 0, urn->count * sizeof(*urn->times));
    for (size_t i = 0; i < urn->count; i++) {
        urn->times[random_below(random, urn->count)]++;
    }
    while (passed + urn->times[lower] <= lower_rank) {
        passed += urn->times[lower++];
    }
    upper = lower;
    while (passed + urn->times[upper] <= upper_rank) {
        passed += urn->times[upper++];
    }
    return (urn->sorted[lower] + urn->sorted[upper]) / 2;
}

static struct statistics_interval middle_95_percent(double *ratios, size_t count)
{
    size_t tail = count / 40;

    qsort(ratios, count, sizeof(*ratios), compare_values);
    return (struct statistics_interval){.low = ratios[tail], .high = ratios[count - 1 - tail]};
}

struct statistics_interval statistics_bootstrap_ratio(const struct statistics_bootstrap *bootstrap)
{
    struct statistics_interval interval = {.low = NAN, .high = NAN};
    unsigned draws = bootstrap->draws > 0 ? bootstrap->draws : DRAWS_DEFAULT;
    struct random random = {.state = bootstrap->seed};
    struct urn base = {0};
    struct urn changed = {0};
    double *ratios = NULL;
    unsigned drawn = 0;

    if (bootstrap->base.count < 2 || bootstrap->changed.count < 2) {
        return interval;
    }
    ratios = malloc(draws * sizeof(*ratios));
    if (urn_init(&base, bootstrap->base) == 0 && urn_init(&changed, bootstrap->changed) == 0 &&
        ratios != NULL) {
        for (; drawn < draws; drawn++) {
            ratios[drawn] = urn_draw_median(&changed, &random) / urn_draw_median(&base, &random);
            if (!isfinite(ratios[drawn])) {
                break;
            }
        }
    }
    if (drawn == draws) {
        interval = middle_95_percent(ratios, draws);
    }
    urn_deinit(&base);
    urn_deinit(&changed);
    free(ratios);
    return interval;
}

struct statistics_interval statistics_bootstrap_median(struct sample sample, uint64_t seed)
{
    struct statistics_interval interval = {.low = NAN, .high = NAN};
    struct random random = {.state = seed};
    struct urn urn = {0};
    double *medians;

    if (sample.count < 2) {
        return interval;
    }
    medians = malloc(DRAWS_DEFAULT * sizeof(*medians));
    if (urn_init(&urn, sample) == 0 && medians != NULL) {
        for (unsigned i = 0; i < DRAWS_DEFAULT; i++) {
            medians[i] = urn_draw_median(&urn, &random);
        }
        interval = middle_95_percent(medians, DRAWS_DEFAULT);
    }
    urn_deinit(&urn);
    free(medians);
    return interval;
}

/* ---- Mann-Whitney ---- */

struct ranked {
    double value;
    bool is_a;
};

struct ranking {
    double u;    /* how many pairs a wins, ties counting half */
    double ties; /* the sum of t^3 - t over groups of t equal values */
};

static int compare_ranked(const void *a, const void *b)
{
    return compare_values(&((const struct ranked *)a)->value, &((const struct ranked *)b)->value);
}

static int rank(struct sample a, struct sample b, struct ranking *out)
{
    size_t count = a.count + b.count;
    struct ranked *all = malloc(count * sizeof(*all));
    double rank_sum = 0;

    if (all == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_a = i < a.count;

        all[i] = (struct ranked){is_a ? a.values[i] : b.values[i - a.count], is_a};
    }
    qsort(all, count, sizeof(*all), compare_ranked);
    *out = (struct ranking){0};
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && all[end].value <= all[i].value; end++) {
        }
        double group = (double)(end - i);

        out->ties += group * group * group - group;
        for (size_t j = i; j < end; j++) {
            rank_sum += all[j].is_a ? (double)(i + 1 + end) / 2 : 0;
        }
    }
    out->u = rank_sum - (double)a.count * ((double)a.count + 1) / 2;
    free(all);
    return 0;
}

/* How many of all orders of n + m values give each U: the coefficients of the Gaussian binomial
 * (n + m choose n), as a product of (1 - q^(m+i)) / (1 - q^i). All are integers below 2^53. */
static double exact_p(size_t n, size_t m, double u)
{
    double ways[U_MAX + 1] = {[0] = 1};
    size_t top = n * m;
    double total = 0;
    double tail = 0;

    for (size_t i = 1; i <= n; i++) {
        for (size_t k = top; k >= m + i; k--) {
            ways[k] -= ways[k - m - i];
        }
        for (size_t k = i; k <= top; k++) {
            ways[k] += ways[k - i];
        }
    }
    for (size_t k = 0; k <= top; k++) {
        total += ways[k];
        tail += (double)k <= fmin(u, (double)top - u) ? ways[k] : 0;
    }
    return fmin(1, 2 * tail / total);
}

static double approximate_p(double n, double m, const struct ranking *ranking)
{
    double count = n + m;
    double variance = n * m / 12 * (count + 1 - ranking->ties / (count * (count - 1)));
    double distance = fabs(ranking->u - n * m / 2) - 0.5;

    if (!(variance > 0) || distance <= 0) {
        return 1;
    }
    return erfc(distance / sqrt(variance) / M_SQRT2);
}

double statistics_mann_whitney(struct sample a, struct sample b)
{
    struct ranking ranking;

    if (a.count == 0 || b.count == 0 || rank(a, b, &ranking) != 0) {
        return NAN;
    }
    if (a.count <= EXACT_COUNT_MAX && b.count <= EXACT_COUNT_MAX && ranking.ties <= 0) {
        return exact_p(a.count, b.count, ranking.u);
    }
    return approximate_p((double)a.count, (double)b.count, &ranking);
}

double statistics_mann_whitney_floor(size_t count_a, size_t count_b)
{
    double orders = 1; /* n + m choose n */

    for (size_t i = 1; i <= count_a; i++) {
        orders *= (double)(count_b + i) / (double)i;
    }
    return fmin(1, 2 / orders);
}
