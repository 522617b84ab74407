/* source: sends the payload sequence as fast as the peer reads it, the sending end of a download.
 */
#include "base/payload.h"
#include "conn/conn.h"
#include "service/services.h"

struct source_state {
    uint64_t sent_bytes;
};

_Static_assert(sizeof(struct source_state) <= CONN_SERVICE_BYTES, "state must fit its room");

static struct source_state *state_of(struct conn *conn)
{
    return (struct source_state *)conn->service_state;
}

/* Bytes of the next record: full ones, but for the last of a limited stream. */
static size_t source_next_bytes(const struct service_config *config, uint64_t sent_bytes)
{
    if (config->source_bytes == 0 || config->source_bytes - sent_bytes >= PAYLOAD_SPAN_MAX) {
        return PAYLOAD_SPAN_MAX;
    }
    return (size_t)(config->source_bytes - sent_bytes);
}

/* Fills the output up to the high-water mark. A failed write ends the connection and drops its
 * output, which looks like room: hence the look at the state on each round. */
static void source_send(struct conn *conn)
{
    struct source_state *state = state_of(conn);
    const struct service_config *config = conn->service_config;

    while (conn->state == CONN_OPEN && conn_output_room(conn) > 0) {
        size_t count = source_next_bytes(config, state->sent_bytes);

        if (count == 0) {
            conn_close(conn);
            return;
        }
        conn_write(conn, payload_at(config->payload, state->sent_bytes), count);
        state->sent_bytes += count;
    }
}

/* What the peer says is of no interest, but must be read: its close_notify comes behind it. */
static size_t source_on_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    (void)conn;
    (void)bytes;
    return count;
}

/* A limited stream is finished; one without end stops where it is. */
static void source_on_drain(struct conn *conn)
{
    const struct service_config *config = conn->service_config;

    if (config->source_bytes == 0) {
        conn_close(conn);
    }
}

const struct service source_service = {
    .name = "source",
    .help = "sends without end, or a given number of bytes and closes",
    .on_open = source_send,
    .on_data = source_on_data,
    .on_writable = source_send,
    .on_drain = source_on_drain,
};
