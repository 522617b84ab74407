#include <string.h>

#include <openssl/crypto.h>

#include "tls/hmac.h"
#include "tls/key_schedule.h"

static void seeds_update(struct hmac *hmac, const struct key_schedule_prf_input *input)
{
    for (size_t i = 0; i < input->seed_count; i++) {
        hmac_update(hmac, input->seeds[i].bytes, input->seeds[i].count);
    }
}

void key_schedule_prf(const struct key_schedule_prf_input *input, uint8_t *out, size_t out_count)
{
    size_t bytes = input->digest->bytes;
    uint8_t chain[KEY_SCHEDULE_DIGEST_BYTES_MAX]; /* RFC 5246 5's A(i) */
    uint8_t block[KEY_SCHEDULE_DIGEST_BYTES_MAX];
    struct hmac keyed;
    struct hmac hmac;

    hmac_init(&keyed, input->digest, &input->secret);
    hmac = keyed;
    seeds_update(&hmac, input);
    while (out_count > 0) {
        size_t count = out_count < bytes ? out_count : bytes;

        hmac_final(&hmac, chain);
        hmac = keyed;
        hmac_update(&hmac, chain, bytes);
        seeds_update(&hmac, input);
        hmac_final(&hmac, block);
        memcpy(out, block, count);
        out += count;
        out_count -= count;
        hmac = keyed;
        hmac_update(&hmac, chain, bytes);
    }
    OPENSSL_cleanse(&hmac, sizeof(hmac));
    OPENSSL_cleanse(&keyed, sizeof(keyed));
    OPENSSL_cleanse(chain, sizeof(chain));
    OPENSSL_cleanse(block, sizeof(block));
}
