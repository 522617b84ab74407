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

struct error;
struct server; /* opaque */

enum { SERVER_LISTENERS_MAX = 16 };

struct server_listener {
    struct socket_address address;
    const struct service *service;
    bool plain_tcp; /* no TLS */
};

struct server_config {
    struct server_listener listeners[SERVER_LISTENERS_MAX];
    size_t listener_count;
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
    uint32_t session_cache;        /* sessions kept by ID; 0: 20,480 */
    bool no_pin;
};

/* Binds everything and starts the workers; NULL and a sentence, with nothing left behind, on
 * failure. The configuration is not kept. */
struct server *server_start(const struct server_config *config, struct error *error);

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
/* Waits for the workers and frees everything; accepts NULL. Call server_stop() or server_drain()
 * before. */
void server_free(struct server *server);

/* A new current ticket key. Any thread. */
int server_rotate_tickets(struct server *server, struct error *error);

/* What all workers counted so far; the caller frees it. Any thread. NULL when memory is out. */
struct snapshot *server_snapshot(const struct server *server);
