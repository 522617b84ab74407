/* The reactor: one thread's ring, timers, buffers and connections, and the loop that moves them.
 * The server's workers and the load generator's threads each own one. Nothing in it is shared;
 * everything is called on the reactor's own thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "conn/conn.h"
#include "conn/table.h"
#include "ring/buffers.h"
#include "ring/mailbox.h"
#include "ring/ring.h"
#include "ring/socket.h"
#include "ring/wheel.h"
#include "stats/counters.h"
#include "tls/context.h"

struct error;
struct sources;

enum {
    REACTOR_LISTENERS_MAX = 16,
    REACTOR_VECTORS = 64,     /* sends of several slabs in one turn; more go slab by slab */
    REACTOR_VECTOR_SPANS = 8, /* a full output queue and a bit */
    REACTOR_SLABS_KEPT = 1024,
};

/* A bound on the connections of several reactors together. Writers: their threads, at each
 * connection's start and end. */
struct reactor_limit {
    _Atomic uint32_t open;
    uint32_t open_max;
};

struct reactor_options {
    uint32_t connections_max;      /* of this reactor */
    uint32_t completions;          /* of its ring: ring_open() */
    struct reactor_limit *limit;   /* shared, borrowed; NULL: none */
    struct sources *sources;       /* shared, borrowed: limits by address; NULL: none */
    uint32_t handshakes_max;       /* under way here; 0: any number */
    uint32_t output_bytes_max;     /* queued for one connection; 0: CONN_OUTPUT_HIGH_BYTES */
    uint64_t buffer_bytes_max;     /* held here for all connections: pressure.c; 0: any */
    uint64_t handshake_timeout_ns; /* connect, and handshake; 0: none, as for the next two */
    uint64_t idle_timeout_ns;      /* nothing received and nothing sent for so long */
    uint64_t write_timeout_ns;     /* output waits and the peer took none of it for so long */
    uint64_t linger_timeout_ns;    /* for the peer's end after ours is sent; 0: 2 s */
};

/* What becomes of a listening socket when the reactor drains. */
enum reactor_farewell {
    /* Its queue is served and it is shut down: later clients are refused. */
    REACTOR_SHUTS,
    /* It stays as it is, with its queue, for the process that lent it (socket activation). */
    REACTOR_LEAVES,
    /* As the first, but only once it has answered no new client for a moment, so that no handshake
     * of TCP is under way: another server has the address too, and nobody is to be refused. */
    REACTOR_HANDS_OVER,
};

struct reactor_listen_options {
    struct tls_context *context; /* referenced; NULL: plain TCP */
    const struct service *service;
    const void *service_config;
    unsigned asks; /* a bit (1 << enum tls_want) for each that on_want answers */
    bool dynamic_records;
    enum reactor_farewell farewell;
};

struct reactor_listener {
    int descriptor; /* borrowed */
    struct reactor_listen_options options;
    struct wheel_timer retry; /* after EMFILE and the like; draining: the end of the hand-over */
    bool armed;
};

/* What the reactor's owner wants to hear; any may be NULL. */
struct reactor_events {
    /* The handshake of an accepted connection waits: answer now, or later on this thread, with
     * conn_answer_context() or tls_engine_answer_*(), and then conn_resume(). */
    void (*on_want)(void *owner, struct conn *conn, enum tls_want want);
    /* An accepted connection has ended before it was secure: conn->end, failure and os_error say
     * why. Its descriptor is still open, for the peer's address. */
    void (*on_failed)(void *owner, const struct conn *conn);
    void (*on_turn)(void *owner, uint64_t now_ns); /* once a turn, after the completions */
    /* Before each wait: when the owner wants the next turn at the latest; the wheel, whose ticks
     * are long, cannot tell. UINT64_MAX: whenever something happens. */
    uint64_t (*on_wait)(void *owner);
    void (*on_timer)(void *owner, struct wheel_timer *timer); /* one of the owner's own */
};

/* One sendmsg(2) argument; it stays until ring_is_submitted(). */
struct reactor_vector {
    struct msghdr message;
    struct iovec spans[REACTOR_VECTOR_SPANS];
};

struct reactor {
    struct ring ring;
    struct mailbox mailbox; /* other threads' work for this one */
    struct ring_buffers buffers;
    struct wheel wheel;
    struct conn_table table;
    struct slab_pool slabs;
    struct counters *counters; /* borrowed; this thread is its writer */
    struct reactor_options options;
    struct reactor_events events;
    void *owner;
    struct reactor_listener listeners[REACTOR_LISTENERS_MAX];
    uint32_t listener_count;
    uint64_t now_ns; /* read once a turn */
    bool draining;   /* accepts no more than has come already */
    bool stopping;   /* starts no more connections of either kind */
    bool leaving;    /* reactor_run() returns when the last connection is gone */

    uint64_t leftover_bytes;    /* of conn.leftover, in total */
    uint32_t output_high_bytes; /* of each connection, now */
    uint64_t stall_patience_ns; /* pressure.c; UINT64_MAX: memory is not short */
    uint32_t pressure_slot;     /* the next to look at when memory is short */

    struct conn *dirty;                           /* to be looked at when the turn ends */
    struct conn *handshake_head, *handshake_tail; /* wait for handshake work */
    uint64_t open_work_ns;          /* this turn's, for connections whose plaintext moved; or 0 */
    uint64_t accept_ns;             /* this turn's, for new connections */
    uint64_t served_ns;             /* when plaintext moved last */
    uint64_t handshake_debt_ns;     /* what handshakes have had more than the open connections */
    uint8_t *scratch;               /* one record's plaintext */
    struct reactor_vector *vectors; /* REACTOR_VECTORS, reused each turn */
    uint32_t vector_count;
};

/* Must be called on the thread that will run the reactor: the ring belongs to it. Returns 0, or -1
 * and a sentence. */
int reactor_init(struct reactor *reactor, const struct reactor_options *options,
                 const struct reactor_events *events, void *owner, struct counters *counters,
                 struct error *error);
/* All connections must be gone. */
void reactor_deinit(struct reactor *reactor);

/* Accepts connections from a listening descriptor. Returns false when there are
 * REACTOR_LISTENERS_MAX already. */
bool reactor_listen(struct reactor *reactor, int descriptor,
                    const struct reactor_listen_options *options);

/* Connections accepted from now on use this context, and ask for this, instead. */
void reactor_replace_context(struct reactor *reactor, uint32_t listener_index,
                             struct tls_context *context, unsigned asks);

struct reactor_connect_options {
    struct tls_context *context; /* NULL: plain TCP */
    const struct service *service;
    const void *service_config;
    struct tls_engine_options engine;
    const struct socket_address *source; /* TCP: where to connect from; NULL: the kernel's choice */
    bool dynamic_records;
    bool may_idle; /* no idle timeout, until conn_expect_traffic() */
};

/* Starts a connection to `address`, which must stay until on_open or on_closed. Its service hears
 * on_open or on_closed, never before this returns. NULL, with errno set, when the table is full or
 * the reactor stops (ENOSPC), or no socket can be had (EMFILE and the like). */
struct conn *reactor_connect(struct reactor *reactor, const struct socket_address *address,
                             const struct reactor_connect_options *options);

/* Makes a connection of an open TCP or Unix stream socket, in either role; the descriptor is then
 * the connection's. NULL, with errno set and the descriptor untouched, as above. */
struct conn *reactor_wrap(struct reactor *reactor, int descriptor, bool is_client,
                          const struct reactor_connect_options *options);

/* Turns until told to leave and the last connection is gone. */
void reactor_run(struct reactor *reactor);

/* Accepts only what the listeners' queues hold already (enum reactor_farewell) and tells every open
 * connection's service (on_drain). Returns for how long listeners that hand over go on. */
uint64_t reactor_drain(struct reactor *reactor);

/* Ends all connections at once, starts no more, and leaves. */
void reactor_stop(struct reactor *reactor, enum conn_end end);

/* reactor_run() returns as soon as no connection is left. */
void reactor_leave_when_empty(struct reactor *reactor);

/* What the connection's engine has counted goes into the counters: they lag behind while a service
 * is called. */
void reactor_tally(struct conn *conn);

/* A timer of the owner's, which fires on_timer; starting it again moves it. */
void reactor_timer_start(struct reactor *reactor, struct wheel_timer *timer, uint64_t deadline_ns);
void reactor_timer_cancel(struct reactor *reactor, struct wheel_timer *timer);
