/* Results put together: of the threads of a run, and of the processes that made it together. */
#pragma once

#include "load/result.h"

/* Adds what `from` found out to `into`, which may be zeroed. Counts are sums; the measured time is
 * the longest, for they began together. */
void load_result_merge(struct load_result *into, const struct load_result *from);
