#include "conn/path.h"

/* Timers are lazy: traffic only notes the time, and the timer, when it fires, looks whether the
 * deadline has moved. A connection costs one timer however busy it is. */

static const uint64_t never = UINT64_MAX;

/* A connection that was silent for so long gives OpenSSL's record buffers back, some 33 KiB, or all
 * that OpenSSL has of it, which is most of what an idle connection would hold; and one of the slabs
 * that are kept for output. */
static const uint64_t trim_ns = 1000 * 1000 * 1000;

static uint64_t after(uint64_t since_ns, uint64_t timeout_ns)
{
    return timeout_ns == 0 ? never : since_ns + timeout_ns;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When the connection must end if nothing happens until then, and why. */
static uint64_t timeout_deadline(const struct conn *conn, enum conn_end *out_end)
{
    const struct reactor_options *options = &conn->reactor->options;
    uint64_t write_ns =
        conn->stalled_ns ? after(conn->stalled_ns, options->write_timeout_ns) : never;
    uint64_t idle_ns;
    uint64_t renegotiate_ns;

    switch (conn->state) {
    case CONN_CONNECTING:
        *out_end = CONN_END_TIMEOUT_CONNECT;
        return after(conn->started_ns, options->handshake_timeout_ns);
    case CONN_HANDSHAKING:
        *out_end = CONN_END_TIMEOUT_HANDSHAKE;
        return after(conn->connected_ns, options->handshake_timeout_ns);
    case CONN_OPEN:
        renegotiate_ns = conn->renegotiate_ns
                             ? after(conn->renegotiate_ns, options->handshake_timeout_ns)
                             : never;
        idle_ns = conn->may_idle ? never : after(conn->active_ns, options->idle_timeout_ns);
        if (renegotiate_ns <= earlier(write_ns, idle_ns)) {
            *out_end = CONN_END_TIMEOUT_HANDSHAKE;
            return renegotiate_ns;
        }
        *out_end = write_ns <= idle_ns ? CONN_END_TIMEOUT_WRITE : CONN_END_TIMEOUT_IDLE;
        return earlier(write_ns, idle_ns);
    case CONN_CLOSING:
        *out_end = CONN_END_TIMEOUT_WRITE;
        return conn->write_shut ? after(conn->active_ns, options->linger_timeout_ns) : write_ns;
    default:
        *out_end = CONN_END_NONE;
        return never;
    }
}

static bool timeout_may_trim(const struct conn *conn)
{
    return conn->state == CONN_OPEN && conn->trimmed_ns != conn->active_ns;
}

void timeout_start(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    enum conn_end end;
    /* Output may begin to stall at any time: look again at least once in a write timeout. */
    uint64_t look_ns = earlier(timeout_deadline(conn, &end),
                               after(reactor->now_ns, reactor->options.write_timeout_ns));

    if (timeout_may_trim(conn)) {
        look_ns = earlier(look_ns, conn->active_ns + trim_ns);
    }
    if (look_ns == never) {
        wheel_cancel(&reactor->wheel, &conn->timer);
    } else {
        wheel_start(&reactor->wheel, &conn->timer, look_ns);
    }
}

void timeout_fired(struct conn *conn)
{
    uint64_t now_ns = conn->reactor->now_ns;
    enum conn_end end;

    if (timeout_may_trim(conn) && now_ns >= conn->active_ns + trim_ns) {
        tls_engine_idle(&conn->engine);
        slab_pool_shrink(&conn->reactor->slabs); /* which it may have needed */
        conn->trimmed_ns = conn->active_ns;
    }
    if (timeout_deadline(conn, &end) > now_ns) {
        timeout_start(conn);
    } else if (conn->state == CONN_CLOSING && conn->write_shut) {
        close_now(conn); /* everything was sent; the peer just does not end its side */
    } else {
        conn->end = end;
        conn_abort(conn, end);
    }
}

void conn_expect_traffic(struct conn *conn)
{
    if (conn->may_idle) {
        conn->may_idle = false;
        conn->active_ns = conn->reactor->now_ns;
        timeout_start(conn);
    }
}
