/* The server: listeners, one worker thread for each CPU, ticket keys, drain, and the numbers they
 * publish. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conn/service.h"
#include "ring/socket.h"
#include "service/services.h"
#include "stats/snapshot.h"
#include "tls/config.h"
#include "tls/engine.h"

struct error;
struct server; /* opaque */
struct tls_shared;

enum {
    SERVER_LISTENERS_MAX = 16,
    SERVER_NAMES_MAX = 256,
    SERVER_OUTPUT_BYTES_MIN = 16 * 1024, /* of one connection: a record */
};

struct server_listener {
    struct socket_address address;
    const struct service *service;
    const void *service_config; /* NULL: the server's struct service_config */
    bool plain_tcp;             /* no TLS */
    bool is_inherited;          /* `descriptor` listens already: socket activation */
    bool is_handed_over;        /* TCP: shares the address with an earlier and a later server */
    int descriptor;
};

/* A certificate of its own for a server name (SNI), exact or "*.example.org". */
struct server_name {
    const char *host;
    const char *certificate_file;
    const char *key_file;
};

struct server_config {
    struct server_listener listeners[SERVER_LISTENERS_MAX];
    size_t listener_count; /* 0: only reactor_connect() and reactor_wrap() */
    struct server_name names[SERVER_NAMES_MAX];
    size_t name_count;
    unsigned threads; /* 0: one for each CPU that the process may use */
    struct tls_config tls;
    uint64_t source_bytes;
    uint64_t handshake_timeout_ns; /* 0: 120 s */
    uint64_t idle_timeout_ns;      /* 0: 300 s */
    uint64_t write_timeout_ns;     /* 0: 30 s */
    uint64_t drain_timeout_ns;     /* 0: 10 s */
    uint64_t ticket_rotate_ns;     /* 0: 3600 s */
    uint32_t ticket_previous;      /* previous keys kept */
    uint32_t connections_max;      /* in total; 0: 100,000 */
    /* Limits on hostile clients; 0: any number. Beyond them new connections are refused. */
    uint32_t handshakes_max;              /* under way, of each worker */
    uint32_t address_connections_max;     /* open, of one address (IPv6: /64), in total */
    uint32_t address_handshakes_max;      /* begun in a second, likewise */
    uint32_t connection_output_bytes_max; /* then its input waits; 0: 128 KiB */
    uint64_t buffer_bytes_max;            /* in total, a share for each worker; 0: a quarter of
                                             the machine's memory */
    uint32_t session_cache;               /* sessions kept by ID; 0: 20,480 */
    const char *ticket_key_file;          /* instead of generated keys; read again on reload */
    /* What contexts share, borrowed until server_free(); NULL: the server's own. */
    const struct tls_shared *shared;
    uint64_t pacing_bits_per_second; /* of each TCP connection at most; 0: as fast as it goes */
    bool keep_ticket_keys;           /* no rotation by time */
    bool dynamic_records;            /* small records at first and after silence */
    bool no_pin;
    /* What an embedding program wants to answer itself for accepted connections: bits as in
     * tls_engine_options.asks, and the call, on the connection's worker, as reactor_events.on_want;
     * it hears then of all wants, server names of server_add_name() included. */
    unsigned asks;
    void (*on_want)(void *user, struct conn *conn, enum tls_want want);
    /* An accepted connection failed before it was secure; on its worker. NULL: nobody wants to
     * know. */
    void (*on_failed)(void *user, const char *peer, const char *reason);
    void (*on_ended)(void *user); /* each worker, on its thread, after its last connection */
    void *user;
};

/* Binds everything and starts the workers; NULL and a sentence, with nothing left behind, on
 * failure. The configuration is not kept. */
struct server *server_start(const struct server_config *config, struct error *error);

/* server_start() in two steps, for who gives up privileges in between: everything is bound and
 * read, and no thread runs yet; after a failure of the second step, too, the caller frees it. */
struct server *server_new(const struct server_config *config, struct error *error);
int server_run(struct server *server, struct error *error);

/* The bound address of listener `index`, with its real port. */
const struct socket_address *server_address(const struct server *server, size_t index);
unsigned server_worker_count(const struct server *server);

/* Stops accepting and lets open connections finish until the drain timeout; returns at once. Any
 * thread. */
void server_drain(struct server *server);
/* Ends every connection at once; returns at once. Any thread. */
void server_stop(struct server *server);
/* Whether all workers have ended (after drain or stop). */
bool server_has_ended(const struct server *server);

/* Asks every worker for an answer, which its loop gives in its next turn; and the index of one that
 * owes it still, or -1. Any one thread. */
void server_ask_workers(struct server *server);
int server_silent_worker(const struct server *server);

/* Waits for the workers and frees everything; accepts NULL. Call server_stop() or server_drain()
 * before. */
void server_free(struct server *server);

/* Reads certificates, keys, CRLs, OCSP responses and the ticket key file again, as the
 * configuration names them; open connections stay as they are. -1 and a sentence when anything is
 * wrong: then the old set serves on. Listeners and limits do not change. One thread at a time. */
int server_reload(struct server *server, const struct server_config *config, struct error *error);

/* A context for one more server name, while running; a name that is there already is replaced. Any
 * one thread at a time. Lasts until a reload, which knows only what its configuration names. */
int server_add_name(struct server *server, const char *host, const struct tls_config *tls,
                    struct error *error);

/* Worker `index`'s reactor: for posting letters to its mailbox from other threads, and everything
 * else from a letter. */
struct reactor *server_reactor(struct server *server, unsigned index);

/* For callbacks on a worker: its index, and the context that the server's names lead to, with which
 * an on_want can answer for TLS_WANT_CONTEXT; NULL: the listener's. */
unsigned server_worker_index(const struct conn *conn);
struct tls_context *server_named_context(const struct conn *conn);

/* A new current ticket key. Any thread. */
int server_rotate_tickets(struct server *server, struct error *error);

/* What all workers counted so far; the caller frees it. Any thread. NULL when memory is out. */
struct snapshot *server_snapshot(const struct server *server);
