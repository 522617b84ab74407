/* What a load thread counts, from its start: written by that thread alone, read by the main thread
 * at any time. The measured time's share is the difference between two readings. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum load_total {
    LOAD_TOTAL_DONE, /* what the plan's count is about: handshakes or messages */
    LOAD_TOTAL_CONNECTS,
    LOAD_TOTAL_HANDSHAKES_FULL, /* one for each enum tls_resumption, in its order */
    LOAD_TOTAL_HANDSHAKES_TICKET,
    LOAD_TOTAL_HANDSHAKES_ID,
    LOAD_TOTAL_RESUMES_OFFERED,
    LOAD_TOTAL_EARLY_ACCEPTED,
    LOAD_TOTAL_EARLY_REJECTED,
    LOAD_TOTAL_HELLO_RETRIES,
    LOAD_TOTAL_TICKETS_RECEIVED,
    LOAD_TOTAL_MESSAGES,
    LOAD_TOTAL_MESSAGES_CORRUPT,
    LOAD_TOTAL_HTTP_STATUS_OTHER,
    LOAD_TOTAL_BYTES_IN,
    LOAD_TOTAL_BYTES_OUT,
    LOAD_TOTAL_ERRORS,
    LOAD_TOTAL_REFUSED, /* of them: connections that could not be made */
    LOAD_TOTAL_DUE,     /* open loop: what the schedule has had so far */
    LOAD_TOTAL_DROPPED, /* of it: the queue was full */
    LOAD_TOTAL_SETTLED, /* clients whose first attempt has succeeded or failed */
    LOAD_TOTAL_COUNT,
};

struct load_totals {
    _Atomic uint64_t values[LOAD_TOTAL_COUNT];
};

static inline uint64_t load_totals_get(const struct load_totals *totals, enum load_total which)
{
    return atomic_load_explicit(&totals->values[which], memory_order_relaxed);
}

static inline void load_totals_add(struct load_totals *totals, enum load_total which,
                                   uint64_t amount)
{
    /* One writer: a plain load and store, no locked instruction. */
    atomic_store_explicit(&totals->values[which], load_totals_get(totals, which) + amount,
                          memory_order_relaxed);
}
