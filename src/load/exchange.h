/* Requests under way on one connection: when each was begun, answers coming in their order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_client;

struct exchange_times {
    uint64_t intended_ns; /* by the schedule of an open loop; else when it was begun */
    uint64_t begun_ns;
};

struct exchange {
    struct exchange_times *times; /* ring of plan->depth, owned by the thread */
    uint32_t head;                /* of the request that is answered next */
    uint32_t count;               /* under way */
    uint64_t begun;               /* requests since the connection opened */
    uint64_t answered;            /* answers likewise */
    uint64_t begun_max;           /* on this connection, as the plan has it */
};

/* A new connection: nothing is under way. */
void exchange_reset(struct load_client *client);

/* Begins a request if the depth, the stage, the plan's count and the schedule allow another. */
bool exchange_begin(struct load_client *client);

/* Before the handshake: begins the connection's first request, if it can go as early data. */
bool exchange_begin_early(struct load_client *client);
/* After it: how many of client->early_bytes the server took; the rest goes the usual way. */
size_t exchange_early_taken(struct load_client *client);

/* Nothing is under way, and the plan needs no more of this connection. */
bool exchange_is_over(const struct load_client *client);

/* The client's timer, which an open loop or an idle client starts with a request: the answer is
 * overdue. (In a closed loop something is always under way, and the idle timeout of the data path
 * does.) */
void exchange_timed_out(struct load_client *client);

/* The first byte of the next answer is here. */
void exchange_first_byte(struct load_client *client);

/* The next answer is complete and right. */
void exchange_answered(struct load_client *client);

/* The connection has ended: what was under way never will be answered. */
void exchange_forget(struct load_client *client);
