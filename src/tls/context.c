#include "tls/context.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "tls/credentials.h"
#include "tls/internal.h"

/* TLS <= 1.2: forward secrecy with AEAD first, then forward secrecy, then plain RSA key exchange
 * for the old and the embedded. */
static const char default_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:"
                                      "ECDHE+AES:DHE+AES:AESGCM:AES:"
                                      "!aNULL:!eNULL:!PSK:!SRP:!DSS:!MD5:!AESCCM";

typedef int list_setter(SSL_CTX *ssl, const char *list);

static int set_ciphers(SSL_CTX *ssl, const char *list)
{
    return SSL_CTX_set_cipher_list(ssl, list);
}

static int set_ciphersuites(SSL_CTX *ssl, const char *list)
{
    return SSL_CTX_set_ciphersuites(ssl, list);
}

static int set_groups(SSL_CTX *ssl, const char *list)
{
    return (int)SSL_CTX_set1_groups_list(ssl, list);
}

static int set_sigalgs(SSL_CTX *ssl, const char *list)
{
    return (int)SSL_CTX_set1_sigalgs_list(ssl, list);
}

/* Applies a list, and names the first entry that OpenSSL does not know: it accepts a cipher list in
 * which any entry is good, and refuses the others as a whole without a word. */
static int list_apply(SSL_CTX *ssl, list_setter *set, const char *what, const char *list,
                      const char *separators, struct error *error)
{
    char *copy = strdup(list);
    char *rest = copy;
    char *entry;
    int result = 0;

    if (copy == NULL) {
        return error_set(error, "out of memory");
    }
    while (result == 0 && (entry = strsep(&rest, separators)) != NULL) {
        /* Operators (!, -, + and @) work on the list so far and mean nothing alone. */
        if (*entry != '\0' && strchr("!-+@?*", *entry) == NULL && !set(ssl, entry)) {
            result =
                error_set(error, "%s: '%s' is not known to %s", what, entry, tls_library_version());
        }
    }
    free(copy);
    ERR_clear_error();
    if (result == 0 && !set(ssl, list)) {
        result = tls_error_set(error, "%s: '%s' is not a usable list", what, list);
    }
    return result;
}

static int versions_apply(SSL_CTX *ssl, const struct tls_config *config, struct error *error)
{
    int max = config->version_max != 0 ? (int)config->version_max : TLS1_3_VERSION;
    int min = config->version_min != 0 ? (int)config->version_min
              : max < TLS1_2_VERSION   ? max
                                       : TLS1_2_VERSION;

    if (min > max) {
        return error_set(error, "the minimum version %s is above the maximum version %s",
                         tls_version_name(config->version_min),
                         tls_version_name(config->version_max));
    }
    /* TLS 1.0 and 1.1 sign with MD5 and SHA-1, which OpenSSL allows at security level 0 only. */
    if (min < TLS1_2_VERSION) {
        SSL_CTX_set_security_level(ssl, 0);
    }
    if (!SSL_CTX_set_min_proto_version(ssl, min) || !SSL_CTX_set_max_proto_version(ssl, max)) {
        return tls_error_set(error, "TLS versions %s to %s", tls_version_name(config->version_min),
                             tls_version_name(config->version_max));
    }
    return 0;
}

static int algorithms_apply(SSL_CTX *ssl, const struct tls_config *config, struct error *error)
{
    if (config->ciphers == NULL && !SSL_CTX_set_cipher_list(ssl, default_ciphers)) {
        return tls_error_set(error, "the default cipher list");
    }
    if (config->ciphers != NULL &&
        list_apply(ssl, set_ciphers, "ciphers", config->ciphers, ":, ", error) != 0) {
        return -1;
    }
    if (config->ciphersuites != NULL &&
        list_apply(ssl, set_ciphersuites, "ciphersuites", config->ciphersuites, ":", error) != 0) {
        return -1;
    }
    /* OpenSSL 3.5 also divides groups into tuples with a slash. */
    if (config->groups != NULL &&
        list_apply(ssl, set_groups, "groups", config->groups, ":/", error) != 0) {
        return -1;
    }
    if (config->sigalgs != NULL &&
        list_apply(ssl, set_sigalgs, "signature algorithms", config->sigalgs, ":", error) != 0) {
        return -1;
    }
    return 0;
}

/* Turns "h2,http/1.1" into length-prefixed names. */
static int alpn_parse(struct tls_context *context, const char *list, struct error *error)
{
    for (const char *name = list;; name++) {
        size_t bytes = strcspn(name, ",");

        if (bytes == 0 || bytes > 255) {
            return error_set(error, "alpn: '%s' has a name that is empty or above 255 bytes", list);
        }
        if (context->alpn_bytes + 1 + bytes > sizeof(context->alpn)) {
            return error_set(error, "alpn: '%s' is too long a list", list);
        }
        context->alpn[context->alpn_bytes] = (uint8_t)bytes;
        memcpy(context->alpn + context->alpn_bytes + 1, name, bytes);
        context->alpn_bytes += 1 + bytes;
        name += bytes;
        if (*name == '\0') {
            return 0;
        }
    }
}

static int on_alpn_offer(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
                         const unsigned char *offer, unsigned offer_bytes, void *argument)
{
    const struct tls_context *context = argument;
    unsigned char *chosen;

    (void)ssl;
    /* Ours first, so that ours is the order of preference. RFC 7301 3.2: no overlap is fatal. */
    if (SSL_select_next_proto(&chosen, out_bytes, context->alpn, (unsigned)context->alpn_bytes,
                              offer, offer_bytes) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int alpn_apply(struct tls_context *context, const struct tls_config *config,
                      struct error *error)
{
    if (config->alpn == NULL) {
        return 0;
    }
    if (alpn_parse(context, config->alpn, error) != 0) {
        return -1;
    }
    if (context->role == TLS_SERVER) {
        SSL_CTX_set_alpn_select_cb(context->ssl, on_alpn_offer, context);
        return 0;
    }
    /* This one returns 0 for success. */
    if (SSL_CTX_set_alpn_protos(context->ssl, context->alpn, (unsigned)context->alpn_bytes) != 0) {
        return tls_error_set(error, "alpn: '%s'", config->alpn);
    }
    return 0;
}

static int fragment_apply(SSL_CTX *ssl, uint32_t bytes, struct error *error)
{
    if (bytes == 0) {
        return 0;
    }
    if (bytes < TLS_FRAGMENT_BYTES_MIN || bytes > TLS_PLAINTEXT_BYTES_MAX) {
        return error_set(error, "max_send_fragment: %u is not within %d to %d bytes", bytes,
                         TLS_FRAGMENT_BYTES_MIN, TLS_PLAINTEXT_BYTES_MAX);
    }
    SSL_CTX_set_max_send_fragment(ssl, bytes);
    SSL_CTX_set_split_send_fragment(ssl, bytes);
    return 0;
}

static void text_digest(EVP_MD_CTX *digest, const char *text)
{
    /* With its NUL, so that two neighbouring texts cannot be confused. */
    EVP_DigestUpdate(digest, text != NULL ? text : "", (text != NULL ? strlen(text) : 0) + 1);
}

/* Two different configurations never resume each other's sessions, and two workers with the same
 * one do. */
static int id_context_derive(SSL_CTX *ssl, const struct tls_config *config, uint8_t out[32],
                             struct error *error)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool good = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL);

    if (good && config->session_id_context != NULL) {
        text_digest(digest, config->session_id_context);
    } else if (good) {
        const char *texts[] = {config->ciphers, config->ciphersuites, config->groups,
                               config->sigalgs, config->alpn};
        uint32_t versions[] = {config->version_min, config->version_max};

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            text_digest(digest, texts[i]);
        }
        EVP_DigestUpdate(digest, versions, sizeof(versions));
        credentials_digest(ssl, digest);
    }
    good = good && EVP_DigestFinal_ex(digest, out, NULL);
    EVP_MD_CTX_free(digest);
    return good ? 0 : tls_error_set(error, "session id context");
}

static void behaviour_apply(SSL_CTX *ssl, const struct tls_context *context,
                            const struct tls_config *config)
{
    /* Compression tells secrets (CRIME); renegotiation needs limits that are not there yet. */
    uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION;

    if (context->role == TLS_SERVER && !config->client_preference) {
        options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
    }
    SSL_CTX_set_options(ssl, options);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ssl, 0); /* our BIO is memory: reading ahead would only copy twice */
    SSL_CTX_set_app_data(ssl, (void *)context);
    SSL_CTX_set_msg_callback(ssl, tls_engine_on_message);
}

static int context_setup(struct tls_context *context, const struct tls_config *config,
                         struct error *error)
{
    uint8_t id_context[32];

    context->bio_method = tls_engine_bio_method();
    context->ssl =
        SSL_CTX_new(context->role == TLS_SERVER ? TLS_server_method() : TLS_client_method());
    if (context->bio_method == NULL || context->ssl == NULL) {
        return tls_error_set(error, "a TLS context could not be made");
    }
    behaviour_apply(context->ssl, context, config);
    /* Versions and ciphers first: they settle the security level that certificates must meet. */
    if (versions_apply(context->ssl, config, error) != 0 ||
        algorithms_apply(context->ssl, config, error) != 0 ||
        fragment_apply(context->ssl, config->max_send_fragment, error) != 0 ||
        alpn_apply(context, config, error) != 0 ||
        credentials_load(context->ssl, config, error) != 0) {
        return -1;
    }
    if (context->role == TLS_SERVER && config->certificate_count == 0) {
        return error_set(error, "a TLS server needs a certificate and its key");
    }
    if (context->role == TLS_CLIENT && roots_load(context->ssl, config, error) != 0) {
        return -1;
    }
    if (id_context_derive(context->ssl, config, id_context, error) != 0) {
        return -1;
    }
    return tls_resumption_setup(context, config, id_context, error);
}

struct tls_context *tls_context_new(enum tls_role role, const struct tls_config *config,
                                    const struct tls_shared *shared, struct error *error)
{
    struct tls_context *context = calloc(1, sizeof(*context));

    if (context == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    context->role = role;
    context->references = 1;
    if (role == TLS_SERVER && shared != NULL) {
        context->sessions = shared->sessions;
        if (shared->tickets != NULL) {
            ticket_reader_init(&context->tickets, shared->tickets);
        }
    }
    ERR_clear_error();
    if (context_setup(context, config, error) != 0) {
        tls_context_free(context);
        ERR_clear_error();
        return NULL;
    }
    return context;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    if (context != NULL) {
        context->references++;
    }
    return context;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL || --context->references > 0) {
        return;
    }
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->bio_method);
    if (context->tickets.ring != NULL) {
        ticket_reader_deinit(&context->tickets);
    }
    free(context);
}

const char *tls_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
