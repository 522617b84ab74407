/* One thread counts and records; the others read meanwhile and never see a total go down. */
#include <string.h>

#include "stats/counters.h"
#include "stats/snapshot.h"
#include "stress.h"

enum { ROUNDS = 200000, READS = 200 };

static struct counters counters;

static void count(void)
{
    for (uint64_t i = 0; i < ROUNDS; i++) {
        counters_increment(&counters, COUNTER_MESSAGES);
        histogram_record(&counters.handshake_full, i);
    }
}

static void read_all(void)
{
    uint64_t last = 0;

    for (int i = 0; i < READS; i++) {
        struct snapshot *snapshot = snapshot_new(1);

        CHECK(snapshot != NULL);
        snapshot_add_worker(snapshot, 0, &counters, 0, -1);
        CHECK(snapshot->values[COUNTER_MESSAGES] >= last);
        CHECK(snapshot->handshake_full.count <= ROUNDS);
        last = snapshot->values[COUNTER_MESSAGES];
        snapshot_free(snapshot);
    }
}

static void *work(void *index)
{
    if (*(size_t *)index == 0) {
        count();
    } else {
        read_all();
    }
    return NULL;
}

int main(void)
{
    stress_run(work);
    CHECK(counters_get(&counters, COUNTER_MESSAGES) == ROUNDS);
    CHECK(counters.handshake_full.count == ROUNDS);
    return 0;
}
