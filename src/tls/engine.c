#include "tls/engine.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/internal.h"
#include "tls/provider.h"
#include "tls/records.h"

/* Where the random of a handshake message's ServerHello is: after type, length and version. */
enum { SERVER_HELLO_RANDOM_OFFSET = 6, HELLO_RANDOM_BYTES = 32 };

/* The random that makes a ServerHello a HelloRetryRequest (RFC 8446 4.1.3): SHA-256 of that word.
 */
static const uint8_t hello_retry_random[HELLO_RANDOM_BYTES] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static bool is_hello_retry(const uint8_t *message, size_t count)
{
    return count >= SERVER_HELLO_RANDOM_OFFSET + HELLO_RANDOM_BYTES &&
           memcmp(message + SERVER_HELLO_RANDOM_OFFSET, hello_retry_random, HELLO_RANDOM_BYTES) ==
               0;
}

/* Few messages, and none on the hot path. */
void tls_engine_hear_message(struct tls_engine *engine, int type)
{
    engine->useful_records = engine->tally.records_in;
    if (engine->established) {
        tls_renegotiation_hear(engine, type);
    }
}

static void hear_handshake(struct tls_engine *engine, const uint8_t *message, size_t count)
{
    engine->tally.tickets_received += message[0] == SSL3_MT_NEWSESSION_TICKET;
    tls_engine_hear_message(engine, message[0]);
    if (!engine->established && message[0] == SSL3_MT_CLIENT_HELLO && engine->wants != NULL) {
        tls_wants_hear_hello(engine->wants, message, count);
    }
}

/* Its header: all that came before it is whole. */
void tls_engine_hear_record(struct tls_engine *engine)
{
    uint64_t empty_count = engine->tally.records_in++ - engine->useful_records;

    if (empty_count > engine->empty_record_limit) {
        tls_flood_hear_empty(engine, empty_count);
    }
}

void tls_engine_on_message(int sent, int version, int content_type, const void *bytes, size_t count,
                           SSL *ssl, void *argument)
{
    struct tls_engine *engine = argument;
    const uint8_t *message = bytes;

    (void)version;
    if (content_type == SSL3_RT_HEADER) {
        if (sent == 0) {
            tls_engine_hear_record(engine);
        }
        engine->tally.records_out += sent != 0;
        if (engine->records != NULL) {
            tls_records_hear_header(engine, sent != 0);
        }
        return;
    }
    if (count > 0 && tls_context_of(ssl)->direct_records) {
        tls_records_hear_message(engine, sent != 0, content_type, message[0]);
    }
    if (content_type == SSL3_RT_HANDSHAKE && count > 0) {
        if (message[0] == SSL3_MT_SERVER_HELLO) {
            bool is_retry = is_hello_retry(message, count);

            engine->tally.hello_retries += is_retry;
            engine->tally.hello_answered |= !is_retry;
        }
        if (sent == 0) {
            hear_handshake(engine, message, count);
        } else {
            engine->tally.tickets_issued += message[0] == SSL3_MT_NEWSESSION_TICKET;
        }
    }
}

/* SSL_get_error(3) wants the queue empty before each call. Looking first saves 120 ns a call: 3.0
 * clears all sixteen places of an empty queue one by one. */
static inline void errors_clear(void)
{
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

static bool is_for_host(X509 *certificate, const char *host)
{
    return X509_check_ip_asc(certificate, host, 0) == 1 ||
           X509_check_host(certificate, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* A resumption does not show the server's certificate again: who insists on a good one offers only
 * a session in which it was good, and good for this host. The others cost a full handshake. */
static void session_offer(SSL *ssl, SSL_SESSION *session, const char *host)
{
    X509 *server = SSL_SESSION_get0_peer(session);

    /* One that is refused (expired, of another version) only costs the resumption. */
    if (SSL_set_session(ssl, session) && (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0 &&
        (server == NULL || SSL_get_verify_result(ssl) != X509_V_OK ||
         (host != NULL && !is_for_host(server, host)))) {
        SSL_set_session(ssl, NULL);
        SSL_set_verify_result(ssl, X509_V_OK);
    }
}

static bool client_setup(SSL *ssl, const struct tls_engine_options *options)
{
    X509_VERIFY_PARAM *verify = SSL_get0_param(ssl);
    const char *host = options->verify_host;

    if (options->server_name != NULL && !SSL_set_tlsext_host_name(ssl, options->server_name)) {
        return false;
    }
    if (host != NULL && !X509_VERIFY_PARAM_set1_ip_asc(verify, host)) {
        X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (!X509_VERIFY_PARAM_set1_host(verify, host, 0)) {
            return false;
        }
    }
    if (options->session != NULL) {
        session_offer(ssl, (SSL_SESSION *)options->session, host);
    }
    return true;
}

bool tls_engine_open(struct tls_engine *engine, struct tls_context *context)
{
    SSL *ssl = SSL_new(context->ssl);
    BIO *bio = BIO_new(context->bio_method);

    if (ssl == NULL || bio == NULL) {
        BIO_free(bio);
        SSL_free(ssl);
        errors_clear();
        return false;
    }
    BIO_set_data(bio, engine);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_msg_callback_arg(ssl, engine);
    if (context->role == TLS_SERVER) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    if (engine->wants != NULL) {
        tls_wants_open(engine->wants, ssl);
    }
    engine->early_open = context->early_data_bytes_max > 0;
    engine->fragment_bytes = (uint16_t)context->max_send_fragment;
    engine->empty_record_limit = context->empty_record_limit;
    engine->records_before_taking = RECORDS_BEFORE_TAKING;
    tls_records_free(engine->records);
    engine->records = NULL;
    SSL_free(engine->ssl);
    engine->ssl = ssl;
    return true;
}

bool tls_engine_init(struct tls_engine *engine, struct tls_context *context,
                     struct slab_queue *output, const struct tls_engine_options *options)
{
    *engine = (struct tls_engine){.output = output, .early = {.pool = output->pool}};
    if (context == NULL) {
        return true;
    }
    errors_clear();
    if (context->role == TLS_SERVER && options != NULL && options->asks != 0) {
        engine->wants = tls_wants_new(options->asks);
        if (engine->wants == NULL) {
            return false;
        }
    }
    if (tls_engine_open(engine, context) &&
        (context->role == TLS_SERVER || options == NULL || client_setup(engine->ssl, options))) {
        return true;
    }
    tls_engine_deinit(engine);
    errors_clear();
    return false;
}

void tls_engine_free_ssl(struct tls_engine *engine)
{
    if (engine->ssl != NULL) {
        /* OpenSSL forgets the session of a connection that ends without close_notify. Since TLS 1.1
         * that is not asked for any more (RFC 4346 7.2.1), and peers that just vanish are common. A
         * session that met a fatal alert has been forgotten already. */
        SSL_set_shutdown(engine->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(engine->ssl);
        engine->ssl = NULL;
    }
}

void tls_engine_deinit(struct tls_engine *engine)
{
    tls_engine_free_ssl(engine);
    tls_records_free(engine->records);
    engine->records = NULL;
    tls_session_free(engine->new_session);
    engine->new_session = NULL;
    tls_wants_free(engine->wants);
    engine->wants = NULL;
    slab_queue_clear(&engine->early);
    OPENSSL_free(engine->peer_der);
    engine->peer_der = NULL;
}

void tls_engine_set_time(struct tls_engine *engine, uint64_t now_ns)
{
    engine->now_ns = now_ns;
}

enum tls_status tls_engine_fail(struct tls_engine *engine, struct tls_failure_detail *failure)
{
    if (engine->output_failed) {
        errors_clear();
        failure->kind = TLS_FAILURE_INTERNAL;
        snprintf(failure->reason, sizeof(failure->reason), "out of memory for output");
        return TLS_FAILED;
    }
    if (tls_flood_failed(engine, failure)) {
        errors_clear();
        return TLS_FAILED;
    }
    if (engine->wants != NULL && tls_wants_refused(engine->wants, failure)) {
        errors_clear();
        return TLS_FAILED;
    }
    tls_failure_take(engine->ssl != NULL ? SSL_get_verify_result(engine->ssl) : X509_V_OK, failure);
    /* Who has sent a good record before does speak TLS, badly; and what cannot even be read as a
     * record is garbage that OpenSSL took for an SSLv2 hello. */
    if (failure->kind == TLS_FAILURE_NOT_TLS && engine->tally.records_in > 1) {
        failure->kind = TLS_FAILURE_PROTOCOL;
    } else if (failure->kind == TLS_FAILURE_CORRUPT && engine->tally.records_in == 0) {
        failure->kind = TLS_FAILURE_NOT_TLS;
    }
    return TLS_FAILED;
}

/* What an OpenSSL call that did not succeed means. */
static enum tls_status unsuccessful(struct tls_engine *engine, struct tls_failure_detail *failure)
{
    if (engine->flood != TLS_FLOOD_NONE) {
        return tls_engine_fail(engine, failure);
    }
    switch (SSL_get_error(engine->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        tls_flood_look(engine);
        return engine->flood == TLS_FLOOD_NONE ? TLS_AGAIN : tls_engine_fail(engine, failure);
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
    case SSL_ERROR_WANT_X509_LOOKUP:
        return TLS_WAITING;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    case SSL_ERROR_SYSCALL:
        /* So OpenSSL 3.5 calls it when user_canceled came before (RFC 8446 6.1). */
        if ((SSL_get_shutdown(engine->ssl) & SSL_RECEIVED_SHUTDOWN) != 0) {
            return TLS_CLOSED;
        }
        return tls_engine_fail(engine, failure);
    default:
        return tls_engine_fail(engine, failure);
    }
}

static enum tls_status pass_write(struct tls_engine *engine, const uint8_t *bytes, size_t count,
                                  struct tls_failure_detail *failure)
{
    if (slab_queue_append(engine->output, bytes, count)) {
        return TLS_OK;
    }
    engine->output_failed = true;
    return tls_engine_fail(engine, failure);
}

static enum tls_status pass_read(struct tls_engine *engine, uint8_t *out, size_t out_max,
                                 size_t *out_count)
{
    *out_count = tls_engine_take_input(
        engine, out, out_max < TLS_PLAINTEXT_BYTES_MAX ? out_max : TLS_PLAINTEXT_BYTES_MAX);
    return *out_count > 0 ? TLS_OK : TLS_AGAIN;
}

static int handshake_go_on(struct tls_engine *engine)
{
    const struct tls_context *context = tls_context_of(engine->ssl);
    int result;

    if (context->direct_records) {
        tls_library_hear(context->library, tls_records_hear_secret, engine);
    }
    result = engine->early_open ? tls_early_receive(engine) : 1;
    result = result == 1 ? SSL_do_handshake(engine->ssl) : 0;
    tls_library_hear(context->library, NULL, NULL);
    return result;
}

/* With a new context the handshake starts again, from the ClientHello that the old one has read. */
static bool handshake_switch(struct tls_engine *engine)
{
    const uint8_t *input = engine->input;
    size_t input_bytes = engine->input_bytes;
    uint8_t *hello = NULL;
    size_t hello_bytes = 0;
    enum tls_switch switched = tls_wants_switch(engine, &hello, &hello_bytes);

    if (switched == TLS_SWITCH_DONE) {
        uint64_t records_in = engine->tally.records_in;

        tls_engine_feed(engine, hello, hello_bytes);
        handshake_go_on(engine);
        tls_engine_feed(engine, input, input_bytes);
        engine->tally.records_in = records_in;
    }
    OPENSSL_free(hello);
    return switched != TLS_SWITCH_FAILED;
}

enum tls_status tls_engine_fail_saying(struct tls_failure_detail *failure, const char *reason)
{
    failure->kind = TLS_FAILURE_INTERNAL;
    snprintf(failure->reason, sizeof(failure->reason), "%s", reason);
    return TLS_FAILED;
}

enum tls_status tls_engine_handshake(struct tls_engine *engine, struct tls_failure_detail *failure)
{
    if (engine->ssl == NULL) {
        return TLS_OK;
    }
    errors_clear();
    if (engine->wants != NULL && !handshake_switch(engine)) {
        return tls_engine_fail_saying(failure, "out of memory for another context");
    }
    if (handshake_go_on(engine) != 1) {
        return unsuccessful(engine, failure);
    }
    if (engine->wants != NULL && tls_wants_save(engine->wants)) {
        return tls_wants_refused(engine->wants, failure) ? TLS_FAILED : TLS_WAITING;
    }
    if (!engine->established) {
        tls_resumption_settle(engine);
        tls_records_begin(engine);
        engine->established = true;
        engine->useful_records = engine->tally.records_in;
    }
    return TLS_OK;
}

/* Nothing to decrypt and nothing decrypted: what OpenSSL would find out in a fifth of the time that
 * a small record takes. Without read-ahead it never holds a whole record that it has not opened. */
static bool read_is_futile(const struct tls_engine *engine)
{
    return engine->input_bytes == 0 && SSL_pending(engine->ssl) == 0 &&
           SSL_get_shutdown(engine->ssl) == 0;
}

enum tls_status tls_engine_read_openssl(struct tls_engine *engine, uint8_t *out, size_t out_max,
                                        size_t *out_count, struct tls_failure_detail *failure)
{
    errors_clear();
    tls_records_unsettle(engine->records);
    if (SSL_read_ex(engine->ssl, out, out_max, out_count)) {
        engine->useful_records = engine->tally.records_in;
        if (engine->records != NULL) {
            tls_records_settle_in(engine);
        }
        return TLS_OK;
    }
    *out_count = 0;
    return unsuccessful(engine, failure);
}

enum tls_status tls_engine_read(struct tls_engine *engine, uint8_t *out, size_t out_max,
                                size_t *out_count, struct tls_failure_detail *failure)
{
    if (tls_engine_is_plain(engine)) {
        return pass_read(engine, out, out_max, out_count);
    }
    if (engine->records != NULL && engine->records->in.traffic != NULL) {
        return tls_records_read(engine, out, out_max, out_count, failure);
    }
    if (read_is_futile(engine)) {
        *out_count = 0;
        return TLS_AGAIN;
    }
    return tls_engine_read_openssl(engine, out, out_max, out_count, failure);
}

enum tls_status tls_engine_write(struct tls_engine *engine, const uint8_t *bytes, size_t count,
                                 struct tls_failure_detail *failure)
{
    size_t written;

    if (tls_engine_is_plain(engine)) {
        return pass_write(engine, bytes, count, failure);
    }
    if (engine->records != NULL && tls_records_may_write(engine)) {
        return tls_records_write(engine, bytes, count, failure);
    }
    if (engine->ssl == NULL) {
        return tls_retired_write(engine, bytes, count, failure);
    }
    if (SSL_in_init(engine->ssl) && SSL_get_shutdown(engine->ssl) == SSL_RECEIVED_SHUTDOWN) {
        return TLS_AGAIN; /* for good: the peer has closed in the midst of its message */
    }
    errors_clear();
    tls_records_unsettle(engine->records);
    engine->sending = true;
    while (count > 0 && SSL_write_ex(engine->ssl, bytes, count, &written)) { /* a record a turn */
        bytes += written;
        count -= written;
    }
    engine->sending = false;
    if (count > 0) {
        return unsuccessful(engine, failure);
    }
    if (engine->records != NULL) {
        tls_records_settle_out(engine);
    }
    return TLS_OK;
}

void tls_engine_close(struct tls_engine *engine)
{
    if (tls_engine_has_retired(engine)) {
        tls_retired_close(engine);
    } else if (engine->ssl != NULL && SSL_is_init_finished(engine->ssl) &&
               !(SSL_get_shutdown(engine->ssl) & SSL_SENT_SHUTDOWN)) {
        tls_records_unsettle(engine->records);
        SSL_shutdown(engine->ssl);
        errors_clear();
    }
}

void tls_engine_idle(struct tls_engine *engine)
{
    if (!tls_records_retire(engine) && engine->ssl != NULL) {
        SSL_free_buffers(engine->ssl);
    }
    tls_records_idle(engine->records);
}

bool tls_engine_set_max_send_fragment(struct tls_engine *engine, unsigned bytes)
{
    if (bytes < TLS_FRAGMENT_BYTES_MIN || bytes > TLS_PLAINTEXT_BYTES_MAX) {
        return false;
    }
    engine->fragment_bytes = (uint16_t)bytes;
    if (engine->ssl == NULL) {
        return true;
    }
    /* Lowering the maximum lowers OpenSSL's split size with it, but raising it does not raise that
     * again; and the write buffer may have been made for the smaller size. */
    return SSL_set_max_send_fragment(engine->ssl, (long)bytes) == 1 &&
           SSL_set_split_send_fragment(engine->ssl, (long)bytes) == 1 &&
           ((engine->records != NULL && engine->records->out.traffic != NULL &&
             SSL_free_buffers(engine->ssl) == 1) ||
            SSL_alloc_buffers(engine->ssl) == 1);
}
