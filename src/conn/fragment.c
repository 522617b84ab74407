#include "conn/fragment.h"

#include "conn/path.h"

enum {
    /* With header and tag a record fits one TCP segment of an Ethernet frame, time stamps included:
     * 1,500 - 40 (IPv6) - 20 (TCP) - 12 (options) - 5 (header) - 1 (type) - 16 (tag), rounded down.
     */
    SMALL_BYTES = 1400,
    /* Several round trips of a fresh congestion window (RFC 6928: 10 segments, doubling). */
    SMALL_UNTIL_BYTES = 128 * 1024,
};

/* After so long a silence the congestion window starts again (RFC 5681 4.1). */
static const uint64_t silence_ns = 1000 * 1000 * 1000;

static void fragment_set(struct conn *conn, bool small)
{
    struct fragment_policy *policy = &conn->fragments;
    unsigned full = policy->bytes_max;

    policy->is_small = small;
    if (!conn->context) {
        return; /* plain TCP has no records */
    }
    if (full == 0) {
        full = tls_context_max_send_fragment(conn->context);
    }
    tls_engine_set_max_send_fragment(&conn->engine,
                                     small && full > SMALL_BYTES ? SMALL_BYTES : full);
}

void fragment_choose(struct conn *conn, uint64_t count)
{
    struct fragment_policy *policy = &conn->fragments;

    if (!policy->is_dynamic) {
        return;
    }
    if (conn->reactor->now_ns >= policy->written_ns + silence_ns) {
        policy->sent_bytes = 0;
    }
    policy->written_ns = conn->reactor->now_ns;
    if (policy->is_small != (policy->sent_bytes < SMALL_UNTIL_BYTES)) {
        fragment_set(conn, !policy->is_small);
    }
    policy->sent_bytes += count;
}

bool conn_set_max_send_fragment(struct conn *conn, unsigned bytes)
{
    if (bytes < TLS_FRAGMENT_BYTES_MIN || bytes > TLS_PLAINTEXT_BYTES_MAX) {
        return false;
    }
    conn->fragments.bytes_max = (uint16_t)bytes;
    fragment_set(conn, conn->fragments.is_small);
    return true;
}

void conn_set_dynamic_records(struct conn *conn, bool dynamic)
{
    conn->fragments.is_dynamic = dynamic;
    if (!dynamic && conn->fragments.is_small) {
        fragment_set(conn, false);
    }
}
