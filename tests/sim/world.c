#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "tls/certificate.h"

struct world world;
struct payload sim_payload;

enum { VERSIONS = 2, CLIENTS_MAX = 24 };

static struct tls_context *server_contexts[VERSIONS];
static struct tls_context *client_contexts[VERSIONS];
static char folder[] = "/tmp/tlsdyno-sim-XXXXXX";

bool sim_chance(unsigned per_mille)
{
    return random_below(&world.random, 1000) < per_mille;
}

static struct tls_context *make_context(enum tls_role role, struct tls_config *config, int index)
{
    struct error error = {0};
    struct tls_context *context;

    config->version_max = index == 0 ? TLS_VERSION_1_3 : TLS_VERSION_1_2;
    context = tls_context_new(role, config, NULL, &error);
    SIM_CHECK(context, "%s", error.text);
    return context;
}

void world_set_up(void)
{
    struct error error = {0};
    struct certificate *certificate =
        certificate_new(&(struct certificate_options){0}, NULL, &error);
    struct tls_config server = {.certificate_count = 1, .renegotiation_limit = 1000};
    struct tls_config client = {.insecure = true, .renegotiation_limit = 1000};

    SIM_CHECK(certificate, "%s", error.text);
    server.certificates[0].certificate_pem = certificate_chain_pem(certificate);
    server.certificates[0].key_pem = certificate_key_pem(certificate);
    for (int i = 0; i < VERSIONS; i++) {
        server_contexts[i] = make_context(TLS_SERVER, &server, i);
        client_contexts[i] = make_context(TLS_CLIENT, &client, i);
    }
    certificate_free(certificate);
    payload_init(&sim_payload);
    SIM_CHECK(mkdtemp(folder), "no folder for sockets");
}

void world_tear_down(void)
{
    for (int i = 0; i < VERSIONS; i++) {
        tls_context_free(server_contexts[i]);
        tls_context_free(client_contexts[i]);
    }
    rmdir(folder);
}

/* ---- the schedule ---- */

static void plan_faults(struct fault_plan *plan)
{
    static const uint16_t rates[] = {0, 2, 20, 100, 400};
    enum { RATES = sizeof rates / sizeof *rates };

    plan->seed = random_next(&world.random);
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        plan->per_mille[fault] = sim_chance(500) ? 0 : rates[random_below(&world.random, RATES)];
        if (fault > FAULT_LATE && world.gentle) {
            plan->per_mille[fault] = 0;
        }
    }
    if (sim_chance(500)) {
        plan->entries = 1u << random_below(&world.random, 6);
        plan->completions = 2 * plan->entries;
    }
}

static struct tls_context *context_of(struct tls_context **contexts, int version)
{
    return version < VERSIONS ? contexts[version] : NULL; /* the last: plain TCP */
}

static struct socket_address address;
static int listener;

static void open_listener(void)
{
    struct error error = {0};
    char text[64] = "127.0.0.1:0";

    if (!world.is_tcp) {
        snprintf(text, sizeof text, "unix:%s/socket", folder);
    }
    SIM_CHECK(socket_parse(text, &address, &error) == 0, "%s", error.text);
    listener = socket_listen(&address, false, 64, &address, &error);
    SIM_CHECK(listener >= 0, "%s", error.text);
}

static void close_listener(void)
{
    close(listener);
    if (!world.is_tcp) {
        unlink(address.un.sun_path);
    }
}

static int version;

static struct conn *start_client(void)
{
    const struct reactor_connect_options options = {
        .context = context_of(client_contexts, version),
        .service = &sim_client,
        .dynamic_records = sim_chance(200),
    };

    return reactor_connect(&world.reactor, &address, &options);
}

void world_start_clients(void)
{
    while (world.clients_left > 0 && sim_chance(700)) {
        if (!start_client()) {
            SIM_CHECK(errno == ENOSPC, "no client: %s", strerror(errno));
            break; /* the next end of a connection makes room */
        }
        world.clients_left--;
    }
    if (world.clients_open == 0 && world.clients_left == 0) {
        reactor_leave_when_empty(&world.reactor);
    }
}

static void turn(void *owner, uint64_t now_ns)
{
    (void)owner;
    (void)now_ns;
    peers_turn();
    if (world.clients_left > 0) {
        world_start_clients();
    }
    if (!world.is_wild || world.reactor.draining) {
        return;
    }
    /* Who waits in the queue of a Unix listener hears of the drain when that is closed, which here
     * it is not: its own timeout must end it. */
    if (sim_chance(1) && (world.is_tcp || world.reactor.options.handshake_timeout_ns > 0)) {
        reactor_drain(&world.reactor);
    } else if (sim_chance(1)) {
        world.clients_left = 0;
        reactor_stop(&world.reactor, CONN_END_LOCAL);
    }
}

static uint64_t wait(void *owner)
{
    (void)owner;
    /* What is paused or not yet started needs further turns. */
    return world.clients_left > 0 || world.is_wild ? world.reactor.now_ns + 1000 * 1000
                                                   : UINT64_MAX;
}

static const struct reactor_events events = {.on_turn = turn, .on_wait = wait};

static void check_books(void)
{
    const struct counters *counters = &world.counters;

    SIM_CHECK(world.clients_open == 0 && world.servers_open == 0,
              "%u clients and %u servers never heard of their end", world.clients_open,
              world.servers_open);
    SIM_CHECK(counters_get(counters, COUNTER_CONNECTIONS_OPEN) == 0, "connections_open is not 0");
    SIM_CHECK(counters_get(counters, COUNTER_HANDSHAKES_IN_PROGRESS) == 0,
              "handshakes_in_progress is not 0");
    SIM_CHECK(atomic_load(&world.limit.open) == 0, "the shared limit still counts %u",
              atomic_load(&world.limit.open));
    SIM_CHECK(world.reactor.buffers.held_count == 0, "%u receive buffers were lost",
              world.reactor.buffers.held_count);
    SIM_CHECK(world.reactor.slabs.out_count == 0, "%zu slabs were lost",
              world.reactor.slabs.out_count);
}

void world_run(uint64_t seed)
{
    struct reactor_options options = {.linger_timeout_ns = 50 * 1000 * 1000};
    struct error error = {0};

    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.random.state = seed;
    world.gentle = sim_chance(400);
    world.is_wild = !world.gentle && sim_chance(500);
    world.is_tcp = sim_chance(200);
    world.clients_left = 1 + (uint32_t)random_below(&world.random, CLIENTS_MAX);
    version = (int)random_below(&world.random, VERSIONS + 1);
    options.connections_max = world.gentle || sim_chance(700) ? 2 * CLIENTS_MAX : 5;
    if (!world.gentle && sim_chance(500)) {
        options.handshake_timeout_ns = 20 * 1000 * 1000;
        options.idle_timeout_ns = 50 * 1000 * 1000;
        options.write_timeout_ns = 30 * 1000 * 1000;
    }
    if (!world.gentle && sim_chance(300)) {
        options.handshakes_max = 2;
    }
    if (!world.gentle && sim_chance(300)) {
        options.buffer_bytes_max = SLAB_BYTES * (4 + random_below(&world.random, 60));
    }
    world.limit.open_max = options.connections_max - (world.gentle ? 0 : 1);
    options.limit = &world.limit;
    plan_faults(&world.plan);
    fault_plan(&world.plan);
    virtual_time_start();
    open_listener();
    SIM_CHECK(reactor_init(&world.reactor, &options, &events, NULL, &world.counters, &error) == 0,
              "%s", error.text);
    reactor_listen(&world.reactor, listener,
                   &(struct reactor_listen_options){
                       .context = context_of(server_contexts, version),
                       .service = &sim_server,
                       .dynamic_records = sim_chance(200),
                   });
    world_start_clients();
    reactor_run(&world.reactor);
    close_listener();
    check_books();
}
