#include <criterion/criterion.h>

#include "stats/snapshot.h"

Test(snapshot, adds_workers_up_and_keeps_each)
{
    static struct counters first;
    static struct counters second;
    struct snapshot *snapshot = snapshot_new(2);

    cr_assert_not_null(snapshot);
    counters_add(&first, COUNTER_ACCEPTS, 3);
    counters_add(&second, COUNTER_ACCEPTS, 4);
    counters_add(&second, COUNTER_CONNECTIONS_PEAK, 2);
    histogram_record(&first.handshake_full, 1000);
    histogram_record(&second.handshake_full, 5000);
    histogram_record(&second.handshake_resumed, 70);
    snapshot_add_worker(snapshot, 0, &first, 100, 6);
    snapshot_add_worker(snapshot, 1, &second, 50, -1);

    cr_assert_eq(snapshot->values[COUNTER_ACCEPTS], 7);
    cr_assert_eq(snapshot->values[COUNTER_CONNECTIONS_PEAK], 2);
    cr_assert_eq(snapshot->workers[0].values[COUNTER_ACCEPTS], 3);
    cr_assert_eq(snapshot->workers[1].values[COUNTER_ACCEPTS], 4);
    cr_assert_eq(snapshot->workers[0].cpu, 6);
    cr_assert_eq(snapshot->workers[1].cpu, -1);
    cr_assert_eq(snapshot->cpu_ns, 150);
    cr_assert_eq(snapshot->handshake_full.count, 2);
    cr_assert_eq(snapshot->handshake_full.max_ns, 5000);
    cr_assert_eq(snapshot->handshake_resumed.count, 1);
    snapshot_free(snapshot);
}

Test(snapshot, of_no_workers_is_all_zero)
{
    struct snapshot *snapshot = snapshot_new(0);

    cr_assert_not_null(snapshot);
    cr_assert_eq(snapshot->worker_count, 0);
    cr_assert_eq(snapshot->cpu_ns, 0);
    cr_assert(snapshot->taken_ns > 0);
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        cr_assert_eq(snapshot->values[i], 0);
    }
    snapshot_free(snapshot);
}

Test(snapshot, free_accepts_null)
{
    snapshot_free(NULL);
}
