/* What a handshake costs the server, without a socket: two engines through memory, the server's
 * share of the time alone.
 *
 *     handshake [full|resumed|tls1.2|resumed1.2] [key type] [handshakes a round] [rounds]
 *
 * Rounds with OpenSSL's own key schedule and with ours take turns; printed are nanoseconds a
 * handshake of each, and the ratio of neighbours: median and quartiles. A last argument, `stock` or
 * `ours`, runs the one alone, which is what callgrind wants for a count of instructions:
 *
 *     valgrind --tool=callgrind --toggle-collect='server_*' handshake full p256 100 1 ours */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "spread.h"
#include "tls/certificate.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/ticket.h"

enum { ROUNDS_MAX = 1000, FLIGHTS_MAX = 8 };

enum schedule { STOCK, OURS, BOTH };

struct side {
    struct tls_engine engine;
    struct slab_pool pool;
    struct slab_queue queue;
    struct tls_context *context;
};

struct bench {
    struct side client;
    struct side servers[BOTH];
    struct tls_shared shared;
    struct certificate *certificate;
    bool resume;
    struct tls_session *session; /* the newest, when the next handshake shall resume from it */
};

static void give_up(const char *what)
{
    fprintf(stderr, "handshake: %s\n", what);
    exit(1);
}

/* The three that the server's time is taken of. Not inlined: callgrind collects them by name. */
__attribute__((noinline)) void server_open(struct side *server);
__attribute__((noinline)) enum tls_status server_step(struct side *server);
__attribute__((noinline)) void server_close(struct side *server);

void server_open(struct side *server)
{
    if (!tls_engine_init(&server->engine, server->context, &server->queue, NULL)) {
        give_up("out of memory");
    }
}

enum tls_status server_step(struct side *server)
{
    struct tls_failure_detail failure;

    return tls_engine_handshake(&server->engine, &failure);
}

void server_close(struct side *server)
{
    tls_engine_deinit(&server->engine);
}

static enum tls_status client_step(struct side *client)
{
    struct tls_failure_detail failure;
    uint8_t byte;
    size_t count;
    enum tls_status status = tls_engine_handshake(&client->engine, &failure);

    if (status == TLS_OK) { /* the tickets */
        tls_engine_read(&client->engine, &byte, 1, &count, &failure);
    }
    return status;
}

/* Lends what `from` has queued: a flight fits into one slab. */
static void lend(const struct side *from, struct side *to)
{
    const struct slab *slab = from->queue.head;

    if (slab != NULL) {
        tls_engine_feed(&to->engine, slab->data + slab->start, slab->end - slab->start);
    }
}

/* Keeps the newest session when the next handshake shall resume from it. */
static void session_renew(struct bench *bench)
{
    struct tls_session *session = tls_engine_take_session(&bench->client.engine);

    if (bench->resume) {
        tls_session_free(bench->session);
        bench->session = session;
    } else {
        tls_session_free(session);
    }
}

/* One connection; returns the server's CPU time. */
static uint64_t connect_once(struct bench *bench, struct side *server)
{
    struct side *client = &bench->client;
    struct tls_engine_options options = {.server_name = "localhost", .session = bench->session};
    enum tls_status client_status = TLS_AGAIN;
    enum tls_status server_status = TLS_AGAIN;
    enum tls_resumption kind;
    uint64_t begin = clock_thread_cpu_ns();
    uint64_t cpu_ns;

    server_open(server);
    cpu_ns = clock_thread_cpu_ns() - begin;
    if (!tls_engine_init(&client->engine, client->context, &client->queue, &options)) {
        give_up("out of memory");
    }
    for (int i = 0; i < FLIGHTS_MAX && (client_status != TLS_OK || server_status != TLS_OK); i++) {
        client_status = client_step(client);
        slab_queue_clear(&server->queue);
        lend(client, server);
        begin = clock_thread_cpu_ns();
        server_status = server_step(server);
        cpu_ns += clock_thread_cpu_ns() - begin;
        slab_queue_clear(&client->queue);
        lend(server, client);
    }
    if (client_step(client) != TLS_OK || server_status != TLS_OK ||
        tls_engine_resumed(&client->engine, &kind) != (bench->session != NULL)) {
        give_up("a handshake did not go as it should");
    }
    session_renew(bench);
    slab_queue_clear(&server->queue);
    tls_engine_deinit(&client->engine);
    begin = clock_thread_cpu_ns();
    server_close(server);
    return cpu_ns + clock_thread_cpu_ns() - begin;
}

static void side_init(struct side *side, enum tls_role role, const struct tls_config *config,
                      const struct tls_shared *shared)
{
    struct error error = {0};

    slab_pool_init(&side->pool, 4);
    slab_queue_init(&side->queue, &side->pool);
    side->context = tls_context_new(role, config, shared, &error);
    if (side->context == NULL) {
        give_up(error.text);
    }
}

static void side_deinit(struct side *side)
{
    slab_pool_deinit(&side->pool);
    tls_context_free(side->context);
}

static void bench_init(struct bench *bench, const char *kind, const char *key_type)
{
    struct certificate_options options = {.key_type = key_type};
    struct error error = {0};
    struct tls_config config = {
        .certificate_count = 1,
        /* 3.5 would choose a hybrid. TLS 1.2 wants the certificate's curve among them, too. */
        .groups = "X25519:P-256:P-384",
        .version_max = strstr(kind, "1.2") != NULL ? TLS_VERSION_1_2 : TLS_VERSION_1_3,
    };
    struct tls_config client = {.groups = config.groups};

    bench->certificate = certificate_new(&options, NULL, &error);
    bench->shared.tickets = ticket_ring_new(1, &error);
    bench->shared.library = tls_library_new();
    if (bench->certificate == NULL || bench->shared.tickets == NULL) {
        give_up(error.text);
    }
    config.certificates[0].certificate_pem = certificate_pem(bench->certificate);
    config.certificates[0].key_pem = certificate_key_pem(bench->certificate);
    client.ca_pem = config.certificates[0].certificate_pem;
    side_init(&bench->client, TLS_CLIENT, &client, &bench->shared);
    for (enum schedule schedule = STOCK; schedule < BOTH; schedule++) {
        config.stock_key_schedule = schedule == STOCK;
        side_init(&bench->servers[schedule], TLS_SERVER, &config, &bench->shared);
    }
    bench->resume = strncmp(kind, "resumed", 7) == 0;
    connect_once(bench, &bench->servers[OURS]);
}

static void bench_deinit(struct bench *bench)
{
    tls_session_free(bench->session);
    side_deinit(&bench->client);
    side_deinit(&bench->servers[STOCK]);
    side_deinit(&bench->servers[OURS]);
    tls_library_free(bench->shared.library);
    ticket_ring_free(bench->shared.tickets);
    certificate_free(bench->certificate);
}

static double round_ns(struct bench *bench, enum schedule schedule, unsigned long handshakes)
{
    uint64_t cpu_ns = 0;

    for (unsigned long i = 0; i < handshakes; i++) {
        cpu_ns += connect_once(bench, &bench->servers[schedule]);
    }
    return (double)cpu_ns / (double)handshakes;
}

int main(int count, char **arguments)
{
    static double ns[BOTH][ROUNDS_MAX];
    static double ratios[ROUNDS_MAX];
    struct bench bench = {0};
    unsigned long handshakes = count > 3 ? strtoul(arguments[3], NULL, 10) : 200;
    unsigned long rounds = count > 4 ? strtoul(arguments[4], NULL, 10) : 31;
    const char *only = count > 5 ? arguments[5] : "";

    if (handshakes == 0 || rounds == 0 || rounds > ROUNDS_MAX) {
        give_up("from 1 to 1000 rounds of 1 handshake or more");
    }
    bench_init(&bench, count > 1 ? arguments[1] : "full", count > 2 ? arguments[2] : "p256");
    for (unsigned long i = 0; i < rounds; i++) {
        ns[STOCK][i] = strcmp(only, "ours") != 0 ? round_ns(&bench, STOCK, handshakes) : 0;
        ns[OURS][i] = strcmp(only, "stock") != 0 ? round_ns(&bench, OURS, handshakes) : 0;
        ratios[i] = ns[STOCK][i] / ns[OURS][i];
    }
    bench_deinit(&bench);
    spread_print("stock, ns", ns[STOCK], rounds);
    spread_print("ours, ns", ns[OURS], rounds);
    spread_print("stock / ours", ratios, rounds);
    return 0;
}
