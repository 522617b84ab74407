#include "load/failure.h"

#include <stdio.h>
#include <string.h>

#include "conn/conn.h"

static enum load_error_phase phase_of(const struct conn *conn)
{
    if (conn->connected_ns == 0) {
        return LOAD_ERROR_CONNECT;
    }
    return conn->secure_ns == 0 ? LOAD_ERROR_HANDSHAKE : LOAD_ERROR_TRANSFER;
}

/* The server ended the stream without anything being wrong with it. */
static const char *closed_reason(enum load_error_phase phase, enum failure_owed owed)
{
    if (phase != LOAD_ERROR_TRANSFER) {
        return "the server closed before the handshake finished";
    }
    switch (owed) {
    case FAILURE_OWED_REST:
        return "the server closed in the middle of an answer";
    case FAILURE_OWED_ANSWER:
        return "the server closed instead of answering";
    default:
        return "the server closed the connection";
    }
}

static const char *idle_reason(enum failure_owed owed)
{
    return owed == FAILURE_OWED_REST ? "timed out in the middle of an answer"
                                     : "timed out waiting for an answer";
}

enum load_error_phase failure_describe(const struct conn *conn, enum failure_owed owed,
                                       char out_reason[LOAD_REASON_BYTES])
{
    const enum load_error_phase phase = phase_of(conn);
    const char *reason = conn_end_name(conn->end);

    switch (conn->end) {
    case CONN_END_CONNECT:
    case CONN_END_RESET:
        if (conn->os_error != 0) {
            reason = strerrordesc_np(conn->os_error);
        }
        break;
    case CONN_END_TLS:
        reason = conn->failure != NULL ? conn->failure->reason : "TLS failure";
        break;
    case CONN_END_CLEAN:
    case CONN_END_TRUNCATED:
        reason = closed_reason(phase, owed);
        break;
    case CONN_END_TIMEOUT_CONNECT:
        reason = "timed out while connecting";
        break;
    case CONN_END_TIMEOUT_HANDSHAKE:
        reason = "timed out in the handshake";
        break;
    case CONN_END_TIMEOUT_IDLE:
        reason = idle_reason(owed);
        break;
    case CONN_END_TIMEOUT_WRITE:
        reason = "timed out sending: the server does not read";
        break;
    case CONN_END_MEMORY:
        reason = "out of memory";
        break;
    default:
        break;
    }
    snprintf(out_reason, LOAD_REASON_BYTES, "%s", reason != NULL ? reason : "unknown error");
    return phase;
}
