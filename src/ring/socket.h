/* Addresses and sockets: everything that is set up by plain system calls before io_uring takes
 * over. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct error;

enum { SOCKET_TEXT_BYTES = 128 };

/* A union, since reading one kind of address through another's pointer would break C's aliasing
 * rules. */
struct socket_address {
    union {
        struct sockaddr_storage storage;
        struct sockaddr any; /* any.sa_family says which */
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
    socklen_t bytes;
};

/* Reads an address:
 *
 *     127.0.0.1:4433, [::1]:4433    this address
 *     localhost:4433                looked up; of several addresses the first IPv4 one is taken,
 *                                   or else the first
 *     4433                          127.0.0.1:4433
 *     :4433, *:4433                 every address of the machine, IPv4 and IPv6: [::]:4433
 *     unix:/path                    a Unix socket
 *
 * "::1:4433" is refused as ambiguous, with the right spelling. Names are looked up with
 * getaddrinfo(3), which blocks: set-up only. Returns 0 or -1. */
int socket_parse(const char *text, struct socket_address *out, struct error *error);

/* "127.0.0.1:4433", "[::1]:4433", "unix:/path"; returns out. */
const char *socket_format(const struct socket_address *address, char out[SOCKET_TEXT_BYTES]);

/* True for 127.0.0.0/8 (also as ::ffff:127.0.0.0/104), ::1 and Unix sockets. */
bool socket_is_local(const struct socket_address *address);
bool socket_is_unix(const struct socket_address *address);

/* A listening socket, close-on-exec. TCP: SO_REUSEADDR, SO_REUSEPORT when `shared`, and for
 * accepted sockets to take over TCP_NODELAY and a TCP_NOTSENT_LOWAT of 128 KiB (tcp(7)); the IPv6
 * wildcard takes IPv4 too, and becomes 0.0.0.0 where the kernel has no IPv6. Unix: a stale socket
 * file (nobody accepts behind it) is removed first; `shared` means nothing, as the kernel cannot
 * share one. Returns the descriptor and the bound address (with the real port for port 0;
 * `out_bound` may be NULL), or -1 with a sentence that names the address and says which process to
 * look for or how to bind a privileged port. */
int socket_listen(const struct socket_address *address, bool shared, int backlog,
                  struct socket_address *out_bound, struct error *error);

/* A copy, close-on-exec, of a descriptor that listens already (socket activation,
 * sd_listen_fds(3)), and the address that it is bound to. -1 and a sentence when it is no listening
 * stream socket. */
int socket_inherit(int descriptor, struct socket_address *out_bound, struct error *error);

/* From now on no connection begins at this TCP listener: whoever tries is not answered, and tries
 * again after a second, when the listener should be closed and another on the same address open.
 * Connections that have begun still come into being, to be accepted. Returns 0 or -errno. */
int socket_hold_off(int listener);

/* The next connection of a listener's queue, close-on-exec, or -EAGAIN when it is empty, or another
 * -errno. Never waits. */
int socket_accept(int listener);

/* What the listener accepts sends at most so fast, each connection for itself (SO_MAX_PACING_RATE,
 * socket(7)), in packets of Ethernet's size: those of loopback hold 64 KiB, and a slow link that
 * delivers so much at once is none. What follows an idle moment still leaves in one burst of some
 * ten KiB, and waits behind it: rates are true, the time to a first byte is not. Unix sockets
 * cannot. Returns 0, or -1 and a sentence. */
int socket_pace(int listener, uint64_t bits_per_second, struct error *error);

/* A socket for a client connection to `address`, close-on-exec, TCP_NODELAY set. Returns the
 * descriptor or -errno. */
int socket_client(const struct socket_address *address);
/* Likewise, from one of this machine's addresses; the port is chosen when it connects, so that the
 * same one may serve another target (IP_BIND_ADDRESS_NO_PORT). NULL: as above. */
int socket_client_from(const struct socket_address *address, const struct socket_address *source);

/* Raises the soft limit on open files to the hard one, and where it may (as root) the hard one to
 * `wanted`. Never lowers either. Returns the soft limit then in force. */
uint64_t socket_raise_file_limit(uint64_t wanted);
