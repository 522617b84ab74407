/* One TLS connection as pure bytes in, bytes out: no descriptor, no clock, no callbacks to the
 * world.
 *
 * Wire bytes come in by tls_engine_feed(), which lends a span that later calls consume; whatever
 * must go to the peer is appended to the slab queue given at the start. Whoever drives the engine
 * sends that queue. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slab.h"
#include "tls/failure.h"

struct ssl_st;
struct tls_context;

enum tls_status {
    TLS_OK,     /* done: handshake complete, bytes read, bytes written */
    TLS_AGAIN,  /* needs more wire bytes than were fed */
    TLS_CLOSED, /* the peer sent close_notify; nothing more will come */
    TLS_FAILED, /* see `failure`; an alert may be in the output queue, still worth sending */
};

/* Running totals of one connection. The driver adds what has changed to the worker's counters. */
struct tls_tally {
    uint64_t records_in;
    uint64_t records_out;
    uint32_t tickets_issued;
    uint32_t tickets_received; /* client: NewSessionTicket messages (RFC 8446 4.6.1) */
    uint32_t hello_retries;    /* HelloRetryRequest seen or sent */
    bool ticket_accepted; /* server: resumed from the client's ticket; settled with the handshake */
    bool ticket_renewed;  /* and a new one sent because its key is a previous one */
    bool ticket_rejected; /* offered in vain: unknown key, bad MAC, too old, or of another
                             configuration */
};

struct tls_engine {
    struct ssl_st *ssl;   /* NULL: not TLS, bytes pass unchanged */
    const uint8_t *input; /* borrowed, not yet consumed */
    size_t input_bytes;
    struct slab_queue *output; /* borrowed */
    struct tls_tally tally;
    struct tls_session *new_session; /* client: the newest resumable session, owned */
    bool session_found;              /* server: the session store had what the client asked for */
    bool output_failed;              /* out of memory in the slab pool */
};

/* A client's saved session; reference-counted inside OpenSSL, one thread. Whoever keeps it must
 * never offer it to another host than the one it came from: it identifies the client, and skips the
 * check of the certificate. It is good for one connection: OpenSSL withdraws it when that gets a
 * newer ticket. */
struct tls_session;

struct tls_engine_options {
    /* All for the client. */
    const char *server_name; /* SNI, NULL for none */
    const char *verify_host; /* name or IP address that the certificate must match; NULL: any */
    const struct tls_session *session; /* try to resume it; NULL: full handshake */
};

/* `context` NULL makes a pass-through engine, so that plain TCP is the same data path. The output
 * queue must outlive the engine, and the engine may not move in memory. `options` may be NULL.
 * Returns false when memory is out. */
bool tls_engine_init(struct tls_engine *engine, struct tls_context *context,
                     struct slab_queue *output, const struct tls_engine_options *options);
void tls_engine_deinit(struct tls_engine *engine);

/* Lends the next wire bytes; the previous span must have been consumed (input_bytes == 0). */
static inline void tls_engine_feed(struct tls_engine *engine, const uint8_t *bytes, size_t count)
{
    engine->input = bytes;
    engine->input_bytes = count;
}

/* Goes as far as the fed bytes allow; may leave some of them for tls_engine_read(). `failure` is
 * written with TLS_FAILED, here and below. After TLS_FAILED an engine is only good for its output
 * and deinit. */
enum tls_status tls_engine_handshake(struct tls_engine *engine, struct tls_failure_detail *failure);

/* Plaintext of at most one record. TLS_OK: *out_count > 0, and there may be more. TLS_AGAIN: all
 * that was fed has been consumed. */
enum tls_status tls_engine_read(struct tls_engine *engine, uint8_t *out, size_t out_max,
                                size_t *out_count, struct tls_failure_detail *failure);

/* Encrypts all of it into the output queue. TLS_AGAIN comes only while the peer is in the middle of
 * a handshake message that spans records (a split KeyUpdate): nothing was written, call again after
 * the next feed. */
enum tls_status tls_engine_write(struct tls_engine *engine, const uint8_t *bytes, size_t count,
                                 struct tls_failure_detail *failure);

/* Appends close_notify; nothing may be written afterwards. Harmless before the handshake is
 * complete and when repeated. */
void tls_engine_close(struct tls_engine *engine);

/* Gives OpenSSL's empty record buffers, some 34 KiB, back until the next record
 * (SSL_free_buffers(3)). */
void tls_engine_idle(struct tls_engine *engine);

/* Plaintext bytes a record from now on, 512-16384, at any time. Returns false when out of range. */
bool tls_engine_set_max_send_fragment(struct tls_engine *engine, unsigned bytes);

/* What was negotiated; valid after the handshake, all empty for a pass-through engine. */
enum { TLS_NAME_BYTES = 56 }; /* IANA's longest suite name takes 46 */

enum tls_resumption { TLS_FULL, TLS_RESUMED_TICKET, TLS_RESUMED_ID };

struct tls_facts {
    char version[TLS_NAME_BYTES];     /* "TLSv1.3" */
    char suite[TLS_NAME_BYTES];       /* IANA name: "TLS_AES_256_GCM_SHA384" */
    char group[TLS_NAME_BYTES];       /* "x25519"; "" when no (EC)DHE took place */
    char signature[TLS_NAME_BYTES];   /* the server's: "ecdsa_secp256r1_sha256"; "" when resumed */
    char certificate[TLS_NAME_BYTES]; /* the server's key: "EC P-256", "RSA 2048" */
    char alpn[TLS_NAME_BYTES];
    enum tls_resumption resumption;
};

void tls_engine_facts(const struct tls_engine *engine, struct tls_facts *out);
bool tls_engine_resumed(const struct tls_engine *engine, enum tls_resumption *out_kind);

/* Client: takes the session that the next connection may resume from, or NULL; the caller frees it.
 * In TLS 1.3 there is one only after a ticket arrived, and the newest ticket counts. */
struct tls_session *tls_engine_take_session(struct tls_engine *engine);
void tls_session_free(struct tls_session *session);
