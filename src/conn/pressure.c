/* What all of a reactor's connections together hold: output that waits to be sent, input that could
 * not be decrypted or served yet. OpenSSL's own buffers are not in it, nor the receive ring, which
 * has its own limit. */
#include "conn/path.h"

/* From three quarters of what is allowed each connection may queue one record only, and those whose
 * peers have taken nothing for a while are ended; from seven eighths a short while is enough, so
 * that it is not the limit that decides: there it is whoever needs more. */
static const uint64_t patience_ns = 250 * 1000 * 1000;
static const uint64_t patience_last_ns = 10 * 1000 * 1000;

enum { LOOKS_MAX = 256 }; /* slots in a turn */

static uint64_t pressure_bytes(const struct reactor *reactor)
{
    return reactor->slabs.out_count * SLAB_BYTES + reactor->buffers.spilled_bytes +
           reactor->leftover_bytes;
}

bool pressure_is_full(const struct reactor *reactor)
{
    uint64_t max = reactor->options.buffer_bytes_max;

    /* The last slab that does not fit any more is as good as taken. */
    return max > 0 && pressure_bytes(reactor) + SLAB_BYTES > max;
}

uint64_t pressure_wait_ns(const struct reactor *reactor)
{
    return reactor->stall_patience_ns;
}

void pressure_end(struct conn *conn)
{
    conn_abort(conn, pressure_is_full(conn->reactor) ? CONN_END_OVERFLOW : CONN_END_MEMORY);
}

static bool is_stalled(const struct conn *conn)
{
    return conn->state != CONN_FREE && conn->state != CONN_CLOSED && conn->stalled_ns != 0 &&
           conn->reactor->now_ns - conn->stalled_ns >= conn->reactor->stall_patience_ns;
}

/* Goes on where the last turn ended, so that everybody's turn comes. */
static void pressure_relieve(struct reactor *reactor, uint64_t excess_bytes)
{
    uint64_t freed_bytes = 0;

    for (int looks = 0; looks < LOOKS_MAX && freed_bytes < excess_bytes; looks++) {
        struct conn *conn;

        if (reactor->pressure_slot >= reactor->table.slot_count) {
            reactor->pressure_slot = 0;
        }
        conn = table_at(&reactor->table, reactor->pressure_slot++);
        if (is_stalled(conn)) {
            freed_bytes += conn->output.bytes + conn->held.bytes;
            conn_abort(conn, CONN_END_OVERFLOW);
        }
    }
}

void pressure_settle(struct reactor *reactor)
{
    const struct reactor_options *options = &reactor->options;
    uint64_t comfort_bytes = options->buffer_bytes_max / 4 * 3;
    uint64_t bytes;

    if (options->buffer_bytes_max == 0) {
        return;
    }
    bytes = pressure_bytes(reactor);
    if (bytes <= comfort_bytes) {
        reactor->output_high_bytes = options->output_bytes_max;
        reactor->stall_patience_ns = UINT64_MAX;
        return;
    }
    reactor->output_high_bytes = CONN_OUTPUT_HIGH_BYTES_MIN;
    reactor->stall_patience_ns =
        bytes > options->buffer_bytes_max / 8 * 7 ? patience_last_ns : patience_ns;
    pressure_relieve(reactor, bytes - comfort_bytes);
}
