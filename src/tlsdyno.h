/* libtlsdyno: TLS servers, client sockets and secure pairs on io_uring, one worker thread a core.
 *
 * Threads   Callbacks run on the connection's own core and must not block. Functions of a socket,
 *           and of its TLS side, are called there too: from a callback, or from what dyno_post()
 *           brings. Functions of a context, a server and an ask may be called from any thread;
 *           those of a config or a pair by one thread at a time.
 * Ownership What is passed in is copied, unless a comment says otherwise; what a callback gets is
 *           good until it returns. Every _new has its _free, which accepts NULL.
 * Errors    0 or an object is success; -1 or NULL comes with a sentence in `error` (may be NULL).
 * Text      UTF-8, NUL-terminated. Sizes are in bytes; other units are in the name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dyno_error {
    char text[512]; /* names the file, option or address that is wrong */
};

enum dyno_role { DYNO_SERVER, DYNO_CLIENT };

struct dyno_ask;     /* a question that a handshake waits on */
struct dyno_config;  /* what a context shall be: data */
struct dyno_context; /* frozen and shared: reference-counted */
struct dyno_pair;    /* TLS without a socket */
struct dyno_server;  /* worker threads and the sockets that live on them */
struct dyno_socket;  /* one connection, TLS or plain */
struct dyno_tls;     /* the TLS side of a socket or a pair */

/* The versions of this library and of the OpenSSL that runs: "0.1.0", "OpenSSL 3.0.17 ...". */
const char *dyno_version(void);
const char *dyno_openssl_version(void);

/* What the OpenSSL that runs can do: calls `each` with a name ("TLS_AES_128_GCM_SHA256"), the
 * versions of TLS that it is good for, and a note ("128 bits"). */
enum dyno_list { DYNO_LIST_CIPHERS, DYNO_LIST_GROUPS, DYNO_LIST_SIGNATURES };
void dyno_list(enum dyno_list list,
               void (*each)(void *user, const char *name, const char *versions, const char *note),
               void *user);

/* ---- Configuration. A value that cannot be is reported by dyno_context_new(), the first one
 * first. Setting again replaces; NULL and 0 stand for the default. ---- */

/* One with every default; NULL: out of memory. Contexts that were made of it stay when it goes. */
struct dyno_config *dyno_config_new(void);
void dyno_config_free(struct dyno_config *config);

/* A PEM chain, leaf first, and its key; up to 8 of them, one for each type of key: the client's
 * signature algorithms choose. `_mem` takes the PEM text itself, here and below. */
void dyno_config_add_certificate_file(struct dyno_config *config, const char *chain,
                                      const char *key);
void dyno_config_add_certificate_mem(struct dyno_config *config, const char *chain,
                                     const char *key);
/* PKCS#12 (RFC 7292): key, chain and roots in one; excludes certificates and CAs. */
void dyno_config_set_pfx_file(struct dyno_config *config, const char *file);
void dyno_config_set_pfx_mem(struct dyno_config *config, const void *der, size_t bytes);
/* Of encrypted keys and the PKCS#12. Nothing is ever asked for on a terminal. */
void dyno_config_set_passphrase(struct dyno_config *config, const char *passphrase);
/* Trusted roots, a PEM file or a directory. Default: the system's store. */
void dyno_config_set_ca_file(struct dyno_config *config, const char *file);
void dyno_config_set_ca_mem(struct dyno_config *config, const char *pem);
/* Certificate revocation lists; then every certificate of a peer's chain is looked up. */
void dyno_config_set_crl_file(struct dyno_config *config, const char *file);
void dyno_config_set_crl_mem(struct dyno_config *config, const char *pem);
/* DHE in TLS 1.2: a PEM file of 2048 bits or more, or "auto". Default: no DHE. */
void dyno_config_set_dhparam_file(struct dyno_config *config, const char *file);
void dyno_config_set_dhparam_mem(struct dyno_config *config, const char *pem);
/* A DER OCSP response to staple (RFC 6066 8). */
void dyno_config_set_ocsp_response_file(struct dyno_config *config, const char *file);
void dyno_config_set_ocsp_response_mem(struct dyno_config *config, const void *der, size_t bytes);
/* Ticket keys (RFC 5077) as nginx and HAProxy have them: 48 bytes (16 name, 16 HMAC, 16 AES) or 80
 * (16, 32, 32). A file holds one or more, the last is the current one. Default: a generated one,
 * renewed hourly. `keep` previous keys go on resuming, 16 at most; default 2. */
void dyno_config_set_ticket_keys_file(struct dyno_config *config, const char *file);
void dyno_config_set_ticket_key_mem(struct dyno_config *config, const void *key, size_t bytes);
void dyno_config_set_ticket_keep(struct dyno_config *config, unsigned keep);
/* TLS 1.3 tickets after a full handshake; default 1. Without: TLS <= 1.2 resumes by session ID, and
 * TLS 1.3 from the program's own store (on_new_session), which is told of one session a handshake:
 * each resumption makes the next, as tickets should be used once (RFC 8446 C.4). */
void dyno_config_set_ticket_count(struct dyno_config *config, unsigned count);
void dyno_config_disable_tickets(struct dyno_config *config);

/* OpenSSL's cipher list for TLS <= 1.2, and TLS 1.3 suites, groups ("X25519:P-256"; "none" without
 * ECDHE) and signature algorithms, each colon-separated in order of preference. */
void dyno_config_set_ciphers(struct dyno_config *config, const char *list);
void dyno_config_set_ciphersuites(struct dyno_config *config, const char *list);
void dyno_config_set_groups(struct dyno_config *config, const char *list);
void dyno_config_set_sigalgs(struct dyno_config *config, const char *list);
/* Server: the client's order of ciphers decides. Default: the server's. */
void dyno_config_set_client_preference(struct dyno_config *config, bool client_decides);
/* "1.0" to "1.3"; default "1.2" and "1.3". 1.0 and 1.1 lower OpenSSL's security level to 0. */
void dyno_config_set_versions(struct dyno_config *config, const char *min, const char *max);
/* The same as a method of the classic API: "TLSv1_2_method". */
void dyno_config_set_method(struct dyno_config *config, const char *name);
/* "no-ticket,prioritize-chacha" or a number: SSL_OP_* bits (SSL_CTX_set_options(3)). */
void dyno_config_set_options(struct dyno_config *config, const char *names);
/* Application protocols, comma-separated in order of preference. No overlap is a fatal alert (RFC
 * 7301). NPN is ALPN's predecessor, TLS <= 1.2, off by default. */
void dyno_config_set_alpn(struct dyno_config *config, const char *protocols);
void dyno_config_set_npn(struct dyno_config *config, const char *protocols);
/* Lifetime of tickets and sessions, 7200 by default; and what keeps the sessions of different
 * configurations apart: by default it is derived from the configuration. A text of one's own joins
 * those that differ in certificates, ciphers or protocols, but never those that ask for clients'
 * certificates differently, or trust other CAs, CRLs or signature algorithms. */
void dyno_config_set_session_timeout(struct dyno_config *config, uint32_t seconds);
void dyno_config_set_session_id_context(struct dyno_config *config, const char *context);
/* Plaintext bytes a record, 512 to 16384, the default. */
void dyno_config_set_max_send_fragment(struct dyno_config *config, unsigned bytes);
/* Server: bytes of 0-RTT data to take from a connection at most (RFC 8446 8). Default 0: none. They
 * come by on_data when the handshake has proved them, from each ticket once, and only from tickets
 * that the same context has made: those of other processes that share the keys, and of this one
 * before a restart, resume without, for nobody knows what they have brought elsewhere. */
void dyno_config_set_early_data(struct dyno_config *config, uint32_t bytes_max);

/* Server: whether clients are asked for a certificate, and dropped without a good one. When only
 * asked, dyno_tls_authorized() tells. */
enum dyno_clients { DYNO_CLIENTS_ANONYMOUS, DYNO_CLIENTS_ASKED, DYNO_CLIENTS_AUTHORIZED };
void dyno_config_set_clients(struct dyno_config *config, enum dyno_clients clients);
/* Client: ask for an OCSP response; it comes by on_staple. */
void dyno_config_request_ocsp(struct dyno_config *config);
/* TLS <= 1.2 renegotiations that the peer may start in one window, and 32 times as many TLS 1.3
 * KeyUpdates; one more ends the connection. Default: 3 in 600 seconds. */
void dyno_config_set_renegotiation(struct dyno_config *config, uint32_t limit, uint32_t window_s);
void dyno_config_refuse_renegotiation(struct dyno_config *config);
/* TLS records in a row that may bring neither data nor a handshake message, empty ones and
 * warnings; one more ends the connection. Default, and at most: 32. */
void dyno_config_set_empty_records(struct dyno_config *config, uint32_t limit);
void dyno_config_refuse_empty_records(struct dyno_config *config);
/* UNSAFE. Every secret of every connection as an NSS key log line, without the newline, on the
 * connection's core. */
void dyno_config_reveal_secrets(struct dyno_config *config,
                                void (*each)(void *user, const char *line), void *user);
/* UNSAFE. Client: connect to whoever answers; dyno_tls_authorized() tells what was wrong. */
void dyno_config_accept_any_certificate(struct dyno_config *config);

/* ---- Contexts ---- */

/* Reads the files, once: what changes on disk later changes no context (but for a CA directory and
 * the system's store). */
struct dyno_context *dyno_context_new(enum dyno_role role, const struct dyno_config *config,
                                      struct dyno_error *error);
struct dyno_context *dyno_context_ref(struct dyno_context *context);
void dyno_context_free(struct dyno_context *context); /* gives one reference back */
/* What is wrong but no error, such as an expired certificate; "" when all is well. */
const char *dyno_context_warning(const struct dyno_context *context);
/* A new current ticket key, generated or given (NULL: generated). The server's connections and
 * those of every other that shares the context go on; older tickets resume and are renewed. */
int dyno_context_rotate_ticket_key(struct dyno_context *context, const void *key, size_t bytes,
                                   struct dyno_error *error);

/* ---- What is heard: a table, copied; any may be NULL. For each connection exactly one of
 * on_secure and on_failed is called, and on_closed once after on_secure. ---- */

struct dyno_failure {
    const char *reason; /* OpenSSL's ("wrong version number"), or the system's */
    const char *phase;  /* "resolve", "connect", "client hello", "server name", "handshake" ... */
    const char *kind;   /* the reason as a counter: "not_tls", "timeout_handshake" ... */
    const char *peer;   /* "192.0.2.1:50123"; "" when it is not known */
};

struct dyno_events {
    /* The connection carries plaintext: after the handshake, or at once without a context. */
    void (*on_secure)(struct dyno_socket *socket);
    /* It ended before that: Node's clientError, or a client's error. `user` is the server's for
     * accepted connections, else that of the options. */
    void (*on_failed)(void *user, const struct dyno_failure *failure);
    /* Plaintext, at most one record. Returns how many bytes were taken: with fewer than `count`
     * reading stops. The rest comes again when this socket's own output has drained, if that is
     * what was full, or by dyno_socket_resume(). */
    size_t (*on_data)(struct dyno_socket *socket, const void *bytes, size_t count);
    /* A write was cut short, and now there is room again. */
    void (*on_drain)(struct dyno_socket *socket);
    /* The peer will send no more. NULL: dyno_socket_end(). */
    void (*on_end)(struct dyno_socket *socket);
    /* The last call. `reason`: NULL after an orderly end, else why ("silent for too long",
     * "Connection reset by peer", OpenSSL's reason). The TLS side can still be read. */
    void (*on_closed)(struct dyno_socket *socket, const char *reason);
    /* The server drains: finish what is under way. NULL: carry on until the deadline. */
    void (*on_close_wanted)(struct dyno_socket *socket);
    /* dyno_socket_renegotiate() has come to its end. */
    void (*on_renegotiated)(struct dyno_socket *socket);
    /* Client, before on_secure; false ends the connection. In place of the check of the host name
     * against the certificate (RFC 6125); and the server's OCSP response, unchecked. */
    bool (*on_identity)(struct dyno_socket *socket, const char *host);
    bool (*on_staple)(struct dyno_socket *socket, const void *der, size_t bytes);

    /* Servers, in the order of the handshake, which waits for the answer to each (and the handshake
     * timeout goes on). Every ask is answered by exactly one dyno_answer_*() or dyno_refuse(),
     * here or later, on any thread; that frees it, and until then names, IDs and data are good. */
    void (*on_server_name)(struct dyno_ask *ask, struct dyno_socket *socket, const char *name);
    void (*on_resume_session)(struct dyno_ask *ask, struct dyno_socket *socket, const void *id,
                              size_t id_bytes);
    void (*on_ocsp_request)(struct dyno_ask *ask, struct dyno_socket *socket,
                            const void *certificate, size_t certificate_bytes, const void *issuer,
                            size_t issuer_bytes); /* DER; no issuer in the chain: 0 bytes */
    void (*on_new_session)(struct dyno_ask *ask, struct dyno_socket *socket, const void *id,
                           size_t id_bytes, const void *data, size_t bytes);
};

/* on_server_name. NULL: the names of dyno_server_add_context(), else the server's own context. */
void dyno_answer_context(struct dyno_ask *ask, struct dyno_context *context);
/* on_resume_session, with the data that on_new_session had. NULL: unknown; a full handshake. */
void dyno_answer_session(struct dyno_ask *ask, const void *data, size_t bytes);
/* on_ocsp_request. NULL: no staple. */
void dyno_answer_staple(struct dyno_ask *ask, const void *der, size_t bytes);
void dyno_answer_saved(struct dyno_ask *ask); /* on_new_session */
void dyno_refuse(struct dyno_ask *ask);       /* any: the connection ends */

/* ---- Servers. One that listens nowhere is what clients and wrapped sockets live on. ---- */

/* `context` NULL: plain TCP, or no listener. References it. NULL: out of memory. */
struct dyno_server *dyno_server_new(struct dyno_context *context, const struct dyno_events *events,
                                    void *user);
/* Ends every connection, waits for the threads and frees all: not in a callback. Asks that are
 * not answered yet may be answered even later. */
void dyno_server_free(struct dyno_server *server);

/* Before the start; reported by it. "127.0.0.1:4433", "[::1]:0", ":443" (every address, IPv4 and
 * IPv6), "unix:/path"; or a descriptor that listens already (systemd). 16 at most. */
void dyno_server_listen(struct dyno_server *server, const char *address);
void dyno_server_listen_descriptor(struct dyno_server *server, int descriptor);

enum dyno_setting {
    DYNO_THREADS,              /* 0, the default: one for each CPU that the process may use */
    DYNO_UNPINNED,             /* 1: threads run where the kernel likes */
    DYNO_CONNECTIONS_MAX,      /* more are refused at once; 100,000 */
    DYNO_HANDSHAKE_TIMEOUT_MS, /* of a connect or a handshake; 120,000 */
    DYNO_IDLE_TIMEOUT_MS,      /* nothing received and nothing sent; 300,000 */
    DYNO_WRITE_TIMEOUT_MS,     /* output waits and the peer takes none; 30,000 */
    DYNO_CLOSE_TIMEOUT_MS,     /* after dyno_server_close(); 10,000 */
    DYNO_TICKET_ROTATION_MS,   /* of generated ticket keys; 3,600,000 */
    DYNO_DYNAMIC_RECORDS,      /* 1: small records at first and after silence */
    /* Limits on hostile clients, beyond which connections are refused at once; any number. */
    DYNO_HANDSHAKES_MAX,          /* under way in each thread */
    DYNO_ADDRESS_CONNECTIONS_MAX, /* open, of one address (IPv6: /64) */
    DYNO_ADDRESS_HANDSHAKES_MAX,  /* begun in a second, likewise */
    DYNO_OUTPUT_BYTES_MAX,        /* waiting in one connection, whose input then waits, too; at
                                     least 16 KiB; 128 KiB */
    DYNO_BUFFER_BYTES_MAX,        /* waiting in all; a quarter of the machine's memory */
    DYNO_SETTING_COUNT,
};
/* Before the start, which reports a setting that there is not. 0 stands for the default. */
void dyno_server_set(struct dyno_server *server, enum dyno_setting setting, uint64_t value);

/* Binds everything and starts the threads. After a failure only dyno_server_free() is left. */
int dyno_server_start(struct dyno_server *server, struct dyno_error *error);

struct dyno_address {
    char text[128]; /* "127.0.0.1:4433", "[::1]:4433", "unix:/path"; "" unknown */
    char family[8]; /* "IPv4", "IPv6", "unix" */
    uint16_t port;  /* 0 for Unix */
};
/* Where listener `index` is bound, the real port for port 0. False when there is none. */
bool dyno_server_address(const struct dyno_server *server, size_t index, struct dyno_address *out);

/* Stops accepting and lets open connections finish; a deadline ends the rest. Returns at once;
 * `on_closed`, if not NULL, is called on the last thread to end. */
void dyno_server_close(struct dyno_server *server, void (*on_closed)(void *user), void *user);

/* `core` -1: all of them. */
unsigned dyno_server_core_count(const struct dyno_server *server);
uint64_t dyno_server_connections(const struct dyno_server *server, int core);
/* Everything that is counted, by name, over all cores. */
void dyno_server_counters(const struct dyno_server *server,
                          void (*each)(void *user, const char *name, uint64_t value), void *user);

/* Also while running, for connections accepted from then on: a context for "www.example.org" or
 * "*.example.org" (SNI), in place of an earlier one; and another context for the server itself,
 * which is how certificates are renewed. Ticket keys stay, unless the new context was given some.
 */
int dyno_server_add_context(struct dyno_server *server, const char *host,
                            struct dyno_context *context, struct dyno_error *error);
int dyno_server_set_context(struct dyno_server *server, struct dyno_context *context,
                            struct dyno_error *error);

/* ---- Clients and wrapped sockets ---- */

struct dyno_connect {
    struct dyno_context *context; /* a client's; NULL: plain TCP. Referenced */
    /* "example.org:443", "[::1]:4433", "unix:/path". Names are looked up on a thread of their own.
     * dyno_wrap() takes only the names below. */
    const char *address;
    const char *server_name; /* SNI; NULL: the host, unless it is an IP address; "": none */
    const char *verify_host; /* what the certificate must match; NULL: the host */
    const void *session;     /* of dyno_tls_session(), of the same host: try to resume it */
    size_t session_bytes;
    const void *early_data; /* 0-RTT, when the session allows it */
    size_t early_data_bytes;
    const struct dyno_events *events;
    void *user;                 /* see dyno_socket_user() */
    struct dyno_socket *beside; /* on this socket's core, in its callbacks; NULL: the next core */
};

/* Begins to connect; the events tell what becomes of it. -1 when the server has not been started,
 * the address cannot be one, or memory is out. */
int dyno_connect(struct dyno_server *server, const struct dyno_connect *options,
                 struct dyno_error *error);
/* Makes a socket of an open TCP or Unix stream socket, in the context's role (a client's without
 * one). The descriptor is then the socket's, unless -1 is returned. */
int dyno_wrap(struct dyno_server *server, int descriptor, const struct dyno_connect *options,
              struct dyno_error *error);

/* ---- Sockets ---- */

/* The server's for accepted connections, else that of the options, until it is set. */
void *dyno_socket_user(const struct dyno_socket *socket);
void dyno_socket_set_user(struct dyno_socket *socket, void *user);

/* Takes at most what the output has room for, and returns how much; fewer than `count`: the rest is
 * to be written in on_drain. 0 before on_secure and after the end. */
size_t dyno_socket_write(struct dyno_socket *socket, const void *bytes, size_t count);
/* Half close: what is written is sent, then close_notify; the peer may go on. When both sides have
 * ended, the socket closes. */
void dyno_socket_end(struct dyno_socket *socket);
/* What is written is sent, then it ends in good order: nothing more is read. */
void dyno_socket_close(struct dyno_socket *socket);
void dyno_socket_destroy(struct dyno_socket *socket); /* at once; what was written is dropped */
void dyno_socket_resume(struct dyno_socket *socket);  /* after on_data took less than it got */

/* Whether it has a TLS side; and that side, which lives as long as the socket. Without TLS all that
 * it tells is empty. */
bool dyno_socket_encrypted(const struct dyno_socket *socket);
struct dyno_tls *dyno_socket_tls(struct dyno_socket *socket);
/* Both ends; text "" when it is not known, and ours is not any more in on_closed. */
void dyno_socket_local_address(const struct dyno_socket *socket, struct dyno_address *out);
void dyno_socket_peer_address(const struct dyno_socket *socket, struct dyno_address *out);

struct dyno_bytes {
    uint64_t plain_in, plain_out;
    uint64_t wire_in, wire_out; /* with TLS's overhead; sent, not just queued */
};
/* What this connection has carried so far. */
void dyno_socket_bytes(const struct dyno_socket *socket, struct dyno_bytes *out);

/* Plaintext bytes a record from now on; false unless within 512 to 16384. */
bool dyno_socket_set_max_send_fragment(struct dyno_socket *socket, unsigned bytes);
void dyno_socket_set_dynamic_records(struct dyno_socket *socket, bool dynamic);
/* TLS <= 1.2: negotiates anew; a server may ask for the client's certificate. TLS 1.3: a server's
 * post-handshake authentication, if `certificate`; else an error. on_renegotiated tells the end, if
 * the connection does not end before; the handshake timeout bounds it. */
int dyno_socket_renegotiate(struct dyno_socket *socket, bool certificate, struct dyno_error *error);

/* A socket's name for other threads; stays good, and useless, when the socket has gone. */
struct dyno_ref {
    struct dyno_server *server;
    uint32_t core, slot, generation;
};
struct dyno_ref dyno_socket_ref(const struct dyno_socket *socket);
/* Calls back on the socket's core, with NULL when it is no longer there. Any thread, while the
 * server lives. -1: out of memory, nothing will be called. */
int dyno_post(struct dyno_ref ref, void (*call)(struct dyno_socket *socket, void *argument),
              void *argument);

/* ---- The TLS side of sockets and pairs ---- */

struct dyno_facts {
    char version[64];     /* "TLSv1.3" */
    char cipher[64];      /* IANA's name */
    char group[64];       /* of the ephemeral key: "x25519"; "" without (EC)DHE */
    char signature[64];   /* the server's: "ecdsa_secp256r1_sha256"; "" when resumed */
    char certificate[64]; /* the server's key: "EC P-256" */
    char protocol[64];    /* ALPN's or NPN's choice; "": none */
    char server_name[256];
    bool session_reused;
    bool early_data_accepted;
};
/* What was negotiated (names: IANA's TLS parameters); all "" and false before it is. */
void dyno_tls_facts(const struct dyno_tls *tls, struct dyno_facts *out);
/* Whether the peer's certificate is good; if not, why, in OpenSSL's words (may be NULL). */
bool dyno_tls_authorized(const struct dyno_tls *tls, const char **out_reason);

struct dyno_certificate {
    char subject[256], issuer[256];                    /* RFC 2253 */
    char valid_from[32], valid_to[32];                 /* "2026-11-23T18:00:00Z" */
    char fingerprint_sha1[60], fingerprint_sha256[96]; /* colon-separated hex */
    char serial[64];
    char names[1024]; /* "DNS:localhost, IP:127.0.0.1" */
    const void *der;  /* until the next call */
    size_t der_bytes;
};
/* The peer's: depth 0 is its own, 1 the issuer's ... False when there are not so many. */
bool dyno_tls_peer_certificate(struct dyno_tls *tls, unsigned depth, struct dyno_certificate *out);

/* Client: the newest session, serialised, and its ticket. Returns the size (0: none yet), and
 * writes when that fits. TLS 1.3 sends tickets after on_secure: ask late, in on_closed at best.
 * As secret as the connection. */
size_t dyno_tls_session(const struct dyno_tls *tls, void *out, size_t out_max);
size_t dyno_tls_ticket(const struct dyno_tls *tls, void *out, size_t out_max);
/* RFC 5705; `context` may be NULL. False before the connection is secure. */
bool dyno_tls_export(const struct dyno_tls *tls, const char *label, const void *context,
                     size_t context_bytes, void *out, size_t out_bytes);
/* Our Finished message or the peer's; returns its size. */
size_t dyno_tls_finished(const struct dyno_tls *tls, bool peers, void *out, size_t out_max);

/* ---- Secure pairs: bytes in and out on an encrypted and a cleartext side. ---- */

struct dyno_pair_options {
    struct dyno_context *context; /* referenced; its role is the pair's */
    enum dyno_clients clients;    /* a server's, at least what the context says */
    const char *server_name;      /* a client's, as in struct dyno_connect; NULL: none */
    const char *verify_host;
    void (*on_secure)(struct dyno_pair *pair, void *user); /* in dyno_pair_feed() */
    void *user;
};

/* NULL and a sentence when the context cannot serve or memory is out. One thread at a time may use
 * a pair; pairs of one context may be on several. */
struct dyno_pair *dyno_pair_new(const struct dyno_pair_options *options, struct dyno_error *error);
void dyno_pair_free(struct dyno_pair *pair);

/* Wire bytes of the peer; takes all of them, or -1: they failed, see dyno_pair_failure(), and there
 * may be an alert to take. Cleartext that nobody reads is bounded by what is fed. */
int dyno_pair_feed(struct dyno_pair *pair, const void *bytes, size_t count);
/* Wire bytes for the peer: returns how many were taken. */
size_t dyno_pair_take(struct dyno_pair *pair, void *out, size_t out_max);
/* Cleartext to the peer: false before it is secure, and after a failure or the end. */
bool dyno_pair_write(struct dyno_pair *pair, const void *bytes, size_t count);
/* Cleartext of the peer: returns how many bytes, 0: none now. */
size_t dyno_pair_read(struct dyno_pair *pair, void *out, size_t out_max);
void dyno_pair_end(struct dyno_pair *pair); /* close_notify */

/* The state of things. What is returned lives as long as the pair. */
bool dyno_pair_is_secure(const struct dyno_pair *pair);
bool dyno_pair_has_ended(const struct dyno_pair *pair);      /* the peer's close_notify was read */
const char *dyno_pair_failure(const struct dyno_pair *pair); /* OpenSSL's reason; NULL: none */
struct dyno_tls *dyno_pair_tls(struct dyno_pair *pair);

#ifdef __cplusplus
}
#endif
