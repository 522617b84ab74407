/* What stands behind the opaque types of tlsdyno.h. Private to this folder. */
#pragma once

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "api/blobs.h"
#include "base/error.h"
#include "conn/conn.h"
#include "conn/reactor.h"
#include "ring/socket.h"
#include "server/server.h"
#include "tls/context.h"
#include "tlsdyno.h"

struct resolver;

/* A configuration under construction; the strings are in `blobs`. */
struct dyno_config {
    struct tls_config tls;
    struct blobs *blobs;
    struct error error; /* the first thing that was wrong; reported by dyno_context_new() */
    const char *ocsp_response_file;
    const char *ticket_keys_file;
    const uint8_t *ticket_key;
    size_t ticket_key_bytes;
    unsigned ticket_keep;
};

/* Keeps the configuration and what all workers' contexts share; OpenSSL's own contexts belong to
 * one thread each, and are made from it where they are needed. */
struct dyno_context {
    _Atomic unsigned references; /* any thread */
    _Atomic unsigned users;      /* those of them that are no caches': see core_context() */
    enum tls_role role;
    struct tls_config tls; /* frozen: memory in place of files */
    struct blobs *blobs;   /* the configuration's, shared */
    struct blobs *files;   /* what was read from files */
    struct tls_shared shared;
    bool has_ticket_keys; /* given ones, which time does not rotate */
    struct error warning;
    pthread_mutex_t lock;      /* of what follows */
    struct idle_context *idle; /* made for pairs, and free */
};

/* A worker's OpenSSL context of one of ours. */
struct core_context {
    struct core_context *next;
    struct dyno_context *context;
    struct tls_context *tls;
};

/* What the library keeps for each worker; the worker's own thread alone uses it. */
struct core {
    struct dyno_server *server;
    struct core_context *contexts;
    unsigned context_count;
};

/* What a server holds in common with asks, which may outlive it. */
struct gate {
    pthread_mutex_t lock;
    unsigned references; /* under the lock, as the next */
    bool is_open;        /* the workers' mailboxes are there */
};

struct named_context {
    struct named_context *next;
    char *host;
    struct dyno_context *context;
};

struct dyno_server {
    struct dyno_context *context; /* NULL: plain TCP */
    struct dyno_context *shares;  /* the first one, whose ticket keys and sessions all use */
    struct dyno_events events;
    void *user;
    struct server_config config; /* until the start */
    struct error error;          /* the first thing that was wrong; reported by the start */
    struct server *server;       /* NULL: not started */
    struct core *cores;
    unsigned core_count;
    struct gate *gate;
    struct resolver *resolver;
    pthread_mutex_t lock; /* of `context` and `names` */
    struct named_context *names;
    _Atomic unsigned core_next;    /* for the next connect; any thread */
    _Atomic unsigned cores_ended;  /* writers: the workers */
    void (*on_closed)(void *user); /* set before the drain is asked for */
    void *closed_user;
};

/* A connection that was asked for, from dyno_connect() or dyno_wrap() until it is closed. */
struct request {
    struct letter letter; /* brings it to its core */
    struct request *next; /* waits for the resolver */
    struct dyno_server *server;
    unsigned core;
    int descriptor; /* to wrap; -1: to connect, or the connection's by now */
    struct dyno_context *context;
    struct blobs *blobs;      /* of the strings and bytes below */
    const char *address_text; /* NULL: wrapped */
    const char *server_name;
    const char *verify_host;
    const uint8_t *session;
    size_t session_bytes;
    const uint8_t *early_data;
    size_t early_data_bytes;
    struct socket_address address;
    struct error error; /* of the resolver */
    struct dyno_events events;
    void *user;
};

/* What a connection's `service_state` holds. */
struct dyno_socket {
    const struct dyno_events *events;
    void *user;
    struct core *core;
    struct request *request;       /* owned; NULL: accepted */
    struct dyno_ask *ask;          /* the handshake waits for it; borrowed */
    struct dyno_context *answered; /* the answer to on_server_name; referenced */
    size_t early_sent; /* of the request's early data: what the server rejects comes again */
    /* The peer's address, from the start: it cannot be asked for once the peer has gone. */
    uint16_t peer_family, peer_port;
    uint8_t peer_ip[16];
    enum tls_want refused;
    bool is_secure;        /* on_secure was called */
    bool is_renounced : 1; /* by on_identity or on_staple */
    bool wants_drain : 1;  /* a write was cut short */
};

static_assert(sizeof(struct dyno_socket) <= CONN_SERVICE_BYTES, "a socket must fit its room");

static inline struct conn *socket_conn(const struct dyno_socket *socket)
{
    return (struct conn *)(void *)((char *)socket - offsetof(struct conn, service_state));
}

static inline struct dyno_socket *conn_socket(struct conn *conn)
{
    return conn_service_state(conn);
}

/* Both are nothing but a text, which characters may be written to under any name. */
static_assert(sizeof(struct dyno_error) == sizeof(struct error), "the same text");
static inline struct error *api_error(struct dyno_error *error)
{
    return (struct error *)(void *)error;
}

/* context.c: this worker's OpenSSL context, made when it is needed first. NULL and a sentence. On
 * the worker. */
struct tls_context *core_context(struct core *core, struct dyno_context *context,
                                 struct error *error);
void core_deinit(struct core *core); /* after the worker has ended */
/* context.c: one for a pair, its own until it is given back. */
struct idle_context *idle_context_take(struct dyno_context *context, enum dyno_clients clients,
                                       struct error *error);
struct tls_context *idle_context_tls(const struct idle_context *idle);
void idle_context_give(struct dyno_context *context, struct idle_context *idle);

/* service.c: the data path's face of sockets: accepted ones, whose service_config is the server,
 * and others, whose it is the request. */
extern const struct service accepted_service;
extern const struct service requested_service;

/* socket.c */
void address_describe(const struct socket_address *address, struct dyno_address *out);
void socket_note_peer(struct dyno_socket *socket);

/* failure.c: calls on_failed. */
void failure_report(struct conn *conn);

/* ask.c: the wants that the events answer, as bits; and the call of the right one. */
unsigned ask_wants(const struct dyno_events *events);
void ask_raise(void *server, struct conn *conn, enum tls_want want);

/* gate.c */
struct gate *gate_new(void);
void gate_put(struct gate *gate);
void gate_get(struct gate *gate);
/* Posts the letter when the workers are still there; else returns false. */
bool gate_post(struct gate *gate, struct reactor *reactor, struct letter *letter);
void gate_set(struct gate *gate, bool is_open);

/* connect.c: to its core, with an address or an error. Any thread. */
void request_send(struct request *request);
void request_free(struct request *request);
