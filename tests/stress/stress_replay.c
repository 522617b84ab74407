/* Threads bring the same tickets in the same order: each is admitted to exactly one of them. */
#include <string.h>

#include "base/random.h"
#include "stress.h"
#include "tls/replay.h"

enum { TICKETS = 20000 };

static struct replay_guard *guard;
static _Atomic unsigned admitted; /* written by all threads, read at the end */

static void *work(void *index)
{
    struct random random = {.state = 1};
    uint8_t digest[REPLAY_DIGEST_BYTES];
    unsigned mine = 0;

    (void)index;
    for (int i = 0; i < TICKETS; i++) {
        random_fill(&random, digest, sizeof digest);
        mine += replay_guard_admit(guard, digest, 1);
    }
    admitted += mine;
    return NULL;
}

int main(void)
{
    guard = replay_guard_new(0, NULL);
    CHECK(guard != NULL);
    stress_run(work);
    CHECK(admitted == TICKETS);
    replay_guard_free(guard);
    return 0;
}
