/* Why connections end, in words. */
#include <string.h>

#include "api/api.h"

static const char *const reasons[CONN_END_COUNT] = {
    [CONN_END_TRUNCATED] = "the peer went away without close_notify",
    [CONN_END_RESET] = "connection reset",
    [CONN_END_CONNECT] = "cannot connect",
    [CONN_END_TLS] = "out of memory",
    [CONN_END_TIMEOUT_CONNECT] = "connecting took too long",
    [CONN_END_TIMEOUT_HANDSHAKE] = "the handshake took too long",
    [CONN_END_TIMEOUT_IDLE] = "silent for too long",
    [CONN_END_TIMEOUT_WRITE] = "the peer takes no data",
    [CONN_END_DRAIN] = "the server closed",
    [CONN_END_MEMORY] = "out of memory",
};

static const char *const want_phases[] = {
    [TLS_WANT_NOTHING] = NULL,
    [TLS_WANT_CONTEXT] = "server name",
    [TLS_WANT_SESSION] = "resume session",
    [TLS_WANT_STAPLE] = "OCSP request",
    [TLS_WANT_SAVE] = "new session",
};

const char *failure_reason(const struct conn *conn)
{
    if (conn->end == CONN_END_TLS && conn->failure) {
        return conn->failure->reason;
    }
    if ((conn->end == CONN_END_RESET || conn->end == CONN_END_CONNECT) && conn->os_error > 0) {
        return strerror(conn->os_error);
    }
    return reasons[conn->end];
}

static const char *failure_phase(const struct conn *conn)
{
    const struct dyno_socket *socket = conn_socket((struct conn *)conn);
    enum tls_want want = socket->refused ? socket->refused : tls_engine_want(&conn->engine);

    if (conn->connected_ns == 0) {
        return "connect";
    }
    if (socket->is_renounced) {
        return "identity";
    }
    if (want_phases[want]) {
        return want_phases[want];
    }
    if (conn->wire_bytes_in == 0) {
        return conn->is_client ? "server hello" : "client hello";
    }
    return "handshake";
}

static const char *failure_kind(const struct conn *conn)
{
    return conn->end == CONN_END_TLS && conn->failure ? tls_failure_name(conn->failure->kind)
                                                      : conn_end_name(conn->end);
}

void failure_report(struct conn *conn)
{
    const struct dyno_socket *socket = conn_socket(conn);
    const char *reason = failure_reason(conn);
    struct dyno_address peer;

    if (!socket->events->on_failed) {
        return;
    }
    if (socket->is_renounced) {
        reason = "refused by the program";
    }
    dyno_socket_peer_address(socket, &peer);
    socket->events->on_failed(socket->user, &(struct dyno_failure){
                                                .reason = reason ? reason : "ended by this side",
                                                .phase = failure_phase(conn),
                                                .kind = failure_kind(conn),
                                                .peer = peer.text,
                                            });
}
