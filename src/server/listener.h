/* One listener, bound for all workers. Private to this folder. */
#pragma once

#include <stddef.h>

#include "ring/socket.h"

struct error;
struct server_listener;
struct worker;

/* A socket of its own for each worker, so that the kernel spreads connections over them without a
 * lock (SO_REUSEPORT, socket(7)); Unix sockets have no such thing and are shared. It becomes
 * listener `index` of each of them, to be closed by who owns them, after a failure, too. Returns 0,
 * or -1 and a sentence. */
int listener_bind(struct worker *workers, unsigned worker_count, size_t index,
                  const struct server_listener *listener, struct socket_address *out_bound,
                  struct error *error);
