/* One schedule: a reactor that talks to itself while its kernel fails by plan, and the books of
 * what happened. One thread, one schedule at a time; the clock is virtual. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/payload.h"
#include "base/random.h"
#include "conn/reactor.h"
#include "ring/fault.h"

/* Ends the program and names the seed. */
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define SIM_CHECK(condition, ...) ((condition) ? (void)0 : sim_fail(__VA_ARGS__))

struct world {
    uint64_t seed;
    struct random random; /* the peers' whims */
    struct fault_plan plan;
    bool gentle; /* no planned fault may end a connection, and nothing else does */
    bool is_tcp;
    bool is_wild; /* peers close, abort, pause and renegotiate as they like */

    struct reactor reactor;
    struct counters counters;
    struct reactor_limit limit;
    uint32_t clients_left; /* to be started */
    uint32_t clients_open; /* started, not ended */
    uint32_t servers_open;
    uint32_t clean_clients; /* had all that they asked for */
    uint64_t turns;
};

extern struct world world;
extern struct payload sim_payload;

bool sim_chance(unsigned per_mille);

/* world.c */
void world_set_up(void); /* once a process: contexts, payload */
void world_tear_down(void);
void world_run(uint64_t seed);
void world_start_clients(void); /* as many as now fit */

/* peers.c: a client that sends payload and wants it back, and a server that echoes. */
extern const struct service sim_client, sim_server;
void peers_turn(void); /* whims between completions */

/* virtual_time.c: clock_gettime(CLOCK_MONOTONIC) and the reactor's waits. */
void virtual_time_start(void);
