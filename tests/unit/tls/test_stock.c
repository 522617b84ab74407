#include <string.h>

#include <criterion/criterion.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tls/openssl_compat.h"
#include "tls/stock.h"

/* Of 2,048 bits, or on P-384. */
static EVP_PKEY *key_new(const char *key_type)
{
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, key_type, NULL);
    EVP_PKEY *key = NULL;

    cr_assert(EVP_PKEY_keygen_init(maker) > 0);
    cr_assert(strcmp(key_type, "EC") != 0 || EVP_PKEY_CTX_set_group_name(maker, "P-384") > 0);
    cr_assert(EVP_PKEY_generate(maker, &key) > 0, "%s", key_type);
    EVP_PKEY_CTX_free(maker);
    return key;
}

/* A certificate's DER, from OpenSSL's default library context. */
static int certificate_der(const char *key_type, uint8_t **out_der)
{
    EVP_PKEY *key = key_new(key_type);
    EVP_PKEY *signer = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    int bytes;

    cr_assert(X509_set_pubkey(certificate, key));
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    cr_assert(X509_sign(certificate, signer, EVP_sha256()) > 0);
    *out_der = NULL;
    bytes = i2d_X509(certificate, out_der);
    X509_free(certificate);
    EVP_PKEY_free(signer);
    EVP_PKEY_free(key);
    return bytes;
}

Test(stock, reads_the_keys_that_certificates_have)
{
    static const char *const types[] = {"EC", "RSA", "RSA-PSS", "ED25519", "ED448"};
    struct stock *stock = stock_new();

    cr_assert_not_null(stock);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        X509 *certificate = X509_new_ex(stock_context(stock), NULL);
        uint8_t *der;
        int bytes = certificate_der(types[i], &der);
        const uint8_t *cursor = der;

        cr_assert_not_null(d2i_X509(&certificate, &cursor, bytes), "%s", types[i]);
        cr_assert(EVP_PKEY_is_a(X509_get0_pubkey(certificate), types[i]), "%s", types[i]);
        OPENSSL_free(der);
        X509_free(certificate);
    }
    stock_leave(stock);
    stock_free(stock);
}

Test(stock, reads_nothing_else_where_that_costs_much)
{
    struct stock *stock = stock_new();
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(&key, "DER", "PrivateKeyInfo", "EC",
                                                              0, stock_context(stock), NULL);

    cr_assert_eq(OSSL_DECODER_CTX_get_num_decoders(decoder) == 1, compat_decoders_are_slow);
    OSSL_DECODER_CTX_free(decoder);
    stock_leave(stock);
    stock_free(stock);
    stock_free(NULL);
}

static STACK_OF(SSL_CIPHER) * suites_of(SSL_CTX *context)
{
    cr_assert(SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"));
    cr_assert(SSL_CTX_set_ciphersuites(
        context, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
                 "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"));
    return SSL_CTX_get_ciphers(context);
}

Test(stock, has_all_suites)
{
    struct stock *stock = stock_new();
    SSL_CTX *context = SSL_CTX_new_ex(stock_context(stock), NULL, TLS_method());
    SSL_CTX *whole = SSL_CTX_new(TLS_method());
    STACK_OF(SSL_CIPHER) *suites = suites_of(context);
    STACK_OF(SSL_CIPHER) *all = suites_of(whole);

    cr_assert_gt(sk_SSL_CIPHER_num(all), 100);
    cr_assert_eq(sk_SSL_CIPHER_num(suites), sk_SSL_CIPHER_num(all));
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        cr_assert_eq(sk_SSL_CIPHER_value(suites, i), sk_SSL_CIPHER_value(all, i));
    }
    SSL_CTX_free(context);
    SSL_CTX_free(whole);
    stock_leave(stock);
    stock_free(stock);
}

Test(stock, has_what_tls_needs_and_no_more_where_that_costs_much)
{
    struct stock *stock = stock_new();
    EVP_MAC *hmac = EVP_MAC_fetch(stock_context(stock), "HMAC", NULL);
    EVP_MAC *cmac = EVP_MAC_fetch(stock_context(stock), "CMAC", NULL);
    EVP_CIPHER *cbc = EVP_CIPHER_fetch(stock_context(stock), "AES-256-CBC-HMAC-SHA1", NULL);
    EVP_CIPHER *xts = EVP_CIPHER_fetch(stock_context(stock), "AES-256-XTS", NULL);

    cr_assert_not_null(hmac);
    cr_assert_eq(cmac == NULL, compat_decoders_are_slow);
    cr_assert_not_null(cbc);
    cr_assert_eq(xts == NULL, compat_decoders_are_slow);
    EVP_MAC_free(hmac);
    EVP_MAC_free(cmac);
    EVP_CIPHER_free(cbc);
    EVP_CIPHER_free(xts);
    stock_leave(stock);
    stock_free(stock);
}

Test(stock, has_the_groups_and_ciphers_of_tls)
{
    struct stock *stock = stock_new();
    SSL_CTX *context = SSL_CTX_new_ex(stock_context(stock), NULL, TLS_method());

    cr_assert(SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384:ffdhe2048:X448"));
    cr_assert(SSL_CTX_set_ciphersuites(context, "TLS_CHACHA20_POLY1305_SHA256"));
    cr_assert_not(SSL_CTX_set1_groups_list(context, "X25518"));
    SSL_CTX_free(context);
    stock_leave(stock);
    stock_free(stock);
}
