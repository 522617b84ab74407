/* The admin endpoint: GET /stats (JSON), /metrics (Prometheus text) and /healthz, over plain
 * HTTP/1.1 on a thread of its own. Requests of web pages are refused (visitor.h). It reads the
 * workers' counters and touches nothing else of theirs. */
#pragma once

#include <stdbool.h>

#include "ring/socket.h"

struct admin; /* opaque */
struct error;
struct server;

/* Beyond these, a connection is refused and a silent one dropped. */
enum { ADMIN_CONNECTIONS_MAX = 64, ADMIN_TIMEOUT_S = 15 };

/* Binds a loopback address or Unix socket; any other address only when `allow_remote`, because
 * everyone who can reach it may read it. The server must outlive the endpoint. NULL and a sentence
 * on failure. */
struct admin *admin_open(const struct socket_address *address, bool allow_remote,
                         struct server *server, struct error *error);

/* Starts its thread. Returns 0, or -1 and a sentence. */
int admin_run(struct admin *admin, struct error *error);

/* The bound address, with its real port. */
const struct socket_address *admin_address(const struct admin *admin);

/* Waits for answers under way, and removes the Unix socket's file; accepts NULL and one that does
 * not run. */
void admin_close(struct admin *admin);
