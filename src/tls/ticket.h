/* Session ticket keys (RFC 5077): one current key and N previous ones, shared by all workers.
 *
 * The keyring is the one shared, locked object; each worker's context reads through a
 * ticket_reader, which copies the keys when the ring's version has moved: on the handshake path one
 * atomic load, and nothing to reclaim. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum {
    TICKET_NAME_BYTES = 16,
    TICKET_HMAC_KEY_BYTES = 32,
    TICKET_AES_KEY_BYTES = 32,
    TICKET_PREVIOUS_MAX = 16,
};

struct ticket_key {
    uint8_t name[TICKET_NAME_BYTES];
    uint8_t hmac_key[TICKET_HMAC_KEY_BYTES];
    uint8_t aes_key[TICKET_AES_KEY_BYTES];
    uint8_t hmac_key_bytes; /* 16 or 32 */
    uint8_t aes_key_bytes;  /* 16 or 32: AES-128-CBC or AES-256-CBC */
};

struct ticket_key_set {
    struct ticket_key keys[1 + TICKET_PREVIOUS_MAX]; /* [0] is the current one */
    size_t count;
};

struct ticket_ring; /* opaque */

/* A ring with one freshly generated key that will remember `previous_max` older ones, at most
 * TICKET_PREVIOUS_MAX. NULL and a sentence when that is exceeded or memory or randomness is out. */
struct ticket_ring *ticket_ring_new(size_t previous_max, struct error *error);
void ticket_ring_free(struct ticket_ring *ring); /* cleanses the keys */

/* Generates a new current key; the oldest beyond previous_max is forgotten. Any thread. Returns 0
 * or -1. */
int ticket_ring_rotate(struct ticket_ring *ring, struct error *error);

/* Makes the key in `bytes` current (48 of them: 16 name, 16 HMAC, 16 AES; or 80: 16, 32, 32, as
 * nginx and HAProxy lay them out). Any thread. Returns 0 or -1. */
int ticket_ring_push(struct ticket_ring *ring, const uint8_t *bytes, size_t count,
                     struct error *error);

/* Makes the keys of a file current and previous, as nginx and HAProxy understand them: one or more
 * keys of 48 or 80 bytes, raw and all of one size, or base64 one a line; the last is the current
 * one. Forgets the others, and keeps all of these, up to 1 + TICKET_PREVIOUS_MAX, until the next
 * rotation. -1 and a sentence when the file cannot be read or has the wrong length: then nothing
 * has changed. */
int ticket_ring_load(struct ticket_ring *ring, const char *file, struct error *error);

struct ticket_reader {
    struct ticket_ring *ring;
    uint64_t version; /* of the copy below; 0: none yet */
    struct ticket_key_set set;
    struct evp_cipher_st *aes_128_cbc; /* fetched from OpenSSL once */
    struct evp_cipher_st *aes_256_cbc;
};

void ticket_reader_init(struct ticket_reader *reader, struct ticket_ring *ring);
void ticket_reader_deinit(struct ticket_reader *reader); /* cleanses the copy */

/* The newest published set; valid until the next call on the same reader. */
const struct ticket_key_set *ticket_reader_get(struct ticket_reader *reader);

/* What SSL_CTX_set_tlsext_ticket_key_evp_cb(3) wants, over a reader. Returns its codes: -1 error, 0
 * unknown key, 1 good, 2 good but renew: the key is a previous one. (Declared with OpenSSL's tag
 * names so that no OpenSSL header is needed here.) */
struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;
int ticket_callback(struct ticket_reader *reader, unsigned char name[TICKET_NAME_BYTES],
                    unsigned char *iv, struct evp_cipher_ctx_st *cipher, struct evp_mac_ctx_st *mac,
                    bool sealing);
