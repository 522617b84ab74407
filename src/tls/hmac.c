/* OpenSSL calls these deprecated because they go by no provider; here we are the provider. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tls/hmac.h"

#include <string.h>

#include <openssl/crypto.h>

enum {
    INNER_PAD = 0x36, /* RFC 2104 2 */
    OUTER_PAD = 0x5c,
};

static const struct key_schedule_digest digests[] = {
    {{"SHA2-256", "SHA256", "SHA-256"}, SHA256_DIGEST_LENGTH, SHA256_CBLOCK},
    {{"SHA2-384", "SHA384", "SHA-384"}, SHA384_DIGEST_LENGTH, SHA512_CBLOCK},
};

const struct key_schedule_digest *key_schedule_digest_find(const char *name)
{
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        for (size_t j = 0; j < sizeof(digests[i].names) / sizeof(digests[i].names[0]); j++) {
            if (strcmp(name, digests[i].names[j]) == 0) {
                return &digests[i];
            }
        }
    }
    return NULL;
}

size_t key_schedule_digest_bytes(const struct key_schedule_digest *digest)
{
    return digest->bytes;
}

static bool is_sha256(const struct hmac_hash *hash)
{
    return hash->digest == &digests[0];
}

static void hash_init(struct hmac_hash *hash, const struct key_schedule_digest *digest)
{
    hash->digest = digest;
    if (is_sha256(hash)) {
        SHA256_Init(&hash->state.sha256);
    } else {
        SHA384_Init(&hash->state.sha512);
    }
}

static void hash_update(struct hmac_hash *hash, const uint8_t *bytes, size_t count)
{
    if (is_sha256(hash)) {
        SHA256_Update(&hash->state.sha256, bytes, count);
    } else {
        SHA384_Update(&hash->state.sha512, bytes, count);
    }
}

static void hash_final(struct hmac_hash *hash, uint8_t *out)
{
    if (is_sha256(hash)) {
        SHA256_Final(out, &hash->state.sha256);
    } else {
        SHA384_Final(out, &hash->state.sha512);
    }
}

void hmac_init(struct hmac *hmac, const struct key_schedule_digest *digest,
               const struct key_schedule_span *key)
{
    uint8_t block[KEY_SCHEDULE_BLOCK_BYTES_MAX] = {0};

    if (key->count > digest->block_bytes) {
        hash_init(&hmac->inner, digest);
        hash_update(&hmac->inner, key->bytes, key->count);
        hash_final(&hmac->inner, block);
    } else if (key->count > 0) {
        memcpy(block, key->bytes, key->count);
    }
    /* All of it, though SHA-256 takes half: a length that is known is done with vectors. */
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] ^= INNER_PAD;
    }
    hash_init(&hmac->inner, digest);
    hash_update(&hmac->inner, block, digest->block_bytes);
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] ^= INNER_PAD ^ OUTER_PAD;
    }
    hash_init(&hmac->outer, digest);
    hash_update(&hmac->outer, block, digest->block_bytes);
    OPENSSL_cleanse(block, sizeof(block));
}

void hmac_update(struct hmac *hmac, const uint8_t *bytes, size_t count)
{
    hash_update(&hmac->inner, bytes, count);
}

void hmac_final(struct hmac *hmac, uint8_t *out)
{
    uint8_t inner[KEY_SCHEDULE_DIGEST_BYTES_MAX];

    hash_final(&hmac->inner, inner);
    hash_update(&hmac->outer, inner, hmac->outer.digest->bytes);
    hash_final(&hmac->outer, out);
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(hmac, sizeof(*hmac));
}
