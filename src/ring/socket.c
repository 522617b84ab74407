#include "ring/socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static const char UNIX_PREFIX[] = "unix:";

enum { HOST_BYTES = 256, PORT_MAX = 65535 };

/* Of 1,500 bytes the headers of IP and TCP, with timestamps, leave this (RFC 879, RFC 7323). */
enum { ETHERNET_SEGMENT_BYTES = 1448 };

/* Of a connection, in the kernel and not yet in flight: what is in flight grows with the path, this
 * need not. Without a limit a client that reads nothing is sealed some 3 MiB for nothing. */
enum { UNSENT_BYTES = 128 * 1024 };

static const char SPELLINGS[] = "write HOST:PORT, [IPV6]:PORT, PORT or unix:/PATH";

/* ---- reading and writing addresses ---- */

static int parse_unix(const char *path, struct socket_address *out, struct error *error)
{
    size_t bytes = strlen(path);

    if (bytes == 0) {
        return error_set(error, "'unix:' needs a path: write unix:/run/name.sock");
    }
    if (bytes >= sizeof(out->un.sun_path)) {
        return error_set(error,
                         "the path of 'unix:%s' is too long: %zu bytes, and Unix sockets take %zu",
                         path, bytes, sizeof(out->un.sun_path) - 1);
    }
    out->un.sun_family = AF_UNIX;
    memcpy(out->un.sun_path, path, bytes + 1);
    out->bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes + 1);
    return 0;
}

static int parse_port(const char *digits, const char *text, struct error *error)
{
    size_t count = strspn(digits, "0123456789");
    long port = strtol(digits, NULL, 10);

    if (count == 0 || digits[count] != '\0' || port > PORT_MAX) {
        return error_set(error, "'%s': the port '%s' is not a number from 0 to %d", text, digits,
                         PORT_MAX);
    }
    return (int)port;
}

/* Looks the host up; of several addresses the first IPv4 one, because many servers on "localhost"
 * listen on 127.0.0.1 alone while ::1 is what the resolver puts first. */
static int look_up(const char *host, bool bracketed, const char *text, struct socket_address *out,
                   struct error *error)
{
    const struct addrinfo hints = {
        .ai_family = bracketed ? AF_INET6 : AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = bracketed ? AI_NUMERICHOST : 0,
    };
    struct addrinfo *found;
    const struct addrinfo *chosen;
    /* RFC 6761 6.3: localhost is the loopback address, also where no /etc/hosts says so. */
    bool is_localhost = !bracketed && strcasecmp(host, "localhost") == 0;
    int status = getaddrinfo(is_localhost ? "127.0.0.1" : host, NULL, &hints, &found);

    if (status != 0 && bracketed) {
        return error_set(error, "'%s': '%s' in brackets is not an IPv6 address", text, host);
    }
    if (status != 0) {
        return error_set(error, "'%s': no address for the host '%s': %s", text, host,
                         status == EAI_SYSTEM ? strerror(errno) : gai_strerror(status));
    }
    chosen = found;
    while (chosen != NULL && chosen->ai_family != AF_INET) {
        chosen = chosen->ai_next;
    }
    if (chosen == NULL) {
        chosen = found;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): success finds at least one address. */
    memcpy(&out->storage, chosen->ai_addr, chosen->ai_addrlen);
    out->bytes = chosen->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

/* More than one colon and no bracket: "::1:4433" is both an address and one with a port. */
static int refuse_ambiguous(const char *text, const char *last_colon, struct error *error)
{
    char host[HOST_BYTES];
    struct in6_addr unused;

    snprintf(host, sizeof(host), "%.*s", (int)(last_colon - text), text);
    if (inet_pton(AF_INET6, host, &unused) == 1) {
        return error_set(error, "'%s' is ambiguous: write [%s]:%s", text, host, last_colon + 1);
    }
    if (inet_pton(AF_INET6, text, &unused) == 1) {
        return error_set(error, "'%s' has no port: write [%s]:PORT", text, text);
    }
    return error_set(error, "'%s' is not an address: %s", text, SPELLINGS);
}

/* Splits HOST:PORT into `host` and where the port begins. */
static int split_host(const char *text, char host[HOST_BYTES], const char **out_port,
                      struct error *error)
{
    const char *begin = text;
    const char *end = strrchr(text, ':');

    if (*text == '[') {
        begin = text + 1;
        end = strchr(text, ']');
        if (end == NULL || end[1] != ':') {
            return error_set(error, "'%s' is not an address and a port: write [::1]:4433", text);
        }
        *out_port = end + 2;
    } else if (end == NULL) {
        return error_set(error, "'%s' has no port: %s", text, SPELLINGS);
    } else if (strchr(text, ':') != end) {
        return refuse_ambiguous(text, end, error);
    } else {
        *out_port = end + 1;
    }
    if (end - begin >= HOST_BYTES) {
        return error_set(error, "'%s': the host is longer than %d bytes", text, HOST_BYTES - 1);
    }
    snprintf(host, HOST_BYTES, "%.*s", (int)(end - begin), begin);
    return 0;
}

/* Where the port is in both kinds of TCP address (RFC 3493, 3.3). */
static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
              "so one can be read and set for the other");

static int port_of(const struct socket_address *address)
{
    return ntohs(address->in.sin_port);
}

static void set_port(struct socket_address *address, int port)
{
    address->in.sin_port = htons((uint16_t)port);
}

static void set_ipv4(struct socket_address *out, in_addr_t host)
{
    out->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    out->bytes = sizeof(out->in);
}

static void set_ipv6_wildcard(struct socket_address *out)
{
    out->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
    out->bytes = sizeof(out->in6);
}

int socket_parse(const char *text, struct socket_address *out, struct error *error)
{
    char host[HOST_BYTES] = "";
    const char *port_text = text;
    bool port_alone = *text != '\0' && text[strspn(text, "0123456789")] == '\0';
    int port;

    memset(out, 0, sizeof(*out));
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        return parse_unix(text + strlen(UNIX_PREFIX), out, error);
    }
    if (!port_alone && split_host(text, host, &port_text, error) != 0) {
        return -1;
    }
    port = parse_port(port_text, text, error);
    if (port < 0) {
        return -1;
    }
    if (port_alone) {
        set_ipv4(out, INADDR_LOOPBACK);
    } else if (*text != '[' && (*host == '\0' || strcmp(host, "*") == 0)) {
        set_ipv6_wildcard(out);
    } else if (look_up(host, *text == '[', text, out, error) != 0) {
        return -1;
    }
    set_port(out, port);
    return 0;
}

const char *socket_format(const struct socket_address *address, char out[SOCKET_TEXT_BYTES])
{
    enum { PORT_BYTES = 8 };
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1]; /* fe80::1%eth0 */
    char port[PORT_BYTES];

    if (socket_is_unix(address)) {
        size_t path_bytes = address->bytes - offsetof(struct sockaddr_un, sun_path);

        /* The other end of an accepted connection has no path; one of full length has no NUL. */
        snprintf(out, SOCKET_TEXT_BYTES, "%s%.*s", UNIX_PREFIX, (int)path_bytes,
                 address->un.sun_path);
    } else if (getnameinfo(&address->any, address->bytes, host, sizeof(host), port, sizeof(port),
                           NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(out, SOCKET_TEXT_BYTES, "unknown address");
    } else {
        const char *layout = address->any.sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s";

        snprintf(out, SOCKET_TEXT_BYTES, layout, host, port);
    }
    return out;
}

bool socket_is_unix(const struct socket_address *address)
{
    return address->any.sa_family == AF_UNIX;
}

bool socket_is_local(const struct socket_address *address)
{
    enum { LOOPBACK_NET = 127 };
    const struct in6_addr *in6 = &address->in6.sin6_addr;

    switch (address->any.sa_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return ntohl(address->in.sin_addr.s_addr) >> 24 == LOOPBACK_NET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(in6) ||
               (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == LOOPBACK_NET);
    default:
        return false;
    }
}

/* ---- sockets ---- */

static bool is_ipv6_wildcard(const struct socket_address *address)
{
    return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

static int set_flag(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof(value));
}

/* True for a socket file whose owner has gone: it refuses connections. Anything that is not a
 * socket refuses them too, and must not be removed. */
static bool is_stale(const struct socket_address *address)
{
    struct stat status;
    int descriptor;
    bool refused;

    if (lstat(address->un.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return false;
    }
    /* Not blocking: with a full queue connect(2) would wait for the owner to accept. */
    descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) {
        return false;
    }
    refused = connect(descriptor, &address->any, address->bytes) != 0 && errno == ECONNREFUSED;
    close(descriptor);
    return refused;
}

static int bind_unix(int descriptor, const struct socket_address *address)
{
    if (bind(descriptor, &address->any, address->bytes) == 0) {
        return 0;
    }
    if (errno != EADDRINUSE) {
        return -1;
    }
    if (!is_stale(address) || unlink(address->un.sun_path) != 0) {
        errno = EADDRINUSE;
        return -1;
    }
    return bind(descriptor, &address->any, address->bytes);
}

/* What accepted sockets take over. */
static int set_tcp(int listener)
{
    return set_flag(listener, IPPROTO_TCP, TCP_NODELAY, 1) != 0
               ? -1
               : set_flag(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES);
}

static int bind_tcp(int descriptor, const struct socket_address *address, bool shared)
{
    if (set_flag(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) != 0 ||
        (shared && set_flag(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) != 0) ||
        set_tcp(descriptor) != 0) {
        return -1;
    }
    if (is_ipv6_wildcard(address) && set_flag(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0) != 0) {
        return -1;
    }
    return bind(descriptor, &address->any, address->bytes);
}

/* What stands in the way of listening there, and what to do. */
static const char *explanation(const struct socket_address *address, int code)
{
    if (code == EADDRINUSE && socket_is_unix(address)) {
        return "a process listens there (`ss -lxp` names it) or the file is not a socket; choose "
               "another path";
    }
    if (code == EADDRINUSE) {
        return "the address is in use (`ss -ltnp` names the process); choose another port, or port "
               "0 for any free one";
    }
    if (code == EADDRNOTAVAIL) {
        return "no interface of this machine has the address (`ip address` lists those there are)";
    }
    if (code == EACCES && !socket_is_unix(address)) {
        return "the port is privileged (usually those below 1024 are); choose a higher one, or "
               "allow it with `setcap cap_net_bind_service=+ep` on the program or `sysctl "
               "net.ipv4.ip_unprivileged_port_start`";
    }
    return strerror(code);
}

static int fail_to_listen(const struct socket_address *address, int code, struct error *error)
{
    char text[SOCKET_TEXT_BYTES];

    return error_set(error, "cannot listen on %s: %s", socket_format(address, text),
                     explanation(address, code));
}

/* A socket of the address's family; where the kernel has no IPv6, the wildcard becomes IPv4's. */
static int open_listener(struct socket_address *address)
{
    int descriptor = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0 && errno == EAFNOSUPPORT && is_ipv6_wildcard(address)) {
        int port = port_of(address);

        set_ipv4(address, INADDR_ANY);
        set_port(address, port);
        descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    return descriptor;
}

int socket_listen(const struct socket_address *address, bool shared, int backlog,
                  struct socket_address *out_bound, struct error *error)
{
    struct socket_address bound = *address;
    int descriptor = open_listener(&bound);
    int status;

    if (descriptor < 0) {
        return fail_to_listen(&bound, errno, error);
    }
    status = socket_is_unix(&bound) ? bind_unix(descriptor, &bound)
                                    : bind_tcp(descriptor, &bound, shared);
    if (status != 0 || listen(descriptor, backlog) != 0) {
        fail_to_listen(&bound, errno, error);
        close(descriptor);
        return -1;
    }
    bound.bytes = sizeof(bound.storage);
    getsockname(descriptor, &bound.any, &bound.bytes);
    if (out_bound != NULL) {
        *out_bound = bound;
    }
    return descriptor;
}

int socket_accept(int listener)
{
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    int descriptor;

    /* Listeners are blocking ones; what poll(2) sees stays in the queue even when it is reset. */
    if (poll(&waiting, 1, 0) != 1 || (waiting.revents & POLLIN) == 0) {
        return -EAGAIN;
    }
    descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}

int socket_pace(int listener, uint64_t bits_per_second, struct error *error)
{
    uint64_t bytes_per_second = bits_per_second / 8;

    if (setsockopt(listener, SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_per_second,
                   sizeof(bytes_per_second)) != 0 ||
        set_flag(listener, IPPROTO_TCP, TCP_MAXSEG, ETHERNET_SEGMENT_BYTES) != 0) {
        return error_set(error, "cannot pace its connections: %s", strerror(errno));
    }
    return 0;
}

int socket_client(const struct socket_address *address)
{
    int descriptor = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0) {
        return -errno;
    }
    if (!socket_is_unix(address) && set_flag(descriptor, IPPROTO_TCP, TCP_NODELAY, 1) != 0) {
        int code = errno;

        close(descriptor);
        return -code;
    }
    return descriptor;
}

int socket_client_from(const struct socket_address *address, const struct socket_address *source)
{
    int descriptor = socket_client(address);

    if (descriptor < 0 || source == NULL) {
        return descriptor;
    }
    if (set_flag(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) != 0 ||
        bind(descriptor, &source->any, source->bytes) != 0) {
        int code = errno;

        close(descriptor);
        return -code;
    }
    return descriptor;
}

uint64_t socket_raise_file_limit(uint64_t wanted)
{
    struct rlimit limit;
    struct rlimit raised;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < wanted) {
        raised = (struct rlimit){.rlim_cur = wanted, .rlim_max = wanted};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            return wanted;
        }
    }
    raised = (struct rlimit){.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? limit.rlim_max : limit.rlim_cur;
}

int socket_inherit(int descriptor, struct socket_address *out_bound, struct error *error)
{
    int listens = 0;
    int type = 0;
    socklen_t bytes = sizeof listens;
    int copy;

    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) != 0 ||
        getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &bytes) != 0) {
        return error_set(error, "inherited descriptor %d: %s", descriptor, strerror(errno));
    }
    if (!listens || type != SOCK_STREAM) {
        return error_set(error, "inherited descriptor %d is not a listening stream socket",
                         descriptor);
    }
    out_bound->bytes = sizeof out_bound->storage;
    copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy < 0 || getsockname(descriptor, &out_bound->any, &out_bound->bytes) != 0 ||
        (!socket_is_unix(out_bound) && set_tcp(copy) != 0)) {
        error_set(error, "inherited descriptor %d: %s", descriptor, strerror(errno));
        if (copy >= 0) {
            close(copy);
        }
        return -1;
    }
    return copy;
}
