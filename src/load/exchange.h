/* Requests under way on one connection: when each was begun, answers coming in their order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct load_client;

struct exchange {
    uint64_t *begun_ns; /* ring of plan->depth times, owned by the thread */
    uint32_t head;      /* of the request that is answered next */
    uint32_t count;     /* under way */
    uint64_t begun;     /* requests since the connection opened */
    uint64_t answered;  /* answers likewise */
};

/* A new connection: nothing is under way. */
void exchange_reset(struct load_client *client);

/* Begins a request if the depth, the stage and the plan's count allow another. */
bool exchange_begin(struct load_client *client);

/* The first byte of the next answer is here. */
void exchange_first_byte(struct load_client *client);

/* The next answer is complete and right. */
void exchange_answered(struct load_client *client);

/* The connection has ended: what was under way never will be answered. */
void exchange_forget(struct load_client *client);
