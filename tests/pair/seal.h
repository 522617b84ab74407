/* A client that says whatever a test likes: records of any type, sealed with its keys after its
 * handshake, which no TLS library would send; and its plain records from before, taken apart.
 *
 * AES-128-GCM with SHA-256, in TLS 1.2 or 1.3: see seal_config(). Once a test seals records for a
 * client it must not let the client's engine send any more, which would use the same numbers. */
#pragma once

#include <stdint.h>

#include "pair.h"

enum {
    SEAL_CHANGE_CIPHER_SPEC = 20,
    SEAL_ALERT = 21,
    SEAL_HANDSHAKE = 22,
    SEAL_DATA = 23,
    SEAL_HEADER_BYTES = 5,
};

struct seal {
    bool is_tls_1_3;
    uint8_t key[16];
    uint8_t iv[12]; /* TLS 1.2: the first 4 bytes */
    uint64_t sequence;
    uint8_t secret[32]; /* TLS 1.3: of the client's application traffic, from the key log */
};

/* Makes the client's configuration one whose records can be sealed, and has `seal` hear its keys.
 */
void seal_config(struct seal *seal, enum tls_version version, struct tls_config *client_config);
/* The pair's handshake is complete, and the client has written nothing since. */
void seal_init(struct seal *seal, const struct pair *pair);
/* Gives the server one record. */
void seal_send(struct seal *seal, struct pair *pair, uint8_t type, const void *bytes, size_t count);

/* The record at the front of what a client has queued: its type and size with the header. */
size_t seal_record_at(const uint8_t *bytes, size_t count, uint8_t *out_type);
/* All that an end has queued, out of the queue; the caller frees it. */
uint8_t *seal_take(struct pair_end *end, size_t *out_bytes);

/* A pair whose client has a seal. */
struct sealed_pair {
    struct pair_setup setup;
    struct pair pair;
    struct seal seal;
};

/* Connects it; before, all is zero, seal_config() has been called and the server configured. */
void sealed_pair_open(struct sealed_pair *sealed);
void sealed_pair_close(struct sealed_pair *sealed);
