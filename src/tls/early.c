/* 0-RTT of both roles. OpenSSL's own guard against replays makes every ticket stateful; ours are
 * not, so its guard is off and replay.h's stands in, which knows what its own process has had: each
 * ticket names the guard that it was made under. */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "tls/internal.h"
#include "tls/replay.h"
#include "tls/setup.h"

static int on_ticket_made(SSL *ssl, void *argument)
{
    const struct tls_context *context = argument;

    return SSL_SESSION_set1_ticket_appdata(
        SSL_get0_session(ssl), replay_guard_origin(context->replays), REPLAY_ORIGIN_BYTES);
}

static bool is_made_here(const struct tls_context *context, SSL_SESSION *session)
{
    void *origin;
    size_t bytes;

    return SSL_SESSION_get0_ticket_appdata(session, &origin, &bytes) &&
           bytes == REPLAY_ORIGIN_BYTES &&
           memcmp(origin, replay_guard_origin(context->replays), bytes) == 0;
}

/* The last word, when all else speaks for taking the early data. */
static int on_early_offer(SSL *ssl, void *argument)
{
    const struct tls_context *context = argument;
    SSL_SESSION *session = SSL_get0_session(ssl);
    uint8_t secret[SSL_MAX_MASTER_KEY_LENGTH];
    uint8_t digest[REPLAY_DIGEST_BYTES];
    size_t bytes;
    bool good;

    if (session == NULL || !is_made_here(context, session)) {
        return 0;
    }
    /* The resumption secret, another one for each ticket (RFC 8446 4.6.1). */
    bytes = SSL_SESSION_get_master_key(session, secret, sizeof(secret));
    good = EVP_Digest(secret, bytes, digest, NULL, EVP_sha256(), NULL) == 1 &&
           replay_guard_admit(context->replays, digest, tls_engine_now(tls_engine_of(ssl)));
    OPENSSL_cleanse(secret, sizeof(secret));
    return good;
}

int tls_early_setup(struct tls_context *context, const struct tls_config *config,
                    struct error *error)
{
    uint32_t bytes_max = context->role == TLS_SERVER ? config->early_data_bytes_max : 0;

    context->early_data_bytes_max = bytes_max;
    if (bytes_max == 0) {
        return 0;
    }
    if (context->replays == NULL) {
        return error_set(error, "early data needs a guard against replays");
    }
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_ANTI_REPLAY);
    SSL_CTX_set_allow_early_data_cb(context->ssl, on_early_offer, context);
    if (!SSL_CTX_set_session_ticket_cb(context->ssl, on_ticket_made, NULL, context) ||
        !SSL_CTX_set_max_early_data(context->ssl, bytes_max) ||
        !SSL_CTX_set_recv_max_early_data(context->ssl, bytes_max)) {
        return tls_error_set(error, "%u bytes of early data", bytes_max);
    }
    return 0;
}

int tls_early_receive(struct tls_engine *engine)
{
    uint8_t bytes[TLS_PLAINTEXT_BYTES_MAX];
    size_t count;

    while (engine->early_open) {
        switch (SSL_read_early_data(engine->ssl, bytes, sizeof(bytes), &count)) {
        case SSL_READ_EARLY_DATA_SUCCESS:
            engine->tally.early_bytes += (uint32_t)count;
            if (!slab_queue_append(&engine->early, bytes, count)) {
                engine->output_failed = true;
                return 0;
            }
            break;
        case SSL_READ_EARLY_DATA_FINISH:
            engine->early_open = false;
            break;
        default:
            return 0;
        }
    }
    return 1;
}

size_t tls_engine_read_early(struct tls_engine *engine, uint8_t *out, size_t out_max)
{
    size_t total = 0;

    while (total < out_max && engine->early.bytes > 0) {
        const struct slab *head = engine->early.head;
        size_t count = head->end - head->start;

        count = count < out_max - total ? count : out_max - total;
        memcpy(out + total, head->data + head->start, count);
        slab_queue_consume(&engine->early, count);
        total += count;
    }
    return total;
}

size_t tls_engine_write_early(struct tls_engine *engine, const uint8_t *bytes, size_t count)
{
    const SSL_SESSION *session;
    size_t written = 0;
    size_t room;

    if (engine->ssl == NULL || SSL_is_server(engine->ssl)) {
        return 0;
    }
    session = SSL_get0_session(engine->ssl);
    /* Once begun it goes on until the server's first message was read. */
    if (session == NULL || (engine->tally.early_bytes == 0 && !SSL_in_before(engine->ssl))) {
        return 0;
    }
    room = SSL_SESSION_get_max_early_data(session);
    room = room > engine->tally.early_bytes ? room - engine->tally.early_bytes : 0;
    count = count < room ? count : room;
    if (count == 0) {
        return 0;
    }
    ERR_clear_error();
    SSL_write_early_data(engine->ssl, bytes, count, &written);
    ERR_clear_error();
    engine->tally.early_bytes += (uint32_t)written;
    return written;
}

uint32_t tls_session_early_bytes_max(const struct tls_session *session)
{
    return SSL_SESSION_get_max_early_data((const SSL_SESSION *)session);
}

enum tls_early tls_engine_early(const struct tls_engine *engine)
{
    switch (engine->ssl != NULL ? SSL_get_early_data_status(engine->ssl)
                                : SSL_EARLY_DATA_NOT_SENT) {
    case SSL_EARLY_DATA_ACCEPTED:
        return TLS_EARLY_ACCEPTED;
    case SSL_EARLY_DATA_REJECTED:
        return TLS_EARLY_REJECTED;
    default:
        return TLS_EARLY_NONE;
    }
}
