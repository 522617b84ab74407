/* Servers: what was set becomes a running one; contexts are added and replaced while it runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/resolver.h"
#include "base/clock.h"
#include "stats/snapshot.h"
#include "tls/ticket.h"

struct dyno_server *dyno_server_new(struct dyno_context *context, const struct dyno_events *events,
                                    void *user)
{
    struct dyno_server *server = calloc(1, sizeof *server);

    if (!server || !(server->gate = gate_new())) {
        free(server);
        return NULL;
    }
    pthread_mutex_init(&server->lock, NULL);
    server->context = dyno_context_ref(context);
    server->shares = dyno_context_ref(context);
    if (events) {
        server->events = *events;
    }
    server->user = user;
    if (context && context->role != TLS_SERVER) {
        error_set(&server->error, "the context is a client's");
    }
    return server;
}

static void server_forget(struct named_context *name)
{
    dyno_context_free(name->context);
    free(name->host);
    free(name);
}

void dyno_server_free(struct dyno_server *server)
{
    if (!server) {
        return;
    }
    resolver_stop(server->resolver);
    if (server->server) {
        server_stop(server->server);
    }
    gate_set(server->gate, false);
    server_free(server->server);
    for (unsigned i = 0; server->cores && i < server->core_count; i++) {
        core_deinit(&server->cores[i]);
    }
    while (server->names) {
        struct named_context *name = server->names;

        server->names = name->next;
        server_forget(name);
    }
    free(server->cores);
    gate_put(server->gate);
    dyno_context_free(server->context);
    dyno_context_free(server->shares);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

/* ---- before the start ---- */

static struct error *server_error(struct dyno_server *server)
{
    return server->error.text[0] ? NULL : &server->error;
}

static struct server_listener *server_listener_add(struct dyno_server *server)
{
    struct server_listener *listener;

    if (server->config.listener_count == SERVER_LISTENERS_MAX) {
        error_set(server_error(server), "more than %d addresses to listen on",
                  SERVER_LISTENERS_MAX);
        return NULL;
    }
    listener = &server->config.listeners[server->config.listener_count++];
    listener->service = &accepted_service;
    listener->service_config = server;
    listener->plain_tcp = !server->context;
    return listener;
}

void dyno_server_listen(struct dyno_server *server, const char *address)
{
    struct server_listener *listener = server_listener_add(server);

    if (listener) {
        socket_parse(address, &listener->address, server_error(server));
    }
}

void dyno_server_listen_descriptor(struct dyno_server *server, int descriptor)
{
    struct server_listener *listener = server_listener_add(server);

    if (listener) {
        listener->is_inherited = true;
        listener->descriptor = descriptor;
    }
}

void dyno_server_set(struct dyno_server *server, enum dyno_setting setting, uint64_t value)
{
    struct server_config *config = &server->config;
    uint32_t count = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    uint64_t ns = value > UINT64_MAX / NS_PER_MS / 2 ? UINT64_MAX / 2 : value * NS_PER_MS;

    switch (setting) {
    case DYNO_THREADS:
        config->threads = count;
        break;
    case DYNO_UNPINNED:
        config->no_pin = value != 0;
        break;
    case DYNO_CONNECTIONS_MAX:
        config->connections_max = count;
        break;
    case DYNO_HANDSHAKE_TIMEOUT_MS:
        config->handshake_timeout_ns = ns;
        break;
    case DYNO_IDLE_TIMEOUT_MS:
        config->idle_timeout_ns = ns;
        break;
    case DYNO_WRITE_TIMEOUT_MS:
        config->write_timeout_ns = ns;
        break;
    case DYNO_CLOSE_TIMEOUT_MS:
        config->drain_timeout_ns = ns;
        break;
    case DYNO_TICKET_ROTATION_MS:
        config->ticket_rotate_ns = ns;
        break;
    case DYNO_DYNAMIC_RECORDS:
        config->dynamic_records = value != 0;
        break;
    case DYNO_HANDSHAKES_MAX:
        config->handshakes_max = count;
        break;
    case DYNO_ADDRESS_CONNECTIONS_MAX:
        config->address_connections_max = count;
        break;
    case DYNO_ADDRESS_HANDSHAKES_MAX:
        config->address_handshakes_max = count;
        break;
    case DYNO_OUTPUT_BYTES_MAX:
        if (value > 0 && count < SERVER_OUTPUT_BYTES_MIN) {
            count = SERVER_OUTPUT_BYTES_MIN;
        }
        config->connection_output_bytes_max = count;
        break;
    case DYNO_BUFFER_BYTES_MAX:
        config->buffer_bytes_max = value;
        break;
    default:
        error_set(server_error(server), "there is no setting %d", (int)setting);
    }
}

/* ---- the start ---- */

/* Each worker, when it has ended; the last one tells. */
static void server_ended(void *user)
{
    struct dyno_server *server = user;

    if (atomic_fetch_add(&server->cores_ended, 1) + 1 == server->core_count && server->on_closed) {
        server->on_closed(server->closed_user);
    }
}

static int server_make_cores(struct dyno_server *server, struct error *error)
{
    /* The workers decide how many they are when they start. */
    unsigned count = server->config.threads ? server->config.threads : SNAPSHOT_WORKERS_MAX;

    server->cores = calloc(count, sizeof *server->cores);
    if (!server->cores) {
        return error_set(error, "no memory for %u cores", count);
    }
    for (unsigned i = 0; i < count; i++) {
        server->cores[i].server = server;
    }
    return 0;
}

int dyno_server_start(struct dyno_server *server, struct dyno_error *error)
{
    struct server_config *config = &server->config;

    if (server->error.text[0]) {
        return error_set(api_error(error), "%s", server->error.text);
    }
    if (server->cores) {
        return error_set(api_error(error), "the server was started already");
    }
    if (server_make_cores(server, api_error(error)) < 0) {
        return -1;
    }
    if (server->context) {
        config->tls = server->context->tls;
        config->shared = &server->context->shared;
        config->keep_ticket_keys = server->context->has_ticket_keys;
    }
    config->asks = ask_wants(&server->events);
    config->on_want = ask_raise;
    config->on_ended = server_ended;
    config->user = server;
    /* Whoever answers an ask of the first connections waits until it is clear that it goes on. */
    pthread_mutex_lock(&server->gate->lock);
    server->server = server_start(config, api_error(error));
    server->gate->is_open = server->server != NULL;
    server->core_count = server->server ? server_worker_count(server->server) : 0;
    pthread_mutex_unlock(&server->gate->lock);
    return server->server ? 0 : -1;
}

/* ---- while it runs ---- */

bool dyno_server_address(const struct dyno_server *server, size_t index, struct dyno_address *out)
{
    if (!server->server || index >= server->config.listener_count) {
        return false;
    }
    address_describe(server_address(server->server, index), out);
    return true;
}

void dyno_server_close(struct dyno_server *server, void (*on_closed)(void *user), void *user)
{
    if (server->server) {
        server->on_closed = on_closed;
        server->closed_user = user;
        server_drain(server->server);
    }
}

unsigned dyno_server_core_count(const struct dyno_server *server)
{
    return server->core_count;
}

uint64_t dyno_server_connections(const struct dyno_server *server, int core)
{
    struct snapshot *snapshot = server->server ? server_snapshot(server->server) : NULL;
    uint64_t count = 0;

    if (snapshot && core < 0) {
        count = snapshot->values[COUNTER_CONNECTIONS_OPEN];
    } else if (snapshot && (unsigned)core < snapshot->worker_count) {
        count = snapshot->workers[core].values[COUNTER_CONNECTIONS_OPEN];
    }
    snapshot_free(snapshot);
    return count;
}

void dyno_server_counters(const struct dyno_server *server,
                          void (*each)(void *user, const char *name, uint64_t value), void *user)
{
    struct snapshot *snapshot = server->server ? server_snapshot(server->server) : NULL;
    char name[128];

    for (size_t i = 0; snapshot && i < COUNTER_COUNT; i++) {
        const struct counter_info *info = &counter_infos[i];

        snprintf(name, sizeof name, "%s%s%s", info->name, info->label ? "." : "",
                 info->label ? info->label_value : "");
        each(user, name, snapshot->values[i]);
    }
    snapshot_free(snapshot);
}

/* ---- other contexts ---- */

static struct named_context *server_find(struct dyno_server *server, const char *host)
{
    struct named_context *name = server->names;

    while (name && strcasecmp(name->host, host) != 0) {
        name = name->next;
    }
    return name;
}

static int server_remember(struct dyno_server *server, const char *host,
                           struct dyno_context *context, struct error *error)
{
    struct named_context *name = server_find(server, host);

    if (!name) {
        name = calloc(1, sizeof *name);
        if (!name || !(name->host = strdup(host))) {
            free(name);
            return error_set(error, "no memory for server name %s", host);
        }
        name->next = server->names;
        server->names = name;
    }
    dyno_context_free(name->context);
    name->context = dyno_context_ref(context);
    return 0;
}

static int server_check(const struct dyno_server *server, const struct dyno_context *context,
                        struct error *error)
{
    if (!server->server) {
        return error_set(error, "the server has not been started");
    }
    return context->role == TLS_SERVER ? 0 : error_set(error, "the context is a client's");
}

int dyno_server_add_context(struct dyno_server *server, const char *host,
                            struct dyno_context *context, struct dyno_error *error)
{
    int result;

    if (server_check(server, context, api_error(error)) < 0) {
        return -1;
    }
    pthread_mutex_lock(&server->lock);
    result = server_add_name(server->server, host, &context->tls, api_error(error));
    if (result == 0) {
        result = server_remember(server, host, context, api_error(error));
    }
    pthread_mutex_unlock(&server->lock);
    return result;
}

/* The keys that a context was given, as the newest of those that are shared. */
static int server_take_keys(struct dyno_server *server, const struct dyno_context *context,
                            struct error *error)
{
    struct ticket_ring *ours = server->shares->shared.tickets;
    struct ticket_reader theirs;
    struct ticket_reader current;
    int result = 0;

    if (!context->has_ticket_keys || context == server->shares) {
        return 0;
    }
    ticket_reader_init(&theirs, context->shared.tickets);
    ticket_reader_init(&current, ours);
    for (size_t left = ticket_reader_get(&theirs)->count; left > 0 && result == 0; left--) {
        const struct ticket_key *key = &ticket_reader_get(&theirs)->keys[left - 1];
        uint8_t bytes[TICKET_NAME_BYTES + TICKET_HMAC_KEY_BYTES + TICKET_AES_KEY_BYTES];
        size_t hmac_bytes = key->hmac_key_bytes;

        if (memcmp(key->name, ticket_reader_get(&current)->keys[0].name, sizeof key->name) == 0) {
            continue; /* the same file as before, most likely */
        }
        memcpy(bytes, key->name, sizeof key->name);
        memcpy(bytes + sizeof key->name, key->hmac_key, hmac_bytes);
        memcpy(bytes + sizeof key->name + hmac_bytes, key->aes_key, key->aes_key_bytes);
        result = ticket_ring_push(ours, bytes, sizeof key->name + hmac_bytes + key->aes_key_bytes,
                                  error);
        explicit_bzero(bytes, sizeof bytes);
    }
    ticket_reader_deinit(&theirs);
    ticket_reader_deinit(&current);
    return result;
}

static int server_replace(struct dyno_server *server, struct dyno_context *context,
                          struct error *error)
{
    server->config.tls = context->tls;
    if (server_reload(server->server, &server->config, error) < 0) {
        server->config.tls = server->context->tls;
        return -1;
    }
    dyno_context_free(server->context);
    server->context = dyno_context_ref(context);
    for (struct named_context *name = server->names; name; name = name->next) {
        if (server_add_name(server->server, name->host, &name->context->tls, error) < 0) {
            return -1;
        }
    }
    return server_take_keys(server, context, error);
}

int dyno_server_set_context(struct dyno_server *server, struct dyno_context *context,
                            struct dyno_error *error)
{
    int result;

    if (server_check(server, context, api_error(error)) < 0) {
        return -1;
    }
    if (!server->shares) {
        return error_set(api_error(error), "the server was made without a context");
    }
    pthread_mutex_lock(&server->lock);
    result = server_replace(server, context, api_error(error));
    pthread_mutex_unlock(&server->lock);
    return result;
}
