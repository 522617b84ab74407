#include <string.h>

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tls/stock.h"

enum { BYTES_MAX = 512, P256_BYTES = 91 };

/* Its SubjectPublicKeyInfo, in DER, of a new key. */
static size_t public_new(const char *group, const char *encoding, const char *form, uint8_t *out)
{
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    int bytes;

    cr_assert(EVP_PKEY_keygen_init(maker) > 0);
    cr_assert(EVP_PKEY_CTX_set_group_name(maker, group) > 0);
    cr_assert(EVP_PKEY_generate(maker, &key) > 0);
    cr_assert(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, encoding));
    cr_assert(
        EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form));
    bytes = i2d_PUBKEY(key, NULL);
    cr_assert(bytes > 0 && bytes <= BYTES_MAX);
    i2d_PUBKEY(key, &out);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(maker);
    return (size_t)bytes;
}

static EVP_PKEY *public_read(OSSL_LIB_CTX *context, const uint8_t *der, size_t bytes)
{
    const uint8_t *cursor = der;
    EVP_PKEY *key = d2i_PUBKEY_ex(NULL, &cursor, (long)bytes, context, NULL);

    cr_assert(key == NULL || cursor == der + bytes);
    ERR_clear_error();
    return key;
}

static void is_read_alike(const char *group, const char *encoding, const char *form)
{
    struct stock *stock = stock_new();
    uint8_t der[BYTES_MAX];
    size_t bytes = public_new(group, encoding, form, der);
    EVP_PKEY *ours = public_read(stock_context(stock), der, bytes);
    EVP_PKEY *openssl = public_read(NULL, der, bytes);
    uint8_t again[BYTES_MAX];
    uint8_t *cursor = again;
    char name[32];

    cr_assert(ours != NULL && openssl != NULL);
    cr_assert_eq(EVP_PKEY_eq(ours, openssl), 1);
    cr_assert_eq(EVP_PKEY_get_bits(ours), EVP_PKEY_get_bits(openssl));
    cr_assert(EVP_PKEY_get_group_name(ours, name, sizeof(name), NULL));
    cr_assert_eq((size_t)i2d_PUBKEY(ours, &cursor), bytes);
    cr_assert_arr_eq(again, der, bytes);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(openssl);
    stock_leave(stock);
    stock_free(stock);
}

Test(ec_decoder, reads_keys_on_p256)
{
    is_read_alike("P-256", "named_curve", "uncompressed");
}

Test(ec_decoder, leaves_other_keys_to_openssl)
{
    is_read_alike("P-256", "named_curve", "compressed");
    is_read_alike("P-256", "explicit", "uncompressed");
    is_read_alike("P-384", "named_curve", "uncompressed");
}

Test(ec_decoder, keys_outlive_nothing_that_they_share)
{
    struct stock *stock = stock_new();
    uint8_t der[2][BYTES_MAX];
    EVP_PKEY *keys[2];

    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(public_new("P-256", "named_curve", "uncompressed", der[i]), P256_BYTES);
        keys[i] = public_read(stock_context(stock), der[i], P256_BYTES);
    }
    cr_assert_neq(EVP_PKEY_eq(keys[0], keys[1]), 1);
    EVP_PKEY_free(keys[0]);
    keys[0] = public_read(stock_context(stock), der[1], P256_BYTES);
    cr_assert_eq(EVP_PKEY_eq(keys[0], keys[1]), 1);
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
    stock_leave(stock);
    stock_free(stock);
}

/* What a hostile peer's certificate may have. */
Test(ec_decoder, bad_keys_are_refused)
{
    struct stock *stock = stock_new();
    uint8_t der[BYTES_MAX];

    public_new("P-256", "named_curve", "uncompressed", der);
    cr_assert_null(public_read(stock_context(stock), der, P256_BYTES - 1));
    der[P256_BYTES - 1] ^= 1; /* no longer on the curve */
    cr_assert_null(public_read(stock_context(stock), der, P256_BYTES));
    memset(der + P256_BYTES - 64, 0xff, 64); /* nor in the field */
    cr_assert_null(public_read(stock_context(stock), der, P256_BYTES));
    memset(der + P256_BYTES - 64, 0, 64);
    cr_assert_null(public_read(stock_context(stock), der, P256_BYTES));
    stock_leave(stock);
    stock_free(stock);
}
