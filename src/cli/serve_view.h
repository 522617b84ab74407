/* What `tlsdyno serve` says about its counters to the person in front of it. */
#pragma once

#include <stdio.h>

struct snapshot;

/* One line about the time between two snapshots: rates a second, failures, and CPU use of the
 * whole process in percent of one CPU. */
void serve_view_interval(FILE *out, const struct snapshot *before, const struct snapshot *after);

/* One paragraph about everything since the start. */
void serve_view_summary(FILE *out, const struct snapshot *end, double seconds);

/* "0,1", "0-63", or "not pinned". */
enum { SERVE_CPUS_BYTES = 256 };

const char *serve_view_cpus(const struct snapshot *snapshot, char out[SERVE_CPUS_BYTES]);
