/* HMAC (RFC 2104) with SHA-256 and SHA-384 on the stack, for the key schedules. Any thread.
 * Room-internal. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <openssl/sha.h>

#include "tls/key_schedule.h"

struct key_schedule_digest {
    const char *names[3]; /* in OpenSSL's order: the first is what libssl says */
    size_t bytes;
    size_t block_bytes;
};

struct hmac_hash {
    const struct key_schedule_digest *digest;
    union {
        SHA256_CTX sha256;
        SHA512_CTX sha512; /* SHA-384's, too */
    } state;
};

/* May be copied, to go on from one key more than once. */
struct hmac {
    struct hmac_hash inner;
    struct hmac_hash outer;
};

void hmac_init(struct hmac *hmac, const struct key_schedule_digest *digest,
               const struct key_schedule_span *key);
void hmac_update(struct hmac *hmac, const uint8_t *bytes, size_t count);
/* Writes one digest, and cleanses the struct. */
void hmac_final(struct hmac *hmac, uint8_t *out);
