/* What can be taken out of a connection: its session as bytes, its finished messages, and keys for
 * other protocols. */
#include <string.h>

#include <openssl/err.h>

#include "tls/internal.h"

size_t tls_session_serialise(const struct tls_session *session, uint8_t *out, size_t out_max)
{
    const SSL_SESSION *ssl_session = (const SSL_SESSION *)session;
    int bytes = i2d_SSL_SESSION(ssl_session, NULL);

    if (bytes > 0 && (size_t)bytes <= out_max) {
        i2d_SSL_SESSION(ssl_session, &out);
    }
    return bytes > 0 ? (size_t)bytes : 0;
}

struct tls_session *tls_session_parse(const uint8_t *data, size_t bytes)
{
    const uint8_t *end = data;
    SSL_SESSION *session;

    if (bytes > INT32_MAX) {
        return NULL;
    }
    session = d2i_SSL_SESSION(NULL, &end, (long)bytes);
    if (session != NULL && end != data + bytes) {
        SSL_SESSION_free(session);
        session = NULL;
    }
    ERR_clear_error();
    return (struct tls_session *)session;
}

const uint8_t *tls_session_ticket(const struct tls_session *session, size_t *out_bytes)
{
    const uint8_t *ticket = NULL;

    *out_bytes = 0;
    SSL_SESSION_get0_ticket((const SSL_SESSION *)session, &ticket, out_bytes);
    return *out_bytes > 0 ? ticket : NULL;
}

bool tls_engine_export(const struct tls_engine *engine, const char *label, const uint8_t *context,
                       size_t context_bytes, uint8_t *out, size_t out_bytes)
{
    bool exported;

    if (engine->ssl == NULL || !engine->established) {
        return false;
    }
    exported = SSL_export_keying_material(engine->ssl, out, out_bytes, label, strlen(label),
                                          context, context_bytes, context != NULL) == 1;
    ERR_clear_error();
    return exported;
}

size_t tls_engine_finished(const struct tls_engine *engine, bool peers, uint8_t *out,
                           size_t out_max)
{
    if (engine->ssl == NULL) {
        return 0;
    }
    return peers ? SSL_get_peer_finished(engine->ssl, out, out_max)
                 : SSL_get_finished(engine->ssl, out, out_max);
}
