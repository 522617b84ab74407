/* The answers to what a server's handshake waits for, and the change of contexts. */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "tls/want.h"

enum { RECORD_HEADER_BYTES = 5 };

enum tls_want tls_engine_want(const struct tls_engine *engine)
{
    return engine->wants != NULL ? engine->wants->want : TLS_WANT_NOTHING;
}

const char *tls_engine_server_name(const struct tls_engine *engine)
{
    if (engine->wants != NULL && engine->wants->server_name[0] != '\0') {
        return engine->wants->server_name;
    }
    return engine->ssl != NULL ? SSL_get_servername(engine->ssl, TLSEXT_NAMETYPE_host_name) : NULL;
}

/* Whether the handshake waits for just that, and then it does not any more: an answer that comes
 * twice, or to a question that was not asked, is the driver's mistake and changes nothing. */
static bool settle(struct tls_engine *engine, enum tls_want want)
{
    struct tls_wants *wants = engine->wants;

    if (wants == NULL || wants->want != want || wants->refused) {
        return false;
    }
    wants->want = TLS_WANT_NOTHING;
    return true;
}

void tls_engine_answer_context(struct tls_engine *engine, struct tls_context *context)
{
    if (!settle(engine, TLS_WANT_CONTEXT)) {
        return;
    }
    if (context != NULL && context != tls_context_of(engine->ssl)) {
        engine->wants->context = context;
    } else {
        want_blob_clear(&engine->wants->hello);
    }
}

const uint8_t *tls_engine_session_id(const struct tls_engine *engine, size_t *out_bytes)
{
    bool asked = tls_engine_want(engine) == TLS_WANT_SESSION;

    *out_bytes = asked ? engine->wants->id_bytes : 0;
    return asked ? engine->wants->id : NULL;
}

void tls_engine_answer_session(struct tls_engine *engine, const uint8_t *data, size_t bytes)
{
    const uint8_t *id;
    unsigned id_bytes;

    if (!settle(engine, TLS_WANT_SESSION) || data == NULL) {
        return;
    }
    engine->wants->session = (SSL_SESSION *)tls_session_parse(data, bytes);
    if (engine->wants->session == NULL) {
        return;
    }
    /* A client that sees another ID than it asked for takes it for a full handshake. */
    id = SSL_SESSION_get_id(engine->wants->session, &id_bytes);
    if (id_bytes != engine->wants->id_bytes || memcmp(id, engine->wants->id, id_bytes) != 0) {
        SSL_SESSION_free(engine->wants->session);
        engine->wants->session = NULL;
    }
}

static void blob_tell(const struct want_blob *blob, const uint8_t **out_data, size_t *out_bytes)
{
    *out_data = blob != NULL ? blob->data : NULL;
    *out_bytes = blob != NULL ? blob->bytes : 0;
}

void tls_engine_own_certificate(const struct tls_engine *engine, const uint8_t **out_der,
                                size_t *out_der_bytes, const uint8_t **out_issuer,
                                size_t *out_issuer_bytes)
{
    bool asked = tls_engine_want(engine) == TLS_WANT_STAPLE;

    blob_tell(asked ? &engine->wants->own : NULL, out_der, out_der_bytes);
    blob_tell(asked ? &engine->wants->issuer : NULL, out_issuer, out_issuer_bytes);
}

void tls_engine_answer_staple(struct tls_engine *engine, const uint8_t *der, size_t bytes)
{
    if (settle(engine, TLS_WANT_STAPLE)) {
        want_blob_set(&engine->wants->staple, der, bytes);
        want_blob_clear(&engine->wants->own);
        want_blob_clear(&engine->wants->issuer);
    }
}

void tls_engine_saved_session(const struct tls_engine *engine, const uint8_t **out_id,
                              size_t *out_id_bytes, const uint8_t **out_data,
                              size_t *out_data_bytes)
{
    bool asked = tls_engine_want(engine) == TLS_WANT_SAVE;

    *out_id = asked ? engine->wants->id : NULL;
    *out_id_bytes = asked ? engine->wants->id_bytes : 0;
    blob_tell(asked ? &engine->wants->saved : NULL, out_data, out_data_bytes);
}

void tls_engine_answer_save(struct tls_engine *engine)
{
    if (settle(engine, TLS_WANT_SAVE)) {
        want_blob_clear(&engine->wants->saved);
    }
}

void tls_engine_refuse(struct tls_engine *engine)
{
    if (tls_engine_want(engine) != TLS_WANT_NOTHING) {
        engine->wants->refused = true;
    }
}

bool tls_wants_refused(const struct tls_wants *wants, struct tls_failure_detail *failure)
{
    static const char *const words[] = {
        [TLS_WANT_NOTHING] = "",
        [TLS_WANT_CONTEXT] = "server name refused",
        [TLS_WANT_SESSION] = "session lookup failed",
        [TLS_WANT_STAPLE] = "no OCSP response",
        [TLS_WANT_SAVE] = "session could not be saved",
    };

    if (!wants->refused) {
        return false;
    }
    failure->kind = wants->want == TLS_WANT_CONTEXT ? TLS_FAILURE_NO_SHARED : TLS_FAILURE_INTERNAL;
    snprintf(failure->reason, sizeof(failure->reason), "%s", words[wants->want]);
    return true;
}

/* The message in records again. */
static uint8_t *records_make(const struct want_blob *message, size_t *out_bytes)
{
    size_t record_count = (message->bytes + TLS_PLAINTEXT_BYTES_MAX - 1) / TLS_PLAINTEXT_BYTES_MAX;
    uint8_t *records = OPENSSL_malloc(message->bytes + record_count * RECORD_HEADER_BYTES);
    uint8_t *out = records;

    for (size_t at = 0; records != NULL && at < message->bytes;) {
        size_t left = message->bytes - at;
        size_t bytes = left < TLS_PLAINTEXT_BYTES_MAX ? left : TLS_PLAINTEXT_BYTES_MAX;
        const uint8_t header[RECORD_HEADER_BYTES] = {SSL3_RT_HANDSHAKE, TLS1_VERSION_MAJOR,
                                                     (uint8_t)TLS1_VERSION, (uint8_t)(bytes >> 8),
                                                     (uint8_t)bytes};

        memcpy(out, header, sizeof(header));
        memcpy(out + sizeof(header), message->data + at, bytes);
        out += sizeof(header) + bytes;
        at += bytes;
    }
    *out_bytes = (size_t)(out - records);
    return records;
}

enum tls_switch tls_wants_switch(struct tls_engine *engine, uint8_t **out_hello,
                                 size_t *out_hello_bytes)
{
    struct tls_wants *wants = engine->wants;
    struct tls_context *context = wants->context;
    enum tls_switch result = TLS_SWITCH_FAILED;

    if (context == NULL) {
        return TLS_SWITCH_NONE;
    }
    wants->context = NULL;
    *out_hello = wants->hello.data != NULL ? records_make(&wants->hello, out_hello_bytes) : NULL;
    if (*out_hello != NULL && tls_engine_open(engine, context)) {
        result = TLS_SWITCH_DONE;
    }
    want_blob_clear(&wants->hello);
    return result;
}
