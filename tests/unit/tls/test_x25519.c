#include <string.h>

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "tls/context.h"
#include "tls/openssl_compat.h"
#include "tls/provider.h"

enum { KEYS = 200, KEY_BYTES = 32 };

static EVP_PKEY_CTX *generator(OSSL_LIB_CTX *library, const char *name)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(library, name, NULL);

    cr_assert_not_null(context);
    return context;
}

static EVP_PKEY *key_generate(OSSL_LIB_CTX *library)
{
    EVP_PKEY_CTX *context = generator(library, "X25519");
    EVP_PKEY *key = NULL;

    cr_assert_eq(EVP_PKEY_keygen_init(context), 1);
    cr_assert_eq(EVP_PKEY_CTX_set_group_name(context, "x25519"), 1);
    cr_assert_eq(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* As a handshake holds the peer's half. */
static EVP_PKEY *key_receive(OSSL_LIB_CTX *library, const uint8_t *public, size_t bytes)
{
    EVP_PKEY_CTX *context = generator(library, "X25519");
    EVP_PKEY *key = NULL;

    cr_assert_eq(EVP_PKEY_paramgen_init(context), 1);
    cr_assert_eq(EVP_PKEY_CTX_set_group_name(context, "x25519"), 1);
    cr_assert_eq(EVP_PKEY_paramgen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    if (EVP_PKEY_set1_encoded_public_key(key, public, bytes) != 1) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

/* By the linker in place of libsodium's: who makes keys with it is counted. */
int __real_crypto_scalarmult_curve25519_base(unsigned char *public, const unsigned char *secret);
int __wrap_crypto_scalarmult_curve25519_base(unsigned char *public, const unsigned char *secret);

static int sodium_keys;

int __wrap_crypto_scalarmult_curve25519_base(unsigned char *public, const unsigned char *secret)
{
    sodium_keys++;
    return __real_crypto_scalarmult_curve25519_base(public, secret);
}

static void public_get(EVP_PKEY *key, uint8_t out[KEY_BYTES])
{
    unsigned char *encoded = NULL;

    cr_assert_eq(EVP_PKEY_get1_encoded_public_key(key, &encoded), KEY_BYTES);
    memcpy(out, encoded, KEY_BYTES);
    OPENSSL_free(encoded);
}

static int derive(OSSL_LIB_CTX *library, EVP_PKEY *key, EVP_PKEY *peer, uint8_t out[KEY_BYTES])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(library, key, NULL);
    size_t bytes = KEY_BYTES;
    int result;

    cr_assert_eq(EVP_PKEY_derive_init(context), 1);
    result = EVP_PKEY_derive_set_peer(context, peer) == 1 &&
             EVP_PKEY_derive(context, out, &bytes) == 1 && bytes == KEY_BYTES;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return result;
}

Test(x25519, public_halves_are_what_openssl_computes)
{
    struct tls_library *library = tls_library_new();

    for (int i = 0; i < KEYS; i++) {
        EVP_PKEY *key = key_generate(tls_library_context(library));
        uint8_t secret[KEY_BYTES];
        uint8_t publics[2][KEY_BYTES];
        size_t bytes = KEY_BYTES;
        EVP_PKEY *stock;

        cr_assert_eq(sodium_keys, i + 1);
        cr_assert_eq(EVP_PKEY_get_raw_private_key(key, secret, &bytes), 1);
        cr_assert_eq(secret[0] & 7, 0); /* RFC 7748 5 */
        cr_assert_eq(secret[KEY_BYTES - 1] & 0xc0, 0x40);
        stock = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, KEY_BYTES);
        public_get(key, publics[0]);
        public_get(stock, publics[1]);
        cr_assert_arr_eq(publics[0], publics[1], KEY_BYTES);
        EVP_PKEY_free(stock);
        EVP_PKEY_free(key);
    }
    tls_library_free(library);
}

Test(x25519, both_ends_come_to_one_secret)
{
    struct tls_library *library = tls_library_new();
    OSSL_LIB_CTX *context = tls_library_context(library);
    EVP_PKEY *ours = key_generate(context);
    EVP_PKEY *stock = key_generate(NULL);
    uint8_t publics[2][KEY_BYTES];
    uint8_t secrets[2][KEY_BYTES];
    EVP_PKEY *seen_by_us;
    EVP_PKEY *seen_by_stock;

    public_get(ours, publics[0]);
    public_get(stock, publics[1]);
    seen_by_us = key_receive(context, publics[1], KEY_BYTES);
    seen_by_stock = key_receive(NULL, publics[0], KEY_BYTES);
    cr_assert(derive(context, ours, seen_by_us, secrets[0]));
    cr_assert(derive(NULL, stock, seen_by_stock, secrets[1]));
    cr_assert_arr_eq(secrets[0], secrets[1], KEY_BYTES);
    EVP_PKEY_free(seen_by_us);
    EVP_PKEY_free(seen_by_stock);
    EVP_PKEY_free(stock);
    EVP_PKEY_free(ours);
    tls_library_free(library);
}

/* What a hostile peer may send: too little, too much, and the point of which nothing comes. */
Test(x25519, bad_public_halves_are_refused)
{
    static const uint8_t bytes[KEY_BYTES + 1];
    struct tls_library *library = tls_library_new();
    OSSL_LIB_CTX *context = tls_library_context(library);
    EVP_PKEY *key = key_generate(context);
    EVP_PKEY *zero = key_receive(context, bytes, KEY_BYTES);
    uint8_t secret[KEY_BYTES];

    cr_assert_null(key_receive(context, bytes, KEY_BYTES - 1));
    cr_assert_null(key_receive(context, bytes, KEY_BYTES + 1));
    cr_assert_not_null(zero);
    cr_assert_eq(sodium_keys, 1); /* the peers' come from their halves */
    cr_assert_not(derive(context, key, zero, secret));
    EVP_PKEY_free(zero);
    EVP_PKEY_free(key);
    ERR_clear_error();
    tls_library_free(library);
}

Test(x25519, a_key_is_a_key_in_all_else)
{
    struct tls_library *library = tls_library_new();
    EVP_PKEY *key = key_generate(tls_library_context(library));
    EVP_PKEY *other = key_generate(tls_library_context(library));
    EVP_PKEY *copy = EVP_PKEY_dup(key);
    EVP_PKEY_CTX *check = EVP_PKEY_CTX_new_from_pkey(tls_library_context(library), key, NULL);

    cr_assert(EVP_PKEY_is_a(key, "X25519"));
    cr_assert_eq(EVP_PKEY_get_bits(key), 253);
    cr_assert_eq(EVP_PKEY_eq(key, copy), 1);
    cr_assert_neq(EVP_PKEY_eq(key, other), 1);
    cr_assert_eq(EVP_PKEY_pairwise_check(check), 1);
    EVP_PKEY_CTX_free(check);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
    tls_library_free(library);
}

Test(x25519, other_groups_are_refused_or_openssls)
{
    struct tls_library *library = tls_library_new();
    EVP_PKEY_CTX *context = generator(tls_library_context(library), "X25519");
    EVP_PKEY *other = EVP_PKEY_Q_keygen(tls_library_context(library), NULL, "X448");

    cr_assert_eq(EVP_PKEY_keygen_init(context), 1);
    cr_assert_neq(EVP_PKEY_CTX_set_group_name(context, "x448"), 1);
    cr_assert_not_null(other);
    cr_assert_eq(sodium_keys, 0);
    EVP_PKEY_free(other);
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    tls_library_free(library);
}

/* OpenSSL 3.5's default group has one within. */
Test(x25519, hybrids_have_keys_of_libsodium)
{
    struct tls_library *library = tls_library_new();
    EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_from_name(tls_library_context(library), "X25519MLKEM768", NULL);
    EVP_PKEY *key = NULL;

    cr_assert_eq(context != NULL, compat_has_hybrids);
    if (context != NULL) {
        cr_assert_eq(EVP_PKEY_keygen_init(context), 1);
        cr_assert_eq(EVP_PKEY_keygen(context, &key), 1);
        cr_assert_eq(sodium_keys, 1);
    }
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    tls_library_free(library);
}
