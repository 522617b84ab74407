/* The steps of the data path, one a file, as they call each other. Private to this folder. */
#pragma once

#include "conn/conn.h"
#include "conn/reactor.h"
#include "ring/ring.h"

/* What a timer of the wheel is embedded in (wheel_timer.kind). */
enum path_timer { PATH_TIMER_CONN, PATH_TIMER_LISTENER, PATH_TIMER_OWNER };

static inline struct op conn_op(const struct conn *conn, enum op_kind kind)
{
    return (struct op){.kind = kind, .slot = conn->slot, .generation = conn->generation};
}

/* accept.c */
void accept_arm(struct reactor *reactor, uint32_t listener_index);
void accept_completed(struct reactor *reactor, const struct ring_completion *completion);
void accept_retry(struct reactor *reactor); /* a descriptor was freed */
void accept_timer_fired(struct reactor *reactor, struct reactor_listener *listener);
/* What has come is still served. Returns for how long there may be more. */
uint64_t accept_drain(struct reactor *reactor);
void accept_stop(struct reactor *reactor); /* nothing is any more */
bool accept_is_over(const struct reactor *reactor);

/* connect.c */
void connect_completed(struct conn *conn, const struct ring_completion *completion);

/* handshake.c */
void handshake_begin(struct conn *conn);      /* the descriptor is connected */
void handshake_queue(struct conn *conn);      /* there is input for it, or its end */
void handshake_work(struct reactor *reactor); /* as much as is fair in this turn */
void handshake_owe(struct reactor *reactor, uint64_t taken_ns); /* time that new connections took */

/* renegotiate.c */
void renegotiate_settle(struct conn *conn); /* tells the service when it is complete */

/* reactor.c */
void drain_tell(struct conn *conn); /* its service, that the reactor drains */

/* receive.c: from completion to plaintext */
void receive_completed(struct conn *conn, const struct ring_completion *completion);
void receive_arm(struct conn *conn);   /* if it should be and is not */
bool receive_feed(struct conn *conn);  /* false: no more input now */
void receive_serve(struct conn *conn); /* decrypts and serves what has come */
void receive_clear(struct conn *conn); /* drops what was not decrypted */

/* send.c */
void send_mark(struct conn *conn);        /* look at it when the turn ends */
void send_flush(struct reactor *reactor); /* the end of the turn */
void send_unwritten(struct conn *conn);   /* what the engine could not encrypt before */
void send_completed(struct conn *conn, const struct ring_completion *completion);

/* close.c */
void close_begin(struct conn *conn, enum conn_end end); /* sends what is queued, then ends */
void close_fail(struct conn *conn, const struct tls_failure_detail *failure);
void close_write(struct conn *conn);   /* the end of our TCP stream */
void close_flushed(struct conn *conn); /* closing, and everything is sent */
void close_now(struct conn *conn);     /* cancels what is under way */
void close_release(struct conn *conn); /* the last step: the slot is free again */

/* timeout.c */
void timeout_start(struct conn *conn); /* for the state that it is in */
void timeout_fired(struct conn *conn);

/* pressure.c: what all connections together may hold */
bool pressure_is_full(const struct reactor *reactor);
void pressure_settle(struct reactor *reactor);            /* once a turn */
uint64_t pressure_wait_ns(const struct reactor *reactor); /* until the next turn at most */
void pressure_end(struct conn *conn);                     /* there is no room for what it needs */

/* reactor.c */
struct conn *reactor_take(struct reactor *reactor); /* a counted connection, or NULL at a limit */
void reactor_put(struct conn *conn);
