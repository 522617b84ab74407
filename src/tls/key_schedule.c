#include "tls/key_schedule.h"

#include <string.h>

#include <openssl/crypto.h>

#include "tls/hmac.h"

enum { LABEL_BYTES_MAX = 255 };

/* What is the same in all handshakes: the digest of no bytes, which is Derive-Secret's context
 * between the stages; the early secret when there is no PSK; and the salt that follows from it. To
 * know them saves a tenth of the schedule. */
struct known {
    uint8_t empty[KEY_SCHEDULE_DIGEST_BYTES_MAX];
    uint8_t early[KEY_SCHEDULE_DIGEST_BYTES_MAX];
    uint8_t derived[KEY_SCHEDULE_DIGEST_BYTES_MAX];
};

static const struct known of_sha256 = {
    .empty = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
              0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
              0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55},
    .early = {0x33, 0xad, 0x0a, 0x1c, 0x60, 0x7e, 0xc0, 0x3b, 0x09, 0xe6, 0xcd,
              0x98, 0x93, 0x68, 0x0c, 0xe2, 0x10, 0xad, 0xf3, 0x00, 0xaa, 0x1f,
              0x26, 0x60, 0xe1, 0xb2, 0x2e, 0x10, 0xf1, 0x70, 0xf9, 0x2a},
    .derived = {0x6f, 0x26, 0x15, 0xa1, 0x08, 0xc7, 0x02, 0xc5, 0x67, 0x8f, 0x54,
                0xfc, 0x9d, 0xba, 0xb6, 0x97, 0x16, 0xc0, 0x76, 0x18, 0x9c, 0x48,
                0x25, 0x0c, 0xeb, 0xea, 0xc3, 0x57, 0x6c, 0x36, 0x11, 0xba},
};

static const struct known of_sha384 = {
    .empty = {0x38, 0xb0, 0x60, 0xa7, 0x51, 0xac, 0x96, 0x38, 0x4c, 0xd9, 0x32, 0x7e,
              0xb1, 0xb1, 0xe3, 0x6a, 0x21, 0xfd, 0xb7, 0x11, 0x14, 0xbe, 0x07, 0x43,
              0x4c, 0x0c, 0xc7, 0xbf, 0x63, 0xf6, 0xe1, 0xda, 0x27, 0x4e, 0xde, 0xbf,
              0xe7, 0x6f, 0x65, 0xfb, 0xd5, 0x1a, 0xd2, 0xf1, 0x48, 0x98, 0xb9, 0x5b},
    .early = {0x7e, 0xe8, 0x20, 0x6f, 0x55, 0x70, 0x02, 0x3e, 0x6d, 0xc7, 0x51, 0x9e,
              0xb1, 0x07, 0x3b, 0xc4, 0xe7, 0x91, 0xad, 0x37, 0xb5, 0xc3, 0x82, 0xaa,
              0x10, 0xba, 0x18, 0xe2, 0x35, 0x7e, 0x71, 0x69, 0x71, 0xf9, 0x36, 0x2f,
              0x2c, 0x2f, 0xe2, 0xa7, 0x6b, 0xfd, 0x78, 0xdf, 0xec, 0x4e, 0xa9, 0xb5},
    .derived = {0x15, 0x91, 0xda, 0xc5, 0xcb, 0xbf, 0x03, 0x30, 0xa4, 0xa8, 0x4d, 0xe9,
                0xc7, 0x53, 0x33, 0x0e, 0x92, 0xd0, 0x1f, 0x0a, 0x88, 0x21, 0x4b, 0x44,
                0x64, 0x97, 0x2f, 0xd6, 0x68, 0x04, 0x9e, 0x93, 0xe5, 0x2f, 0x2b, 0x16,
                0xfa, 0xd9, 0x22, 0xfd, 0xc0, 0x58, 0x44, 0x78, 0x42, 0x8f, 0x28, 0x2b},
};

static const struct known *known_of(const struct key_schedule_digest *digest)
{
    return digest->bytes == SHA256_DIGEST_LENGTH ? &of_sha256 : &of_sha384;
}

static const uint8_t zeros[KEY_SCHEDULE_DIGEST_BYTES_MAX];

/* RFC 8446 7.1's HkdfLabel: the output's length, the label and the context, each of the two after
 * its own length. */
static size_t label_encode(const struct key_schedule_input *input, size_t out_count, uint8_t *out)
{
    uint8_t *end = out;

    *end++ = (uint8_t)(out_count >> 8);
    *end++ = (uint8_t)out_count;
    *end++ = (uint8_t)(input->prefix.count + input->label.count);
    if (input->prefix.count > 0) {
        memcpy(end, input->prefix.bytes, input->prefix.count);
        end += input->prefix.count;
    }
    if (input->label.count > 0) {
        memcpy(end, input->label.bytes, input->label.count);
        end += input->label.count;
    }
    *end++ = (uint8_t)input->context.count;
    if (input->context.count > 0) {
        memcpy(end, input->context.bytes, input->context.count);
        end += input->context.count;
    }
    return (size_t)(end - out);
}

static bool label_fits(const struct key_schedule_input *input)
{
    return input->prefix.count <= LABEL_BYTES_MAX && input->label.count <= LABEL_BYTES_MAX &&
           input->prefix.count + input->label.count <= LABEL_BYTES_MAX;
}

bool key_schedule_expand(const struct key_schedule_input *input, uint8_t *out, size_t out_count)
{
    const struct key_schedule_digest *digest = input->digest;
    /* And the counter: the output is within the first block of HKDF-Expand (RFC 5869 2.3). */
    uint8_t info[2 + 1 + LABEL_BYTES_MAX + 1 + KEY_SCHEDULE_DIGEST_BYTES_MAX + 1];
    uint8_t block[KEY_SCHEDULE_DIGEST_BYTES_MAX];
    struct hmac hmac;
    size_t info_count;

    if (out_count == 0 || out_count > digest->bytes || input->secret.bytes == NULL ||
        input->secret.count > digest->block_bytes || input->context.count > digest->bytes ||
        !label_fits(input)) {
        return false;
    }
    info_count = label_encode(input, out_count, info);
    info[info_count++] = 1;
    hmac_init(&hmac, digest, &input->secret);
    hmac_update(&hmac, info, info_count);
    hmac_final(&hmac, block);
    memcpy(out, block, out_count);
    OPENSSL_cleanse(block, sizeof(block));
    return true;
}

static bool span_is(const struct key_schedule_span *span, const void *bytes, size_t count)
{
    return span->count == count && CRYPTO_memcmp(span->bytes, bytes, count) == 0;
}

/* The salt of the stage after one without a PSK. */
static bool derived_is_known(const struct key_schedule_input *input)
{
    return input->salt.bytes != NULL && input->prefix.bytes != NULL && input->label.bytes != NULL &&
           span_is(&input->salt, known_of(input->digest)->early, input->digest->bytes) &&
           span_is(&input->prefix, "tls13 ", 6) && span_is(&input->label, "derived", 7);
}

bool key_schedule_extract(const struct key_schedule_input *input, uint8_t *out)
{
    const struct key_schedule_digest *digest = input->digest;
    const struct known *known = known_of(digest);
    uint8_t derived[KEY_SCHEDULE_DIGEST_BYTES_MAX];
    struct key_schedule_span salt = {.bytes = zeros, .count = digest->bytes};
    struct key_schedule_span secret = input->secret;
    struct hmac hmac;

    if (input->salt.bytes == NULL && secret.bytes == NULL) {
        memcpy(out, known->early, digest->bytes);
        return true;
    }
    if (derived_is_known(input)) {
        salt.bytes = known->derived;
    } else if (input->salt.bytes != NULL) {
        struct key_schedule_input stage = *input;

        stage.secret = input->salt;
        stage.context = (struct key_schedule_span){.bytes = known->empty, .count = digest->bytes};
        if (!key_schedule_expand(&stage, derived, digest->bytes)) {
            return false;
        }
        salt.bytes = derived;
    }
    if (secret.bytes == NULL) {
        secret = (struct key_schedule_span){.bytes = zeros, .count = digest->bytes};
    }
    hmac_init(&hmac, digest, &salt);
    hmac_update(&hmac, secret.bytes, secret.count);
    hmac_final(&hmac, out);
    OPENSSL_cleanse(derived, sizeof(derived));
    return true;
}
