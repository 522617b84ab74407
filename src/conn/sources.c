#include "conn/sources.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "ring/socket.h"

enum { ROWS = 4, CELL_BITS = 16, CELLS = 1 << CELL_BITS };

struct sources {
    struct sources_options options;
    uint64_t secret;
    /* Writers and readers: all workers. */
    _Atomic uint32_t second;
    _Atomic uint32_t open[ROWS][CELLS];
    _Atomic uint64_t begun[ROWS][CELLS]; /* the second, and how many in it, 32 bits each */
};

struct sources *sources_new(const struct sources_options *options, struct error *error)
{
    /* The pages of cells that nobody counts in are never touched. */
    struct sources *sources = calloc(1, sizeof *sources);

    if (!sources) {
        error_set(error, "no memory to count connections by address");
        return NULL;
    }
    sources->options = *options;
    if (getrandom(&sources->secret, sizeof sources->secret, 0) != sizeof sources->secret) {
        error_set(error, "no randomness to count connections by address");
        free(sources);
        return NULL;
    }
    return sources;
}

void sources_free(struct sources *sources)
{
    free(sources);
}

uint64_t sources_key(const struct sources *sources, const struct socket_address *address)
{
    uint64_t number = 0;
    uint32_t v4;

    if (address->any.sa_family == AF_INET) {
        number = address->in.sin_addr.s_addr;
    } else if (address->any.sa_family != AF_INET6) {
        return 0;
    } else if (IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr)) {
        memcpy(&v4, address->in6.sin6_addr.s6_addr + 12, sizeof v4);
        number = v4;
    } else {
        memcpy(&number, address->in6.sin6_addr.s6_addr, sizeof number);
        number = ~number; /* so that a /64 is not mistaken for an IPv4 address */
    }
    number = random_next(&(struct random){.state = number ^ sources->secret});
    return number != 0 ? number : 1;
}

static uint32_t cell_of(uint64_t key, int row)
{
    return (uint32_t)(key >> (row * CELL_BITS)) % CELLS;
}

static uint32_t least_of(uint32_t least, uint32_t count)
{
    return count < least ? count : least;
}

/* Of two workers that count in the same cells at once, one may be first in one row and the other in
 * the next. So each reads again when it has counted in all rows (and in the one order of all that
 * are sequentially consistent): who reads last sees both. At the limit both may, and be refused. */

/* Counts one more open connection; how many there are. */
static uint32_t open_count(struct sources *sources, uint64_t key)
{
    uint32_t least = UINT32_MAX;

    for (int row = 0; row < ROWS; row++) {
        atomic_fetch_add(&sources->open[row][cell_of(key, row)], 1);
    }
    for (int row = 0; row < ROWS; row++) {
        least = least_of(least, atomic_load(&sources->open[row][cell_of(key, row)]));
    }
    return least;
}

/* The one that all workers count in: their clocks move with their turns, and those that are behind
 * must not begin the old one again. */
static uint32_t second_of(struct sources *sources, uint64_t now_ns)
{
    uint32_t now = (uint32_t)(now_ns / NS_PER_S);
    uint32_t second = atomic_load(&sources->second);

    while ((int32_t)(now - second) > 0 &&
           !atomic_compare_exchange_weak(&sources->second, &second, now)) {
    }
    return (int32_t)(now - second) > 0 ? now : second;
}

/* What the cell has in this second, or in the next, which another worker has just begun. */
static uint64_t begun_now(uint64_t cell, uint32_t second)
{
    return (int32_t)((uint32_t)(cell >> 32) - second) >= 0 ? cell : (uint64_t)second << 32;
}

/* Counts one more handshake in this second; how many there are. */
static uint32_t begun_count(struct sources *sources, uint64_t key, uint64_t now_ns)
{
    uint32_t second = second_of(sources, now_ns);
    uint32_t least = UINT32_MAX;

    for (int row = 0; row < ROWS; row++) {
        _Atomic uint64_t *cell = &sources->begun[row][cell_of(key, row)];
        uint64_t before = atomic_load(cell);

        while (!atomic_compare_exchange_weak(cell, &before, begun_now(before, second) + 1)) {
        }
    }
    for (int row = 0; row < ROWS; row++) {
        least = least_of(least, (uint32_t)atomic_load(&sources->begun[row][cell_of(key, row)]));
    }
    return least;
}

enum sources_answer sources_take(struct sources *sources, uint64_t key, bool is_tls,
                                 uint64_t now_ns)
{
    const struct sources_options *options = &sources->options;

    if (key == 0) {
        return SOURCES_GOOD;
    }
    if (options->connections_max > 0 && open_count(sources, key) > options->connections_max) {
        sources_put(sources, key);
        return SOURCES_CONNECTIONS;
    }
    if (options->handshakes_max > 0 && is_tls &&
        begun_count(sources, key, now_ns) > options->handshakes_max) {
        sources_put(sources, key);
        return SOURCES_HANDSHAKES;
    }
    return SOURCES_GOOD;
}

void sources_put(struct sources *sources, uint64_t key)
{
    if (key == 0 || sources->options.connections_max == 0) {
        return;
    }
    for (int row = 0; row < ROWS; row++) {
        atomic_fetch_sub_explicit(&sources->open[row][cell_of(key, row)], 1, memory_order_relaxed);
    }
}
