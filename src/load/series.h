/* The rate over time, in a table that never overflows: when it is full, its rows are joined two by
 * two, and from then on each row takes twice as many intervals. */
#pragma once

#include "load/result.h"

struct series { /* zeroed but for `out`: empty */
    struct load_result *out;
    unsigned per_row_log2; /* intervals a row */
    unsigned in_last;      /* intervals in the last row so far */
};

/* Intervals come in the order of time. */
void series_add(struct series *series, const struct load_interval *interval);

/* Adds the intervals of another process, which began together with this one. Where theirs do not
 * end when ours do, since one looked late, a row holds several of either: every count stays in the
 * time in which it was counted. */
void series_merge(struct load_result *into, const struct load_result *from);
