#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "ring/socket.h"

enum { BACKLOG = 8, NOBODY = 65534 };

struct spelling {
    char typed[64];
    char meant[64];
};

struct refused {
    char typed[64];
    char because[48]; /* must be part of the sentence */
};

static struct socket_address parsed(const char *text)
{
    struct socket_address address;
    struct error error = {0};

    cr_assert_eq(socket_parse(text, &address, &error), 0, "%s", error.text);
    return address;
}

static int flag(int descriptor, int level, int option)
{
    int value = -1;
    socklen_t bytes = sizeof(value);

    cr_assert_eq(getsockopt(descriptor, level, option, &value, &bytes), 0);
    return value;
}

/* A new directory of this test's own; its path is written to `out`. */
static void make_directory(char out[32])
{
    strcpy(out, "/tmp/tlsdyno-socket-XXXXXX");
    cr_assert_not_null(mkdtemp(out));
}

/* From here on the test has no privileges. */
static void drop_root(void)
{
    if (geteuid() == 0) {
        cr_assert_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
        /* Without this the leak checker of a sanitized build may not look at the process. */
        cr_assert_eq(prctl(PR_SET_DUMPABLE, 1), 0);
    }
}

/* The address of a file in the directory. */
static struct socket_address unix_address(const char *directory)
{
    char text[64];

    snprintf(text, sizeof(text), "unix:%s/socket", directory);
    return parsed(text);
}

static void remove_directory(const char *directory, const struct socket_address *address)
{
    unlink(address->un.sun_path);
    cr_assert_eq(rmdir(directory), 0);
}

Test(socket, addresses_are_read_as_meant)
{
    static const struct spelling ROWS[] = {
        {"127.0.0.1:4433", "127.0.0.1:4433"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"4433", "127.0.0.1:4433"},
        {"0", "127.0.0.1:0"},
        {":4433", "[::]:4433"},
        {"*:4433", "[::]:4433"},
        {"[::]:65535", "[::]:65535"},
        {"[::1]:4433", "[::1]:4433"},
        {"[2001:DB8::1]:1", "[2001:db8::1]:1"},
        {"localhost:4433", "127.0.0.1:4433"},
        {"unix:/run/x.sock", "unix:/run/x.sock"},
        {"unix:relative", "unix:relative"},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        struct socket_address address = parsed(ROWS[i].typed);
        char out[SOCKET_TEXT_BYTES];

        cr_assert_str_eq(socket_format(&address, out), ROWS[i].meant);
    }
}

Test(socket, wrong_addresses_are_refused_with_the_reason)
{
    static const struct refused ROWS[] = {
        {"", "no port"},
        {"localhost", "no port"},
        {"127.0.0.1", "no port"},
        {"localhost:", "port ''"},
        {"localhost:https", "port 'https'"},
        {"127.0.0.1:65536", "0 to 65535"},
        {"65536", "0 to 65535"},
        {"127.0.0.1:99999999999999999999", "0 to 65535"},
        {"127.0.0.1:-1", "port '-1'"},
        {"127.0.0.1: 1", "port ' 1'"},
        {"::1:4433", "write [::1]:4433"},
        {"2001:db8::7:80", "write [2001:db8::7]:80"},
        {"::1", "write [::1]:PORT"},
        {"a:b:1", "HOST:PORT"},
        {"https://localhost:4433", "HOST:PORT"},
        {"[::1]", "[::1]:4433"},
        {"[::1", "[::1]:4433"},
        {"[::1]4433", "[::1]:4433"},
        {"[127.0.0.1]:4433", "not an IPv6 address"},
        {"[]:4433", "not an IPv6 address"},
        {"[localhost]:4433", "not an IPv6 address"},
        {"no-such-host.invalid:1", "host 'no-such-host.invalid'"},
        {"unix:", "needs a path"},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        struct socket_address address;
        struct error error = {0};

        cr_assert_eq(socket_parse(ROWS[i].typed, &address, &error), -1, "%s", ROWS[i].typed);
        cr_assert_not_null(strstr(error.text, ROWS[i].because), "%s: %s", ROWS[i].typed,
                           error.text);
    }
}

Test(socket, unix_paths_reach_the_limit_and_no_further)
{
    struct socket_address address;
    struct error error = {0};
    char text[5 + sizeof(address.un.sun_path) + 1] = "unix:";
    char out[SOCKET_TEXT_BYTES];

    memset(text + 5, 'p', sizeof(address.un.sun_path) - 1);
    cr_assert_eq(socket_parse(text, &address, &error), 0, "%s", error.text);
    cr_assert_str_eq(socket_format(&address, out), text);
    text[5 + sizeof(address.un.sun_path) - 1] = 'p';
    cr_assert_eq(socket_parse(text, &address, &error), -1);
    cr_assert_not_null(strstr(error.text, "too long: 108 bytes"), "%s", error.text);
}

Test(socket, a_host_name_of_any_length_is_handled)
{
    struct socket_address address;
    struct error error = {0};
    char text[1000];

    memset(text, 'h', sizeof(text));
    strcpy(text + sizeof(text) - 3, ":1");
    cr_assert_eq(socket_parse(text, &address, &error), -1);
}

Test(socket, local_addresses_are_told_from_others)
{
    static const char *const LOCAL[] = {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1",
                                        "[::ffff:127.0.0.1]:1", "unix:/x"};
    static const char *const OTHERS[] = {"0.0.0.0:1", "128.0.0.1:1", "10.0.0.127:1",         ":1",
                                         "[::2]:1",   "[7f00::1]:1", "[::ffff:10.0.0.127]:1"};

    for (size_t i = 0; i < sizeof(LOCAL) / sizeof(*LOCAL); i++) {
        struct socket_address address = parsed(LOCAL[i]);

        cr_assert(socket_is_local(&address), "%s", LOCAL[i]);
    }
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(*OTHERS); i++) {
        struct socket_address address = parsed(OTHERS[i]);

        cr_assert_not(socket_is_local(&address), "%s", OTHERS[i]);
    }
    cr_assert_not(socket_is_local(&(struct socket_address){.bytes = 0}));
}

Test(socket, the_unnamed_other_end_of_a_unix_connection_can_be_formatted)
{
    struct socket_address address = {.bytes = sizeof(sa_family_t)};
    char out[SOCKET_TEXT_BYTES];

    address.un.sun_family = AF_UNIX;
    memset(address.un.sun_path, 'x', sizeof(address.un.sun_path));
    cr_assert_str_eq(socket_format(&address, out), "unix:");
    cr_assert_str_eq(socket_format(&(struct socket_address){.bytes = 0}, out), "unknown address");
}

Test(socket, listen_tells_the_port_and_clients_can_connect)
{
    struct socket_address wanted = parsed("127.0.0.1:0");
    struct socket_address bound;
    struct error error = {0};
    int listener = socket_listen(&wanted, false, BACKLOG, &bound, &error);
    int client;
    int accepted;

    cr_assert_geq(listener, 0, "%s", error.text);
    cr_assert_neq(bound.in.sin_port, 0);
    cr_assert(fcntl(listener, F_GETFD) & FD_CLOEXEC);
    client = socket_client(&bound);
    cr_assert_geq(client, 0);
    cr_assert(fcntl(client, F_GETFD) & FD_CLOEXEC);
    cr_assert_eq(flag(client, IPPROTO_TCP, TCP_NODELAY), 1);
    cr_assert_eq(connect(client, &bound.any, bound.bytes), 0);
    accepted = accept(listener, NULL, NULL);
    cr_assert_geq(accepted, 0);
    cr_assert_eq(flag(accepted, IPPROTO_TCP, TCP_NODELAY), 1, "not inherited");
    cr_assert_eq(flag(accepted, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 * 1024, "not inherited");
    close(accepted);
    close(client);
    close(listener);
}

Test(socket, the_wildcard_takes_ipv4_too)
{
    struct socket_address wanted = parsed("*:0");
    struct socket_address bound;
    struct socket_address target = parsed("127.0.0.1:0");
    struct error error = {0};
    int listener = socket_listen(&wanted, true, BACKLOG, &bound, &error);
    int client;

    cr_assert_geq(listener, 0, "%s", error.text);
    target.in.sin_port = bound.in.sin_port;
    client = socket_client(&target);
    cr_assert_eq(connect(client, &target.any, target.bytes), 0);
    close(client);
    close(listener);
}

Test(socket, shared_listeners_share_an_address_and_others_do_not)
{
    struct socket_address wanted = parsed("127.0.0.1:0");
    struct socket_address bound;
    struct error error = {0};
    char text[SOCKET_TEXT_BYTES];
    int first = socket_listen(&wanted, true, BACKLOG, &bound, &error);
    int second = socket_listen(&bound, true, BACKLOG, NULL, &error);

    cr_assert_geq(first, 0, "%s", error.text);
    cr_assert_geq(second, 0, "%s", error.text);
    cr_assert_eq(socket_listen(&bound, false, BACKLOG, NULL, &error), -1);
    cr_assert_not_null(strstr(error.text, socket_format(&bound, text)), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "ss -ltnp"), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "port 0"), "%s", error.text);
    close(first);
    close(second);
}

Test(socket, an_address_of_another_machine_is_explained)
{
    struct socket_address wanted = parsed("192.0.2.1:0"); /* TEST-NET-1, RFC 5737 */
    struct error error = {0};

    cr_assert_eq(socket_listen(&wanted, false, BACKLOG, NULL, &error), -1);
    cr_assert_not_null(strstr(error.text, "192.0.2.1:0"), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "no interface"), "%s", error.text);
}

/* The first port that needs no privilege; 0 when all are free to take. */
static int unprivileged_ports_start(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
    int port = 0;

    if (file != NULL) {
        cr_assert_eq(fscanf(file, "%d", &port), 1);
        fclose(file);
    }
    return port;
}

Test(socket, a_privileged_port_is_explained)
{
    struct socket_address wanted = parsed("127.0.0.1:1");
    struct error error = {0};

    if (unprivileged_ports_start() <= 1) {
        cr_skip("this machine has no privileged ports");
    }
    drop_root();
    cr_assert_eq(socket_listen(&wanted, false, BACKLOG, NULL, &error), -1);
    cr_assert_not_null(strstr(error.text, "127.0.0.1:1"), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "cap_net_bind_service"), "%s", error.text);
}

Test(socket, a_unix_socket_listens_and_takes_connections)
{
    char directory[32];
    struct socket_address bound;
    struct socket_address wanted;
    struct error error = {0};
    int listener;
    int client;

    make_directory(directory);
    wanted = unix_address(directory);
    listener = socket_listen(&wanted, true, BACKLOG, &bound, &error);
    cr_assert_geq(listener, 0, "%s", error.text);
    cr_assert_str_eq(bound.un.sun_path, wanted.un.sun_path);
    client = socket_client(&bound);
    cr_assert_geq(client, 0);
    cr_assert_eq(connect(client, &bound.any, bound.bytes), 0);
    close(client);
    close(listener);
    remove_directory(directory, &wanted);
}

Test(socket, a_stale_unix_socket_is_replaced)
{
    char directory[32];
    struct socket_address wanted;
    struct error error = {0};
    int listener;

    make_directory(directory);
    wanted = unix_address(directory);
    close(socket_listen(&wanted, false, BACKLOG, NULL, &error)); /* leaves its file behind */
    listener = socket_listen(&wanted, false, BACKLOG, NULL, &error);
    cr_assert_geq(listener, 0, "%s", error.text);
    close(listener);
    remove_directory(directory, &wanted);
}

Test(socket, a_living_unix_socket_is_left_alone_even_with_a_full_queue)
{
    char directory[32];
    struct socket_address wanted;
    struct error error = {0};
    int listener;
    int clients[2];

    make_directory(directory);
    wanted = unix_address(directory);
    listener = socket_listen(&wanted, false, 0, NULL, &error);
    cr_assert_geq(listener, 0, "%s", error.text);
    cr_assert_eq(socket_listen(&wanted, false, BACKLOG, NULL, &error), -1);
    cr_assert_not_null(strstr(error.text, "ss -lxp"), "%s", error.text);
    for (size_t i = 0; i < 2; i++) {
        clients[i] = socket_client(&wanted);
        cr_assert_eq(fcntl(clients[i], F_SETFL, O_NONBLOCK), 0);
        (void)connect(clients[i], &wanted.any, wanted.bytes); /* the last one does not fit */
    }
    cr_assert_eq(socket_listen(&wanted, false, BACKLOG, NULL, &error), -1);
    cr_assert_eq(access(wanted.un.sun_path, F_OK), 0);
    close(clients[0]);
    close(clients[1]);
    close(listener);
    remove_directory(directory, &wanted);
}

/* connect(2) is refused by a plain file too, which must not be taken for a stale socket. */
Test(socket, a_file_that_is_no_socket_is_left_alone)
{
    char directory[32];
    struct socket_address wanted;
    struct error error = {0};
    struct stat status;
    int file;

    make_directory(directory);
    wanted = unix_address(directory);
    file = open(wanted.un.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    close(file);
    cr_assert_eq(socket_listen(&wanted, false, BACKLOG, NULL, &error), -1);
    cr_assert_not_null(strstr(error.text, "not a socket"), "%s", error.text);
    cr_assert_eq(stat(wanted.un.sun_path, &status), 0);
    cr_assert(S_ISREG(status.st_mode));
    remove_directory(directory, &wanted);
}

Test(socket, a_missing_directory_is_named)
{
    struct socket_address wanted = parsed("unix:/no/such/directory/socket");
    struct error error = {0};

    cr_assert_eq(socket_listen(&wanted, false, BACKLOG, NULL, &error), -1);
    cr_assert_not_null(strstr(error.text, "unix:/no/such/directory/socket"), "%s", error.text);
    cr_assert_not_null(strstr(error.text, strerror(ENOENT)), "%s", error.text);
}

Test(socket, a_client_for_an_unknown_family_gets_the_error)
{
    struct socket_address address = {.bytes = sizeof(address.any)};

    address.any.sa_family = AF_MAX;
    cr_assert_eq(socket_client(&address), -EAFNOSUPPORT);
}

Test(socket, the_file_limit_is_raised_to_the_hard_one)
{
    const struct rlimit low = {.rlim_cur = 64, .rlim_max = 128};
    struct rlimit now;

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    cr_assert_eq(socket_raise_file_limit(100), 128);
    getrlimit(RLIMIT_NOFILE, &now);
    cr_assert_eq(now.rlim_cur, 128);
    cr_assert_eq(now.rlim_max, 128, "lowered");
}

Test(socket, only_root_raises_the_hard_file_limit)
{
    const struct rlimit low = {.rlim_cur = 64, .rlim_max = 128};
    const struct rlimit more = {.rlim_cur = 64, .rlim_max = 129};
    bool may_raise;

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    /* Root in a container may lack the capability. */
    may_raise = setrlimit(RLIMIT_NOFILE, &more) == 0;
    cr_assert_eq(socket_raise_file_limit(256), may_raise ? 256 : 128);
    drop_root();
    cr_assert_eq(socket_raise_file_limit(512), may_raise ? 256 : 128);
}

Test(socket_pace, accepted_connections_inherit_rate_and_segment)
{
    struct socket_address wanted = parsed("127.0.0.1:0");
    struct socket_address bound;
    struct error error = {0};
    int listener = socket_listen(&wanted, false, BACKLOG, &bound, &error);
    int client = socket_client(&bound);
    int accepted;
    uint64_t rate = 0;
    int segment = 0;
    socklen_t rate_bytes = sizeof(rate);
    socklen_t segment_bytes = sizeof(segment);

    cr_assert_eq(socket_pace(listener, 80000000, &error), 0, "%s", error.text);
    cr_assert_eq(connect(client, &bound.any, bound.bytes), 0);
    accepted = accept(listener, NULL, NULL);
    cr_assert_eq(getsockopt(accepted, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &rate_bytes), 0);
    cr_assert_eq(rate, 10000000);
    cr_assert_eq(getsockopt(accepted, IPPROTO_TCP, TCP_MAXSEG, &segment, &segment_bytes), 0);
    cr_assert_leq(segment, 1448);
    close(accepted);
    close(client);
    close(listener);
}

Test(socket_pace, what_is_no_tcp_socket_is_refused)
{
    struct error error = {0};

    cr_assert_eq(socket_pace(-1, 80000000, &error), -1);
    cr_assert_not_null(strstr(error.text, "cannot pace"), "%s", error.text);
}
