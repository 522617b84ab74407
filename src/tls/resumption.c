/* Resumption of both kinds and both roles: what OpenSSL's callbacks do with tickets and sessions.
 */
#include <string.h>

#include "base/clock.h"
#include "tls/internal.h"
#include "tls/session_store.h"

enum { SESSION_TIMEOUT_DEFAULT_S = 7200 };

static int on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                         EVP_MAC_CTX *mac, int sealing)
{
    struct tls_tally *tally = &tls_engine_of(ssl)->tally;
    int result = ticket_callback(&tls_context_of(ssl)->tickets, name, iv, cipher, mac, sealing);

    if (sealing) {
        return result;
    }
    tally->ticket_accepted = result > 0;
    tally->ticket_renewed = result == 2;
    tally->ticket_rejected = result == 0;
    /* Clients should use a TLS 1.3 ticket once only (RFC 8446 C.4), so each use earns a new one. */
    return result == 1 && SSL_version(ssl) == TLS1_3_VERSION ? 2 : result;
}

void tls_resumption_settle(struct tls_engine *engine)
{
    struct tls_tally *tally = &engine->tally;

    /* The key was known, but the MAC, the age or the configuration spoke against it. */
    if (tally->ticket_accepted && !SSL_session_reused(engine->ssl)) {
        tally->ticket_accepted = false;
        tally->ticket_renewed = false;
        tally->ticket_rejected = true;
    }
}

/* Whether sessions are looked up, and so kept, elsewhere. */
static bool is_external(const struct tls_engine *engine)
{
    return engine->wants != NULL && tls_wants_external(engine->wants);
}

static void session_keep(const struct tls_context *context, SSL_SESSION *session,
                         uint64_t expires_ns)
{
    uint8_t serialised[SESSION_DATA_BYTES_MAX];
    uint8_t *end = serialised;
    unsigned id_bytes;
    const uint8_t *id = SSL_SESSION_get_id(session, &id_bytes);
    int bytes = i2d_SSL_SESSION(session, NULL);

    if (bytes > 0 && (size_t)bytes <= sizeof(serialised)) {
        i2d_SSL_SESSION(session, &end);
        session_store_put(context->sessions, id, id_bytes, serialised, (size_t)bytes, expires_ns);
        OPENSSL_cleanse(serialised, (size_t)bytes);
    }
}

static int on_server_session(SSL *ssl, SSL_SESSION *session)
{
    const struct tls_engine *engine = tls_engine_of(ssl);
    const struct tls_context *context = tls_context_of(ssl);
    bool is_tls_1_3 = SSL_version(ssl) >= TLS1_3_VERSION;

    if (engine->wants != NULL && (!is_tls_1_3 || (SSL_get_options(ssl) & SSL_OP_NO_TICKET) != 0)) {
        tls_wants_hear_session(engine->wants, session);
    }
    /* A TLS 1.3 session lives in its ticket. */
    if (context->sessions != NULL && !is_tls_1_3 && !is_external(engine)) {
        session_keep(context, session, tls_engine_now(engine) + context->session_timeout_ns);
    }
    return 0; /* OpenSSL keeps its reference */
}

static SSL_SESSION *on_server_lookup(SSL *ssl, const unsigned char *id, int id_bytes, int *out_copy)
{
    struct tls_engine *engine = tls_engine_of(ssl);
    struct session_store *sessions = tls_context_of(ssl)->sessions;
    uint8_t serialised[SESSION_DATA_BYTES_MAX];
    const uint8_t *begin = serialised;
    SSL_SESSION *session;
    size_t bytes;

    if (is_external(engine)) {
        *out_copy = 1; /* ours stays, for a second ClientHello */
        session = tls_wants_lookup(engine->wants, id, (size_t)id_bytes);
        engine->session_found = session != NULL;
        return session;
    }
    *out_copy = 0; /* the reference passes to OpenSSL */
    bytes = sessions != NULL
                ? session_store_get(sessions, id, (size_t)id_bytes, tls_engine_now(engine),
                                    serialised, sizeof(serialised))
                : 0;
    if (bytes == 0) {
        return NULL;
    }
    session = d2i_SSL_SESSION(NULL, &begin, (long)bytes);
    OPENSSL_cleanse(serialised, bytes);
    engine->session_found = session != NULL;
    return session;
}

static void on_server_forget(SSL_CTX *ssl_context, SSL_SESSION *session)
{
    struct tls_context *context = SSL_CTX_get_app_data(ssl_context);
    unsigned id_bytes;
    const uint8_t *id = SSL_SESSION_get_id(session, &id_bytes);

    if (context->sessions != NULL) {
        session_store_remove(context->sessions, id, id_bytes);
    }
}

static int on_client_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_engine *engine = tls_engine_of(ssl);

    tls_session_free(engine->new_session);
    engine->new_session = (struct tls_session *)session;
    return 1; /* the reference is ours now */
}

static void server_setup(struct tls_context *context, const struct tls_config *config)
{
    SSL_CTX *ssl = context->ssl;

    /* Even without a store: an engine may ask for another one. */
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl, on_server_session);
    SSL_CTX_sess_set_get_cb(ssl, on_server_lookup);
    SSL_CTX_sess_set_remove_cb(ssl, on_server_forget);
    if (config->no_tickets) {
        /* Otherwise TLS 1.3 issues tickets that name an entry of a session store: see want.c. */
        SSL_CTX_set_num_tickets(ssl, 0);
    } else {
        SSL_CTX_set_num_tickets(ssl, config->ticket_count == 0 ? 1 : config->ticket_count);
        if (context->tickets.ring != NULL) {
            SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket_key);
        }
    }
}

int tls_resumption_setup(struct tls_context *context, const struct tls_config *config,
                         const uint8_t id_context[32], struct error *error)
{
    uint32_t timeout_s =
        config->session_timeout_s == 0 ? SESSION_TIMEOUT_DEFAULT_S : config->session_timeout_s;

    context->session_timeout_ns = timeout_s * NS_PER_S;
    SSL_CTX_set_timeout(context->ssl, (long)timeout_s);
    if (config->no_tickets) {
        SSL_CTX_set_options(context->ssl, SSL_OP_NO_TICKET);
    }
    if (context->role == TLS_SERVER) {
        server_setup(context, config);
        if (!SSL_CTX_set_session_id_context(context->ssl, id_context, 32)) {
            return tls_error_set(error, "session id context");
        }
        return 0;
    }
    SSL_CTX_set_session_cache_mode(context->ssl,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context->ssl, on_client_session);
    return 0;
}

static enum tls_resumption resumption_kind(const struct tls_engine *engine)
{
    if (SSL_version(engine->ssl) >= TLS1_3_VERSION) {
        return TLS_RESUMED_TICKET;
    }
    if (SSL_is_server(engine->ssl)) {
        return engine->session_found ? TLS_RESUMED_ID : TLS_RESUMED_TICKET;
    }
    return SSL_SESSION_has_ticket(SSL_get0_session(engine->ssl)) ? TLS_RESUMED_TICKET
                                                                 : TLS_RESUMED_ID;
}

bool tls_engine_resumed(const struct tls_engine *engine, enum tls_resumption *out_kind)
{
    *out_kind = TLS_FULL;
    if (engine->ssl == NULL || !SSL_session_reused(engine->ssl)) {
        return false;
    }
    *out_kind = resumption_kind(engine);
    return true;
}

struct tls_session *tls_engine_take_session(struct tls_engine *engine)
{
    struct tls_session *taken = engine->new_session;
    SSL_SESSION *current;

    engine->new_session = NULL;
    if (taken != NULL || engine->ssl == NULL || !SSL_is_init_finished(engine->ssl) ||
        SSL_version(engine->ssl) >= TLS1_3_VERSION) {
        return taken;
    }
    /* OpenSSL announces no session that was itself resumed, though TLS 1.2 may resume it again. */
    current = SSL_get1_session(engine->ssl);
    if (current != NULL && !SSL_SESSION_is_resumable(current)) {
        SSL_SESSION_free(current);
        current = NULL;
    }
    return (struct tls_session *)current;
}

void tls_session_free(struct tls_session *session)
{
    SSL_SESSION_free((SSL_SESSION *)session);
}
