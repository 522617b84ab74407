/* Whose certificates are good: roots, CRLs, and what becomes of a peer without a good one. */
#include <stdlib.h>

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/error.h"
#include "tls/internal.h"
#include "tls/pem.h"
#include "tls/setup.h"

int tls_trust_leniently(int good, X509_STORE_CTX *store)
{
    (void)good;
    (void)store; /* keeps the error: SSL_get_verify_result(3) */
    return 1;
}

/* OpenSSL checks the purpose by itself: a client's certificate must not be for servers only, nor a
 * server's for clients only (RFC 5280 4.2.1.12). */
static void verification_apply(const struct tls_context *context, const struct tls_config *config)
{
    if (context->role == TLS_CLIENT) {
        SSL_CTX_set_verify(context->ssl, config->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                           NULL);
    } else if (config->require_certificate) {
        SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    } else if (config->request_certificate) {
        SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, tls_trust_leniently);
    }
}

static int roots_add(struct tls_context *context, const struct pem_source *source,
                     struct error *error)
{
    STACK_OF(X509) *roots = pem_certificates(source, error);
    int result = roots != NULL ? 0 : -1;

    for (int i = 0; result == 0 && i < sk_X509_num(roots); i++) {
        if (tls_trust_add(context, sk_X509_value(roots, i)) != 0) {
            result = tls_error_set(error, "CA file '%s' is refused", pem_source_name(source));
        }
    }
    sk_X509_pop_free(roots, X509_free);
    return result;
}

int tls_trust_add(struct tls_context *context, X509 *root)
{
    if (!X509_STORE_add_cert(SSL_CTX_get_cert_store(context->ssl), root)) {
        return -1;
    }
    /* A server names those that it trusts when it asks for a certificate (RFC 8446 4.2.4). */
    return context->role == TLS_CLIENT || SSL_CTX_add_client_CA(context->ssl, root) ? 0 : -1;
}

static const char *default_path(const char *variable, const char *path)
{
    const char *value = getenv(variable);

    return value != NULL ? value : path;
}

const char *tls_default_roots_file(void)
{
    return default_path(X509_get_default_cert_file_env(), X509_get_default_cert_file());
}

const char *tls_default_roots_directory(void)
{
    return default_path(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
}

static int roots_load(struct tls_context *context, const struct tls_config *config,
                      struct error *error)
{
    const struct pem_source source = {
        .what = "CA", .file = config->ca_file, .memory = config->ca_pem, .directory = true};
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
    bool asks =
        context->role == TLS_CLIENT || config->request_certificate || config->require_certificate;

    if (source.file != NULL || source.memory != NULL) {
        return roots_add(context, &source, error);
    }
    /* Those of a PKCS#12 are there already. Even who accepts anybody wants to know who is good. */
    if (asks && sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) == 0 &&
        !SSL_CTX_set_default_verify_paths(context->ssl)) {
        return tls_error_set(error, "the system's trusted certificates cannot be loaded");
    }
    return 0;
}

static int crls_load(struct tls_context *context, const struct tls_config *config,
                     struct error *error)
{
    const struct pem_source source = {
        .what = "CRL", .file = config->crl_file, .memory = config->crl_pem, .directory = true};
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
    STACK_OF(X509_CRL) * crls;
    int result = 0;

    if (source.file == NULL && source.memory == NULL) {
        return 0;
    }
    crls = pem_crls(&source, error);
    if (crls == NULL) {
        return -1;
    }
    for (int i = 0; result == 0 && i < sk_X509_CRL_num(crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(crls, i);
        const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

        if (next != NULL && X509_cmp_current_time(next) < 0) {
            tls_warn(context,
                     "CRL file '%s' has a CRL past its next update: whom it covers will "
                     "be refused",
                     pem_source_name(&source));
        }
        if (!X509_STORE_add_crl(store, crl)) {
            result = tls_error_set(error, "CRL file '%s' is refused", pem_source_name(&source));
        }
    }
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return result;
}

/* Building a chain only to ignore it costs a client a sixth of a handshake, most of it looking for
 * files in the system's directory of roots. */
static int on_nothing_verified(X509_STORE_CTX *store, void *argument)
{
    (void)argument;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 1;
}

int tls_trust_setup(struct tls_context *context, const struct tls_config *config,
                    struct error *error)
{
    if (context->role == TLS_CLIENT && config->insecure && config->no_verification) {
        SSL_CTX_set_cert_verify_callback(context->ssl, on_nothing_verified, NULL);
        SSL_CTX_set_verify(context->ssl, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    verification_apply(context, config);
    if (roots_load(context, config, error) != 0) {
        return -1;
    }
    return crls_load(context, config, error);
}

void tls_trust_digest(SSL_CTX *ssl, EVP_MD_CTX *digest)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ssl));

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        const X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);
        X509 *root = X509_OBJECT_get0_X509(object);
        X509_CRL *crl = X509_OBJECT_get0_X509_CRL(object);
        unsigned char fingerprint[EVP_MAX_MD_SIZE];
        unsigned bytes = 0;

        if ((root != NULL && X509_digest(root, EVP_sha256(), fingerprint, &bytes)) ||
            (crl != NULL && X509_CRL_digest(crl, EVP_sha256(), fingerprint, &bytes))) {
            EVP_DigestUpdate(digest, fingerprint, bytes);
        }
    }
}
