#include "conn/path.h"

/* Timers are lazy: traffic only notes the time, and the timer, when it fires, looks whether the
 * deadline has moved. A connection costs one timer however busy it is. */

static const uint64_t never = UINT64_MAX;

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

    switch (conn->state) {
    case CONN_CONNECTING:
        *out_end = CONN_END_TIMEOUT_CONNECT;
        return after(conn->started_ns, options->handshake_timeout_ns);
    case CONN_HANDSHAKING:
        *out_end = CONN_END_TIMEOUT_HANDSHAKE;
        return after(conn->connected_ns, options->handshake_timeout_ns);
    case CONN_OPEN:
        idle_ns = after(conn->active_ns, options->idle_timeout_ns);
        *out_end = write_ns <= idle_ns ? CONN_END_TIMEOUT_WRITE : CONN_END_TIMEOUT_IDLE;
        return earlier(write_ns, idle_ns);
    case CONN_CLOSING:
        *out_end = CONN_END_TIMEOUT_WRITE;
        return conn->write_shut ? after(conn->active_ns, options->linger_timeout_ns) : write_ns;
    default:
        return never;
    }
}

void timeout_start(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    enum conn_end end;
    /* Output may begin to stall at any time: look again at least once in a write timeout. */
    uint64_t deadline_ns = earlier(timeout_deadline(conn, &end),
                                   after(reactor->now_ns, reactor->options.write_timeout_ns));

    if (deadline_ns == never) {
        wheel_cancel(&reactor->wheel, &conn->timer);
    } else {
        wheel_start(&reactor->wheel, &conn->timer, deadline_ns);
    }
}

void timeout_fired(struct conn *conn)
{
    enum conn_end end;

    if (timeout_deadline(conn, &end) > conn->reactor->now_ns) {
        timeout_start(conn);
    } else if (conn->state == CONN_CLOSING && conn->write_shut) {
        close_now(conn); /* everything was sent; the peer just does not end its side */
    } else {
        conn->end = end;
        conn_abort(conn, end);
    }
}
