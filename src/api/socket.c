/* Sockets: thin words over the data path's connections. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/api.h"

void *dyno_socket_user(const struct dyno_socket *socket)
{
    return socket->user;
}

void dyno_socket_set_user(struct dyno_socket *socket, void *user)
{
    socket->user = user;
}

size_t dyno_socket_write(struct dyno_socket *socket, const void *bytes, size_t count)
{
    struct conn *conn = socket_conn(socket);
    size_t room = conn_output_room(conn);
    size_t taken = count < room ? count : room;

    if (conn->state != CONN_OPEN || conn->output_ended) {
        return 0;
    }
    conn_write(conn, bytes, taken);
    socket->wants_drain |= taken < count;
    return taken;
}

void dyno_socket_end(struct dyno_socket *socket)
{
    struct conn *conn = socket_conn(socket);

    if (conn->input_ended) {
        conn_close(conn);
    } else {
        conn_end(conn);
    }
}

void dyno_socket_close(struct dyno_socket *socket)
{
    conn_close(socket_conn(socket));
}

void dyno_socket_destroy(struct dyno_socket *socket)
{
    conn_abort(socket_conn(socket), CONN_END_LOCAL);
}

void dyno_socket_resume(struct dyno_socket *socket)
{
    conn_resume_reading(socket_conn(socket));
}

bool dyno_socket_encrypted(const struct dyno_socket *socket)
{
    return !tls_engine_is_plain(&socket_conn(socket)->engine);
}

struct dyno_tls *dyno_socket_tls(struct dyno_socket *socket)
{
    return (struct dyno_tls *)(void *)&socket_conn(socket)->engine;
}

/* ---- addresses ---- */

void address_describe(const struct socket_address *address, struct dyno_address *out)
{
    static_assert(sizeof out->text >= SOCKET_TEXT_BYTES, "an address must fit");
    *out = (struct dyno_address){0};
    switch (address->any.sa_family) {
    case AF_INET:
        strcpy(out->family, "IPv4");
        out->port = ntohs(address->in.sin_port);
        break;
    case AF_INET6:
        strcpy(out->family, "IPv6");
        out->port = ntohs(address->in6.sin6_port);
        break;
    case AF_UNIX:
        strcpy(out->family, "unix");
        break;
    default:
        return;
    }
    socket_format(address, out->text);
}

void socket_note_peer(struct dyno_socket *socket)
{
    const struct conn *conn = socket_conn(socket);
    struct socket_address peer = {.bytes = sizeof peer.storage};

    if (socket->request && socket->request->address_text) {
        peer = socket->request->address;
    } else if (getpeername(conn->descriptor, &peer.any, &peer.bytes) < 0) {
        return;
    }
    socket->peer_family = peer.any.sa_family;
    if (socket->peer_family == AF_INET) {
        socket->peer_port = peer.in.sin_port;
        memcpy(socket->peer_ip, &peer.in.sin_addr, sizeof peer.in.sin_addr);
    } else if (socket->peer_family == AF_INET6) {
        socket->peer_port = peer.in6.sin6_port;
        memcpy(socket->peer_ip, &peer.in6.sin6_addr, sizeof peer.in6.sin6_addr);
    }
}

void dyno_socket_peer_address(const struct dyno_socket *socket, struct dyno_address *out)
{
    struct socket_address peer = {.any.sa_family = socket->peer_family};

    if (socket->peer_family == AF_INET) {
        peer.in.sin_port = socket->peer_port;
        memcpy(&peer.in.sin_addr, socket->peer_ip, sizeof peer.in.sin_addr);
        peer.bytes = sizeof peer.in;
    } else if (socket->peer_family == AF_INET6) {
        peer.in6.sin6_port = socket->peer_port;
        memcpy(&peer.in6.sin6_addr, socket->peer_ip, sizeof peer.in6.sin6_addr);
        peer.bytes = sizeof peer.in6;
    } else if (socket->request && socket->request->address_text) {
        peer = socket->request->address;
    }
    address_describe(&peer, out);
}

void dyno_socket_local_address(const struct dyno_socket *socket, struct dyno_address *out)
{
    const struct conn *conn = socket_conn(socket);
    struct socket_address local = {.bytes = sizeof local.storage};

    /* Once it is closed, the number may be another's already. */
    if (conn->state == CONN_CLOSED || getsockname(conn->descriptor, &local.any, &local.bytes) < 0) {
        local.any.sa_family = AF_UNSPEC;
    }
    address_describe(&local, out);
}

void dyno_socket_bytes(const struct dyno_socket *socket, struct dyno_bytes *out)
{
    const struct conn *conn = socket_conn(socket);

    *out = (struct dyno_bytes){
        .plain_in = conn->plain_bytes_in,
        .plain_out = conn->plain_bytes_out,
        .wire_in = conn->wire_bytes_in,
        .wire_out = conn->wire_bytes_out,
    };
}

/* ---- TLS at run time ---- */

bool dyno_socket_set_max_send_fragment(struct dyno_socket *socket, unsigned bytes)
{
    return conn_set_max_send_fragment(socket_conn(socket), bytes);
}

void dyno_socket_set_dynamic_records(struct dyno_socket *socket, bool dynamic)
{
    conn_set_dynamic_records(socket_conn(socket), dynamic);
}

int dyno_socket_renegotiate(struct dyno_socket *socket, bool certificate, struct dyno_error *error)
{
    const char *reason;

    return conn_renegotiate(socket_conn(socket), certificate, &reason)
               ? 0
               : error_set(api_error(error), "cannot renegotiate: %s", reason);
}

/* ---- from other threads ---- */

struct post {
    struct letter letter;
    struct reactor *reactor;
    uint32_t slot, generation;
    void (*call)(struct dyno_socket *socket, void *argument);
    void *argument;
};

struct dyno_ref dyno_socket_ref(const struct dyno_socket *socket)
{
    const struct conn *conn = socket_conn(socket);

    return (struct dyno_ref){
        .server = socket->core->server,
        .core = (uint32_t)(socket->core - socket->core->server->cores),
        .slot = conn->slot,
        .generation = conn->generation,
    };
}

static void post_open(struct letter *letter)
{
    struct post *post = (struct post *)(void *)((char *)letter - offsetof(struct post, letter));
    struct conn *conn = table_find(&post->reactor->table, post->slot, post->generation);

    post->call(conn && conn->state != CONN_CLOSED ? conn_socket(conn) : NULL, post->argument);
    free(post);
}

int dyno_post(struct dyno_ref ref, void (*call)(struct dyno_socket *socket, void *argument),
              void *argument)
{
    struct post *post = calloc(1, sizeof *post);

    if (!post) {
        return -1;
    }
    *post = (struct post){
        .letter.open = post_open,
        .reactor = server_reactor(ref.server->server, ref.core),
        .slot = ref.slot,
        .generation = ref.generation,
        .call = call,
        .argument = argument,
    };
    if (!gate_post(ref.server->gate, post->reactor, &post->letter)) {
        free(post);
        call(NULL, argument);
    }
    return 0;
}
