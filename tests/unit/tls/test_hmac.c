#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tls/hmac.h"

/* In halves, whose seam is nothing to HMAC. */
static void expect_mac(const char *digest, const char *key, size_t key_count, const char *text,
                       const char *wanted)
{
    const struct key_schedule_digest *hash = key_schedule_digest_find(digest);
    const struct key_schedule_span span = {(const uint8_t *)key, key_count};
    size_t half = strlen(text) / 2;
    char hex[2 * KEY_SCHEDULE_DIGEST_BYTES_MAX + 1];
    uint8_t out[KEY_SCHEDULE_DIGEST_BYTES_MAX];
    struct hmac hmac;

    hmac_init(&hmac, hash, &span);
    hmac_update(&hmac, (const uint8_t *)text, half);
    hmac_update(&hmac, (const uint8_t *)text + half, strlen(text) - half);
    hmac_final(&hmac, out);
    for (size_t i = 0; i < key_schedule_digest_bytes(hash); i++) {
        snprintf(hex + 2 * i, 3, "%02x", out[i]);
    }
    cr_assert_str_eq(hex, wanted);
    for (size_t i = 0; i < sizeof(hmac); i++) {
        cr_assert_eq(((const uint8_t *)&hmac)[i], 0, "byte %zu of the state is left", i);
    }
}

Test(hmac, short_keys_are_filled_up) /* RFC 4231 4.3 */
{
    expect_mac("SHA2-256", "Jefe", 4, "what do ya want for nothing?",
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    expect_mac("SHA2-384", "Jefe", 4, "what do ya want for nothing?",
               "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
               "8e2240ca5e69e2c78b3239ecfab21649");
}

Test(hmac, keys_over_a_block_are_digested) /* RFC 4231 4.7 */
{
    static const char key[131] = {[0 ... 130] = '\xaa'};
    static const char text[] = "Test Using Larger Than Block-Size Key - Hash Key First";

    expect_mac("SHA2-256", key, sizeof(key), text,
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    expect_mac("SHA2-384", key, sizeof(key), text,
               "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
               "0c2ef6ab4030fe8296248df163f44952");
}

Test(hmac, a_copy_goes_on_by_itself)
{
    const struct key_schedule_digest *digest = key_schedule_digest_find("SHA2-256");
    const struct key_schedule_span key = {(const uint8_t *)"Jefe", 4};
    uint8_t outs[2][KEY_SCHEDULE_DIGEST_BYTES_MAX];
    struct hmac keyed;
    struct hmac copy;

    hmac_init(&keyed, digest, &key);
    copy = keyed;
    hmac_update(&copy, (const uint8_t *)"a", 1);
    hmac_final(&copy, outs[0]);
    hmac_update(&keyed, (const uint8_t *)"a", 1);
    hmac_final(&keyed, outs[1]);
    cr_assert_arr_eq(outs[0], outs[1], 32);
}
