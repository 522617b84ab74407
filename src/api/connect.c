/* Sockets that a program asks for: client connections, and open sockets to be wrapped. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/api.h"
#include "api/resolver.h"

/* ---- on the core ---- */

/* It comes to no connection: the only word that the program hears of it. */
static void request_fail(struct request *request, const char *phase, const char *reason)
{
    if (request->events.on_failed) {
        request->events.on_failed(request->user,
                                  &(struct dyno_failure){
                                      .reason = reason,
                                      .phase = phase,
                                      .kind = "connect",
                                      .peer = request->address_text ? request->address_text : "",
                                  });
    }
    request_free(request);
}

/* NULL, with errno set and the request still there. */
static struct conn *request_start(struct request *request, struct reactor *reactor,
                                  struct tls_context *tls)
{
    bool is_client = !request->context || request->context->role == TLS_CLIENT;
    struct tls_session *session =
        request->session ? tls_session_parse(request->session, request->session_bytes) : NULL;
    struct reactor_connect_options options = {
        .context = tls,
        .service = &requested_service,
        .service_config = request,
        .engine =
            {
                .server_name = request->server_name,
                .verify_host = request->events.on_identity ? NULL : request->verify_host,
                .session = session,
                .asks = is_client ? 0 : ask_wants(&request->events),
            },
        .dynamic_records = request->server->config.dynamic_records,
    };
    struct conn *conn = request->descriptor < 0
                            ? reactor_connect(reactor, &request->address, &options)
                            : reactor_wrap(reactor, request->descriptor, is_client, &options);
    int why = errno;

    tls_session_free(session);
    errno = why;
    return conn;
}

static void request_open(struct letter *letter)
{
    struct request *request =
        (struct request *)(void *)((char *)letter - offsetof(struct request, letter));
    struct dyno_server *server = request->server;
    struct reactor *reactor = server_reactor(server->server, request->core);
    struct tls_context *tls = NULL;
    struct error error = {0};

    if (request->error.text[0]) {
        error = request->error;
        request_fail(request, "resolve", error.text);
        return;
    }
    if (reactor->leaving) {
        request_fail(request, "connect", "the server ends");
        return;
    }
    if (request->context) {
        tls = core_context(&server->cores[request->core], request->context, &error);
        if (!tls) {
            request_fail(request, "context", error.text);
            return;
        }
    }
    if (!request_start(request, reactor, tls)) {
        request_fail(request, "connect",
                     errno == ENOSPC ? "too many connections" : strerror(errno));
        return;
    }
    /* It is the connection's now. */
}

void request_send(struct request *request)
{
    struct dyno_server *server = request->server;

    request->letter.open = request_open;
    if (!gate_post(server->gate, server_reactor(server->server, request->core), &request->letter)) {
        request_fail(request, "connect", "the server ends");
    }
}

void request_free(struct request *request)
{
    if (!request) {
        return;
    }
    if (request->descriptor >= 0) {
        close(request->descriptor);
    }
    dyno_context_free(request->context);
    blobs_free(request->blobs);
    free(request);
}

/* ---- on the caller's thread ---- */

/* The host of "HOST:PORT" and "[IPV6]:PORT"; NULL for others. */
static char *request_host(struct request *request)
{
    const char *begin = request->address_text;
    const char *end = strrchr(begin, ':');

    if (strncmp(begin, "unix:", 5) == 0 || !end) {
        return NULL;
    }
    if (*begin == '[') {
        begin++;
        end = strchr(begin, ']');
    }
    return end && end > begin ? strndup(begin, (size_t)(end - begin)) : NULL;
}

static bool is_ip_address(const char *host)
{
    uint8_t address[16];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The host names it and is what its certificate must be of, unless the options say otherwise. */
static void request_name(struct request *request, const struct dyno_connect *options,
                         const char *host)
{
    const char *server_name = options->server_name;

    if (!server_name && host && !is_ip_address(host)) {
        server_name = host;
    }
    request->server_name =
        server_name && *server_name ? blobs_add_text(request->blobs, server_name) : NULL;
    request->verify_host =
        blobs_add_text(request->blobs, options->verify_host ? options->verify_host : host);
}

static struct request *request_new(struct dyno_server *server, const struct dyno_connect *options,
                                   struct error *error)
{
    struct request *request = calloc(1, sizeof *request);

    if (!request || !(request->blobs = blobs_new())) {
        free(request);
        error_set(error, "no memory for a connection");
        return NULL;
    }
    request->descriptor = -1;
    request->server = server;
    request->context = dyno_context_ref(options->context);
    request->core = options->beside ? (unsigned)(options->beside->core - server->cores)
                                    : atomic_fetch_add(&server->core_next, 1) % server->core_count;
    if (options->session_bytes > 0) {
        request->session = blobs_add(request->blobs, options->session, options->session_bytes);
        request->session_bytes = request->session ? options->session_bytes : 0;
    }
    if (options->early_data_bytes > 0) {
        request->early_data =
            blobs_add(request->blobs, options->early_data, options->early_data_bytes);
        request->early_data_bytes = options->early_data_bytes;
        if (!request->early_data) {
            error_set(error, "no memory for early data");
            request_free(request);
            return NULL;
        }
    }
    if (options->events) {
        request->events = *options->events;
    }
    request->user = options->user;
    return request;
}

/* To the core at once when there is nothing to look up, or by way of the resolver. */
static int request_resolve(struct request *request, const char *host, struct error *error)
{
    struct dyno_server *server = request->server;
    struct resolver *resolver;

    if (!host || is_ip_address(host) || strcasecmp(host, "localhost") == 0) {
        if (socket_parse(request->address_text, &request->address, error) < 0) {
            return -1;
        }
        request_send(request);
        return 0;
    }
    pthread_mutex_lock(&server->lock);
    if (!server->resolver) {
        server->resolver = resolver_start(error);
    }
    resolver = server->resolver;
    pthread_mutex_unlock(&server->lock);
    if (!resolver) {
        return -1;
    }
    return resolver_submit(resolver, request)
               ? 0
               : error_set(error, "more than %d host names wait to be looked up",
                           RESOLVER_REQUESTS_MAX);
}

static int check(const struct dyno_server *server, const struct dyno_connect *options,
                 struct error *error)
{
    if (!server->server) {
        return error_set(error, "the server has not been started");
    }
    if (options->beside && options->beside->core->server != server) {
        return error_set(error, "the socket beside it is another server's");
    }
    return 0;
}

int dyno_connect(struct dyno_server *server, const struct dyno_connect *options,
                 struct dyno_error *error)
{
    struct request *request;
    char *host;
    int result;

    if (check(server, options, api_error(error)) < 0) {
        return -1;
    }
    if (!options->address || (options->context && options->context->role != TLS_CLIENT)) {
        return error_set(api_error(error), options->address ? "the context is a server's"
                                                            : "there is no address to connect to");
    }
    request = request_new(server, options, api_error(error));
    if (!request) {
        return -1;
    }
    request->address_text = blobs_add_text(request->blobs, options->address);
    if (!request->address_text) {
        request_free(request);
        return error_set(api_error(error), "no memory for a connection");
    }
    host = request_host(request);
    request_name(request, options, host);
    result = request_resolve(request, host, api_error(error));
    free(host);
    if (result < 0) {
        request_free(request);
    }
    return result;
}

int dyno_wrap(struct dyno_server *server, int descriptor, const struct dyno_connect *options,
              struct dyno_error *error)
{
    struct request *request;
    int type;
    socklen_t bytes = sizeof type;

    if (check(server, options, api_error(error)) < 0) {
        return -1;
    }
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &bytes) < 0 || type != SOCK_STREAM) {
        return error_set(api_error(error), "descriptor %d is no stream socket", descriptor);
    }
    request = request_new(server, options, api_error(error));
    if (!request) {
        return -1;
    }
    request_name(request, options, NULL);
    request->descriptor = descriptor;
    request_send(request);
    return 0;
}
