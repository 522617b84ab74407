#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn/path.h"

struct conn *reactor_connect(struct reactor *reactor, const struct socket_address *address,
                             const struct reactor_connect_options *options)
{
    int descriptor;
    struct conn *conn = reactor_take(reactor);

    if (!conn) {
        errno = ENOSPC;
        return NULL;
    }
    descriptor = socket_client(address);
    if (descriptor < 0) {
        reactor_put(conn);
        errno = -descriptor;
        return NULL;
    }
    conn->descriptor = descriptor;
    conn->service = options->service;
    conn->service_config = options->service_config;
    conn->started_ns = conn->active_ns = clock_now_ns();
    conn->is_client = true;
    if (!tls_engine_init(&conn->engine, options->context, &conn->output, &options->engine)) {
        close(descriptor);
        reactor_put(conn);
        errno = ENOMEM;
        return NULL;
    }
    counters_increment(reactor->counters, COUNTER_CONNECTS);
    conn->state = CONN_CONNECTING;
    conn->operations++;
    ring_connect(&reactor->ring, descriptor, (const struct sockaddr *)&address->storage,
                 address->bytes, conn_op(conn, OP_CONNECT));
    timeout_start(conn);
    return conn;
}

void connect_completed(struct conn *conn, const struct ring_completion *completion)
{
    conn->operations--;
    send_mark(conn);
    if (conn->state != CONN_CONNECTING) {
        return;
    }
    if (completion->result < 0) {
        conn->os_error = -completion->result;
        conn_abort(conn, CONN_END_CONNECT);
        return;
    }
    conn->connected_ns = clock_now_ns();
    handshake_begin(conn);
}
