/* Sockets as the data path sees them: a service that hands everything on to the program's events.
 */
#include <stdlib.h>

#include "api/api.h"

static void service_start_accepted(struct conn *conn)
{
    struct dyno_server *server = (struct dyno_server *)conn->service_config;
    struct dyno_socket *socket = conn_socket(conn);

    socket->events = &server->events;
    socket->user = server->user;
    socket->core = &server->cores[server_worker_index(conn)];
    socket_note_peer(socket);
}

static void service_start_requested(struct conn *conn)
{
    struct request *request = (struct request *)conn->service_config;
    struct dyno_socket *socket = conn_socket(conn);

    socket->events = &request->events;
    socket->user = request->user;
    socket->core = &request->server->cores[request->core];
    socket->request = request;
    socket_note_peer(socket);
    request->descriptor = -1;
    if (request->early_data) {
        socket->early_sent =
            tls_engine_write_early(&conn->engine, request->early_data, request->early_data_bytes);
    }
}

/* What went out as early data and was rejected, and what did not fit, goes the usual way. */
static void service_write_early(struct conn *conn)
{
    const struct dyno_socket *socket = conn_socket(conn);
    const struct request *request = socket->request;
    size_t begin = tls_engine_early(&conn->engine) == TLS_EARLY_ACCEPTED ? socket->early_sent : 0;

    if (request->early_data_bytes > begin) {
        conn_write(conn, request->early_data + begin, request->early_data_bytes - begin);
    }
}

/* Whether the program likes the server. */
static bool service_accepts_peer(struct conn *conn)
{
    struct dyno_socket *socket = conn_socket(conn);
    const struct dyno_events *events = socket->events;
    size_t bytes;
    const uint8_t *staple = tls_engine_staple(&conn->engine, &bytes);

    if (events->on_identity && conn->engine.ssl &&
        !events->on_identity(socket, socket->request->verify_host)) {
        return false;
    }
    return !events->on_staple || !staple || events->on_staple(socket, staple, bytes);
}

static void service_on_open(struct conn *conn)
{
    struct dyno_socket *socket = conn_socket(conn);

    if (conn->is_client) {
        if (!service_accepts_peer(conn)) {
            socket->is_renounced = true;
            conn_abort(conn, CONN_END_LOCAL);
        }
        if (conn->state != CONN_OPEN) {
            return;
        }
        service_write_early(conn);
    }
    socket->is_secure = true;
    if (socket->events->on_secure) {
        socket->events->on_secure(socket);
    }
}

static size_t service_on_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct dyno_socket *socket = conn_socket(conn);
    size_t taken = socket->events->on_data ? socket->events->on_data(socket, bytes, count) : count;

    assert(taken <= count);
    return taken;
}

static void service_on_writable(struct conn *conn)
{
    struct dyno_socket *socket = conn_socket(conn);

    if (socket->wants_drain) {
        socket->wants_drain = false;
        if (socket->events->on_drain) {
            socket->events->on_drain(socket);
        }
    }
}

static void service_on_end(struct conn *conn)
{
    struct dyno_socket *socket = conn_socket(conn);

    if (conn->output_ended) {
        if (socket->events->on_end) {
            socket->events->on_end(socket);
        }
        conn_close(conn);
    } else if (socket->events->on_end) {
        socket->events->on_end(socket);
    } else {
        dyno_socket_end(socket);
    }
}

static void service_on_renegotiated(struct conn *conn)
{
    struct dyno_socket *socket = conn_socket(conn);

    if (socket->events->on_renegotiated) {
        socket->events->on_renegotiated(socket);
    }
}

static void service_on_drain(struct conn *conn)
{
    struct dyno_socket *socket = conn_socket(conn);

    if (socket->events->on_close_wanted) {
        socket->events->on_close_wanted(socket);
    }
}

static void service_on_closed(struct conn *conn)
{
    struct dyno_socket *socket = conn_socket(conn);

    if (!socket->is_secure) {
        failure_report(conn);
    } else if (socket->events->on_closed) {
        bool is_orderly = conn->end == CONN_END_CLEAN || conn->end == CONN_END_LOCAL;

        socket->events->on_closed(socket, is_orderly ? NULL : conn_end_reason(conn));
    }
    dyno_context_free(socket->answered);
    request_free(socket->request);
}

const struct service accepted_service = {
    .name = "accepted socket",
    .on_start = service_start_accepted,
    .on_open = service_on_open,
    .on_data = service_on_data,
    .on_writable = service_on_writable,
    .on_end = service_on_end,
    .on_renegotiated = service_on_renegotiated,
    .on_drain = service_on_drain,
    .on_closed = service_on_closed,
};

const struct service requested_service = {
    .name = "requested socket",
    .on_start = service_start_requested,
    .on_open = service_on_open,
    .on_data = service_on_data,
    .on_writable = service_on_writable,
    .on_end = service_on_end,
    .on_renegotiated = service_on_renegotiated,
    .on_drain = service_on_drain,
    .on_closed = service_on_closed,
};
