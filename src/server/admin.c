#include "server/admin.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>
#include <microhttpd.h>

#include "base/error.h"
#include "server/exposition.h"
#include "server/server.h"
#include "server/visitor.h"

struct admin {
    struct MHD_Daemon *daemon;
    struct socket_address address;
    struct server *server;
    int listener; /* until the thread runs; -1: none */
    bool allows_any_host;
};

enum { ADMIN_BACKLOG = 64 };

struct page {
    const char *path;
    const char *content_type;
    /* The body, heap; NULL when memory is out. */
    char *(*render)(const struct server *server);
};

static char *render_with(const struct server *server, char *(*expose)(const struct snapshot *))
{
    struct snapshot *snapshot = server_snapshot(server);

    if (snapshot == NULL) {
        return NULL;
    }
    char *text = expose(snapshot);

    snapshot_free(snapshot);
    return text;
}

static char *render_stats(const struct server *server)
{
    return render_with(server, exposition_json);
}

static char *render_metrics(const struct server *server)
{
    return render_with(server, exposition_prometheus);
}

static char *render_health(const struct server *server)
{
    (void)server;
    return strdup("ok\n");
}

static const struct page pages[] = {
    {"/stats", "application/json", render_stats},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", render_metrics},
    {"/healthz", "text/plain; charset=utf-8", render_health},
};

static const char not_found_text[] =
    "There are /stats (JSON), /metrics (Prometheus) and /healthz.\n";
static const char not_allowed_text[] = "Only GET and HEAD are answered here.\n";
static const char out_of_memory_text[] = "The server is out of memory.\n";

static const struct page *page_find(const char *path)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(path, pages[i].path) == 0) {
            return &pages[i];
        }
    }
    return NULL;
}

/* Takes over the response, which may be NULL: then the connection is closed. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              const char *content_type, struct MHD_Response *response)
{
    if (response == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    enum MHD_Result result = MHD_queue_response(connection, status, response);

    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
                                   const char *text)
{
    /* The library's parameter is not const, yet persistent bytes are never written to. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

    return answer(connection, status, "text/plain; charset=utf-8", response);
}

static enum MHD_Result answer_page(struct MHD_Connection *connection, const struct page *page,
                                   const struct server *server)
{
    char *body = page->render(server);

    if (body == NULL) {
        return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, out_of_memory_text);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);

    if (response == NULL) {
        free(body);
    }
    return answer(connection, MHD_HTTP_OK, page->content_type, response);
}

static const char *refuse(const struct admin *admin, struct MHD_Connection *connection)
{
    const struct visitor visitor = {
        .host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST),
        .origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN),
        .fetch_site = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site"),
        .is_from_afar = admin->allows_any_host,
    };

    return visitor_refusal(&visitor);
}

/* Called once when the headers are there and again when the request is complete; an answer to the
 * first call would make the library close the connection. */
static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **request_state)
{
    static const char headers_seen;
    const struct admin *admin = user;

    (void)version;
    (void)upload;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, not_allowed_text);
    }
    if (*request_state == NULL) {
        *request_state = (void *)(uintptr_t)&headers_seen;
        return MHD_YES;
    }
    if (*upload_bytes > 0) { /* a body that GET has no use for */
        *upload_bytes = 0;
        return MHD_YES;
    }
    const char *refusal = refuse(admin, connection);

    if (refusal != NULL) {
        return answer_text(connection, MHD_HTTP_FORBIDDEN, refusal);
    }
    const struct page *page = page_find(path);

    if (page == NULL) {
        return answer_text(connection, MHD_HTTP_NOT_FOUND, not_found_text);
    }
    return answer_page(connection, page, admin->server);
}

/* The library's thread inherits a full signal mask, so that signals go to the threads that expect
 * them. */
static struct MHD_Daemon *start_daemon(struct admin *admin, int listener)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);

    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, handle,
                         admin, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)ADMIN_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)ADMIN_TIMEOUT_S, MHD_OPTION_END);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

static void unlink_socket(const struct socket_address *address)
{
    if (socket_is_unix(address)) {
        unlink(((const struct sockaddr_un *)&address->storage)->sun_path);
    }
}

struct admin *admin_open(const struct socket_address *address, bool allow_remote,
                         struct server *server, struct error *error)
{
    char text[SOCKET_TEXT_BYTES];

    if (!allow_remote && !socket_is_local(address)) {
        error_set(error,
                  "the admin endpoint would listen on %s, where other machines can read it: use a "
                  "loopback address or unix:PATH, or allow remote access explicitly",
                  socket_format(address, text));
        return NULL;
    }
    struct admin *admin = calloc(1, sizeof(*admin));

    if (admin == NULL) {
        error_set(error, "out of memory for the admin endpoint");
        return NULL;
    }
    admin->server = server;
    json_object_seed(0); /* jansson's for all its tables, from a file: not once in a sandbox */
    /* Web pages cannot reach a Unix socket. */
    admin->allows_any_host = allow_remote || socket_is_unix(address);
    admin->listener = socket_listen(address, false, ADMIN_BACKLOG, &admin->address, error);
    if (admin->listener < 0) {
        error_prefix(error, "admin endpoint");
        free(admin);
        return NULL;
    }
    return admin;
}

int admin_run(struct admin *admin, struct error *error)
{
    admin->daemon = start_daemon(admin, admin->listener);
    /* Now it is the library's. Where that has failed, whether it has closed it by now depends on
     * how far it came, and closing it again could hit a descriptor of somebody else; the process is
     * about to give up anyway. */
    admin->listener = -1;
    return admin->daemon != NULL
               ? 0
               : error_set(error, "admin endpoint: cannot start its HTTP thread: %s",
                           strerror(errno));
}

const struct socket_address *admin_address(const struct admin *admin)
{
    return &admin->address;
}

void admin_close(struct admin *admin)
{
    if (admin == NULL) {
        return;
    }
    /* The file goes first: who connects now must not find a socket that nobody answers. */
    unlink_socket(&admin->address);
    if (admin->daemon != NULL) {
        MHD_stop_daemon(admin->daemon);
    }
    if (admin->listener >= 0) {
        close(admin->listener);
    }
    free(admin);
}
