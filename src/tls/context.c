#include "tls/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "tls/internal.h"
#include "tls/provider.h"
#include "tls/setup.h"

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

/* A session resumes without another look at the peer's certificate (CVE-2025-23419 of nginx), so
 * whoever judges clients otherwise must not take it, whatever else it may have in common. */
static void verification_digest(SSL_CTX *ssl, const struct tls_config *config, EVP_MD_CTX *digest)
{
    int numbers[] = {config->request_certificate, config->require_certificate,
                     SSL_CTX_get_security_level(ssl)};

    EVP_DigestUpdate(digest, numbers, sizeof(numbers));
    text_digest(digest, config->sigalgs);
    tls_trust_digest(ssl, digest);
}

/* Two different configurations never resume each other's sessions, and two workers with the same
 * one do. A text of the user's joins those that differ in all but how clients are verified. */
static int id_context_derive(SSL_CTX *ssl, const struct tls_config *config, uint8_t out[32],
                             struct error *error)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool good = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL);

    if (good) {
        verification_digest(ssl, config, digest);
        text_digest(digest, config->session_id_context);
    }
    if (good && config->session_id_context == NULL) {
        const char *texts[] = {config->ciphers,    config->ciphersuites, config->groups,
                               config->alpn,       config->npn,          config->dhparam,
                               config->dhparam_pem};
        uint64_t numbers[] = {config->version_min, config->version_max, config->options};

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            text_digest(digest, texts[i]);
        }
        EVP_DigestUpdate(digest, numbers, sizeof(numbers));
        tls_credentials_digest(ssl, digest);
    }
    good = good && EVP_DigestFinal_ex(digest, out, NULL);
    EVP_MD_CTX_free(digest);
    return good ? 0 : tls_error_set(error, "session id context");
}

static void on_keylog(const SSL *ssl, const char *line)
{
    const struct tls_context *context = tls_context_of(ssl);

    context->on_keylog(context->keylog_user, line);
}

static void behaviour_apply(struct tls_context *context, const struct tls_config *config)
{
    SSL_CTX *ssl = context->ssl;
    /* Compression tells secrets (CRIME). */
    uint64_t options = SSL_OP_NO_COMPRESSION | config->options;

    if (context->role == TLS_SERVER && !config->client_preference) {
        options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
    }
    SSL_CTX_set_options(ssl, options);
    /* The chain is what the file says: left alone, OpenSSL looks for a better one among the roots,
     * with signatures to verify, at each handshake. */
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(ssl, 0); /* our BIO is memory: reading ahead would only copy twice */
    SSL_CTX_set_app_data(ssl, context);
    SSL_CTX_set_msg_callback(ssl, tls_engine_on_message);
    if (config->on_keylog != NULL) {
        context->on_keylog = config->on_keylog;
        context->keylog_user = config->keylog_user;
        SSL_CTX_set_keylog_callback(ssl, on_keylog);
    }
    context->request_ocsp = config->request_ocsp;
    context->direct_records =
        config->record_layer == TLS_RECORDS_DIRECT && context->library != NULL;
    tls_renegotiation_setup(context, config);
    tls_flood_setup(context, config);
    tls_want_setup(context);
}

static int context_setup(struct tls_context *context, const struct tls_config *config,
                         struct error *error)
{
    uint8_t id_context[32];

    context->bio_method = tls_engine_bio_method();
    context->ssl =
        SSL_CTX_new_ex(tls_library_context(context->library), NULL,
                       context->role == TLS_SERVER ? TLS_server_method() : TLS_client_method());
    if (context->bio_method == NULL || context->ssl == NULL) {
        return tls_error_set(error, "a TLS context could not be made");
    }
    behaviour_apply(context, config);
    if (tls_algorithms_setup(context, config, error) != 0 ||
        fragment_apply(context->ssl, config->max_send_fragment, error) != 0 ||
        tls_protocols_setup(context, config, error) != 0 ||
        tls_credentials_setup(context, config, error) != 0 ||
        tls_trust_setup(context, config, error) != 0 ||
        tls_staple_setup(context, config, error) != 0 ||
        tls_early_setup(context, config, error) != 0 ||
        id_context_derive(context->ssl, config, id_context, error) != 0) {
        return -1;
    }
    return tls_resumption_setup(context, config, id_context, error);
}

struct tls_context *tls_context_new(enum tls_role role, const struct tls_config *config,
                                    const struct tls_shared *shared, struct error *error)
{
    struct tls_context *context = calloc(1, sizeof(*context));
    int result;

    if (context == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    context->role = role;
    context->references = 1;
    context->max_send_fragment =
        config->max_send_fragment != 0 ? config->max_send_fragment : TLS_PLAINTEXT_BYTES_MAX;
    if (role == TLS_SERVER && shared != NULL) {
        context->sessions = shared->sessions;
        context->replays = shared->replays;
        if (shared->tickets != NULL) {
            ticket_reader_init(&context->tickets, shared->tickets);
        }
    }
    if (shared != NULL && !config->stock_key_schedule) {
        context->library = shared->library;
    }
    ERR_clear_error();
    result = context_setup(context, config, error);
    tls_library_leave(context->library);
    if (result != 0) {
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
    free(context->ocsp_response);
    free(context);
}

void tls_warn(struct tls_context *context, const char *format, ...)
{
    size_t bytes = strlen(context->warning);
    va_list arguments;

    if (bytes > 0) {
        snprintf(context->warning + bytes, sizeof(context->warning) - bytes, "; ");
        bytes = strlen(context->warning);
    }
    va_start(arguments, format);
    vsnprintf(context->warning + bytes, sizeof(context->warning) - bytes, format, arguments);
    va_end(arguments);
}

const char *tls_context_warning(const struct tls_context *context)
{
    return context->warning[0] != '\0' ? context->warning : NULL;
}

unsigned tls_context_max_send_fragment(const struct tls_context *context)
{
    return context->max_send_fragment;
}

const char *tls_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
