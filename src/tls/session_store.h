/* Sessions by ID for TLS <= 1.2 resumption (RFC 5246 7.3), shared by all workers: a table of
 * shards, each behind its own lock, bounded, the oldest entry of a shard making room for the
 * newest. It holds serialised sessions, and takes about 1 KiB of memory for each that has ever been
 * used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session_store; /* opaque; any thread */

enum {
    SESSION_COUNT_MAX = 1 << 24,
    SESSION_ID_BYTES_MAX = 32,
    SESSION_DATA_BYTES_MAX = 960, /* a serialised TLS 1.2 session takes some 200 */
};

/* Room for `session_max` sessions, 1 to SESSION_COUNT_MAX (from 1,024 up rounded down to a multiple
 * of 16, the shards). NULL when that is out of range or memory is out. */
struct session_store *session_store_new(size_t session_max);
void session_store_free(struct session_store *store); /* cleanses */

/* Copies the session in, in place of one with the same ID. It is handed out until `expires_ns`, on
 * the clock of session_store_get()'s `now_ns`. Returns false when ID or data are empty or too
 * large. */
bool session_store_put(struct session_store *store, const uint8_t *id, size_t id_bytes,
                       const uint8_t *data, size_t data_bytes, uint64_t expires_ns);

/* Copies the session out to `out` (room for `out_max` bytes); returns its size, 0 when unknown,
 * expired or too large. */
size_t session_store_get(struct session_store *store, const uint8_t *id, size_t id_bytes,
                         uint64_t now_ns, uint8_t *out, size_t out_max);

void session_store_remove(struct session_store *store, const uint8_t *id, size_t id_bytes);
size_t session_store_count(struct session_store *store);
