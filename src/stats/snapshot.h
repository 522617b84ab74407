/* What the counters of all workers said at one moment. */
#pragma once

#include <stdint.h>

#include "stats/counters.h"

enum { SNAPSHOT_WORKERS_MAX = 1024 };

struct snapshot_worker {
    uint64_t values[COUNTER_COUNT];
    uint64_t cpu_ns; /* user and system time of the worker's thread */
    int cpu;         /* the CPU that it is pinned to, or -1 */
};

struct snapshot {
    uint64_t taken_ns;              /* CLOCK_MONOTONIC */
    uint64_t values[COUNTER_COUNT]; /* sums; a peak is the sum of the peaks */
    uint64_t cpu_ns;                /* all workers */
    uint64_t process_cpu_ns;        /* the whole process, the admin thread's own work included */
    uint64_t resident_bytes;        /* likewise its memory, filled in by the caller; 0: not known */
    unsigned worker_count;
    struct snapshot_worker *workers; /* owned */
    struct histogram handshake_full;
    struct histogram handshake_resumed;
};

/* Heap, its time and process CPU time already read; NULL when memory is out. */
struct snapshot *snapshot_new(unsigned worker_count);
void snapshot_free(struct snapshot *snapshot);

/* Reads worker `index`'s block into the snapshot and adds it to the sums; once for each worker. */
void snapshot_add_worker(struct snapshot *snapshot, unsigned index, const struct counters *counters,
                         uint64_t cpu_ns, int cpu);
