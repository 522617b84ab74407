#include "conn/path.h"

bool conn_renegotiate(struct conn *conn, bool certificate, const char **out_reason)
{
    if (conn->state != CONN_OPEN || conn->output_ended) {
        *out_reason = "the connection is not open";
        return false;
    }
    if (!tls_engine_renegotiate(&conn->engine, certificate, out_reason)) {
        return false;
    }
    conn->renegotiate_ns = conn->reactor->now_ns;
    timeout_start(conn);
    send_mark(conn);
    return true;
}

void renegotiate_settle(struct conn *conn)
{
    if (conn->renegotiate_ns == 0 || conn->state != CONN_OPEN ||
        tls_engine_renegotiating(&conn->engine)) {
        return;
    }
    conn->renegotiate_ns = 0;
    timeout_start(conn);
    if (conn->service->on_renegotiated) {
        conn->service->on_renegotiated(conn);
    }
}
