/* Adding workers' counters up. A reader takes each value with one relaxed load while its worker
 * goes on counting, so values of one snapshot may be apart by what happened in between. */
#include "stats/snapshot.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"

struct snapshot *snapshot_new(unsigned worker_count)
{
    assert(worker_count <= SNAPSHOT_WORKERS_MAX);

    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (snapshot == NULL) {
        return NULL;
    }
    if (worker_count > 0) {
        snapshot->workers = calloc(worker_count, sizeof(*snapshot->workers));
        if (snapshot->workers == NULL) {
            free(snapshot);
            return NULL;
        }
    }
    snapshot->worker_count = worker_count;
    snapshot->taken_ns = clock_now_ns();
    snapshot->process_cpu_ns = clock_process_cpu_ns();
    return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    free(snapshot->workers);
    free(snapshot);
}

void snapshot_add_worker(struct snapshot *snapshot, unsigned index, const struct counters *counters,
                         uint64_t cpu_ns, int cpu)
{
    assert(index < snapshot->worker_count);

    struct snapshot_worker *worker = &snapshot->workers[index];

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        worker->values[i] = counters_get(counters, i);
        snapshot->values[i] += worker->values[i];
    }
    worker->cpu_ns = cpu_ns;
    worker->cpu = cpu;
    snapshot->cpu_ns += cpu_ns;
    histogram_merge(&snapshot->handshake_full, &counters->handshake_full);
    histogram_merge(&snapshot->handshake_resumed, &counters->handshake_resumed);
}
