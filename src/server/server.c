#include "server/server.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/payload.h"
#include "conn/sources.h"
#include "ring/ring.h"
#include "server/listener.h"
#include "server/memory.h"
#include "server/worker.h"
#include "tls/context.h"
#include "tls/replay.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

enum { WORKERS_MAX = SNAPSHOT_WORKERS_MAX };

static_assert((int)SERVER_OUTPUT_BYTES_MIN >= (int)CONN_OUTPUT_HIGH_BYTES_MIN, "a record fits");

struct server {
    struct worker *workers;
    unsigned worker_count;
    struct socket_address addresses[SERVER_LISTENERS_MAX];
    bool owns_path[SERVER_LISTENERS_MAX]; /* a Unix socket's file is to be removed */
    size_t listener_count;
    struct service_config service_config;
    struct payload payload;
    struct tls_shared shared;
    bool borrows_shared; /* the embedding program's */
    struct reactor_limit limit;
    struct sources *sources; /* NULL: addresses have no limits */
    int memory;              /* of memory_open() */
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

/* A quarter of the machine's memory. */
static uint64_t buffer_bytes_default(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);

    return pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes / 4 : 0;
}

static int server_make_sources(struct server *server, const struct server_config *config,
                               struct error *error)
{
    const struct sources_options options = {
        .connections_max = config->address_connections_max,
        .handshakes_max = config->address_handshakes_max,
    };

    if (options.connections_max == 0 && options.handshakes_max == 0) {
        return 0;
    }
    server->sources = sources_new(&options, error);
    return server->sources ? 0 : -1;
}

static int server_make_workers(struct server *server, const struct server_config *config,
                               struct error *error)
{
    int cpus[WORKERS_MAX];
    unsigned cpu_count = server_cpus(cpus);
    unsigned count = config->threads ? config->threads : cpu_count ? cpu_count : 1;
    uint32_t connections_max =
        (uint32_t)or_default(config->connections_max, connections_max_default);
    uint64_t buffer_bytes_max = or_default(config->buffer_bytes_max, buffer_bytes_default());

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
        worker->asks = config->asks;
        worker->on_want = config->on_want;
        worker->on_failed = config->on_failed;
        worker->on_ended = config->on_ended;
        worker->user = config->user;
        worker->index = i;
        worker->dynamic_records = config->dynamic_records;
        worker->drain_timeout_ns = or_default(config->drain_timeout_ns, drain_timeout_default_ns);
        worker->reactor_options = (struct reactor_options){
            .connections_max = connections_max,
            .limit = &server->limit,
            .sources = server->sources,
            .handshakes_max = config->handshakes_max,
            .output_bytes_max = config->connection_output_bytes_max,
            .buffer_bytes_max = buffer_bytes_max / count,
            .handshake_timeout_ns =
                or_default(config->handshake_timeout_ns, handshake_timeout_default_ns),
            .idle_timeout_ns = or_default(config->idle_timeout_ns, idle_timeout_default_ns),
            .write_timeout_ns = or_default(config->write_timeout_ns, write_timeout_default_ns),
        };
    }
    return 0;
}

static bool server_uses_tls(const struct server_config *config)
{
    bool used = false;

    for (size_t i = 0; i < config->listener_count; i++) {
        used |= !config->listeners[i].plain_tcp;
    }
    return used;
}

static int server_make_shared(struct server *server, const struct server_config *config,
                              struct error *error)
{
    server->shared.tickets = ticket_ring_new(config->ticket_previous, error);
    if (!server->shared.tickets) {
        return -1;
    }
    server->shared.sessions =
        session_store_new((size_t)or_default(config->session_cache, session_cache_default));
    if (!server->shared.sessions) {
        return error_set(error, "no memory for the session cache");
    }
    if (config->tls.early_data_bytes_max > 0) {
        server->shared.replays = replay_guard_new(0, error);
        if (!server->shared.replays) {
            return -1;
        }
    }
    return config->ticket_key_file
               ? ticket_ring_load(server->shared.tickets, config->ticket_key_file, error)
               : 0;
}

/* What the contexts of one worker have in common with the others', and its own OpenSSL. */
static struct tls_shared server_shared_for(const struct server *server, const struct worker *worker)
{
    struct tls_shared shared = server->shared;

    shared.library = worker->library;
    return shared;
}

static struct identity *server_make_identity(const struct server *server,
                                             const struct worker *worker,
                                             const struct server_config *config,
                                             struct error *error)
{
    struct tls_shared shared = server_shared_for(server, worker);

    return identity_new(config, &shared, error);
}

static int server_make_identities(struct server *server, const struct server_config *config,
                                  struct error *error)
{
    if (!server_uses_tls(config)) {
        return 0;
    }
    if (config->shared) {
        server->shared = *config->shared;
        server->borrows_shared = true;
    } else if (server_make_shared(server, config, error) < 0) {
        return -1;
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[i];

        worker->library = tls_library_new();
        worker->identity = server_make_identity(server, worker, config, error);
        if (!worker->identity) {
            return -1;
        }
    }
    if (!config->ticket_key_file && !config->keep_ticket_keys) {
        server->workers[0].tickets = server->shared.tickets;
    }
    server->workers[0].ticket_rotate_ns =
        or_default(config->ticket_rotate_ns, ticket_rotate_default_ns);
    return 0;
}

static int server_listen(struct server *server, const struct server_config *config,
                         struct error *error)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct server_listener *listener = &config->listeners[i];

        if (listener_bind(server->workers, server->worker_count, i, listener, &server->addresses[i],
                          error) < 0) {
            return -1;
        }
        server->owns_path[i] = !listener->is_inherited && socket_is_unix(&listener->address);
        server->listener_count = i + 1;
        for (unsigned w = 0; w < server->worker_count; w++) {
            struct worker *worker = &server->workers[w];

            worker->listeners[i].service = listener->service;
            worker->listeners[i].service_config =
                listener->service_config ? listener->service_config : &server->service_config;
            worker->listeners[i].plain_tcp = listener->plain_tcp;
            if (config->pacing_bits_per_second > 0 && !socket_is_unix(&server->addresses[i]) &&
                socket_pace(worker->listeners[i].descriptor, config->pacing_bits_per_second,
                            error) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

int server_run(struct server *server, struct error *error)
{
    /* By the limits of whom it has become. */
    uint32_t completions = ring_completions(server->worker_count);

    for (unsigned i = 0; i < server->worker_count; i++) {
        server->workers[i].reactor_options.completions = completions;
        if (worker_start(&server->workers[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

struct server *server_new(const struct server_config *config, struct error *error)
{
    struct server *server;

    if (config->listener_count > SERVER_LISTENERS_MAX || config->name_count > SERVER_NAMES_MAX) {
        error_set(error, "%zu listeners and %zu server names: there may be %d and %d",
                  config->listener_count, config->name_count, SERVER_LISTENERS_MAX,
                  SERVER_NAMES_MAX);
        return NULL;
    }
    server = calloc(1, sizeof *server);
    if (!server) {
        error_set(error, "no memory for a server");
        return NULL;
    }
    server->memory = memory_open();
    payload_init(&server->payload);
    server->service_config.payload = &server->payload;
    server->service_config.source_bytes = config->source_bytes;
    if (server_make_sources(server, config, error) < 0 ||
        server_make_workers(server, config, error) < 0 ||
        server_make_identities(server, config, error) < 0 ||
        server_listen(server, config, error) < 0) {
        server_free(server);
        return NULL;
    }
    return server;
}

struct server *server_start(const struct server_config *config, struct error *error)
{
    struct server *server = server_new(config, error);

    if (server && server_run(server, error) < 0) {
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

void server_ask_workers(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_ask(&server->workers[i], &server->workers[i].answer);
    }
}

int server_silent_worker(const struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker *worker = &server->workers[i];

        if (atomic_load(&worker->answer.posted) && !atomic_load(&worker->ended)) {
            return (int)i;
        }
    }
    return -1;
}

static void server_free_worker(struct worker *worker)
{
    worker_join(worker);
    for (size_t i = 0; i < worker->listener_count; i++) {
        close(worker->listeners[i].descriptor);
    }
    identity_free(worker->identity);
    tls_library_free(worker->library);
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
        if (server->owns_path[i]) {
            unlink(((struct sockaddr_un *)&server->addresses[i].storage)->sun_path);
        }
    }
    if (!server->borrows_shared) {
        replay_guard_free(server->shared.replays);
        session_store_free(server->shared.sessions);
        ticket_ring_free(server->shared.tickets);
    }
    if (server->memory >= 0) {
        close(server->memory);
    }
    sources_free(server->sources);
    free(server->workers);
    free(server);
}

int server_reload(struct server *server, const struct server_config *config, struct error *error)
{
    struct identity **fresh;
    unsigned made = 0;

    if (!server->shared.tickets) {
        return 0; /* plain TCP only: there is nothing to read */
    }
    fresh = calloc(server->worker_count, sizeof *fresh);
    if (!fresh) {
        return error_set(error, "no memory for TLS contexts");
    }
    while (made < server->worker_count &&
           (fresh[made] = server_make_identity(server, &server->workers[made], config, error)) !=
               NULL) {
        made++;
    }
    if (made < server->worker_count ||
        (config->ticket_key_file &&
         ticket_ring_load(server->shared.tickets, config->ticket_key_file, error) < 0)) {
        while (made > 0) {
            identity_free(fresh[--made]);
        }
        free(fresh);
        return -1;
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_identify(&server->workers[i], fresh[i]);
    }
    free(fresh);
    return 0;
}

int server_add_name(struct server *server, const char *host, const struct tls_config *tls,
                    struct error *error)
{
    if (!server->shared.tickets) {
        return error_set(error, "no listener uses TLS: there are no server names");
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct tls_shared shared = server_shared_for(server, &server->workers[i]);
        struct identity_name *name = identity_name_new(host, tls, &shared, error);

        if (!name) {
            return -1;
        }
        worker_name(&server->workers[i], name);
    }
    return 0;
}

struct reactor *server_reactor(struct server *server, unsigned index)
{
    return &server->workers[index].reactor;
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
    if (snapshot) {
        snapshot->resident_bytes = memory_resident_bytes(server->memory);
    }
    return snapshot;
}
