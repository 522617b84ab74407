/* rr: request and response of sizes that the client chooses, as netperf's request/response test.
 *
 * Each answer starts a record of its own, however many requests came in one: one round trip is
 * what is being measured, and a coalesced answer would hide its cost. */
#include <string.h>

#include "base/payload.h"
#include "conn/conn.h"
#include "service/services.h"

struct rr_state {
    uint8_t header[RR_HEADER_BYTES];
    uint32_t header_count; /* bytes of it that have come; RR_HEADER_BYTES: a request is under way */
    uint32_t request_left; /* bytes of the request still to come */
    uint32_t response_bytes;
    uint32_t response_left; /* bytes of the answer under way */
    bool last;              /* close after the request or the answer under way */
    bool asked;             /* a first request has come: until then one is owed an answer */
};

_Static_assert(sizeof(struct rr_state) <= CONN_SERVICE_BYTES, "state must fit its room");

static struct rr_state *state_of(struct conn *conn)
{
    return (struct rr_state *)conn->service_state;
}

static uint32_t read_be32(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool rr_is_idle(const struct rr_state *state)
{
    return state->header_count == 0 && state->response_left == 0;
}

/* Sends what there is room for of the answer under way; after the last one, closes. */
static void rr_send(struct conn *conn)
{
    struct rr_state *state = state_of(conn);
    const struct service_config *config = conn->service_config;

    while (state->response_left > 0 && conn->state == CONN_OPEN && conn_output_room(conn) > 0) {
        size_t count = smaller(state->response_left, PAYLOAD_SPAN_MAX);
        uint32_t offset = state->response_bytes - state->response_left;

        conn_write(conn, payload_at(config->payload, offset), count);
        state->response_left -= (uint32_t)count;
    }
    if (state->last && state->asked && rr_is_idle(state) && conn->state == CONN_OPEN) {
        conn_close(conn);
    }
}

/* Takes header bytes, returns how many; a whole header that breaks the rules ends the connection.
 */
static size_t rr_read_header(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct rr_state *state = state_of(conn);
    size_t part = smaller(count, RR_HEADER_BYTES - state->header_count);

    memcpy(state->header + state->header_count, bytes, part);
    state->header_count += (uint32_t)part;
    if (state->header_count == RR_HEADER_BYTES) {
        uint32_t request_bytes = read_be32(state->header);
        uint32_t response_bytes = read_be32(state->header + 4);

        if (request_bytes < RR_HEADER_BYTES || response_bytes > RR_BYTES_MAX) {
            conn_abort(conn, CONN_END_LOCAL);
            return part;
        }
        state->request_left = request_bytes - RR_HEADER_BYTES;
        state->response_bytes = response_bytes;
    }
    return part;
}

static size_t rr_on_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct rr_state *state = state_of(conn);
    size_t taken = 0;

    rr_send(conn);
    while (taken < count && conn->state == CONN_OPEN && conn_output_room(conn) > 0) {
        if (state->header_count < RR_HEADER_BYTES) {
            taken += rr_read_header(conn, bytes + taken, count - taken);
        } else {
            size_t part = smaller(count - taken, state->request_left);

            taken += part;
            state->request_left -= (uint32_t)part;
        }
        if (state->header_count == RR_HEADER_BYTES && state->request_left == 0 &&
            conn->state == CONN_OPEN) {
            state->asked = true;
            state->header_count = 0;
            state->response_left = state->response_bytes;
            conn_count_message(conn, 1);
            rr_send(conn);
        }
    }
    return conn->state == CONN_OPEN ? taken : count;
}

/* The peer has said its last request: the answer under way is still owed. */
static void rr_on_end(struct conn *conn)
{
    struct rr_state *state = state_of(conn);

    if (state->response_left == 0) {
        conn_close(conn);
    } else {
        state->last = true;
    }
}

static void rr_on_drain(struct conn *conn)
{
    struct rr_state *state = state_of(conn);

    state->last = true;
    rr_send(conn);
}

const struct service rr_service = {
    .name = "rr",
    .help = "request and response of the sizes that the client's 8-byte header says",
    .on_data = rr_on_data,
    .on_writable = rr_send,
    .on_end = rr_on_end,
    .on_drain = rr_on_drain,
};
