/* The endpoint over a real Unix or loopback socket, in front of a server that is not there: this
 * file defines the one function that the endpoint asks of it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "server/admin.h"
#include "server/server.h"

struct snapshot *server_snapshot(const struct server *server)
{
    static struct counters counters;

    cr_assert_null(server);
    struct snapshot *snapshot = snapshot_new(1);

    snapshot_add_worker(snapshot, 0, &counters, 0, 0);
    return snapshot;
}

enum { REPLY_BYTES = 256 * 1024 };

static struct admin *start(const char *text, bool allow_remote, struct error *error)
{
    struct socket_address address;

    cr_assert_eq(socket_parse(text, &address, error), 0, "%s", error->text);
    struct admin *admin = admin_open(&address, allow_remote, NULL, error);

    if (admin != NULL) {
        cr_assert_eq(admin_run(admin, error), 0, "%s", error->text);
    }
    return admin;
}

static struct admin *start_local(void)
{
    struct error error = {0};
    struct admin *admin = start("127.0.0.1:0", false, &error);

    cr_assert_not_null(admin, "%s", error.text);
    return admin;
}

/* Sends the request and reads until the endpoint closes. Heap. */
static char *ask(const struct admin *admin, const char *request)
{
    const struct socket_address *address = admin_address(admin);
    int descriptor = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *reply = calloc(1, REPLY_BYTES);
    size_t length = 0;
    ssize_t count;

    cr_assert_eq(connect(descriptor, (const struct sockaddr *)&address->storage, address->bytes),
                 0);
    cr_assert_eq(send(descriptor, request, strlen(request), MSG_NOSIGNAL),
                 (ssize_t)strlen(request));
    while ((count = recv(descriptor, reply + length, REPLY_BYTES - 1 - length, 0)) > 0) {
        length += (size_t)count;
    }
    close(descriptor);
    return reply;
}

static char *get(const struct admin *admin, const char *path)
{
    char request[256];

    snprintf(request, sizeof(request),
             "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    return ask(admin, request);
}

static void assert_reply(char *reply, const char *status, const char *part)
{
    cr_assert_eq(strncmp(reply, status, strlen(status)), 0, "%.40s", reply);
    cr_assert_not_null(strstr(reply, part), "no '%s' in: %s", part, reply);
    free(reply);
}

Test(admin, answers_stats_metrics_and_health)
{
    struct admin *admin = start_local();

    assert_reply(get(admin, "/healthz"), "HTTP/1.1 200 ", "\r\n\r\nok\n");
    assert_reply(get(admin, "/stats"), "HTTP/1.1 200 ", "\r\n\r\n{\"schema\":\"tlsdyno-stats/1\"");
    assert_reply(get(admin, "/stats"), "HTTP/1.1 200 ", "Content-Type: application/json\r\n");
    assert_reply(get(admin, "/metrics"), "HTTP/1.1 200 ", "tlsdyno_accepts_total{worker=\"0\"} 0");
    assert_reply(get(admin, "/metrics"), "HTTP/1.1 200 ",
                 "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    admin_close(admin);
}

Test(admin, names_what_there_is_when_asked_for_something_else)
{
    struct admin *admin = start_local();

    assert_reply(get(admin, "/"), "HTTP/1.1 404 ", "/stats");
    assert_reply(get(admin, "/stats/"), "HTTP/1.1 404 ", "/metrics");
    admin_close(admin);
}

Test(admin, refuses_methods_that_change_things)
{
    struct admin *admin = start_local();
    static const char post[] = "POST /stats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                               "Connection: close\r\n\r\nhi";
    static const char head[] =
        "HEAD /stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    assert_reply(ask(admin, post), "HTTP/1.1 405 ", "Allow: GET, HEAD\r\n");
    char *reply = ask(admin, head);

    cr_assert_null(strstr(reply, "schema"), "HEAD has no body");
    assert_reply(reply, "HTTP/1.1 200 ", "Content-Length: ");
    admin_close(admin);
}

Test(admin, refuses_what_a_web_page_asks_for)
{
    struct admin *admin = start_local();
    static const char script[] = "GET /stats HTTP/1.1\r\nHost: localhost\r\n"
                                 "Origin: https://example.org\r\nConnection: close\r\n\r\n";
    static const char image[] = "GET /stats HTTP/1.1\r\nHost: localhost\r\n"
                                "Sec-Fetch-Site: cross-site\r\nConnection: close\r\n\r\n";
    static const char rebound[] = "GET /stats HTTP/1.1\r\nHost: example.org\r\n"
                                  "Connection: close\r\n\r\n";

    assert_reply(ask(admin, script), "HTTP/1.1 403 ", "Scripts");
    assert_reply(ask(admin, image), "HTTP/1.1 403 ", "other web pages");
    assert_reply(ask(admin, rebound), "HTTP/1.1 403 ", "localhost");
    admin_close(admin);
}

Test(admin, one_that_never_ran_is_closed)
{
    struct socket_address address;
    struct error error = {0};

    cr_assert_eq(socket_parse("127.0.0.1:0", &address, &error), 0);
    admin_close(admin_open(&address, false, NULL, &error));
}

Test(admin, refuses_an_address_that_others_can_reach)
{
    struct error error = {0};
    struct admin *admin = start("0.0.0.0:0", false, &error);

    cr_assert_null(admin);
    cr_assert_not_null(strstr(error.text, "0.0.0.0:0"), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "loopback"), "%s", error.text);
}

Test(admin, removes_its_unix_socket)
{
    char directory[] = "/tmp/tlsdyno-admin-XXXXXX";
    char text[64];
    struct error error = {0};

    cr_assert_not_null(mkdtemp(directory));
    snprintf(text, sizeof(text), "unix:%s/socket", directory);
    struct admin *admin = start(text, false, &error);

    cr_assert_not_null(admin, "%s", error.text);
    assert_reply(get(admin, "/healthz"), "HTTP/1.1 200 ", "ok\n");
    cr_assert_eq(access(text + strlen("unix:"), F_OK), 0);
    admin_close(admin);
    cr_assert_neq(access(text + strlen("unix:"), F_OK), 0);
    cr_assert_eq(rmdir(directory), 0);
}

Test(admin, says_which_address_it_cannot_have)
{
    struct error error = {0};

    cr_assert_null(start("unix:/nonexistent-directory/socket", false, &error));
    cr_assert_not_null(strstr(error.text, "/nonexistent-directory/socket"), "%s", error.text);
    admin_close(NULL);
}
