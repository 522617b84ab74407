/* New handshakes and new keys on an open connection, and how often the peer may ask for them. */
#include <openssl/err.h>

#include "base/clock.h"
#include "tls/internal.h"
#include "tls/records.h"
#include "tls/setup.h"

enum {
    LIMIT_DEFAULT = 3,
    WINDOW_DEFAULT_S = 600,
    /* A KeyUpdate costs us microseconds where a renegotiation costs a signature. The 96 in ten
     * minutes that this makes of the default are more than anybody needs: keys are good for 24
     * million records (RFC 8446 5.5), and 96 times as many would be four million a second. */
    KEY_UPDATES_PER_RENEGOTIATION = 32,
};

void tls_renegotiation_setup(struct tls_context *context, const struct tls_config *config)
{
    uint32_t limit = config->renegotiation_limit;
    uint32_t window_s = config->renegotiation_window_s;

    limit = limit != 0 ? limit : LIMIT_DEFAULT;
    window_s = window_s != 0 ? window_s : WINDOW_DEFAULT_S;
    context->renegotiation_window_ns = window_s * NS_PER_S;
    context->renegotiation_limit = config->no_renegotiation ? 0 : limit;
    /* Whoever may not renegotiate must still be able to change keys: TLS 1.3 cannot forbid it. */
    context->key_update_limit = limit > UINT32_MAX / KEY_UPDATES_PER_RENEGOTIATION
                                    ? UINT32_MAX
                                    : limit * KEY_UPDATES_PER_RENEGOTIATION;
    if (context->role == TLS_SERVER) {
        /* OpenSSL 3 lets a client start one only when told so. */
        SSL_CTX_set_options(context->ssl, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    } else if (config->certificate_count > 0 || config->pfx != NULL || config->pfx_file != NULL) {
        SSL_CTX_set_post_handshake_auth(context->ssl, 1);
    }
}

static void count(struct tls_engine *engine, uint32_t limit, enum tls_flood what)
{
    struct tls_renegotiation *renegotiation = &engine->renegotiation;
    uint64_t now_ns = tls_engine_now(engine);

    engine->tally.renegotiations++;
    if (renegotiation->count == 0 ||
        now_ns - renegotiation->window_ns >= tls_engine_context(engine)->renegotiation_window_ns) {
        renegotiation->window_ns = now_ns;
        renegotiation->count = 0;
    }
    if (renegotiation->count < limit) {
        renegotiation->count++;
        return;
    }
    tls_flood_begin(engine, what);
}

void tls_renegotiation_hear(struct tls_engine *engine, int type)
{
    const struct tls_context *context = tls_engine_context(engine);
    struct tls_renegotiation *renegotiation = &engine->renegotiation;

    switch (type) {
    case SSL3_MT_CLIENT_HELLO:
    case SSL3_MT_HELLO_REQUEST:
        if (!renegotiation->ours) {
            count(engine, context->renegotiation_limit, TLS_FLOOD_RENEGOTIATIONS);
        }
        renegotiation->ours = false;
        break;
    case SSL3_MT_CERTIFICATE_REQUEST:
        /* Post-handshake authentication costs a client a signature; in TLS 1.2 the message belongs
         * to a renegotiation that has been counted. */
        if (SSL_version(engine->ssl) >= TLS1_3_VERSION) {
            count(engine, context->renegotiation_limit, TLS_FLOOD_CERTIFICATE_REQUESTS);
        }
        break;
    case SSL3_MT_KEY_UPDATE:
        count(engine, context->key_update_limit, TLS_FLOOD_KEY_UPDATES);
        break;
    case SSL3_MT_FINISHED: /* of post-handshake authentication */
        renegotiation->ours = false;
        break;
    default:
        break;
    }
}

static bool refuse(const char *reason, const char **out_reason)
{
    *out_reason = reason;
    return false;
}

/* A context that asks for certificates anyway has settled what becomes of a bad one. */
static void certificate_ask(SSL *ssl)
{
    int mode = SSL_get_verify_mode(ssl);
    SSL_verify_cb verify = SSL_get_verify_callback(ssl);

    if ((mode & SSL_VERIFY_PEER) == 0) {
        verify = tls_trust_leniently;
    }
    SSL_set_verify(ssl, mode | SSL_VERIFY_PEER, verify);
    /* The client offers to resume the session that it has, and then nobody shows a certificate. */
    SSL_set_options(ssl, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
}

/* What OpenSSL has to say against it, and a stop before its queue. */
static bool started(struct tls_engine *engine, int result, const char **out_reason)
{
    unsigned long code = ERR_peek_error();

    if (result == 1) {
        /* Sends what is to be sent. That it then waits for the peer is no failure; a real one will
         * come up again with the next read. */
        engine->sending = true;
        SSL_do_handshake(engine->ssl);
        engine->sending = false;
    } else {
        *out_reason = ERR_reason_error_string(code);
        *out_reason = *out_reason != NULL ? *out_reason : "refused";
        engine->renegotiation.ours = false;
    }
    ERR_clear_error();
    return result == 1;
}

bool tls_engine_renegotiate(struct tls_engine *engine, bool certificate, const char **out_reason)
{
    SSL *ssl = engine->ssl;

    *out_reason = "";
    if (ssl == NULL) {
        return refuse(tls_engine_is_plain(engine) ? "not encrypted" : "TLS 1.3 after idling",
                      out_reason);
    }
    if (!engine->established || engine->flood != TLS_FLOOD_NONE) {
        return refuse("the connection is not open", out_reason);
    }
    if (tls_engine_renegotiating(engine)) {
        return refuse("a renegotiation is under way", out_reason);
    }
    ERR_clear_error();
    tls_records_unsettle(engine->records);
    if (SSL_version(ssl) >= TLS1_3_VERSION) {
        if (!SSL_is_server(ssl) || !certificate) {
            return refuse("TLS 1.3 has no renegotiation", out_reason);
        }
        certificate_ask(ssl);
        engine->renegotiation.ours = true;
        return started(engine, SSL_verify_client_post_handshake(ssl), out_reason);
    }
    if (!SSL_get_secure_renegotiation_support(ssl)) {
        return refuse("the peer has no secure renegotiation (RFC 5746)", out_reason);
    }
    if (SSL_is_server(ssl)) {
        if (certificate) {
            certificate_ask(ssl);
        }
        engine->renegotiation.ours = true;
    }
    return started(engine, SSL_renegotiate(ssl), out_reason);
}

bool tls_engine_renegotiating(const struct tls_engine *engine)
{
    SSL *ssl = engine->ssl;

    if (ssl == NULL || !engine->established) {
        return false;
    }
    return SSL_version(ssl) >= TLS1_3_VERSION ? engine->renegotiation.ours
                                              : SSL_renegotiate_pending(ssl) != 0;
}

bool tls_engine_update_key(struct tls_engine *engine, bool both)
{
    bool updated;

    if (tls_engine_is_plain(engine) || !engine->established || engine->flood != TLS_FLOOD_NONE) {
        return false;
    }
    if (engine->ssl == NULL) {
        return tls_retired_update_key(engine, both);
    }
    ERR_clear_error();
    tls_records_unsettle(engine->records);
    updated = SSL_key_update(engine->ssl,
                             both ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) &&
              SSL_do_handshake(engine->ssl) == 1;
    ERR_clear_error();
    return updated;
}
