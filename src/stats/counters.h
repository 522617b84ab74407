/* One block of counters for each worker: written by that worker alone, read by anyone at any time.
 * The table in counters.c gives each counter its published name; adding one is one row there. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/histogram.h"

enum counter {
    COUNTER_ACCEPTS,
    COUNTER_ACCEPT_ERRORS, /* accept(2) failed, out of descriptors for instance */
    COUNTER_REFUSED,       /* beyond --max-connections, or draining; the other limits follow */
    COUNTER_REFUSED_HANDSHAKES,
    COUNTER_REFUSED_ADDRESS_CONNECTIONS,
    COUNTER_REFUSED_ADDRESS_HANDSHAKES,
    COUNTER_REFUSED_BUFFERS,
    COUNTER_CONNECTS,
    COUNTER_HANDSHAKES_FULL,
    COUNTER_HANDSHAKES_TICKET,         /* resumed from a ticket, or a TLS 1.3 PSK */
    COUNTER_HANDSHAKES_ID,             /* resumed by TLS 1.2 session ID */
    COUNTER_HANDSHAKE_FAILED_PROTOCOL, /* one for each enum tls_failure, in its order */
    COUNTER_HANDSHAKE_FAILED_VERSION,
    COUNTER_HANDSHAKE_FAILED_NO_SHARED,
    COUNTER_HANDSHAKE_FAILED_NOT_TLS,
    COUNTER_HANDSHAKE_FAILED_CERTIFICATE,
    COUNTER_HANDSHAKE_FAILED_ALERT,
    COUNTER_HANDSHAKE_FAILED_CORRUPT,
    COUNTER_HANDSHAKE_FAILED_INTERNAL,
    COUNTER_HANDSHAKE_FAILED_CLOSED, /* the peer closed or reset before it finished */
    COUNTER_HANDSHAKE_FAILED_TIMEOUT,
    COUNTER_TLS_ERRORS,             /* after the handshake */
    COUNTER_CONNECTIONS_OPEN,       /* gauge: between accept or connect and close */
    COUNTER_CONNECTIONS_PEAK,       /* gauge */
    COUNTER_HANDSHAKES_IN_PROGRESS, /* gauge */
    COUNTER_CLOSED_CLEAN,           /* close_notify from both or orderly end */
    COUNTER_CLOSED_TRUNCATED,       /* end of stream without close_notify */
    COUNTER_CLOSED_RESET,
    COUNTER_CLOSED_OVERFLOW,      /* beyond --max-buffers */
    COUNTER_CLOSED_EMPTY_RECORDS, /* beyond --max-empty-records; among the TLS errors too */
    COUNTER_TIMEOUTS_HANDSHAKE,
    COUNTER_TIMEOUTS_IDLE,
    COUNTER_TIMEOUTS_WRITE,
    COUNTER_TIMEOUTS_DRAIN,
    COUNTER_RECORDS_IN,
    COUNTER_RECORDS_OUT,
    COUNTER_RECORDS_DIRECT, /* of both, by the direct record layer */
    COUNTER_PLAIN_BYTES_IN,
    COUNTER_PLAIN_BYTES_OUT,
    COUNTER_WIRE_BYTES_IN,
    COUNTER_WIRE_BYTES_OUT,
    COUNTER_MESSAGES, /* requests answered (http, rr), reads echoed or discarded */
    COUNTER_TICKETS_ISSUED,
    COUNTER_TICKETS_ACCEPTED,
    COUNTER_TICKETS_RENEWED,  /* accepted under a previous key, so a new one was sent */
    COUNTER_TICKETS_REJECTED, /* unknown key or bad MAC: full handshake instead */
    COUNTER_TICKET_KEY_ROTATIONS,
    COUNTER_EARLY_BYTES, /* 0-RTT plaintext taken */
    COUNTER_EARLY_ACCEPTED,
    COUNTER_EARLY_REJECTED, /* the client sent it again after the handshake */
    COUNTER_RENEGOTIATIONS, /* started by peers, KeyUpdates included */
    COUNTER_SENDS,
    COUNTER_RECVS,
    COUNTER_RECV_PARKS,  /* -ENOBUFS: no provided buffer was free */
    COUNTER_RECV_PAUSES, /* back-pressure stopped reading */
    COUNTER_ENTERS,      /* io_uring_enter(2) calls */
    COUNTER_COMPLETIONS,
    COUNTER_COMPLETIONS_STALE, /* of a connection that had ended: dropped */
    COUNTER_COUNT,
};

struct counters {
    _Alignas(64) _Atomic uint64_t values[COUNTER_COUNT]; /* writer: the worker; readers: anyone */
    struct histogram handshake_full; /* first byte accepted to handshake complete, ns */
    struct histogram handshake_resumed;
};

enum counter_kind { COUNTER_KIND_TOTAL, COUNTER_KIND_GAUGE };

struct counter_info {
    const char *name; /* as in /stats; Prometheus adds tlsdyno_ and _total */
    const char *help;
    enum counter_kind kind;
    const char *label; /* NULL, or "reason", "kind": rows that share a name, one after another */
    const char *label_value;
};

extern const struct counter_info counter_infos[COUNTER_COUNT];

static inline void counters_add(struct counters *counters, enum counter which, uint64_t amount)
{
    /* One writer: a plain load and store, no locked instruction. */
    uint64_t value = atomic_load_explicit(&counters->values[which], memory_order_relaxed);

    atomic_store_explicit(&counters->values[which], value + amount, memory_order_relaxed);
}

static inline void counters_increment(struct counters *counters, enum counter which)
{
    counters_add(counters, which, 1);
}

static inline void counters_decrement(struct counters *counters, enum counter which)
{
    counters_add(counters, which, UINT64_MAX);
}

static inline uint64_t counters_get(const struct counters *counters, enum counter which)
{
    return atomic_load_explicit(&counters->values[which], memory_order_relaxed);
}
