#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/payload.h"
#include "server/worker.h"
#include "tls/context.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

enum { BACKLOG = 4096, WORKERS_MAX = SNAPSHOT_WORKERS_MAX };

struct server {
    struct worker *workers;
    unsigned worker_count;
    struct socket_address addresses[SERVER_LISTENERS_MAX];
    size_t listener_count;
    struct service_config service_config;
    struct payload payload;
    struct tls_shared shared;
    struct reactor_limit limit;
};

static const uint64_t handshake_timeout_default_ns = 120ull * 1000 * 1000 * 1000;
static const uint64_t idle_timeout_default_ns = 300ull * 1000 * 1000 * 1000;
static const uint64_t write_timeout_default_ns = 30ull * 1000 * 1000 * 1000;
static const uint64_t drain_timeout_default_ns = 10ull * 1000 * 1000 * 1000;
static const uint64_t ticket_rotate_default_ns = 3600ull * 1000 * 1000 * 1000;
static const uint32_t connections_max_default = 100000;
static const uint32_t session_cache_default = 20480;

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

/* The CPUs that the process may use, in order. Returns how many. */
static unsigned server_cpus(int out_cpus[WORKERS_MAX])
{
    cpu_set_t allowed;
    unsigned count = 0;

    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        for (int cpu = 0; cpu < CPU_SETSIZE && count < WORKERS_MAX; cpu++) {
            if (CPU_ISSET((size_t)cpu, &allowed)) {
                out_cpus[count++] = cpu;
            }
        }
    }
    return count;
}

static int server_make_workers(struct server *server, const struct server_config *config,
                               struct error *error)
{
    int cpus[WORKERS_MAX];
    unsigned cpu_count = server_cpus(cpus);
    unsigned count = config->threads ? config->threads : cpu_count ? cpu_count : 1;
    uint32_t connections_max =
        (uint32_t)or_default(config->connections_max, connections_max_default);

    if (count > WORKERS_MAX) {
        return error_set(error, "%u threads are too many: at most %d", count, WORKERS_MAX);
    }
    server->workers = calloc(count, sizeof *server->workers);
    if (!server->workers) {
        return error_set(error, "no memory for %u workers", count);
    }
    server->worker_count = count;
    server->limit.open_max = connections_max;
    for (unsigned i = 0; i < count; i++) {
        struct worker *worker = &server->workers[i];

        worker->counters = aligned_alloc(64, sizeof *worker->counters);
        if (!worker->counters) {
            return error_set(error, "no memory for counters");
        }
        memset(worker->counters, 0, sizeof *worker->counters);
        worker->cpu = config->no_pin || cpu_count == 0 ? -1 : cpus[i % cpu_count];
        worker->service_config = &server->service_config;
        worker->drain_timeout_ns = or_default(config->drain_timeout_ns, drain_timeout_default_ns);
        worker->reactor_options = (struct reactor_options){
            .connections_max = connections_max,
            .limit = &server->limit,
            .handshake_timeout_ns =
                or_default(config->handshake_timeout_ns, handshake_timeout_default_ns),
            .idle_timeout_ns = or_default(config->idle_timeout_ns, idle_timeout_default_ns),
            .write_timeout_ns = or_default(config->write_timeout_ns, write_timeout_default_ns),
        };
    }
    return 0;
}

static int server_make_contexts(struct server *server, const struct server_config *config,
                                struct error *error)
{
    bool needed = false;

    for (size_t i = 0; i < config->listener_count; i++) {
        needed |= !config->listeners[i].plain_tcp;
    }
    if (!needed) {
        return 0;
    }
    server->shared.tickets = ticket_ring_new(config->ticket_previous, error);
    if (!server->shared.tickets) {
        return -1;
    }
    server->shared.sessions =
        session_store_new((size_t)or_default(config->session_cache, session_cache_default));
    if (!server->shared.sessions) {
        return error_set(error, "no memory for the session cache");
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[i];

        worker->context = tls_context_new(TLS_SERVER, &config->tls, &server->shared, error);
        if (!worker->context) {
            return -1;
        }
    }
    server->workers[0].tickets = server->shared.tickets;
    server->workers[0].ticket_rotate_ns =
        or_default(config->ticket_rotate_ns, ticket_rotate_default_ns);
    return 0;
}

/* A socket of its own for each worker, so that the kernel spreads connections over them without a
 * lock (SO_REUSEPORT, socket(7)); Unix sockets have no such thing and are shared. */
static int server_bind(struct server *server, size_t index, const struct socket_address *wanted,
                       struct error *error)
{
    struct socket_address *bound = &server->addresses[index];
    bool shared = server->worker_count > 1 && !socket_is_unix(wanted);
    int first;

    /* The first takes the address for itself: SO_REUSEPORT alone would let two servers of one user
     * split the connections of a port between them unnoticed. */
    first = socket_listen(wanted, false, BACKLOG, bound, error);
    if (first < 0) {
        return -1;
    }
    if (shared) {
        close(first);
        first = socket_listen(bound, true, BACKLOG, bound, error);
        if (first < 0) {
            return -1;
        }
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        int descriptor = first;

        if (i > 0) {
            descriptor = shared ? socket_listen(bound, true, BACKLOG, bound, error)
                                : fcntl(first, F_DUPFD_CLOEXEC, 0);
        }
        if (descriptor < 0) {
            return shared ? -1 : error_set(error, "cannot share a socket: %s", strerror(errno));
        }
        server->workers[i].listeners[index].descriptor = descriptor;
        server->workers[i].listener_count = index + 1;
    }
    return 0;
}

static int server_listen(struct server *server, const struct server_config *config,
                         struct error *error)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct server_listener *listener = &config->listeners[i];

        if (server_bind(server, i, &listener->address, error) < 0) {
            return -1;
        }
        server->listener_count = i + 1;
        for (unsigned w = 0; w < server->worker_count; w++) {
            struct worker *worker = &server->workers[w];

            worker->listeners[i].service = listener->service;
            worker->listeners[i].context = listener->plain_tcp ? NULL : worker->context;
        }
    }
    return 0;
}

static int server_run(struct server *server, struct error *error)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        if (worker_start(&server->workers[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

struct server *server_start(const struct server_config *config, struct error *error)
{
    struct server *server;

    if (config->listener_count == 0 || config->listener_count > SERVER_LISTENERS_MAX) {
        error_set(error, "%zu listeners: there must be 1 to %d", config->listener_count,
                  SERVER_LISTENERS_MAX);
        return NULL;
    }
    server = calloc(1, sizeof *server);
    if (!server) {
        error_set(error, "no memory for a server");
        return NULL;
    }
    payload_init(&server->payload);
    server->service_config.payload = &server->payload;
    server->service_config.source_bytes = config->source_bytes;
    if (server_make_workers(server, config, error) < 0 ||
        server_make_contexts(server, config, error) < 0 ||
        server_listen(server, config, error) < 0 || server_run(server, error) < 0) {
        server_stop(server);
        server_free(server);
        return NULL;
    }
    return server;
}

const struct socket_address *server_address(const struct server *server, size_t index)
{
    return &server->addresses[index];
}

unsigned server_worker_count(const struct server *server)
{
    return server->worker_count;
}

void server_drain(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_ask(&server->workers[i], &server->workers[i].drain);
    }
}

void server_stop(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_ask(&server->workers[i], &server->workers[i].stop);
    }
}

bool server_has_ended(const struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        if (!atomic_load(&server->workers[i].ended)) {
            return false;
        }
    }
    return true;
}

static void server_free_worker(struct worker *worker)
{
    worker_join(worker);
    for (size_t i = 0; i < worker->listener_count; i++) {
        close(worker->listeners[i].descriptor);
    }
    tls_context_free(worker->context);
    free(worker->counters);
}

void server_free(struct server *server)
{
    if (!server) {
        return;
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        server_free_worker(&server->workers[i]);
    }
    for (size_t i = 0; i < server->listener_count; i++) {
        if (socket_is_unix(&server->addresses[i])) {
            unlink(((struct sockaddr_un *)&server->addresses[i].storage)->sun_path);
        }
    }
    session_store_free(server->shared.sessions);
    ticket_ring_free(server->shared.tickets);
    free(server->workers);
    free(server);
}

int server_rotate_tickets(struct server *server, struct error *error)
{
    if (!server->shared.tickets) {
        return error_set(error, "no listener uses TLS: there are no ticket keys");
    }
    /* The first worker does it, so that its counter keeps a single writer. */
    worker_ask(&server->workers[0], &server->workers[0].rotate);
    return 0;
}

struct snapshot *server_snapshot(const struct server *server)
{
    struct snapshot *snapshot = snapshot_new(server->worker_count);

    for (unsigned i = 0; snapshot && i < server->worker_count; i++) {
        const struct worker *worker = &server->workers[i];

        snapshot_add_worker(snapshot, i, worker->counters, worker_cpu_ns(worker), worker->cpu);
    }
    return snapshot;
}
