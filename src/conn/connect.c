#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn/path.h"

/* What both ways to a socket of one's own have in common. NULL with errno set. */
static struct conn *connect_take(struct reactor *reactor, bool is_client,
                                 const struct reactor_connect_options *options)
{
    struct conn *conn = reactor_take(reactor);

    if (!conn) {
        errno = ENOSPC;
        return NULL;
    }
    conn->service = options->service;
    conn->service_config = options->service_config;
    conn->fragments.is_dynamic = options->dynamic_records;
    conn->may_idle = options->may_idle;
    conn->is_client = is_client;
    conn->context = tls_context_ref(options->context);
    conn->started_ns = conn->active_ns = clock_now_ns();
    if (!tls_engine_init(&conn->engine, options->context, &conn->output, &options->engine)) {
        reactor_put(conn);
        errno = ENOMEM;
        return NULL;
    }
    counters_increment(reactor->counters, COUNTER_CONNECTS);
    return conn;
}

static void connect_start(struct conn *conn, int descriptor)
{
    conn->descriptor = descriptor;
    if (conn->service->on_start) {
        conn->service->on_start(conn);
    }
}

struct conn *reactor_connect(struct reactor *reactor, const struct socket_address *address,
                             const struct reactor_connect_options *options)
{
    int descriptor = socket_client_from(address, options->source);
    struct conn *conn;

    if (descriptor < 0) {
        errno = -descriptor;
        return NULL;
    }
    conn = connect_take(reactor, true, options);
    if (!conn) {
        int why = errno;

        close(descriptor);
        errno = why;
        return NULL;
    }
    connect_start(conn, descriptor);
    conn->state = CONN_CONNECTING;
    conn->operations++;
    ring_connect(&reactor->ring, descriptor, &address->any, address->bytes,
                 conn_op(conn, OP_CONNECT));
    timeout_start(conn);
    return conn;
}

struct conn *reactor_wrap(struct reactor *reactor, int descriptor, bool is_client,
                          const struct reactor_connect_options *options)
{
    struct conn *conn = connect_take(reactor, is_client, options);

    if (conn) {
        connect_start(conn, descriptor);
        conn->connected_ns = conn->started_ns;
        handshake_begin(conn);
    }
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
