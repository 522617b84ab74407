/* All threads are visited from the same few addresses: none ever has more than it may, and what was
 * taken and put back leaves the room that there was. */
#include "base/clock.h"
#include "base/random.h"
#include "conn/sources.h"
#include "ring/socket.h"
#include "stress.h"

enum { ADDRESSES = 3, CONNECTIONS_MAX = 5, HANDSHAKES_MAX = 1000, ROUNDS = 100000, SECONDS = 20 };

static struct sources *sources;
static uint64_t keys[ADDRESSES];
/* Written by all threads. */
static _Atomic unsigned open[ADDRESSES];
static _Atomic unsigned begun;
static _Atomic unsigned refused;

static void sources_open(const struct sources_options *options)
{
    sources = sources_new(options, NULL);
    CHECK(sources != NULL);
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        const struct socket_address address = {
            .in = {.sin_family = AF_INET, .sin_addr.s_addr = 1 + i}};

        keys[i] = sources_key(sources, &address);
    }
}

static void *come_and_go(void *index)
{
    struct random random = {.state = *(size_t *)index};

    for (int round = 0; round < ROUNDS; round++) {
        size_t which = random_below(&random, ADDRESSES);
        unsigned taken = 0;

        while (taken < 3 && sources_take(sources, keys[which], true, 0) == SOURCES_GOOD) {
            CHECK(++open[which] <= CONNECTIONS_MAX);
            taken++;
        }
        refused += taken < 3;
        while (taken > 0) {
            open[which]--;
            sources_put(sources, keys[which]);
            taken--;
        }
    }
    return NULL;
}

/* The threads' clocks are not the same: what one begins in an earlier second than that of the
 * others counts in theirs. */
static void *begin_handshakes(void *index)
{
    (void)index;
    for (uint64_t second = 1; second <= SECONDS; second++) {
        for (int i = 0; i < 2 * HANDSHAKES_MAX; i++) {
            begun += sources_take(sources, keys[0], true, second * NS_PER_S) == SOURCES_GOOD;
        }
    }
    return NULL;
}

int main(void)
{
    sources_open(&(struct sources_options){.connections_max = CONNECTIONS_MAX});
    stress_run(come_and_go);
    CHECK(refused > 0);
    for (int i = 0; i < ADDRESSES; i++) {
        for (int taken = 0; taken < CONNECTIONS_MAX; taken++) {
            CHECK(sources_take(sources, keys[i], true, 0) == SOURCES_GOOD);
        }
        CHECK(sources_take(sources, keys[i], true, 0) == SOURCES_CONNECTIONS);
    }
    sources_free(sources);
    sources_open(&(struct sources_options){.handshakes_max = HANDSHAKES_MAX});
    stress_run(begin_handshakes);
    /* Each thread may be between two rows when the second turns, or when the limit is reached. */
    CHECK(begun <= SECONDS * (HANDSHAKES_MAX + STRESS_THREADS));
    CHECK(begun >= SECONDS * (HANDSHAKES_MAX - STRESS_THREADS));
    sources_free(sources);
    return 0;
}
