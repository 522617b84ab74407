/* What context.c, engine.c, resumption.c, facts.c and certificate.c share; nobody else includes it.
 */
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "tls/context.h"
#include "tls/engine.h"
#include "tls/ticket.h"

enum { TLS_ALPN_BYTES_MAX = 256 }; /* length-prefixed names (RFC 7301 3.1) */

struct tls_context {
    SSL_CTX *ssl;
    BIO_METHOD *bio_method; /* lives as long as the engines made from it */
    enum tls_role role;
    unsigned references;
    struct ticket_reader tickets; /* this context's view of the shared ring; .ring NULL: none */
    struct session_store *sessions;
    uint64_t session_timeout_ns;
    uint8_t alpn[TLS_ALPN_BYTES_MAX];
    size_t alpn_bytes;
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

/* engine.c: the BIO that reads what was fed and appends to the output queue. NULL when memory is
 * out. */
BIO_METHOD *tls_engine_bio_method(void);
/* engine.c: counts records, tickets and hello retries; for SSL_CTX_set_msg_callback(3). */
void tls_engine_on_message(int sent, int version, int content_type, const void *bytes, size_t count,
                           SSL *ssl, void *engine);

/* resumption.c: tickets and sessions for one context. `id_context` is of SHA-256's size. Returns 0
 * or -1. */
int tls_resumption_setup(struct tls_context *context, const struct tls_config *config,
                         const uint8_t id_context[32], struct error *error);
/* resumption.c: makes the tally say what became of the offered ticket, once the handshake is
 * complete. */
void tls_resumption_settle(struct tls_engine *engine);

/* failure.c: the sentence, then ": " and OpenSSL's reason in words; empties its queue. Returns -1.
 */
int tls_error_set(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
