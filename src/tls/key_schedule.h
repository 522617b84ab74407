/* The derivations of TLS 1.3's key schedule (RFC 8446 7.1) over HKDF (RFC 5869), and TLS 1.2's
 * pseudorandom function (RFC 5246 5), with SHA-256 and SHA-384: on the stack, where OpenSSL's own
 * take a dozen allocations and look-ups each. Any thread. Room-internal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_SCHEDULE_DIGEST_BYTES_MAX = 48, KEY_SCHEDULE_BLOCK_BYTES_MAX = 128 };

/* One of the two; static. */
struct key_schedule_digest;

/* By any of OpenSSL's names for it; NULL: another digest. */
const struct key_schedule_digest *key_schedule_digest_find(const char *name);
size_t key_schedule_digest_bytes(const struct key_schedule_digest *digest);

struct key_schedule_span {
    const uint8_t *bytes; /* NULL: there is none, which is not the same as an empty one */
    size_t count;
};

/* What the derivations take. `prefix` ("tls13 ") and `label` together are HKDF-Expand-Label's
 * Label, of 255 bytes at most. */
struct key_schedule_input {
    const struct key_schedule_digest *digest;
    struct key_schedule_span secret;
    struct key_schedule_span salt; /* extract: the secret of the stage before */
    struct key_schedule_span prefix;
    struct key_schedule_span label;
    struct key_schedule_span context; /* expand: a transcript hash */
};

/* HKDF-Expand-Label. Returns false, with nothing written, for what the handshake never asks: more
 * than one digest of output, a secret over a block, a context over a digest, a label that does not
 * fit. */
bool key_schedule_expand(const struct key_schedule_input *input, uint8_t *out, size_t out_count);

/* The next stage of the schedule: HKDF-Extract of the secret (none: zeros) with
 * Derive-Secret(salt, label, "") as its salt (no salt: zeros). Writes one digest. Returns false as
 * above. */
bool key_schedule_extract(const struct key_schedule_input *input, uint8_t *out);

/* libssl gives a label, the two hellos' randoms or a transcript hash, and an exporter's context. */
enum { KEY_SCHEDULE_SEEDS_MAX = 5 };

struct key_schedule_prf_input {
    const struct key_schedule_digest *digest;
    struct key_schedule_span secret;
    struct key_schedule_span
        seeds[KEY_SCHEDULE_SEEDS_MAX]; /* one after the other: label and seed */
    size_t seed_count;
};

/* key_schedule_prf.c: TLS 1.2's PRF, which is P_hash. */
void key_schedule_prf(const struct key_schedule_prf_input *input, uint8_t *out, size_t out_count);
