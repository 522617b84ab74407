/* What the files of this room share; nobody else includes it. */
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/error.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/ticket.h"

enum { TLS_PROTOCOLS_BYTES_MAX = 256 };

/* Application protocols in order of preference, as ALPN and NPN send them: each after its length
 * (RFC 7301 3.1). */
struct tls_protocols {
    uint8_t names[TLS_PROTOCOLS_BYTES_MAX];
    size_t bytes; /* 0: the extension is off */
};

struct tls_context {
    struct tls_library *library; /* borrowed; NULL: OpenSSL's default library context */
    SSL_CTX *ssl;
    BIO_METHOD *bio_method; /* lives as long as the engines made from it */
    enum tls_role role;
    unsigned references;
    unsigned max_send_fragment;
    struct ticket_reader tickets; /* this context's view of the shared ring; .ring NULL: none */
    struct session_store *sessions;
    uint64_t session_timeout_ns;
    struct tls_protocols alpn;
    struct tls_protocols npn;
    uint8_t *ocsp_response; /* server: DER to staple, owned; NULL: none */
    size_t ocsp_response_bytes;
    bool request_ocsp; /* client */
    bool direct_records;
    /* What the peer may start within a window; one more ends the connection. */
    uint32_t renegotiation_limit;
    uint32_t key_update_limit;
    uint64_t renegotiation_window_ns;
    uint32_t empty_record_limit;
    struct replay_guard *replays; /* for early data; shared by all workers */
    uint32_t early_data_bytes_max;
    void (*on_keylog)(void *user, const char *line);
    void *keylog_user;
    char warning[ERROR_TEXT_BYTES]; /* sentences divided by "; "; "": none */
};

static inline struct tls_context *tls_context_of(const SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* The engine behind a connection, for OpenSSL's callbacks: it is the data of our BIO, which costs
 * no ex_data allocation for each connection. */
static inline struct tls_engine *tls_engine_of(const SSL *ssl)
{
    return BIO_get_data(SSL_get_rbio(ssl));
}

/* bio.c: the BIO that reads what was fed and appends to the output queue. NULL when memory is out.
 */
BIO_METHOD *tls_engine_bio_method(void);
/* bio.c: copies what was fed, `out_max` bytes at most; returns how many. */
size_t tls_engine_take_input(struct tls_engine *engine, void *out, size_t out_max);
/* engine.c: counts records, tickets and hello retries; for SSL_CTX_set_msg_callback(3). */
void tls_engine_on_message(int sent, int version, int content_type, const void *bytes, size_t count,
                           SSL *ssl, void *engine);

/* engine.c: a connection of `context` over our BIO, as the engine's `ssl`, in place of the one that
 * is there. False when memory is out: then it is as it was. */
bool tls_engine_open(struct tls_engine *engine, struct tls_context *context);

/* engine.c: a record of the peer's, by its header; and a handshake message. */
void tls_engine_hear_record(struct tls_engine *engine);
void tls_engine_hear_message(struct tls_engine *engine, int type);
/* engine.c: the end of `ssl`, which the peer and the session do not notice. */
void tls_engine_free_ssl(struct tls_engine *engine);
/* engine.c: what is on OpenSSL's queue, or a reason of ours, as a failure. */
enum tls_status tls_engine_fail(struct tls_engine *engine, struct tls_failure_detail *failure);

/* engine.c: tls_engine_read() by OpenSSL's record layer. */
enum tls_status tls_engine_read_openssl(struct tls_engine *engine, uint8_t *out, size_t out_max,
                                        size_t *out_count, struct tls_failure_detail *failure);
/* engine.c: an internal failure. */
enum tls_status tls_engine_fail_saying(struct tls_failure_detail *failure, const char *reason);

static inline uint64_t tls_engine_now(const struct tls_engine *engine)
{
    return engine->now_ns != 0 ? engine->now_ns : clock_now_ns();
}

/* want.c: `asks` as in the options. NULL when memory is out. */
struct tls_wants *tls_wants_new(unsigned asks);
void tls_wants_free(struct tls_wants *wants);
/* want.c: to a fresh connection, its own callback. */
void tls_wants_open(struct tls_wants *wants, SSL *ssl);
/* want.c: keeps the ClientHello as long as the context may still change. */
void tls_wants_hear_hello(struct tls_wants *wants, const uint8_t *message, size_t count);
/* want.c: whether another context was answered: then the engine is open under it, and
 * *out_hello, the caller's to OPENSSL_free(), are the wire bytes to begin with. */
enum tls_switch { TLS_SWITCH_NONE, TLS_SWITCH_DONE, TLS_SWITCH_FAILED };
enum tls_switch tls_wants_switch(struct tls_engine *engine, uint8_t **out_hello,
                                 size_t *out_hello_bytes);
/* want.c: an external store is asked in place of ours. */
bool tls_wants_external(const struct tls_wants *wants);
SSL_SESSION *tls_wants_lookup(const struct tls_wants *wants, const uint8_t *id, size_t id_bytes);
/* want.c: a session that can be looked up by ID was made. */
void tls_wants_hear_session(struct tls_wants *wants, SSL_SESSION *session);
/* want.c: with the handshake complete, whether to wait for the session to be saved. */
bool tls_wants_save(struct tls_wants *wants);
/* want.c: whether the driver refused, and what to call it. */
bool tls_wants_refused(const struct tls_wants *wants, struct tls_failure_detail *failure);

/* records.c: the context that the engine is open under, and whether it is within a handshake or in
 * the midst of a message: data would have to wait. */
struct tls_context *tls_engine_context(const struct tls_engine *engine);
bool tls_engine_in_message(const struct tls_engine *engine);

/* renegotiate.c: a handshake message of the peer, once established. */
void tls_renegotiation_hear(struct tls_engine *engine, int type);

/* flood.c: nothing of the peer is heard any more, and the next call fails. */
void tls_flood_begin(struct tls_engine *engine, enum tls_flood flood);
/* flood.c: `count` whole records in a row, more than there may be, brought nothing. */
void tls_flood_hear_empty(struct tls_engine *engine, uint64_t count);
/* flood.c: OpenSSL has read all that there is, and found no data. */
void tls_flood_look(struct tls_engine *engine);
/* flood.c: whether a flood is why OpenSSL failed; then what to call it. */
bool tls_flood_failed(struct tls_engine *engine, struct tls_failure_detail *failure);

/* early.c: an OpenSSL call as SSL_do_handshake(3), which moves early data to engine->early; after
 * it has returned 1 the handshake goes on as any other. */
int tls_early_receive(struct tls_engine *engine);

/* resumption.c: tickets and sessions for one context. `id_context` is of SHA-256's size. Returns 0
 * or -1. */
int tls_resumption_setup(struct tls_context *context, const struct tls_config *config,
                         const uint8_t id_context[32], struct error *error);
/* resumption.c: makes the tally say what became of the offered ticket, once the handshake is
 * complete. */
void tls_resumption_settle(struct tls_engine *engine);

/* trust.c: a verify callback (SSL_CTX_set_verify(3)) under which a bad certificate of the peer is a
 * fact for tls_engine_authorized() and not the end of the handshake. */
int tls_trust_leniently(int good, X509_STORE_CTX *store);

/* context.c: adds a sentence to what tls_context_warning() tells. */
void tls_warn(struct tls_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* failure.c: the sentence, then ": " and OpenSSL's reason in words; empties its queue. Returns -1.
 */
int tls_error_set(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
