/* Our own certificates with their keys, from PEM or PKCS#12 (RFC 7292). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "tls/internal.h"
#include "tls/pem.h"
#include "tls/setup.h"

enum { PASSPHRASE_BYTES_MAX = 1023 }; /* OpenSSL's PEM_BUFSIZE less one */

/* A key, its certificate and what is above that; and where they come from, for errors. */
struct credential {
    EVP_PKEY *key;
    X509 *leaf;
    STACK_OF(X509) * above;
    const char *name;     /* "certificate file 'a.pem'" */
    const char *key_name; /* of the key's file */
};

static void credential_deinit(struct credential *credential)
{
    EVP_PKEY_free(credential->key);
    X509_free(credential->leaf);
    sk_X509_pop_free(credential->above, X509_free);
}

static void date_format(const ASN1_TIME *time, char out[32])
{
    struct tm parts = {0};

    ASN1_TIME_to_tm(time, &parts);
    strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &parts);
}

/* Peers will refuse it; but clocks can be wrong, and a test may want just that. */
static void validity_warn(struct tls_context *context, const char *name, const X509 *certificate)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate);
    const ASN1_TIME *to = X509_get0_notAfter(certificate);
    char date[32];

    if (X509_cmp_current_time(to) < 0) {
        date_format(to, date);
        tls_warn(context, "%s expired on %s", name, date);
    } else if (X509_cmp_current_time(from) > 0) {
        date_format(from, date);
        tls_warn(context, "%s is not valid before %s", name, date);
    }
}

static void credential_warn(struct tls_context *context, const struct credential *credential)
{
    bool server = context->role == TLS_SERVER;

    validity_warn(context, credential->name, credential->leaf);
    for (int i = 0; i < sk_X509_num(credential->above); i++) {
        char name[ERROR_TEXT_BYTES];

        snprintf(name, sizeof(name), "an issuer in %s", credential->name);
        validity_warn(context, name, sk_X509_value(credential->above, i));
    }
    if (X509_check_purpose(credential->leaf,
                           server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT, 0) != 1) {
        tls_warn(context, "%s is not made for a TLS %s (extended key usage %s)", credential->name,
                 server ? "server" : "client", server ? "serverAuth" : "clientAuth");
    }
}

static int credential_use(struct tls_context *context, struct credential *credential,
                          struct error *error)
{
    if (!X509_check_private_key(credential->leaf, credential->key)) {
        return error_set(error, "the key in '%s' does not belong to the certificate in %s",
                         credential->key_name, credential->name);
    }
    if (!SSL_CTX_use_cert_and_key(context->ssl, credential->leaf, credential->key,
                                  credential->above, 0)) {
        if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_NOT_REPLACING_CERTIFICATE) {
            return error_set(error,
                             "%s: there is another with a key of that type, and the client's "
                             "algorithms could not choose between them",
                             credential->name);
        }
        return tls_error_set(error, "%s is refused", credential->name);
    }
    credential_warn(context, credential);
    return 0;
}

static int pair_load(struct tls_context *context, const struct pem_source *certificate,
                     const struct pem_source *key, struct error *error)
{
    char name[ERROR_TEXT_BYTES];
    struct credential credential = {.name = name, .key_name = pem_source_name(key)};
    int result = -1;

    snprintf(name, sizeof(name), "certificate file '%s'", pem_source_name(certificate));
    credential.above = pem_certificates(certificate, error);
    credential.leaf = sk_X509_shift(credential.above);
    credential.key = credential.leaf != NULL ? pem_key(key, error) : NULL;
    if (credential.key != NULL) {
        result = credential_use(context, &credential, error);
    }
    credential_deinit(&credential);
    return result;
}

static PKCS12 *bundle_read(const struct tls_config *config, const char *name, struct error *error)
{
    const unsigned char *der = config->pfx;
    PKCS12 *bundle;
    BIO *bio;

    if (config->pfx_file == NULL) {
        bundle = d2i_PKCS12(NULL, &der, (long)config->pfx_bytes);
    } else {
        bio = BIO_new_file(config->pfx_file, "rb");
        if (bio == NULL) {
            tls_error_set(error, "%s cannot be read", name);
            return NULL;
        }
        bundle = d2i_PKCS12_bio(bio, NULL);
        BIO_free(bio);
    }
    if (bundle == NULL) {
        tls_error_set(error, "%s is not a good PKCS#12 bundle in DER", name);
    }
    return bundle;
}

static int bundle_refuse(const char *name, const char *passphrase, struct error *error)
{
    bool wrong = ERR_GET_REASON(ERR_peek_last_error()) == PKCS12_R_MAC_VERIFY_FAILURE;
    bool given = passphrase != NULL && *passphrase != '\0';
    bool outdated = ERR_GET_REASON(ERR_peek_error()) == ERR_R_UNSUPPORTED;

    if (!wrong && !outdated) {
        return tls_error_set(error, "%s cannot be opened", name);
    }
    ERR_clear_error();
    if (outdated) {
        return error_set(error,
                         "%s is encrypted with RC2 or the like, which %s does without: make "
                         "it again with AES",
                         name, tls_library_version());
    }
    return given ? error_set(error, "%s does not open with this passphrase", name)
                 : error_set(error, "%s is encrypted, and there is no passphrase for it", name);
}

/* From `others`, moves the issuer of the leaf, its issuer and so on to `above`; then trusts what is
 * self-signed, the roots. */
static int bundle_sort(struct tls_context *context, struct credential *credential,
                       STACK_OF(X509) * others, struct error *error)
{
    X509 *current = credential->leaf;

    /* With room for all of them, so that no push fails. */
    credential->above = sk_X509_new_reserve(NULL, sk_X509_num(others));
    for (int i = 0; credential->above != NULL && i < sk_X509_num(others);) {
        X509 *candidate = sk_X509_value(others, i);

        if (X509_self_signed(candidate, 0) == 1 ||
            X509_check_issued(candidate, current) != X509_V_OK) {
            i++;
            continue;
        }
        current = sk_X509_delete(others, i);
        sk_X509_push(credential->above, current);
        i = 0; /* they come in any order */
    }
    for (int i = 0; i < sk_X509_num(others); i++) {
        X509 *root = sk_X509_value(others, i);

        if (X509_self_signed(root, 0) == 1 && tls_trust_add(context, root) != 0) {
            return tls_error_set(error, "a root in %s is refused", credential->name);
        }
    }
    return credential->above != NULL ? 0 : error_set(error, "out of memory");
}

static int bundle_load(struct tls_context *context, const struct tls_config *config,
                       struct error *error)
{
    const char *file = config->pfx_file != NULL ? config->pfx_file : "(memory)";
    char name[ERROR_TEXT_BYTES];
    struct credential credential = {.name = name, .key_name = file};
    STACK_OF(X509) *others = NULL;
    PKCS12 *bundle;
    int result;

    snprintf(name, sizeof(name), "pfx file '%s'", file);
    bundle = bundle_read(config, name, error);
    if (bundle == NULL) {
        return -1;
    }
    if (!PKCS12_parse(bundle, config->passphrase, &credential.key, &credential.leaf, &others)) {
        result = bundle_refuse(name, config->passphrase, error);
    } else if (credential.key == NULL || credential.leaf == NULL) {
        result = error_set(error, "%s has no %s in it", name,
                           credential.key == NULL ? "private key" : "certificate of its key");
    } else {
        result = bundle_sort(context, &credential, others, error);
    }
    if (result == 0) {
        result = credential_use(context, &credential, error);
    }
    sk_X509_pop_free(others, X509_free);
    credential_deinit(&credential);
    PKCS12_free(bundle);
    return result;
}

static int pairs_load(struct tls_context *context, const struct tls_config *config,
                      struct error *error)
{
    if (config->certificate_count > TLS_CERTIFICATES_MAX) {
        return error_set(error, "%zu certificates are more than the %d allowed",
                         config->certificate_count, TLS_CERTIFICATES_MAX);
    }
    for (size_t i = 0; i < config->certificate_count; i++) {
        struct pem_source certificate = {
            .what = "certificate",
            .file = config->certificates[i].certificate_file,
            .memory = config->certificates[i].certificate_pem,
        };
        struct pem_source key = {
            .what = "key",
            .file = config->certificates[i].key_file,
            .memory = config->certificates[i].key_pem,
            .passphrase = config->passphrase,
        };

        if (pair_load(context, &certificate, &key, error) != 0) {
            return -1;
        }
    }
    return 0;
}

int tls_credentials_setup(struct tls_context *context, const struct tls_config *config,
                          struct error *error)
{
    bool bundled = config->pfx_file != NULL || config->pfx != NULL;

    if (config->passphrase != NULL && strlen(config->passphrase) > PASSPHRASE_BYTES_MAX) {
        return error_set(error, "the passphrase is longer than %d bytes", PASSPHRASE_BYTES_MAX);
    }
    if (bundled &&
        (config->certificate_count > 0 || config->ca_file != NULL || config->ca_pem != NULL)) {
        return error_set(error,
                         "pfx file '%s' brings key, certificates and roots: it excludes "
                         "other certificates and ca",
                         config->pfx_file != NULL ? config->pfx_file : "(memory)");
    }
    if (bundled) {
        return bundle_load(context, config, error);
    }
    if (context->role == TLS_SERVER && config->certificate_count == 0) {
        return error_set(error, "a TLS server needs a certificate and its key");
    }
    return pairs_load(context, config, error);
}

void tls_credentials_digest(SSL_CTX *ssl, EVP_MD_CTX *digest)
{
    for (long more = SSL_CTX_set_current_cert(ssl, SSL_CERT_SET_FIRST); more == 1;
         more = SSL_CTX_set_current_cert(ssl, SSL_CERT_SET_NEXT)) {
        unsigned char fingerprint[EVP_MAX_MD_SIZE];
        unsigned bytes;

        if (X509_digest(SSL_CTX_get0_certificate(ssl), EVP_sha256(), fingerprint, &bytes)) {
            EVP_DigestUpdate(digest, fingerprint, bytes);
        }
    }
}
