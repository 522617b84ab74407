#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "tls/certificate.h"

static X509 *x509_of(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    cr_assert_not_null(x509);
    return x509;
}

static size_t certificates_in(const char *pem)
{
    size_t count = 0;

    while ((pem = strstr(pem, "-----BEGIN CERTIFICATE-----")) != NULL) {
        count++;
        pem++;
    }
    return count;
}

static struct certificate *make(const struct certificate_options *options,
                                const struct certificate *issuer)
{
    struct error error = {0};
    struct certificate *certificate = certificate_new(options, issuer, &error);

    cr_assert_not_null(certificate, "%s", error.text);
    return certificate;
}

struct key_row {
    char type[16];
    int base_id;
    int bits;
    int signature_nid;
};

ParameterizedTestParameters(certificate, each_key_type_signs_itself)
{
    static struct key_row rows[] = {
        {"p256", EVP_PKEY_EC, 256, NID_ecdsa_with_SHA256},
        {"p384", EVP_PKEY_EC, 384, NID_ecdsa_with_SHA384},
        {"ed25519", EVP_PKEY_ED25519, 256, NID_ED25519},
        {"rsa2048", EVP_PKEY_RSA, 2048, NID_sha256WithRSAEncryption},
        {"rsa3072", EVP_PKEY_RSA, 3072, NID_sha256WithRSAEncryption},
        {"rsa4096", EVP_PKEY_RSA, 4096, NID_sha256WithRSAEncryption},
    };

    return cr_make_param_array(struct key_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct key_row *row, certificate, each_key_type_signs_itself)
{
    struct certificate_options options = {.key_type = row->type};
    struct certificate *certificate = make(&options, NULL);
    X509 *x509 = x509_of(certificate_pem(certificate));
    EVP_PKEY *key = X509_get0_pubkey(x509);

    cr_assert_eq(EVP_PKEY_get_base_id(key), row->base_id);
    cr_assert_eq(EVP_PKEY_get_bits(key), row->bits);
    cr_assert_eq(X509_get_signature_nid(x509), row->signature_nid);
    cr_assert_eq(X509_verify(x509, key), 1);
    X509_free(x509);
    certificate_free(certificate);
}

Test(certificate, an_unknown_key_type_is_refused_with_the_known_ones)
{
    struct certificate_options options = {.key_type = "rsa512"};
    struct error error = {0};

    cr_assert_null(certificate_new(&options, NULL, &error));
    cr_assert_not_null(strstr(error.text, "'rsa512'"));
    cr_assert_not_null(strstr(error.text, "p256, p384, ed25519"));
}

/* Whichever OpenSSL runs, one half of this is at work. */
Test(certificate, a_post_quantum_key_signs_itself_or_the_version_that_can_is_named)
{
    static const char *const types[] = {"mldsa44", "mldsa65", "mldsa87"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct certificate_options options = {.key_type = types[i]};
        struct error error = {0};
        struct certificate *certificate = certificate_new(&options, NULL, &error);
        X509 *x509;

        if (OpenSSL_version_num() < 0x30500000L) {
            cr_assert_null(certificate);
            cr_assert_not_null(strstr(error.text, types[i]), "%s", error.text);
            cr_assert_not_null(strstr(error.text, "needs OpenSSL 3.5"), "%s", error.text);
            continue;
        }
        cr_assert_not_null(certificate, "%s", error.text);
        x509 = x509_of(certificate_pem(certificate));
        cr_assert_eq(X509_verify(x509, X509_get0_pubkey(x509)), 1);
        X509_free(x509);
        certificate_free(certificate);
    }
}

Test(certificate, the_default_is_for_localhost_as_a_server)
{
    struct certificate *certificate = make(&(struct certificate_options){0}, NULL);
    X509 *x509 = x509_of(certificate_pem(certificate));

    cr_assert_eq(X509_check_host(x509, "localhost", 0, 0, NULL), 1);
    cr_assert_eq(X509_check_ip_asc(x509, "127.0.0.1", 0), 1);
    cr_assert_eq(X509_check_ip_asc(x509, "::1", 0), 1);
    cr_assert_eq(X509_check_host(x509, "elsewhere.test", 0, 0, NULL), 0);
    cr_assert_eq(X509_check_ca(x509), 0);
    cr_assert_eq(X509_get_extended_key_usage(x509), XKU_SSL_SERVER);
    cr_assert_eq(X509_get_key_usage(x509), KU_DIGITAL_SIGNATURE);
    cr_assert_lt(X509_cmp_current_time(X509_get0_notBefore(x509)), 0);
    cr_assert_gt(X509_cmp_current_time(X509_get0_notAfter(x509)), 0);
    X509_free(x509);
    certificate_free(certificate);
}

Test(certificate, names_and_days_are_as_given)
{
    static const char *const names[] = {"*.example.test", "10.0.0.1", NULL};
    struct certificate_options options = {.common_name = "box", .names = names, .days = 7};
    struct certificate *certificate = make(&options, NULL);
    X509 *x509 = x509_of(certificate_pem(certificate));
    char common_name[64];
    int days;
    int seconds;

    cr_assert_eq(X509_check_host(x509, "a.example.test", 0, 0, NULL), 1);
    cr_assert_eq(X509_check_ip_asc(x509, "10.0.0.1", 0), 1);
    cr_assert_eq(X509_check_host(x509, "localhost", 0, 0, NULL), 0);
    X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, common_name,
                              sizeof(common_name));
    cr_assert_str_eq(common_name, "box");
    cr_assert(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x509)));
    cr_assert(days == 7 || days == 6);
    X509_free(x509);
    certificate_free(certificate);
}

Test(certificate, a_client_certificate_is_for_clients_only)
{
    struct certificate_options options = {.client = true, .common_name = "alice"};
    struct certificate *certificate = make(&options, NULL);
    X509 *x509 = x509_of(certificate_pem(certificate));

    cr_assert_eq(X509_get_extended_key_usage(x509), XKU_SSL_CLIENT);
    cr_assert_eq(X509_check_host(x509, "localhost", 0, 0, NULL), 0);
    X509_free(x509);
    certificate_free(certificate);
}

Test(certificate, a_chain_leaves_the_root_out)
{
    struct certificate_options authority = {.authority = true};
    struct certificate *root = make(&authority, NULL);
    struct certificate *upper = make(&authority, root);
    struct certificate *lower = make(&authority, upper);
    struct certificate *leaf = make(&(struct certificate_options){0}, lower);
    X509 *root_x509 = x509_of(certificate_pem(root));
    X509 *upper_x509 = x509_of(certificate_pem(upper));

    cr_assert_eq(X509_check_ca(root_x509), 1);
    cr_assert_eq(X509_check_issued(root_x509, upper_x509), X509_V_OK);
    cr_assert_neq(X509_check_issued(upper_x509, root_x509), X509_V_OK);
    cr_assert_eq(certificates_in(certificate_chain_pem(root)), 1);
    cr_assert_eq(certificates_in(certificate_chain_pem(upper)), 1);
    cr_assert_eq(certificates_in(certificate_chain_pem(leaf)), 3);
    cr_assert_eq(certificates_in(certificate_pem(leaf)), 1);
    X509_free(root_x509);
    X509_free(upper_x509);
    certificate_free(leaf);
    certificate_free(lower);
    certificate_free(upper);
    certificate_free(root);
}

Test(certificate, serials_differ)
{
    struct certificate *first = make(&(struct certificate_options){0}, NULL);
    struct certificate *second = make(&(struct certificate_options){0}, NULL);
    X509 *first_x509 = x509_of(certificate_pem(first));
    X509 *second_x509 = x509_of(certificate_pem(second));

    cr_assert_neq(
        ASN1_INTEGER_cmp(X509_get0_serialNumber(first_x509), X509_get0_serialNumber(second_x509)),
        0);
    X509_free(first_x509);
    X509_free(second_x509);
    certificate_free(first);
    certificate_free(second);
}

Test(certificate, fingerprint_is_colon_separated_sha_256)
{
    struct certificate *certificate = make(&(struct certificate_options){0}, NULL);
    char text[CERTIFICATE_FINGERPRINT_TEXT_BYTES];

    certificate_fingerprint(certificate, text);
    cr_assert_eq(strlen(text), 95);
    cr_assert_eq(strspn(text, "0123456789ABCDEF:"), 95);
    cr_assert_eq(text[2], ':');
    cr_assert_neq(text[94], ':');
    certificate_free(certificate);
}

static bool opens(const uint8_t *der, size_t bytes, const char *passphrase)
{
    PKCS12 *bundle = d2i_PKCS12(NULL, &der, (long)bytes);
    STACK_OF(X509) *above = NULL;
    EVP_PKEY *key = NULL;
    X509 *x509 = NULL;
    bool good = PKCS12_parse(bundle, passphrase, &key, &x509, &above) == 1 &&
                X509_check_private_key(x509, key) == 1 &&
                sk_X509_num(above) == 2; /* with the root */

    PKCS12_free(bundle);
    EVP_PKEY_free(key);
    X509_free(x509);
    sk_X509_pop_free(above, X509_free);
    return good;
}

Test(certificate, pkcs12_opens_with_its_passphrase_only)
{
    struct certificate_options authority = {.authority = true};
    struct certificate *root = make(&authority, NULL);
    struct certificate *middle = make(&authority, root);
    struct certificate *leaf = make(&(struct certificate_options){0}, middle);
    uint8_t *der;
    size_t bytes;

    cr_assert_eq(certificate_pkcs12(leaf, "open sesame", &der, &bytes, NULL), 0);
    cr_assert(opens(der, bytes, "open sesame"));
    cr_assert_not(opens(der, bytes, "close sesame"));
    free(der);
    cr_assert_eq(certificate_pkcs12(leaf, "", &der, &bytes, NULL), 0);
    cr_assert(opens(der, bytes, ""));
    free(der);
    certificate_free(leaf);
    certificate_free(middle);
    certificate_free(root);
    certificate_free(NULL);
}
