/* A connection, as services and drivers see it: the public face of the data path
 *
 *     accept or connect -> handshake -> decrypt -> serve -> encrypt -> send -> close
 *
 * Every call is made on the connection's own worker thread, usually from a service's callback. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slab.h"
#include "conn/fragment.h"
#include "conn/held.h"
#include "conn/service.h"
#include "ring/wheel.h"
#include "tls/engine.h"

struct reactor;

enum conn_state {
    CONN_FREE,
    CONN_CONNECTING, /* client: connect(2) under way */
    CONN_HANDSHAKING,
    CONN_OPEN,
    CONN_CLOSING, /* no more plaintext either way: queued output is sent, then the peer's end
                     awaited */
    CONN_CLOSED,  /* requests cancelled; waiting for the kernel's last completions */
};

enum conn_end {
    CONN_END_NONE,      /* still going */
    CONN_END_CLEAN,     /* close_notify, or the end that the service asked for */
    CONN_END_TRUNCATED, /* end of stream without close_notify (RFC 8446 6.1) */
    CONN_END_RESET,     /* ECONNRESET, EPIPE and other socket errors: see os_error */
    CONN_END_CONNECT,   /* connect(2) failed: see os_error */
    CONN_END_TLS,       /* see failure */
    CONN_END_TIMEOUT_CONNECT,
    CONN_END_TIMEOUT_HANDSHAKE,
    CONN_END_TIMEOUT_IDLE,
    CONN_END_TIMEOUT_WRITE,
    CONN_END_DRAIN,    /* the drain deadline passed */
    CONN_END_OVERFLOW, /* no room in what the reactor may buffer, and its peer takes nothing */
    CONN_END_LOCAL,    /* conn_abort() by the service, or the reactor was stopped */
    CONN_END_MEMORY,
    CONN_END_COUNT,
};

const char *conn_end_name(enum conn_end end); /* "truncated", "timeout_idle" ... */
struct conn;
/* Why a connection ended, in words: OpenSSL's, the system's, or ours. Lives as long as the
 * connection. */
const char *conn_end_reason(const struct conn *conn);

enum {
    CONN_SERVICE_BYTES = 128, /* room for a service's own state in each connection, zeroed */

    /* Output queued beyond HIGH stops reading from the peer; at LOW it starts again. HIGH can be
     * set (reactor_options.output_bytes_max). */
    CONN_OUTPUT_HIGH_BYTES = 128 * 1024,
    CONN_OUTPUT_LOW_BYTES = 32 * 1024,
    CONN_OUTPUT_HIGH_BYTES_MIN = 16 * 1024, /* a record */
};

struct conn {
    struct reactor *reactor;
    const struct service *service;
    const void *service_config; /* of the listener, or of whoever connected */
    struct tls_engine engine;
    struct slab_queue output;         /* wire bytes to send */
    struct slab_queue unwritten;      /* plaintext that the engine cannot encrypt yet */
    struct tls_context *context;      /* what the engine was made with, referenced */
    struct tls_context *name_context; /* what the server name led to, referenced; or NULL */
    uint64_t started_ns;              /* accepted, or connect(2) prepared */
    uint64_t connected_ns;            /* TCP established */
    uint64_t hello_ns;                /* client: the ServerHello was about to be read; 0 before */
    uint64_t secure_ns;               /* handshake complete; 0 before */
    uint64_t ticket_ns;               /* client: the first session ticket was read; 0 before */
    uint64_t plain_bytes_in, plain_bytes_out;
    uint64_t wire_bytes_in, wire_bytes_out;
    struct tls_failure_detail *failure; /* for CONN_END_TLS; owned by the connection */
    uint32_t slot;                      /* index in the worker's table */
    uint32_t generation;                /* moves each time the slot is freed */
    int descriptor;
    int os_error; /* errno behind CONN_END_CONNECT or CONN_END_RESET */
    enum conn_state state;
    enum conn_end end;

    /* The rest belongs to the data path. */
    struct tls_tally tallied; /* what the counters know already */
    struct wheel_timer timer;
    uint64_t active_ns;      /* last received or sent */
    uint64_t trimmed_ns;     /* active_ns when the engine's buffers were given back */
    uint64_t renegotiate_ns; /* conn_renegotiate() waits for the peer since; 0: it does not */
    uint64_t stalled_ns;     /* output has waited for the peer since; 0: none waits */
    uint64_t source;         /* whom it counts for: sources.h; 0: nobody */
    const uint32_t *output_high_bytes; /* the reactor's; moves when memory is short */
    uint32_t free_next;                /* of a free slot: the next free slot + 1; 0: none */
    struct conn *dirty_next;           /* to be looked at when the turn ends */
    struct conn *queue_next;           /* waits for handshake work */
    struct held held;
    uint8_t *leftover; /* heap: plaintext that the service did not take yet */
    uint32_t leftover_bytes, leftover_offset;
    uint8_t operations; /* completions that the kernel still owes us */
    struct fragment_policy fragments;
    bool is_client : 1;
    bool may_idle : 1; /* no idle timeout */
    bool is_dirty : 1;
    bool is_queued : 1;
    bool is_full : 1;    /* output reached HIGH and has not come down to LOW */
    bool is_paused : 1;  /* the service took less than it was given: conn_resume_reading() */
    bool is_fed : 1;     /* the engine's input is the front of `held` */
    bool is_waiting : 1; /* the handshake waits for an answer: conn_resume() */
    bool recv_armed : 1;
    bool recv_cancelled : 1;
    bool send_in_flight : 1;
    bool input_ended : 1;   /* nothing more will be decrypted: close_notify, or a failure */
    bool peer_notified : 1; /* the peer's close_notify has come */
    bool peer_ended : 1;    /* end of the TCP stream */
    bool output_ended : 1;  /* conn_end(): close_notify is queued, the peer may go on */
    bool write_shut : 1;    /* our end of the TCP stream is sent */

    _Alignas(16) uint8_t service_state[CONN_SERVICE_BYTES];
};

/* The service's own CONN_SERVICE_BYTES, zeroed when the connection starts. */
static inline void *conn_service_state(struct conn *conn)
{
    return conn->service_state;
}

/* Encrypts and queues; sent at the end of the turn. Always takes everything: callers look at
 * conn_output_room() where they have much to say. Ignored unless the connection is open. */
void conn_write(struct conn *conn, const void *bytes, size_t count);

/* From on_connected: sends 0-RTT data, if the session that the connection resumes allows it;
 * returns how many bytes were taken. They are lost unless tls_engine_early() says at the end that
 * they were accepted: plain_bytes_out does not count them. */
size_t conn_write_early(struct conn *conn, const void *bytes, size_t count);

/* Bytes that may be written before the high-water mark; 0 means wait for on_writable. */
static inline size_t conn_output_room(const struct conn *conn)
{
    size_t queued = conn->output.bytes + conn->unwritten.bytes;

    return queued >= *conn->output_high_bytes ? 0 : *conn->output_high_bytes - queued;
}

/* Offers again what on_data did not take, and reads on. Not from on_data itself. */
void conn_resume_reading(struct conn *conn);

/* tls_engine_renegotiate(), bounded by the handshake timeout; on_renegotiated follows. */
bool conn_renegotiate(struct conn *conn, bool certificate, const char **out_reason);

/* Orderly end: what is queued is sent, then close_notify, then the descriptor is closed. */
void conn_close(struct conn *conn);

/* Half close: what is queued is sent, then close_notify and the end of our TCP stream, while the
 * peer may go on. */
void conn_end(struct conn *conn);

/* Ends at once, for the reason given: queued output is dropped. */
void conn_abort(struct conn *conn, enum conn_end end);

/* Plaintext bytes in a record from now on, 512-16384; false when out of range. */
bool conn_set_max_send_fragment(struct conn *conn, unsigned bytes);

/* Records that fit a TCP segment at first and after silence, so that the peer can use the first
 * bytes as soon as they arrive; full ones once much has been sent. */
void conn_set_dynamic_records(struct conn *conn, bool dynamic);

/* The handshake may go on: an answer has been given to conn->engine (tls_engine_answer_*(),
 * tls_engine_refuse()). */
void conn_resume(struct conn *conn);
/* Answers TLS_WANT_CONTEXT and keeps the context as long as the connection. NULL: the listener's.
 */
void conn_answer_context(struct conn *conn, struct tls_context *context);

/* Of wire_bytes_in, what has not been decrypted yet. */
uint64_t conn_unread_bytes(const struct conn *conn);

/* Moves COUNTER_MESSAGES. */
void conn_count_message(struct conn *conn, uint64_t amount);

/* From now on the idle timeout counts, where it did not. */
void conn_expect_traffic(struct conn *conn);

/* Time when the current turn began. */
uint64_t conn_now_ns(const struct conn *conn);
