#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn/path.h"

/* What is counted for each end (COUNTER_COUNT: nothing), and what is said of it to people when
 * there is nothing better to say. */
static const struct {
    const char *name;
    enum counter counter;
    const char *reason;
} ends[CONN_END_COUNT] = {
    [CONN_END_NONE] = {"none", COUNTER_COUNT, "not ended"},
    [CONN_END_CLEAN] = {"clean", COUNTER_CLOSED_CLEAN, "ended by this side"},
    [CONN_END_TRUNCATED] = {"truncated", COUNTER_CLOSED_TRUNCATED,
                            "the peer went away without close_notify"},
    [CONN_END_RESET] = {"reset", COUNTER_CLOSED_RESET, "connection reset"},
    [CONN_END_CONNECT] = {"connect", COUNTER_COUNT, "cannot connect"},
    [CONN_END_TLS] = {"tls", COUNTER_COUNT, "out of memory"}, /* its detail had no room */
    [CONN_END_TIMEOUT_CONNECT] = {"timeout_connect", COUNTER_TIMEOUTS_HANDSHAKE,
                                  "connecting took too long"},
    [CONN_END_TIMEOUT_HANDSHAKE] = {"timeout_handshake", COUNTER_TIMEOUTS_HANDSHAKE,
                                    "the handshake took too long"},
    [CONN_END_TIMEOUT_IDLE] = {"timeout_idle", COUNTER_TIMEOUTS_IDLE, "silent for too long"},
    [CONN_END_TIMEOUT_WRITE] = {"timeout_write", COUNTER_TIMEOUTS_WRITE, "the peer takes no data"},
    [CONN_END_DRAIN] = {"drain", COUNTER_TIMEOUTS_DRAIN, "the server closed"},
    [CONN_END_OVERFLOW] = {"overflow", COUNTER_CLOSED_OVERFLOW,
                           "too much waited for connections to take"},
    [CONN_END_LOCAL] = {"local", COUNTER_COUNT, "ended by this side"},
    [CONN_END_MEMORY] = {"memory", COUNTER_COUNT, "out of memory"},
};

const char *conn_end_name(enum conn_end end)
{
    return ends[end].name;
}

const char *conn_end_reason(const struct conn *conn)
{
    if (conn->end == CONN_END_TLS && conn->failure) {
        return conn->failure->reason;
    }
    if ((conn->end == CONN_END_RESET || conn->end == CONN_END_CONNECT) && conn->os_error > 0) {
        return strerrordesc_np(conn->os_error);
    }
    return ends[conn->end].reason;
}

/* The one place where a connection learns why it ends; a handshake that was under way has failed.
 */
static void close_decide(struct conn *conn, enum conn_end end)
{
    struct counters *counters = conn->reactor->counters;

    if (conn->end == CONN_END_NONE) {
        conn->end = end;
    }
    if (conn->state != CONN_HANDSHAKING) {
        return;
    }
    if (!conn->is_client && conn->reactor->events.on_failed) {
        conn->reactor->events.on_failed(conn->reactor->owner, conn);
    }
    counters_decrement(counters, COUNTER_HANDSHAKES_IN_PROGRESS);
    switch (conn->end) {
    case CONN_END_TLS:
        counters_increment(counters,
                           COUNTER_HANDSHAKE_FAILED_PROTOCOL +
                               (conn->failure ? conn->failure->kind : TLS_FAILURE_INTERNAL));
        break;
    case CONN_END_TIMEOUT_HANDSHAKE:
        counters_increment(counters, COUNTER_HANDSHAKE_FAILED_TIMEOUT);
        break;
    default:
        counters_increment(counters, COUNTER_HANDSHAKE_FAILED_CLOSED);
        break;
    }
}

void close_begin(struct conn *conn, enum conn_end end)
{
    if (conn->state == CONN_CLOSING || conn->state == CONN_CLOSED) {
        return;
    }
    if (conn->state == CONN_CONNECTING) {
        conn_abort(conn, end);
        return;
    }
    close_decide(conn, end);
    if (conn->end != CONN_END_TLS) {
        tls_engine_close(&conn->engine);
        reactor_tally(conn);
    }
    conn->state = CONN_CLOSING;
    conn->input_ended = true;
    timeout_start(conn);
    send_mark(conn);
}

void close_fail(struct conn *conn, const struct tls_failure_detail *failure)
{
    if (!conn->failure) {
        conn->failure = malloc(sizeof *conn->failure);
    }
    if (conn->failure) {
        *conn->failure = *failure;
    }
    close_begin(conn, CONN_END_TLS); /* the alert is in the output queue already */
}

void conn_close(struct conn *conn)
{
    close_begin(conn, CONN_END_CLEAN);
}

void conn_end(struct conn *conn)
{
    if (conn->state != CONN_OPEN || conn->output_ended) {
        return;
    }
    conn->output_ended = true;
    tls_engine_close(&conn->engine);
    reactor_tally(conn);
    send_mark(conn);
}

void conn_abort(struct conn *conn, enum conn_end end)
{
    if (conn->state == CONN_CLOSED) {
        return;
    }
    close_decide(conn, end);
    close_now(conn);
}

void close_write(struct conn *conn)
{
    if (!conn->write_shut) {
        shutdown(conn->descriptor, SHUT_WR);
        conn->write_shut = true;
        conn->active_ns = conn->reactor->now_ns;
        timeout_start(conn);
    }
}

void close_flushed(struct conn *conn)
{
    if (conn->peer_ended || conn->peer_notified) {
        close_now(conn);
    } else {
        /* Closing with unread input would reset the connection and could take our last bytes with
         * it (RFC 1122 4.2.2.13): send our end, and read until the peer's. */
        close_write(conn);
    }
}

void close_now(struct conn *conn)
{
    struct ring *ring = &conn->reactor->ring;
    const struct op ignored = {.kind = OP_IGNORE};

    if (conn->state == CONN_CONNECTING) {
        ring_cancel(ring, conn_op(conn, OP_CONNECT), ignored);
    }
    if (conn->recv_armed && !conn->recv_cancelled) {
        conn->recv_cancelled = true;
        ring_cancel(ring, conn_op(conn, OP_RECV), ignored);
    }
    if (conn->send_in_flight) {
        ring_cancel(ring, conn_op(conn, OP_SEND), ignored);
    }
    conn->state = CONN_CLOSED;
    conn->input_ended = true;
    wheel_cancel(&conn->reactor->wheel, &conn->timer);
    send_mark(conn);
}

void close_release(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;

    assert(conn->operations == 0 && !conn->is_dirty && !conn->is_queued);
    if (ends[conn->end].counter != COUNTER_COUNT) {
        counters_increment(reactor->counters, ends[conn->end].counter);
    }
    close(conn->descriptor);
    if (conn->service->on_closed) {
        conn->service->on_closed(conn);
    }
    receive_clear(conn);
    tls_engine_deinit(&conn->engine);
    slab_queue_clear(&conn->output);
    slab_queue_clear(&conn->unwritten);
    free(conn->failure);
    reactor_put(conn);
    accept_retry(reactor);
}
