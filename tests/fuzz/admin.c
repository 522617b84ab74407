/* Requests to the admin endpoint, over its socket: whatever the bytes are, it answers in HTTP or
 * closes. In front of a server that is not there: this file defines the one function that the
 * endpoint asks of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/error.h"
#include "fuzz.h"
#include "server/admin.h"
#include "server/server.h"

static char directory[] = "/tmp/fuzz-admin-XXXXXX";
static struct admin *admin;

struct snapshot *server_snapshot(const struct server *server)
{
    static struct counters counters;
    struct snapshot *snapshot = snapshot_new(1);

    FUZZ_EXPECT(server == NULL && snapshot != NULL);
    snapshot_add_worker(snapshot, 0, &counters, 0, 0);
    return snapshot;
}

static void stop(void)
{
    admin_close(admin);
    rmdir(directory);
}

static void start(void)
{
    struct socket_address address;
    struct error error = {0};
    char text[64];

    FUZZ_EXPECT(mkdtemp(directory) != NULL);
    snprintf(text, sizeof(text), "unix:%s/socket", directory);
    FUZZ_EXPECT(socket_parse(text, &address, &error) == 0);
    admin = admin_open(&address, false, NULL, &error);
    FUZZ_EXPECT(admin != NULL && admin_run(admin, &error) == 0);
    atexit(stop);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    /* It waits seconds for the rest of a body. */
    const struct timeval patience = {.tv_usec = 10 * 1000};
    const struct socket_address *address;
    char begin[8], rest[4096];
    size_t length = 0;
    ssize_t got;
    int link = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (admin == NULL) {
        start();
    }
    address = admin_address(admin);
    FUZZ_EXPECT(setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    FUZZ_EXPECT(connect(link, &address->any, address->bytes) == 0);
    /* It may have closed before it has read all, and must then have said why. */
    (void)!send(link, bytes, count, MSG_NOSIGNAL);
    shutdown(link, SHUT_WR);
    while (length < sizeof(begin) &&
           (got = recv(link, begin + length, sizeof(begin) - length, 0)) > 0) {
        length += (size_t)got;
    }
    FUZZ_EXPECT(memcmp(begin, "HTTP/1.1", length) == 0);
    while (recv(link, rest, sizeof(rest), 0) > 0) {
    }
    close(link);
    return 0;
}
