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
    TLS_OK,      /* done: handshake complete, bytes read, bytes written */
    TLS_AGAIN,   /* needs more wire bytes than were fed */
    TLS_CLOSED,  /* the peer sent close_notify; nothing more will come */
    TLS_FAILED,  /* see `failure`; an alert may be in the output queue, still worth sending */
    TLS_WAITING, /* for an answer to tls_engine_want(); then call the handshake again */
};

/* What a server's handshake may stop for, in this order, when the options ask for it. Each is
 * answered once, at once or later, on the connection's thread; any may be refused instead. */
enum tls_want {
    TLS_WANT_NOTHING,
    TLS_WANT_CONTEXT, /* the client sent a server name: which context shall serve it? */
    TLS_WANT_SESSION, /* the client wants to resume this ID from an external store */
    TLS_WANT_STAPLE,  /* a full handshake, and the client asked for an OCSP response */
    TLS_WANT_SAVE,    /* the handshake is complete: store the new session before going on */
};

/* Running totals of one connection. The driver adds what has changed to the worker's counters. */
struct tls_tally {
    uint64_t records_in;
    uint64_t records_out;
    uint64_t records_direct; /* of both, those that the direct record layer opened or sealed */
    uint32_t tickets_issued;
    uint32_t tickets_received; /* client: NewSessionTicket messages (RFC 8446 4.6.1) */
    uint32_t hello_retries;    /* HelloRetryRequest seen or sent */
    uint32_t renegotiations;   /* started by the peer, KeyUpdates of TLS 1.3 included */
    uint32_t early_bytes;      /* 0-RTT plaintext, sent by a client or accepted by a server */
    bool hello_answered;       /* the ServerHello that is no HelloRetryRequest: read, or sent */
    bool ticket_accepted; /* server: resumed from the client's ticket; settled with the handshake */
    bool ticket_renewed;  /* and a new one sent because its key is a previous one */
    bool ticket_rejected; /* offered in vain: unknown key, bad MAC, too old, or of another
                             configuration */
};

struct tls_wants;
struct tls_records;

/* What the peer has sent too much of. */
enum tls_flood {
    TLS_FLOOD_NONE,
    TLS_FLOOD_RENEGOTIATIONS,
    TLS_FLOOD_CERTIFICATE_REQUESTS,
    TLS_FLOOD_KEY_UPDATES,
    TLS_FLOOD_EMPTY_RECORDS,
};

/* Renegotiations of TLS <= 1.2 and KeyUpdates of TLS 1.3, which cost us more than the peer. */
struct tls_renegotiation {
    uint64_t window_ns; /* start of the window that `count` belongs to */
    uint32_t count;     /* started by the peer in it */
    bool ours;          /* the next ClientHello, or TLS 1.3 certificate, was asked for by us */
};

struct tls_engine {
    struct ssl_st *ssl;   /* NULL: not TLS, or retired */
    const uint8_t *input; /* borrowed, not yet consumed */
    size_t input_bytes;
    struct slab_queue *output; /* borrowed */
    struct tls_tally tally;
    struct tls_session *new_session; /* client: the newest resumable session, owned */
    struct tls_wants *wants;         /* a server that asks, owned; NULL: it does not */
    struct tls_records *records;     /* the direct record layer, owned; NULL: OpenSSL's */
    struct slab_queue early;         /* server: 0-RTT bytes that nobody has read yet */
    uint8_t *peer_der;               /* of tls_engine_peer_certificate(), owned */
    uint64_t now_ns;                 /* of tls_engine_set_time() */
    struct tls_renegotiation renegotiation;
    enum tls_flood flood; /* then nothing of the peer is heard any more */
    uint32_t empty_record_limit;
    uint64_t useful_records;       /* tally.records_in when data or a handshake message came last */
    uint16_t fragment_bytes;       /* plaintext that a record of ours has at most */
    uint8_t records_before_taking; /* before the direct record layer takes a direction over */
    bool sending;                  /* a call that shall only send: OpenSSL gets nothing to read */
    bool early_open;               /* server: early data may come, or its end */
    bool established;              /* the first handshake is complete */
    bool session_found;            /* server: the session store had what the client asked for */
    bool output_failed;            /* out of memory in the slab pool */
};

/* A client's saved session; reference-counted inside OpenSSL, one thread. Whoever keeps it must
 * never offer it to another host than the one it came from: it identifies the client. It skips the
 * check of the certificate too, so a client that verifies does not offer one whose certificate was
 * not good, or is not for `verify_host`. It is good for one connection: OpenSSL withdraws it when
 * that gets a newer ticket. */
struct tls_session;

struct tls_engine_options {
    /* All for the client. */
    const char *server_name; /* SNI, NULL for none */
    const char *verify_host; /* name or IP address that the certificate must match; NULL: any */
    const struct tls_session *session; /* try to resume it; NULL: full handshake */
    /* For the server: one bit (1 << want) for each that the driver answers. */
    unsigned asks;
};

/* `context` NULL makes a pass-through engine, so that plain TCP is the same data path. The output
 * queue must outlive the engine, and the engine may not move in memory. `options` may be NULL.
 * Returns false when memory is out. */
bool tls_engine_init(struct tls_engine *engine, struct tls_context *context,
                     struct slab_queue *output, const struct tls_engine_options *options);
void tls_engine_deinit(struct tls_engine *engine);

/* Not TLS: bytes pass unchanged. */
static inline bool tls_engine_is_plain(const struct tls_engine *engine)
{
    return engine->ssl == NULL && engine->records == NULL;
}

/* By tls_engine_idle(). */
static inline bool tls_engine_has_retired(const struct tls_engine *engine)
{
    return engine->ssl == NULL && engine->records != NULL;
}

/* The engine keeps no clock, but session lifetimes and the limits on renegotiation need one. The
 * time (monotonic) holds until set again; 0, the default: clock_now_ns() where it is needed. */
void tls_engine_set_time(struct tls_engine *engine, uint64_t now_ns);

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
 * a handshake message that spans records (a split KeyUpdate), or of a renegotiation: nothing was
 * written, call again after the next feed. */
enum tls_status tls_engine_write(struct tls_engine *engine, const uint8_t *bytes, size_t count,
                                 struct tls_failure_detail *failure);

/* Appends close_notify; nothing may be written afterwards. Harmless before the handshake is
 * complete and when repeated. */
void tls_engine_close(struct tls_engine *engine);

/* Gives OpenSSL's empty record buffers, some 34 KiB, back until the next record
 * (SSL_free_buffers(3)).
 *
 * A TLS 1.3 server whose records are the direct layer's, whose client showed no certificate and in
 * which nothing is half done retires: it gives OpenSSL's whole connection back, some 14 KiB. On the
 * wire, and in what it tells of that, nothing changes; but what was negotiated is forgotten, down
 * to the secrets that tls_engine_export() needs, and tls_engine_renegotiate() refuses. Who wants to
 * ask later never calls this. */
void tls_engine_idle(struct tls_engine *engine);

/* Plaintext bytes a record from now on, 512-16384, at any time. Returns false when out of range. */
bool tls_engine_set_max_send_fragment(struct tls_engine *engine, unsigned bytes);

/* What was negotiated; valid after the handshake, all empty for an engine that passes bytes through
 * or has retired. */
enum { TLS_NAME_BYTES = 56 }; /* IANA's longest suite name takes 46 */

enum tls_resumption { TLS_FULL, TLS_RESUMED_TICKET, TLS_RESUMED_ID };

struct tls_facts {
    char version[TLS_NAME_BYTES];     /* "TLSv1.3" */
    char suite[TLS_NAME_BYTES];       /* IANA name: "TLS_AES_256_GCM_SHA384" */
    char group[TLS_NAME_BYTES];       /* "x25519"; "" when no (EC)DHE took place */
    char signature[TLS_NAME_BYTES];   /* the server's: "ecdsa_secp256r1_sha256"; "" when resumed */
    char certificate[TLS_NAME_BYTES]; /* the server's key: "EC P-256", "RSA 2048" */
    char alpn[TLS_NAME_BYTES];        /* or NPN's protocol */
    enum tls_resumption resumption;
};

void tls_engine_facts(const struct tls_engine *engine, struct tls_facts *out);
bool tls_engine_resumed(const struct tls_engine *engine, enum tls_resumption *out_kind);

/* Client: takes the session that the next connection may resume from, or NULL; the caller frees it.
 * In TLS 1.3 there is one only after a ticket arrived, and the newest ticket counts. */
struct tls_session *tls_engine_take_session(struct tls_engine *engine);
void tls_session_free(struct tls_session *session);

/* Servers: what a TLS_WAITING handshake waits for, and the answers. While it waits, the driver
 * holds the output queue back: with TLS_WANT_SAVE the client's next connection may otherwise come
 * before its session is stored. */
enum tls_want tls_engine_want(const struct tls_engine *engine);
/* SNI as the client sent it, of both roles; NULL: none, or not known yet. */
const char *tls_engine_server_name(const struct tls_engine *engine);
/* NULL: go on with the context that the engine was made with. Otherwise the handshake starts afresh
 * under `context`, a server's, as if the engine had been made with it: no setting of the first one
 * is left. It must outlive the engine. */
void tls_engine_answer_context(struct tls_engine *engine, struct tls_context *context);
const uint8_t *tls_engine_session_id(const struct tls_engine *engine, size_t *out_bytes);
/* A session as tls_engine_saved_session() gave it; NULL: a miss, so a full handshake. Malformed
 * data, and that of another ID, is a miss too. */
void tls_engine_answer_session(struct tls_engine *engine, const uint8_t *data, size_t bytes);
/* DER of our certificate and its issuer's (0 bytes: not in the chain), until the answer. With
 * several certificates it is the one that the client's signature algorithms most likely choose; if
 * another is chosen, the answer is not sent. */
void tls_engine_own_certificate(const struct tls_engine *engine, const uint8_t **out_der,
                                size_t *out_der_bytes, const uint8_t **out_issuer,
                                size_t *out_issuer_bytes);
/* A DER OCSP response; NULL: no staple, not even the context's. */
void tls_engine_answer_staple(struct tls_engine *engine, const uint8_t *der, size_t bytes);
/* Until the answer. TLS <= 1.2 without a ticket; TLS 1.3 when the context has no_tickets: then the
 * ticket that the client gets is nothing but this ID. */
void tls_engine_saved_session(const struct tls_engine *engine, const uint8_t **out_id,
                              size_t *out_id_bytes, const uint8_t **out_data,
                              size_t *out_data_bytes);
void tls_engine_answer_save(struct tls_engine *engine);
/* Any want: the next tls_engine_handshake() fails. The alert is unrecognized_name for a context,
 * internal_error for a session or a staple; there is none for TLS_WANT_SAVE, whose handshake is
 * complete already. */
void tls_engine_refuse(struct tls_engine *engine);

/* The peer's certificate: depth 0 is the peer's own, 1 its issuer ... up to the root when the chain
 * was verified, else as far as the peer sent it. Text that does not fit is cut. */
struct tls_peer_certificate {
    char subject[256], issuer[256];                    /* RFC 2253 */
    char valid_from[32], valid_to[32];                 /* "2026-11-23T18:00:00Z" */
    char fingerprint_sha1[60], fingerprint_sha256[96]; /* colon-separated hex */
    char serial[64];                                   /* hex */
    /* "DNS:localhost, IP:127.0.0.1"; what could be taken for a divider or cannot be printed is
     * "\2c", in hex. */
    char names[1024];
    const uint8_t *der; /* owned by the engine, until the next call */
    size_t der_bytes;
};
/* False when the peer sent no certificate, or not so many. */
bool tls_engine_peer_certificate(struct tls_engine *engine, unsigned depth,
                                 struct tls_peer_certificate *out);
/* Whether the peer's certificate was verified; if not, *out_reason is OpenSSL's words, such as
 * "self-signed certificate", or "no certificate". */
bool tls_engine_authorized(const struct tls_engine *engine, const char **out_reason);

/* Client: the staple as it came, nothing of it checked; NULL when there was none. It is there when
 * the handshake returns TLS_OK, before anything has been written. */
const uint8_t *tls_engine_staple(const struct tls_engine *engine, size_t *out_bytes);
/* What it says, once looked into: signature, dates and status. UNVERIFIED also where the peer's
 * certificate was not verified, so that nobody is trusted to sign. */
enum tls_staple {
    TLS_STAPLE_NONE,
    TLS_STAPLE_UNVERIFIED,
    TLS_STAPLE_REVOKED,
    TLS_STAPLE_GOOD,
    TLS_STAPLE_COUNT
};
enum tls_staple tls_engine_staple_check(const struct tls_engine *engine);

/* Sessions as bytes (the client's, for another process) and back; the ticket inside. They are as
 * secret as the connection. Serialising returns the size, and writes only when that is within
 * `out_max`. NULL: malformed data; no ticket. */
size_t tls_session_serialise(const struct tls_session *session, uint8_t *out, size_t out_max);
struct tls_session *tls_session_parse(const uint8_t *data, size_t bytes);
const uint8_t *tls_session_ticket(const struct tls_session *session, size_t *out_bytes);

/* RFC 5705, RFC 8446 7.5; `context` may be NULL, which TLS 1.2 tells from an empty one. Returns
 * false before the handshake is complete. */
bool tls_engine_export(const struct tls_engine *engine, const char *label, const uint8_t *context,
                       size_t context_bytes, uint8_t *out, size_t out_bytes);
/* Finished messages, ours and the peer's; returns the size, 0 when there is none. */
size_t tls_engine_finished(const struct tls_engine *engine, bool peers, uint8_t *out,
                           size_t out_max);

/* TLS <= 1.2: starts a renegotiation, asking for the client's certificate if told so; goes on with
 * the next reads. TLS 1.3 server: with `certificate`, post-handshake authentication (RFC
 * 8446 4.6.2). Otherwise false and why. A certificate that is missing or bad ends the connection
 * only when the context says so; else tls_engine_authorized() tells. */
bool tls_engine_renegotiate(struct tls_engine *engine, bool certificate, const char **out_reason);
/* What was started so is not complete yet. A client may ignore it forever: set a timer. */
bool tls_engine_renegotiating(const struct tls_engine *engine);
/* TLS 1.3: a new sending key, and the peer's too if `both` (RFC 8446 4.6.3). */
bool tls_engine_update_key(struct tls_engine *engine, bool both);

/* 0-RTT. Client, before the handshake and with a session that allows it: queues early data; returns
 * how many bytes were taken (0: not allowed). What was rejected is lost: the driver writes it
 * again. Server: tls_engine_handshake() returns TLS_OK only when the whole handshake is complete;
 * early data is read from tls_engine_read_early() after each call of it that did not fail. Of
 * tickets that this process has made it takes each one's once, of others' none. */
size_t tls_engine_write_early(struct tls_engine *engine, const uint8_t *bytes, size_t count);
size_t tls_engine_read_early(struct tls_engine *engine, uint8_t *out, size_t out_max);
uint32_t tls_session_early_bytes_max(const struct tls_session *session); /* 0: not allowed */
enum tls_early { TLS_EARLY_NONE, TLS_EARLY_REJECTED, TLS_EARLY_ACCEPTED };
enum tls_early tls_engine_early(const struct tls_engine *engine);
