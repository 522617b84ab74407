#include "cli/failure_log.h"

#include <stdio.h>

#include "base/clock.h"

/* How many were wanted in this second, this one included. Two workers that see a second begin at
 * the same time may both start its count: a few lines more do no harm. */
static unsigned count_this(struct failure_log *log)
{
    uint64_t second = clock_now_ns() / NS_PER_S;

    if (atomic_exchange(&log->second, second) != second) {
        atomic_store(&log->count, 0);
    }
    return atomic_fetch_add(&log->count, 1) + 1;
}

void failure_log_write(void *log, const char *peer, const char *reason)
{
    unsigned count = count_this(log);

    if (count <= FAILURE_LOG_LINES_MAX) {
        fprintf(stderr, "tlsdyno: client %s: %s%s\n", peer, reason,
                count == FAILURE_LOG_LINES_MAX ? " (more in this second are not shown)" : "");
    }
}
