#include "forge.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

static X509 *x509_of(const struct certificate *certificate)
{
    BIO *bio = BIO_new_mem_buf(certificate_pem(certificate), -1);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    cr_assert_not_null(x509);
    return x509;
}

static EVP_PKEY *key_of(const struct certificate *certificate)
{
    BIO *bio = BIO_new_mem_buf(certificate_key_pem(certificate), -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    cr_assert_not_null(key);
    return key;
}

static char *text_of(BIO *bio)
{
    char *data;
    long bytes = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)bytes);

    BIO_free(bio);
    return text;
}

static void serial_revoke(X509_CRL *crl, const struct certificate *certificate)
{
    X509 *x509 = x509_of(certificate);
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -60);

    cr_assert(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(x509)));
    cr_assert(X509_REVOKED_set_revocationDate(entry, now));
    cr_assert(X509_CRL_add0_revoked(crl, entry));
    ASN1_TIME_free(now);
    X509_free(x509);
}

char *forge_crl(const struct certificate *issuer, const struct certificate *const *revoked,
                long next_update_s)
{
    X509_CRL *crl = X509_CRL_new();
    X509 *x509 = x509_of(issuer);
    EVP_PKEY *key = key_of(issuer);
    ASN1_TIME *last = X509_gmtime_adj(NULL, -3600);
    ASN1_TIME *next = X509_gmtime_adj(NULL, next_update_s);
    BIO *bio = BIO_new(BIO_s_mem());

    cr_assert(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
    cr_assert(X509_CRL_set_issuer_name(crl, X509_get_subject_name(x509)));
    cr_assert(X509_CRL_set1_lastUpdate(crl, last));
    cr_assert(X509_CRL_set1_nextUpdate(crl, next));
    for (; revoked != NULL && *revoked != NULL; revoked++) {
        serial_revoke(crl, *revoked);
    }
    cr_assert_gt(X509_CRL_sign(crl, key, EVP_sha256()), 0);
    cr_assert(PEM_write_bio_X509_CRL(bio, crl));
    ASN1_TIME_free(last);
    ASN1_TIME_free(next);
    EVP_PKEY_free(key);
    X509_free(x509);
    X509_CRL_free(crl);
    return text_of(bio);
}

char *forge_validity(const struct certificate *certificate, const struct certificate *issuer,
                     long from_s, long to_s)
{
    X509 *x509 = x509_of(certificate);
    EVP_PKEY *key = key_of(issuer);
    BIO *bio = BIO_new(BIO_s_mem());

    cr_assert_not_null(X509_gmtime_adj(X509_getm_notBefore(x509), from_s));
    cr_assert_not_null(X509_gmtime_adj(X509_getm_notAfter(x509), to_s));
    cr_assert_gt(X509_sign(x509, key, EVP_sha256()), 0);
    cr_assert(PEM_write_bio_X509(bio, x509));
    EVP_PKEY_free(key);
    X509_free(x509);
    return text_of(bio);
}

char *forge_bytes(const struct certificate *certificate, const struct certificate *issuer,
                  const char *from, const char *to, size_t count)
{
    X509 *x509 = x509_of(certificate);
    EVP_PKEY *key = key_of(issuer);
    BIO *bio = BIO_new(BIO_s_mem());
    unsigned char *der = NULL;
    size_t bytes = (size_t)i2d_X509(x509, &der);
    const unsigned char *begin = der;
    unsigned char *at;

    while ((at = memmem(der, bytes, from, count)) != NULL) {
        memcpy(at, to, count);
    }
    X509_free(x509);
    x509 = d2i_X509(NULL, &begin, (long)bytes);
    cr_assert_not_null(x509);
    cr_assert_gt(X509_sign(x509, key, EVP_sha256()), 0);
    cr_assert(PEM_write_bio_X509(bio, x509));
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    X509_free(x509);
    return text_of(bio);
}

char *forge_encrypted_key(const struct certificate *certificate, const char *passphrase)
{
    EVP_PKEY *key = key_of(certificate);
    BIO *bio = BIO_new(BIO_s_mem());

    cr_assert(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), passphrase,
                                            (int)strlen(passphrase), NULL, NULL));
    EVP_PKEY_free(key);
    return text_of(bio);
}

char *forge_parameters(const char *type, const char *group)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *parameters = NULL;
    BIO *bio = BIO_new(BIO_s_mem());

    cr_assert_eq(EVP_PKEY_paramgen_init(context), 1);
    cr_assert_eq(EVP_PKEY_CTX_set_group_name(context, group), 1);
    cr_assert_eq(EVP_PKEY_paramgen(context, &parameters), 1);
    cr_assert(PEM_write_bio_Parameters(bio, parameters));
    EVP_PKEY_free(parameters);
    EVP_PKEY_CTX_free(context);
    return text_of(bio);
}

static uint8_t *der_of(OCSP_RESPONSE *response, size_t *out_bytes)
{
    unsigned char *der = NULL;
    int bytes = i2d_OCSP_RESPONSE(response, &der);
    uint8_t *copy;

    cr_assert_gt(bytes, 0);
    copy = malloc((size_t)bytes);
    memcpy(copy, der, (size_t)bytes);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    *out_bytes = (size_t)bytes;
    return copy;
}

uint8_t *forge_ocsp(const struct certificate *certificate, const struct certificate *issuer,
                    long next_update_s, size_t *out_bytes)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    X509 *x509 = x509_of(certificate);
    X509 *issuer_x509 = x509_of(issuer);
    EVP_PKEY *key = key_of(issuer);
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, x509, issuer_x509);
    ASN1_TIME *last = X509_gmtime_adj(NULL, -7200);
    ASN1_TIME *next = X509_gmtime_adj(NULL, next_update_s);
    OCSP_RESPONSE *response;

    cr_assert_not_null(
        OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, last, next));
    cr_assert(OCSP_basic_sign(basic, issuer_x509, key, EVP_sha256(), NULL, 0));
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    ASN1_TIME_free(last);
    ASN1_TIME_free(next);
    OCSP_CERTID_free(id);
    EVP_PKEY_free(key);
    X509_free(issuer_x509);
    X509_free(x509);
    OCSP_BASICRESP_free(basic);
    return der_of(response, out_bytes);
}

uint8_t *forge_ocsp_refusal(size_t *out_bytes)
{
    return der_of(OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL), out_bytes);
}

uint8_t *forge_legacy_bundle(const struct certificate *certificate, size_t *out_bytes)
{
    /* In a library context of its own, so that the code under test goes without. */
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *usual = OSSL_PROVIDER_load(library, "default");
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(library, "legacy");
    X509 *x509 = x509_of(certificate);
    EVP_PKEY *key = key_of(certificate);
    int rc2 = NID_pbe_WithSHA1And40BitRC2_CBC;
    PKCS12 *bundle = NULL;
    unsigned char *der = NULL;
    uint8_t *copy = NULL;
    int bytes;

    if (legacy != NULL) {
        bundle =
            PKCS12_create_ex("", NULL, key, x509, NULL, rc2, rc2, 1000, 1000, 0, library, NULL);
        bytes = i2d_PKCS12(bundle, &der);
        cr_assert_gt(bytes, 0);
        copy = malloc((size_t)bytes);
        memcpy(copy, der, (size_t)bytes);
        *out_bytes = (size_t)bytes;
    }
    OPENSSL_free(der);
    PKCS12_free(bundle);
    EVP_PKEY_free(key);
    X509_free(x509);
    if (legacy != NULL) {
        OSSL_PROVIDER_unload(legacy);
    }
    OSSL_PROVIDER_unload(usual);
    OSSL_LIB_CTX_free(library);
    return copy;
}
