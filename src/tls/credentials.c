#include "tls/credentials.h"

#include <errno.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "tls/config.h"
#include "tls/internal.h"

/* A PEM text with the name that errors call it by. */
struct pem_source {
    const char *file;
    const char *memory;
    const char *what; /* "certificate", "key", "CA" */
};

static const char *source_name(const struct pem_source *source)
{
    return source->file != NULL ? source->file : "(memory)";
}

static BIO *source_open(const struct pem_source *source, struct error *error)
{
    BIO *bio;

    if (source->file == NULL && source->memory == NULL) {
        error_set(error, "a %s is missing: certificates and keys come in pairs", source->what);
        return NULL;
    }
    bio = source->file != NULL ? BIO_new_file(source->file, "r")
                               : BIO_new_mem_buf(source->memory, -1);
    if (bio == NULL) {
        int reason = errno;

        error_set(error, "%s file '%s' cannot be read: %s", source->what, source_name(source),
                  strerror(reason));
        ERR_clear_error();
    }
    return bio;
}

/* Never a prompt: an encrypted key without a passphrase is an error that says so. */
static int on_passphrase(char *out, int out_max, int writing, void *asked)
{
    (void)out;
    (void)out_max;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

/* All certificates of a PEM text; NULL with a sentence when there is none or one of them is
 * malformed. */
static STACK_OF(X509) * certificates_read(const struct pem_source *source, struct error *error)
{
    BIO *bio = source_open(source, error);
    STACK_OF(X509) *stack = sk_X509_new_null();
    bool asked = false;
    bool good = bio != NULL && stack != NULL;
    X509 *certificate;

    while (good &&
           (certificate = PEM_read_bio_X509_AUX(bio, NULL, on_passphrase, &asked)) != NULL) {
        good = sk_X509_push(stack, certificate) > 0;
    }
    /* The end of a good text is "no start line"; anything else, or nothing at all, is malformed. */
    if (good &&
        (sk_X509_num(stack) == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)) {
        tls_error_set(error, "%s file '%s' is not a good PEM certificate", source->what,
                      source_name(source));
        good = false;
    }
    ERR_clear_error();
    BIO_free(bio);
    if (!good) {
        sk_X509_pop_free(stack, X509_free);
        return NULL;
    }
    return stack;
}

static EVP_PKEY *key_read(const struct pem_source *source, struct error *error)
{
    BIO *bio = source_open(source, error);
    EVP_PKEY *key;
    bool asked = false;

    if (bio == NULL) {
        return NULL;
    }
    key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &asked);
    BIO_free(bio);
    if (key == NULL && asked) {
        error_set(error, "key file '%s' is encrypted, and there is no passphrase for it",
                  source_name(source));
    } else if (key == NULL) {
        tls_error_set(error, "key file '%s' is not a good PEM private key", source_name(source));
    }
    ERR_clear_error();
    return key;
}

/* Whether `key` belongs to the first certificate, which goes in with the rest as its chain. */
static int pair_use(SSL_CTX *ssl, const struct pem_source *certificate_source,
                    const struct pem_source *key_source, STACK_OF(X509) * chain, EVP_PKEY *key,
                    struct error *error)
{
    X509 *leaf = sk_X509_shift(chain);
    int result = 0;

    if (!X509_check_private_key(leaf, key)) {
        result = error_set(error, "the key in '%s' does not belong to the certificate in '%s'",
                           source_name(key_source), source_name(certificate_source));
    } else if (!SSL_CTX_use_cert_and_key(ssl, leaf, key, chain, 1)) {
        result = tls_error_set(error, "certificate file '%s' is refused",
                               source_name(certificate_source));
    }
    X509_free(leaf);
    return result;
}

static int pair_load(SSL_CTX *ssl, const struct pem_source *certificate,
                     const struct pem_source *key, struct error *error)
{
    STACK_OF(X509) *chain = certificates_read(certificate, error);
    EVP_PKEY *private_key = chain != NULL ? key_read(key, error) : NULL;
    int result = -1;

    if (private_key != NULL) {
        result = pair_use(ssl, certificate, key, chain, private_key, error);
    }
    EVP_PKEY_free(private_key);
    sk_X509_pop_free(chain, X509_free);
    return result;
}

int credentials_load(SSL_CTX *ssl, const struct tls_config *config, struct error *error)
{
    if (config->certificate_count > TLS_CERTIFICATES_MAX) {
        return error_set(error, "%zu certificates are more than the %d allowed",
                         config->certificate_count, TLS_CERTIFICATES_MAX);
    }
    for (size_t i = 0; i < config->certificate_count; i++) {
        struct pem_source certificate = {
            .file = config->certificates[i].certificate_file,
            .memory = config->certificates[i].certificate_pem,
            .what = "certificate",
        };
        struct pem_source key = {
            .file = config->certificates[i].key_file,
            .memory = config->certificates[i].key_pem,
            .what = "key",
        };

        if (pair_load(ssl, &certificate, &key, error) != 0) {
            return -1;
        }
    }
    return 0;
}

int roots_load(SSL_CTX *ssl, const struct tls_config *config, struct error *error)
{
    struct pem_source source = {.file = config->ca_file, .memory = config->ca_pem, .what = "CA"};
    STACK_OF(X509) * roots;
    int result = 0;

    SSL_CTX_set_verify(ssl, config->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (source.file == NULL && source.memory == NULL) {
        if (!config->insecure && !SSL_CTX_set_default_verify_paths(ssl)) {
            result = tls_error_set(error, "the system's trusted certificates cannot be loaded");
        }
        return result;
    }
    roots = certificates_read(&source, error);
    if (roots == NULL) {
        return -1;
    }
    for (int i = 0; result == 0 && i < sk_X509_num(roots); i++) {
        if (!X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), sk_X509_value(roots, i))) {
            result = tls_error_set(error, "CA file '%s' is refused", source_name(&source));
        }
    }
    sk_X509_pop_free(roots, X509_free);
    return result;
}

void credentials_digest(SSL_CTX *ssl, EVP_MD_CTX *digest)
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
