/* Faults by plan, for tests: what the kernel may do and seldom does, done often. Compiled into test
 * programs alone (TLSDYNO_FAULTS); without that each hook is an inline nothing, and no trace of it
 * is left. A plan and its seed decide what happens to the next ring that its thread opens. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ring/ring.h"

/* The gentle ones, up to FAULT_LATE, no connection may notice; the others end it or refuse it. */
enum fault {
    FAULT_RECV_SHORT,  /* a buffer is provided with room for a few bytes only */
    FAULT_RECV_STOP,   /* a multishot receive ends: -ENOBUFS, -ECANCELED or -EINTR */
    FAULT_RECV_LAST,   /* it ends with bytes, and says so in the completion that brings them */
    FAULT_SEND_SHORT,  /* fewer bytes are sent than were asked for */
    FAULT_ACCEPT_FAIL, /* -EMFILE, -ENFILE, -ENOMEM ...: the connection stays in the queue */
    FAULT_ENTER_FAIL,  /* io_uring_enter(2) fails, and nothing is submitted */
    FAULT_STALE,       /* a completion comes that belongs to the slot's previous connection */
    FAULT_LATE,        /* a completion comes some turns later */
    FAULT_RECV_FAIL,   /* -ECONNRESET, -ETIMEDOUT, -ENOMEM ...: bytes may come with it, unusable */
    FAULT_SEND_FAIL,   /* -EPIPE, -ECONNRESET ...: none of the bytes is sent */
    FAULT_CONNECT_FAIL,
    FAULT_COUNT,
};

struct fault_plan {
    uint64_t seed;
    uint16_t per_mille[FAULT_COUNT];
    /* Small ones are full often; 0: RING_ENTRIES, RING_COMPLETIONS. */
    uint32_t entries, completions;
};

typedef bool fault_take(struct ring *ring, struct ring_completion *out);

/* For the calling thread's next ring; NULL: none. A ring that no plan was made for follows the
 * environment's TLSDYNO_FAULTS: "seed=1,recv-short=50,late=5". */
void fault_plan(const struct fault_plan *plan);
/* How often each happened to the thread's ring. */
uint64_t fault_happened(enum fault fault);
/* Completions are kept back for later turns: do not wait for the kernel. */
bool fault_pending(void);

#ifdef TLSDYNO_FAULTS

/* The hooks. */
void fault_open(uint32_t *entries, uint32_t *completions);
void fault_close(void);
/* The result of an enter that fails, or 0; shortens the wait while completions are kept back. */
int fault_turn(uint64_t *wait_ns);
int fault_enter(void); /* likewise, for one that only submits */
bool fault_next(struct ring *ring, fault_take *take, struct ring_completion *out);
/* True: the request was dealt with and must not be made. */
bool fault_request(struct op op);
bool fault_send(struct op op, uint32_t *count);
bool fault_sendmsg(struct ring *ring, int descriptor, const struct msghdr *message, struct op op);
/* A buffer goes to the kernel, which must not have it; returns the room to offer. */
uint32_t fault_buffer(uint16_t index, uint32_t bytes);

#else

static inline void fault_open(uint32_t *entries, uint32_t *completions)
{
    (void)entries;
    (void)completions;
}

static inline void fault_close(void)
{
}

static inline int fault_turn(uint64_t *wait_ns)
{
    (void)wait_ns;
    return 0;
}

static inline int fault_enter(void)
{
    return 0;
}

static inline bool fault_next(struct ring *ring, fault_take *take, struct ring_completion *out)
{
    return take(ring, out);
}

static inline bool fault_request(struct op op)
{
    (void)op;
    return false;
}

static inline bool fault_send(struct op op, uint32_t *count)
{
    (void)op;
    (void)count;
    return false;
}

static inline bool fault_sendmsg(struct ring *ring, int descriptor, const struct msghdr *message,
                                 struct op op)
{
    (void)ring;
    (void)descriptor;
    (void)message;
    (void)op;
    return false;
}

static inline uint32_t fault_buffer(uint16_t index, uint32_t bytes)
{
    (void)index;
    return bytes;
}

#endif
