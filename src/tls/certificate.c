#include "tls/certificate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "tls/internal.h"

enum {
    DAYS_DEFAULT = 365,
    SERIAL_BITS = 127, /* positive and within 20 bytes (RFC 5280 4.1.2.2) */
    PKCS12_ITERATIONS = 100000,
};

struct certificate {
    X509 *x509;
    EVP_PKEY *key;
    STACK_OF(X509) * above; /* issuer, its issuer ... without the root */
    X509 *root;             /* NULL: it is one itself */
    char *pem;
    char *chain_pem;
    char *key_pem;
};

static const struct {
    const char *name;
    const char *algorithm;
    const char *curve;
    size_t bits;
    const char *since; /* the OpenSSL that has it first; NULL: all have it */
} key_types[] = {
    {"p256", "EC", "P-256", 0, NULL},         {"p384", "EC", "P-384", 0, NULL},
    {"ed25519", "ED25519", NULL, 0, NULL},    {"rsa", "RSA", NULL, 3072, NULL},
    {"rsa2048", "RSA", NULL, 2048, NULL},     {"rsa3072", "RSA", NULL, 3072, NULL},
    {"rsa4096", "RSA", NULL, 4096, NULL},     {"mldsa44", "ML-DSA-44", NULL, 0, "3.5"},
    {"mldsa65", "ML-DSA-65", NULL, 0, "3.5"}, {"mldsa87", "ML-DSA-87", NULL, 0, "3.5"},
};

static EVP_PKEY *key_generate(const char *type, struct error *error)
{
    EVP_PKEY *key = NULL;

    for (size_t i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++) {
        if (strcmp(type, key_types[i].name) != 0) {
            continue;
        }
        if (key_types[i].curve != NULL) {
            key = EVP_PKEY_Q_keygen(NULL, NULL, key_types[i].algorithm, key_types[i].curve);
        } else if (key_types[i].bits != 0) {
            key = EVP_PKEY_Q_keygen(NULL, NULL, key_types[i].algorithm, key_types[i].bits);
        } else {
            key = EVP_PKEY_Q_keygen(NULL, NULL, key_types[i].algorithm);
        }
        if (key == NULL && key_types[i].since != NULL) {
            error_set(error, "a key of type %s needs OpenSSL %s, and this is %s", type,
                      key_types[i].since, tls_library_version());
        } else if (key == NULL) {
            tls_error_set(error, "a %s key could not be generated", type);
        }
        return key;
    }
    error_set(error,
              "'%s' is no key type: there are p256, p384, ed25519, rsa2048, rsa3072 and rsa4096, "
              "and from OpenSSL 3.5 mldsa44, mldsa65 and mldsa87",
              type);
    return NULL;
}

/* The digest to sign with: none beside the schemes that have their own, as Ed25519 and ML-DSA; as
 * strong as the curve beside P-384. */
static const EVP_MD *signing_digest(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "EC")) {
        return EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
    }
    return EVP_PKEY_is_a(key, "RSA") ? EVP_sha256() : NULL;
}

static bool set_serial(X509 *x509)
{
    BIGNUM *number = BN_new();
    bool good = number != NULL &&
                BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;

    BN_free(number);
    return good;
}

static bool set_validity(X509 *x509, uint32_t days)
{
    /* From an hour ago: clocks of two machines differ. */
    return X509_gmtime_adj(X509_getm_notBefore(x509), -3600) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(x509), (int)(days != 0 ? days : DAYS_DEFAULT), 0,
                            NULL) != NULL;
}

static bool set_subject(X509 *x509, const char *common_name)
{
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                                      (const unsigned char *)common_name, -1, -1, 0) == 1;
}

static GENERAL_NAME *alternative_name(const char *name)
{
    GENERAL_NAME *general = GENERAL_NAME_new();
    uint8_t address[sizeof(struct in6_addr)];
    int address_bytes = inet_pton(AF_INET, name, address) == 1    ? 4
                        : inet_pton(AF_INET6, name, address) == 1 ? 16
                                                                  : 0;
    bool is_address = address_bytes != 0;
    /* Both string types are the same structure in OpenSSL. */
    ASN1_STRING *value = is_address ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

    if (general == NULL || value == NULL ||
        !ASN1_STRING_set(value, is_address ? (const void *)address : (const void *)name,
                         is_address ? address_bytes : (int)strlen(name))) {
        GENERAL_NAME_free(general);
        ASN1_STRING_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(general, is_address ? GEN_IPADD : GEN_DNS, value);
    return general;
}

static bool add_names(X509 *x509, const char *const *names)
{
    static const char *const local_names[] = {"localhost", "127.0.0.1", "::1", NULL};
    GENERAL_NAMES *stack = sk_GENERAL_NAME_new_null();
    bool good = stack != NULL;

    for (names = names != NULL ? names : local_names; good && *names != NULL; names++) {
        GENERAL_NAME *name = alternative_name(*names);

        good = name != NULL && sk_GENERAL_NAME_push(stack, name) > 0;
        if (!good) {
            GENERAL_NAME_free(name);
        }
    }
    good = good && X509_add1_ext_i2d(x509, NID_subject_alt_name, stack, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(stack);
    return good;
}

static bool add_extension(X509 *x509, X509V3_CTX *context, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, context, nid, value);
    bool good = extension != NULL && X509_add_ext(x509, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return good;
}

static bool add_extensions(X509 *x509, X509 *issuer, const struct certificate_options *options)
{
    bool rsa = EVP_PKEY_get_base_id(X509_get0_pubkey(x509)) == EVP_PKEY_RSA;
    const char *leaf_usage =
        rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature";
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    if (!add_extension(x509, &context, NID_basic_constraints,
                       options->authority ? "critical,CA:TRUE" : "critical,CA:FALSE") ||
        !add_extension(x509, &context, NID_key_usage,
                       options->authority ? "critical,keyCertSign,cRLSign" : leaf_usage) ||
        !add_extension(x509, &context, NID_subject_key_identifier, "hash") ||
        !add_extension(x509, &context, NID_authority_key_identifier, "keyid:always")) {
        return false;
    }
    if (options->authority) {
        return options->names == NULL || add_names(x509, options->names);
    }
    return add_extension(x509, &context, NID_ext_key_usage,
                         options->client ? "clientAuth" : "serverAuth") &&
           /* Localhost is a server's name; a client has none but those that were given. */
           ((options->client && options->names == NULL) || add_names(x509, options->names));
}

static bool fill(X509 *x509, EVP_PKEY *key, const struct certificate_options *options,
                 const struct certificate *issuer)
{
    const char *common_name = options->common_name != NULL ? options->common_name
                              : options->authority         ? "tlsdyno CA"
                              : options->client            ? "tlsdyno client"
                                                           : "localhost";
    X509 *issuer_x509 = issuer != NULL ? issuer->x509 : x509;
    EVP_PKEY *issuer_key = issuer != NULL ? issuer->key : key;

    return X509_set_version(x509, X509_VERSION_3) && set_serial(x509) &&
           set_validity(x509, options->days) && set_subject(x509, common_name) &&
           X509_set_issuer_name(x509, X509_get_subject_name(issuer_x509)) &&
           X509_set_pubkey(x509, key) && add_extensions(x509, issuer_x509, options) &&
           X509_sign(x509, issuer_key, signing_digest(issuer_key)) > 0;
}

/* What has been written to a memory BIO, as a string of our own. Frees the BIO. */
static char *text_take(BIO *bio, bool good)
{
    char *data;
    long bytes = good ? BIO_get_mem_data(bio, &data) : 0;
    char *text = bytes > 0 ? strndup(data, (size_t)bytes) : NULL;

    BIO_free(bio);
    return text;
}

static char *certificates_text(X509 *leaf, STACK_OF(X509) * above)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL && PEM_write_bio_X509(bio, leaf) == 1;

    for (int i = 0; good && i < sk_X509_num(above); i++) {
        good = PEM_write_bio_X509(bio, sk_X509_value(above, i)) == 1;
    }
    return text_take(bio, good);
}

static char *key_text(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool good =
        bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;

    return text_take(bio, good);
}

/* The issuer, unless it is the root, and what is above it; and the root. */
static bool collect_above(struct certificate *certificate, const struct certificate *issuer)
{
    bool topmost = issuer != NULL && issuer->root == NULL;

    certificate->above = issuer != NULL ? X509_chain_up_ref(issuer->above) : sk_X509_new_null();
    if (certificate->above == NULL) {
        return false;
    }
    if (issuer == NULL) {
        return true;
    }
    certificate->root = topmost ? issuer->x509 : issuer->root;
    X509_up_ref(certificate->root);
    if (topmost) {
        return true;
    }
    X509_up_ref(issuer->x509);
    return sk_X509_unshift(certificate->above, issuer->x509) > 0;
}

struct certificate *certificate_new(const struct certificate_options *options,
                                    const struct certificate *issuer, struct error *error)
{
    struct certificate *certificate = calloc(1, sizeof(*certificate));

    if (certificate == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    ERR_clear_error();
    certificate->key = key_generate(options->key_type != NULL ? options->key_type : "p256", error);
    if (certificate->key == NULL) {
        goto fail;
    }
    certificate->x509 = X509_new();
    if (certificate->x509 == NULL || !fill(certificate->x509, certificate->key, options, issuer) ||
        !collect_above(certificate, issuer)) {
        tls_error_set(error, "the certificate could not be made");
        goto fail;
    }
    certificate->pem = certificates_text(certificate->x509, NULL);
    certificate->chain_pem = certificates_text(certificate->x509, certificate->above);
    certificate->key_pem = key_text(certificate->key);
    if (certificate->pem != NULL && certificate->chain_pem != NULL &&
        certificate->key_pem != NULL) {
        return certificate;
    }
    tls_error_set(error, "the certificate could not be written as PEM");
fail:
    certificate_free(certificate);
    return NULL;
}

void certificate_free(struct certificate *certificate)
{
    if (certificate == NULL) {
        return;
    }
    if (certificate->key_pem != NULL) {
        OPENSSL_cleanse(certificate->key_pem, strlen(certificate->key_pem));
    }
    free(certificate->pem);
    free(certificate->chain_pem);
    free(certificate->key_pem);
    sk_X509_pop_free(certificate->above, X509_free);
    X509_free(certificate->root);
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
    free(certificate);
}

const char *certificate_chain_pem(const struct certificate *certificate)
{
    return certificate->chain_pem;
}

const char *certificate_pem(const struct certificate *certificate)
{
    return certificate->pem;
}

const char *certificate_key_pem(const struct certificate *certificate)
{
    return certificate->key_pem;
}

void certificate_fingerprint(const struct certificate *certificate,
                             char out[CERTIFICATE_FINGERPRINT_TEXT_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;

    out[0] = '\0';
    X509_digest(certificate->x509, EVP_sha256(), digest, &bytes);
    for (unsigned i = 0; i < bytes; i++) {
        snprintf(out + 3 * i, 4, i + 1 < bytes ? "%02X:" : "%02X", digest[i]);
    }
}

int certificate_pkcs12(const struct certificate *certificate, const char *passphrase,
                       uint8_t **out_der, size_t *out_bytes, struct error *error)
{
    STACK_OF(X509) *others = sk_X509_dup(certificate->above);
    PKCS12 *bundle = NULL;
    unsigned char *der = NULL;
    int bytes;

    ERR_clear_error();
    /* With the root: a bundle is all that its owner needs, and excludes other roots. */
    if (others != NULL && (certificate->root == NULL || sk_X509_push(others, certificate->root))) {
        bundle = PKCS12_create(passphrase, "tlsdyno", certificate->key, certificate->x509, others,
                               NID_aes_256_cbc, NID_aes_256_cbc, PKCS12_ITERATIONS,
                               PKCS12_ITERATIONS, 0);
    }
    bytes = bundle != NULL ? i2d_PKCS12(bundle, &der) : -1;
    PKCS12_free(bundle);
    sk_X509_free(others);
    *out_der = bytes > 0 ? malloc((size_t)bytes) : NULL;
    if (*out_der == NULL) {
        OPENSSL_free(der);
        return tls_error_set(error, "the PKCS#12 bundle could not be made");
    }
    memcpy(*out_der, der, (size_t)bytes);
    *out_bytes = (size_t)bytes;
    OPENSSL_clear_free(der, (size_t)bytes);
    return 0;
}
