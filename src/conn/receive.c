#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn/path.h"

/* A peer may send this much before its handshake has been worked on; more waits in its socket. */
enum { EARLY_BYTES_MAX = 64 * 1024 };

/* With output that the engine cannot encrypt yet, only more input helps. */
static bool receive_may_decrypt(const struct conn *conn)
{
    return (!conn->is_full && !conn->is_paused) || conn->unwritten.bytes > 0;
}

static bool receive_is_wanted(const struct conn *conn)
{
    if (conn->recv_armed || conn->peer_ended) {
        return false;
    }
    switch (conn->state) {
    case CONN_HANDSHAKING:
        return conn->held.bytes < EARLY_BYTES_MAX;
    case CONN_CLOSING: /* what comes is dropped, until the peer's end */
        return true;
    case CONN_OPEN:
        return receive_may_decrypt(conn);
    default:
        return false;
    }
}

void receive_arm(struct conn *conn)
{
    if (!receive_is_wanted(conn)) {
        return;
    }
    conn->recv_armed = true;
    conn->recv_cancelled = false;
    conn->operations++;
    ring_recv_multishot(&conn->reactor->ring, conn->descriptor, conn_op(conn, OP_RECV));
}

/* Back-pressure: the peer's bytes stay in its own socket until ours have gone out. */
static void receive_pause(struct conn *conn)
{
    if (!conn->recv_armed || conn->recv_cancelled) {
        return;
    }
    conn->recv_cancelled = true;
    counters_increment(conn->reactor->counters, COUNTER_RECV_PAUSES);
    ring_cancel(&conn->reactor->ring, conn_op(conn, OP_RECV), (struct op){.kind = OP_IGNORE});
}

static void receive_drop_leftover(struct conn *conn)
{
    if (conn->leftover) {
        conn->reactor->leftover_bytes -= conn->leftover_bytes;
        free(conn->leftover);
        conn->leftover = NULL;
    }
}

void receive_clear(struct conn *conn)
{
    tls_engine_feed(&conn->engine, NULL, 0);
    conn->is_fed = false;
    held_clear(&conn->held, &conn->reactor->buffers);
    receive_drop_leftover(conn);
}

bool receive_feed(struct conn *conn)
{
    const uint8_t *bytes;
    size_t count;

    if (conn->engine.input_bytes > 0) {
        return true;
    }
    if (conn->is_fed) {
        conn->is_fed = false;
        held_drop_front(&conn->held, &conn->reactor->buffers);
    }
    if (held_is_empty(&conn->held)) {
        return false;
    }
    bytes = held_front(&conn->held, &conn->reactor->buffers, &count);
    tls_engine_feed(&conn->engine, bytes, count);
    conn->is_fed = true;
    return true;
}

/* Buffers that stay behind after their turn are missing for everybody else: copies them when they
 * are scarce. */
static void receive_keep(struct conn *conn)
{
    struct held *held = &conn->held;
    size_t consumed = 0;
    size_t count;

    if (held->head < 0 || !buffers_scarce(&conn->reactor->buffers)) {
        return;
    }
    if (conn->is_fed) {
        held_front(held, &conn->reactor->buffers, &count);
        consumed = count - conn->engine.input_bytes;
    }
    if (pressure_is_full(conn->reactor) || !held_spill(held, &conn->reactor->buffers, consumed)) {
        pressure_end(conn);
        return;
    }
    if (conn->is_fed) {
        tls_engine_feed(&conn->engine, held->spill, held->spill_bytes);
    }
}

/* The service did not take all: it is asked again when it says so, or, with no room for its answer,
 * once the output has drained. The room may have gone without its writing, where all connections
 * together hold too much. */
static void receive_wait(struct conn *conn)
{
    if (conn_output_room(conn) > 0) {
        conn->is_paused = true;
    } else {
        conn->is_full = true;
    }
}

/* Plaintext that the service does not take now waits here; at most one record. */
static bool receive_leave_over(struct conn *conn, const uint8_t *bytes, size_t count)
{
    receive_wait(conn);
    conn->leftover = pressure_is_full(conn->reactor) ? NULL : malloc(count);
    if (!conn->leftover) {
        pressure_end(conn);
        return false;
    }
    conn->reactor->leftover_bytes += count;
    memcpy(conn->leftover, bytes, count);
    conn->leftover_bytes = (uint32_t)count;
    conn->leftover_offset = 0;
    return true;
}

/* Offers the leftover again. Returns false when some is still not taken. */
static bool receive_offer_leftover(struct conn *conn)
{
    uint32_t count = conn->leftover_bytes - conn->leftover_offset;

    conn->leftover_offset +=
        (uint32_t)conn->service->on_data(conn, conn->leftover + conn->leftover_offset, count);
    if (conn->leftover_offset < conn->leftover_bytes) {
        receive_wait(conn);
        return false;
    }
    receive_drop_leftover(conn);
    return true;
}

static void receive_end(struct conn *conn)
{
    if (conn->input_ended) {
        return;
    }
    conn->input_ended = true;
    if (conn->peer_ended && !conn->peer_notified && !tls_engine_is_plain(&conn->engine)) {
        /* A cut, not an end: what was asked for is still answered, but it never counts as clean. */
        close_begin(conn, CONN_END_TRUNCATED);
    } else if (conn->service->on_end) {
        conn->service->on_end(conn);
    } else {
        conn_close(conn);
    }
}

/* Plaintext for the service. Returns false when there is nothing more to do now. */
static bool receive_plain(struct conn *conn, const uint8_t *plain, size_t count)
{
    size_t taken;

    conn->plain_bytes_in += count;
    counters_add(conn->reactor->counters, COUNTER_PLAIN_BYTES_IN, count);
    taken = conn->service->on_data ? conn->service->on_data(conn, plain, count) : count;
    return taken == count || conn->state != CONN_OPEN ||
           receive_leave_over(conn, plain + taken, count - taken);
}

/* What came as 0-RTT data, now that the handshake has proved it. */
static bool receive_early(struct conn *conn)
{
    uint8_t *plain = conn->reactor->scratch;

    return receive_plain(conn, plain,
                         tls_engine_read_early(&conn->engine, plain, TLS_PLAINTEXT_BYTES_MAX));
}

/* One record, likewise. */
static bool receive_record(struct conn *conn)
{
    struct tls_failure_detail failure;
    uint8_t *plain = conn->reactor->scratch;
    size_t count;

    switch (tls_engine_read(&conn->engine, plain, TLS_READ_BYTES, &count, &failure)) {
    case TLS_OK:
        return receive_plain(conn, plain, count);
    case TLS_AGAIN:
        return true;
    case TLS_CLOSED:
        conn->peer_notified = true;
        receive_end(conn);
        return false;
    case TLS_WAITING: /* only handshakes wait */
        abort();
    case TLS_FAILED:
        counters_increment(conn->reactor->counters, COUNTER_TLS_ERRORS);
        if (conn->engine.flood == TLS_FLOOD_EMPTY_RECORDS) {
            counters_increment(conn->reactor->counters, COUNTER_CLOSED_EMPTY_RECORDS);
        }
        close_fail(conn, &failure);
        return false;
    }
    return false;
}

void receive_serve(struct conn *conn)
{
    while (conn->state == CONN_OPEN && receive_may_decrypt(conn) && !conn->input_ended) {
        if (conn->leftover) {
            if (!receive_offer_leftover(conn)) {
                break;
            }
        } else if (conn->engine.early.bytes > 0) {
            if (!receive_early(conn)) {
                break;
            }
        } else if (!receive_feed(conn)) {
            if (conn->peer_ended) {
                receive_end(conn);
            }
            break;
        } else if (!receive_record(conn)) {
            break;
        }
    }
    if (conn->unwritten.bytes > 0) {
        send_unwritten(conn);
    }
    reactor_tally(conn);
    renegotiate_settle(conn);
    if (conn->state != CONN_OPEN || conn->input_ended) {
        receive_clear(conn);
    } else if ((conn->is_full || conn->is_paused) && !held_is_empty(&conn->held)) {
        receive_pause(conn);
        receive_keep(conn);
    }
    if (conn->output.bytes > 0) {
        send_mark(conn);
    }
}

void conn_resume_reading(struct conn *conn)
{
    if (conn->state == CONN_OPEN && conn->is_paused) {
        conn->is_paused = false;
        receive_serve(conn);
        send_mark(conn); /* which arms the recv again */
    }
}

static void receive_bytes(struct conn *conn, int32_t buffer, uint32_t bytes)
{
    struct ring_buffers *buffers = &conn->reactor->buffers;

    counters_increment(conn->reactor->counters, COUNTER_RECVS);
    counters_add(conn->reactor->counters, COUNTER_WIRE_BYTES_IN, bytes);
    conn->wire_bytes_in += bytes;
    if (conn->input_ended || conn->state == CONN_CLOSING || conn->state == CONN_CLOSED) {
        buffers_give(buffers, buffer);
        return;
    }
    held_append(&conn->held, buffers, buffer);
}

static void receive_ended(struct conn *conn, int result)
{
    switch (-result) {
    case 0:
        conn->peer_ended = true;
        break;
    case ENOBUFS: /* all buffers are in use: armed again when the turn ends and some have come back
                   */
        counters_increment(conn->reactor->counters, COUNTER_RECV_PARKS);
        buffers_grow(&conn->reactor->buffers);
        break;
    case ECANCELED:
    case EINTR:
        break;
    default:
        conn->peer_ended = true;
        conn->os_error = -result;
        if (!conn->is_queued) { /* what came before the reset still counts: the handshake does it */
            conn_abort(conn, CONN_END_RESET);
        }
        break;
    }
}

void receive_completed(struct conn *conn, const struct ring_completion *completion)
{
    if (completion->buffer >= 0) {
        buffers_take(&conn->reactor->buffers, completion->buffer,
                     completion->result > 0 ? (uint32_t)completion->result : 0);
    }
    if (completion->result > 0) {
        receive_bytes(conn, completion->buffer, (uint32_t)completion->result);
    } else if (completion->buffer >= 0) {
        buffers_give(&conn->reactor->buffers, completion->buffer);
    }
    if (!completion->more) {
        conn->recv_armed = false;
        conn->operations--;
        send_mark(conn); /* which arms the next, or lets the connection go */
    }
    if (completion->result <= 0) {
        receive_ended(conn, completion->result);
    }
    if (conn->state == CONN_HANDSHAKING) {
        if (conn->held.bytes >= EARLY_BYTES_MAX) {
            receive_pause(conn);
        }
        receive_keep(conn);
        handshake_queue(conn);
    } else if (conn->state == CONN_OPEN) {
        conn->active_ns = conn->reactor->now_ns;
        receive_serve(conn);
    }
}
