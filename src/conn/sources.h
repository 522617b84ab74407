/* How much each source address has: connections open, and handshakes begun in this second. One for
 * all reactors of a server, wherever the kernel puts an address's connections; shared without a
 * lock, and touched at accept and close only.
 *
 * A count-min sketch (Cormode and Muthukrishnan, 2005): an address counts in one cell of each row,
 * and is taken to have what the least of them says. So the memory is the same whoever comes, and
 * nobody ever has more than allowed. Who shares all four cells with addresses that are at their
 * limit is refused with them: with 6,000 such at once one in ten thousand, and nobody can choose
 * whom, since the cells depend on a secret. An IPv6 host has a whole /64 to choose addresses from,
 * so that counts as one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct error;
struct sources;

struct sources_options {
    uint32_t connections_max; /* open at once; 0: any number, as for the next */
    uint32_t handshakes_max;  /* begun in a second */
};

enum sources_answer { SOURCES_GOOD, SOURCES_CONNECTIONS, SOURCES_HANDSHAKES };

/* NULL and a sentence when memory is out. */
struct sources *sources_new(const struct sources_options *options, struct error *error);
/* Accepts NULL. */
void sources_free(struct sources *sources);

struct socket_address;

/* What an address is called in the next two; 0, which has no limits: it is no IP address. */
uint64_t sources_key(const struct sources *sources, const struct socket_address *address);

/* Counts a connection, which begins a handshake if `is_tls`. Unless the answer is SOURCES_GOOD it
 * names the limit that was reached, and the connection is not counted as open. */
enum sources_answer sources_take(struct sources *sources, uint64_t key, bool is_tls,
                                 uint64_t now_ns);
/* Takes back one that was good. */
void sources_put(struct sources *sources, uint64_t key);
