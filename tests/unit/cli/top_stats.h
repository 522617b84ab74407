/* An answer of /stats that a test can change. */
#pragma once

#include <jansson.h>

#include "stats/counters.h"

/* Of two workers on CPUs 0 and 1; every counter is 0. A new reference. */
json_t *top_stats(double monotonic_seconds);

/* worker: -1 for the totals. */
void top_stats_set(json_t *stats, int worker, enum counter which, int64_t value);
