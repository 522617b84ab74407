/* Why connections end, in words. */
#include "api/api.h"

static const char *const want_phases[] = {
    [TLS_WANT_NOTHING] = NULL,
    [TLS_WANT_CONTEXT] = "server name",
    [TLS_WANT_SESSION] = "resume session",
    [TLS_WANT_STAPLE] = "OCSP request",
    [TLS_WANT_SAVE] = "new session",
};

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
    const char *reason = conn_end_reason(conn);
    struct dyno_address peer;

    if (!socket->events->on_failed) {
        return;
    }
    if (socket->is_renounced) {
        reason = "refused by the program";
    }
    dyno_socket_peer_address(socket, &peer);
    socket->events->on_failed(socket->user, &(struct dyno_failure){
                                                .reason = reason,
                                                .phase = failure_phase(conn),
                                                .kind = failure_kind(conn),
                                                .peer = peer.text,
                                            });
}
