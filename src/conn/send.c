#include <stdlib.h>

#include "conn/path.h"

void send_mark(struct conn *conn)
{
    if (conn->is_dirty) {
        return;
    }
    conn->is_dirty = true;
    conn->dirty_next = conn->reactor->dirty;
    conn->reactor->dirty = conn;
}

/* More than one slab goes out as one request, as long as the turn has room to describe it. */
static struct reactor_vector *send_vector(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    struct reactor_vector *vector;
    size_t count = 0;

    if (!conn->output.head->next || reactor->vector_count == REACTOR_VECTORS) {
        return NULL;
    }
    vector = &reactor->vectors[reactor->vector_count++];
    for (struct slab *slab = conn->output.head; slab && count < REACTOR_VECTOR_SPANS;
         slab = slab->next) {
        vector->spans[count++] = (struct iovec){
            .iov_base = slab->data + slab->start,
            .iov_len = slab->end - slab->start,
        };
    }
    vector->message = (struct msghdr){.msg_iov = vector->spans, .msg_iovlen = count};
    return vector;
}

static void send_submit(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    struct reactor_vector *vector = send_vector(conn);
    const struct slab *head = conn->output.head;
    /* The end of the stream goes with the last bytes: one segment less for both ends' kernels. */
    bool more = conn->state == CONN_CLOSING || conn->output_ended;

    conn->send_in_flight = true;
    conn->operations++;
    if (conn->stalled_ns == 0) {
        conn->stalled_ns = reactor->now_ns;
    }
    if (vector) {
        ring_sendmsg(&reactor->ring, conn->descriptor, &vector->message, more,
                     conn_op(conn, OP_SEND));
    } else {
        ring_send(&reactor->ring, conn->descriptor, head->data + head->start,
                  head->end - head->start, more, conn_op(conn, OP_SEND));
    }
}

static void send_flush_one(struct conn *conn)
{
    if (conn->state == CONN_CLOSING || conn->state == CONN_CLOSED) {
        receive_clear(conn);
    }
    if (conn->state == CONN_CLOSED) {
        if (conn->operations == 0 && !conn->is_queued) {
            close_release(conn);
        }
        return;
    }
    /* A handshake that waits holds its output back: with TLS_WANT_SAVE the client's next connection
     * could otherwise come before its session is stored. */
    if (conn->output.bytes > 0 && !conn->send_in_flight && !conn->is_waiting) {
        send_submit(conn);
    }
    if (conn->output.bytes == 0) {
        if (conn->state == CONN_CLOSING) {
            close_flushed(conn);
        } else if (conn->output_ended) {
            close_write(conn);
        }
    }
    receive_arm(conn);
}

void send_flush(struct reactor *reactor)
{
    while (reactor->dirty) {
        struct conn *conn = reactor->dirty;

        reactor->dirty = conn->dirty_next;
        conn->is_dirty = false;
        send_flush_one(conn);
    }
}

static size_t send_low_bytes(const struct conn *conn)
{
    size_t quarter = *conn->output_high_bytes / 4;

    return quarter < CONN_OUTPUT_LOW_BYTES ? quarter : CONN_OUTPUT_LOW_BYTES;
}

void send_completed(struct conn *conn, const struct ring_completion *completion)
{
    struct counters *counters = conn->reactor->counters;

    conn->send_in_flight = false;
    conn->operations--;
    send_mark(conn);
    if (conn->state == CONN_CLOSED) {
        return;
    }
    if (completion->result <= 0) {
        conn->os_error = -completion->result;
        conn_abort(conn, CONN_END_RESET);
        return;
    }
    counters_increment(counters, COUNTER_SENDS);
    counters_add(counters, COUNTER_WIRE_BYTES_OUT, (uint64_t)completion->result);
    conn->wire_bytes_out += (uint64_t)completion->result;
    slab_queue_consume(&conn->output, (size_t)completion->result);
    conn->active_ns = conn->reactor->now_ns;
    conn->stalled_ns = conn->output.bytes > 0 ? conn->reactor->now_ns : 0;
    if (conn->is_full && conn->output.bytes <= send_low_bytes(conn)) {
        conn->is_full = false;
        /* What the peer said comes before what the service goes on to say: a source that fills the
         * output again at once would never hear that its client has gone. */
        receive_serve(conn);
        receive_arm(conn);
        if (conn->state == CONN_OPEN && !conn->is_full && conn->service->on_writable) {
            conn->service->on_writable(conn);
            receive_serve(conn);
        }
    }
}

/* Encrypts into the output queue. Returns false when the bytes must wait: in TLS 1.3 nothing can be
 * written between the records of one handshake message that the peer has cut in two, a ticket for
 * instance. */
static bool send_encrypt(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct counters *counters = conn->reactor->counters;
    struct tls_failure_detail failure;

    switch (tls_engine_write(&conn->engine, bytes, count, &failure)) {
    case TLS_OK:
        conn->plain_bytes_out += count;
        counters_add(counters, COUNTER_PLAIN_BYTES_OUT, count);
        return true;
    case TLS_AGAIN:
        return false;
    case TLS_CLOSED:
    case TLS_WAITING: /* neither can happen to a write */
        abort();
    case TLS_FAILED:
        if (conn->engine.output_failed) {
            pressure_end(conn);
            return true;
        }
        counters_increment(counters, COUNTER_TLS_ERRORS);
        close_fail(conn, &failure);
        return true;
    }
    return true;
}

void send_unwritten(struct conn *conn)
{
    while (conn->state == CONN_OPEN && conn->unwritten.bytes > 0) {
        const struct slab *head = conn->unwritten.head;
        size_t count = head->end - head->start;

        if (!send_encrypt(conn, head->data + head->start, count)) {
            return;
        }
        slab_queue_consume(&conn->unwritten, count);
    }
}

size_t conn_write_early(struct conn *conn, const void *bytes, size_t count)
{
    send_mark(conn);
    return tls_engine_write_early(&conn->engine, bytes, count);
}

void conn_write(struct conn *conn, const void *bytes, size_t count)
{
    if (conn->state != CONN_OPEN || conn->output_ended || count == 0) {
        return;
    }
    fragment_choose(conn, count);
    if ((conn->unwritten.bytes > 0 || !send_encrypt(conn, bytes, count)) &&
        !slab_queue_append(&conn->unwritten, bytes, count)) {
        pressure_end(conn);
    }
    if (conn_output_room(conn) == 0) {
        conn->is_full = true;
    }
    send_mark(conn);
}
