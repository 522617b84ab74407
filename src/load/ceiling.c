#include "load/ceiling.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "tls/context.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

/* So much is under way at once in CEILING_ECHO, that reading the clock weighs nothing and yet all
 * of it stays in the cache, as in a server's turn. */
enum { BATCH_BYTES = 64 * 1024, BATCH_MAX = 64, SESSIONS = 1024, FLIGHTS_MAX = 16 };

struct side {
    struct tls_context *context;
    struct tls_engine engine;
    struct slab_pool pool;
    struct slab_queue queue; /* wire bytes for the other side */
    struct tls_failure_detail failure;
    const char *name;
    uint64_t cpu_ns;
    uint64_t plain_bytes; /* received */
    bool is_secure;
    bool echoes;
};

struct ceiling {
    enum ceiling_work work;
    size_t message_bytes;
    uint8_t *message;
    uint8_t scratch[TLS_PLAINTEXT_BYTES_MAX];
    struct tls_shared shared;
    struct side server, client;
    struct tls_session *session; /* the newest, when the next handshake shall resume from it */
    struct tls_facts facts;
};

static const char *const work_names[CEILING_WORK_COUNT] = {
    [CEILING_FULL] = "full",
    [CEILING_TICKET] = "ticket",
    [CEILING_ID] = "id",
    [CEILING_ECHO] = "echo",
};

const char *ceiling_work_name(enum ceiling_work work)
{
    return work_names[work];
}

/* ---- One side, whose time is taken around each of these. Not inlined: profilers know them by
 * name. ---- */

__attribute__((noinline)) static bool side_open(struct side *side,
                                                const struct tls_engine_options *options)
{
    uint64_t begin_ns = clock_thread_cpu_ns();
    bool opened = tls_engine_init(&side->engine, side->context, &side->queue, options);

    side->is_secure = false;
    side->plain_bytes = 0;
    side->cpu_ns += clock_thread_cpu_ns() - begin_ns;
    return opened;
}

__attribute__((noinline)) static void side_free(struct side *side)
{
    uint64_t begin_ns = clock_thread_cpu_ns();

    tls_engine_deinit(&side->engine);
    slab_queue_clear(&side->queue);
    side->cpu_ns += clock_thread_cpu_ns() - begin_ns;
}

/* As far as the bytes in its engine go. */
static enum tls_status side_go_on(struct side *side, uint8_t scratch[TLS_PLAINTEXT_BYTES_MAX])
{
    enum tls_status status;
    size_t count;

    if (!side->is_secure) {
        status = tls_engine_handshake(&side->engine, &side->failure);
        if (status != TLS_OK) {
            return status;
        }
        side->is_secure = true;
    }
    do {
        status = tls_engine_read(&side->engine, scratch, TLS_PLAINTEXT_BYTES_MAX, &count,
                                 &side->failure);
        side->plain_bytes += count;
        if (status == TLS_OK && side->echoes) {
            status = tls_engine_write(&side->engine, scratch, count, &side->failure);
        }
    } while (status == TLS_OK);
    return status;
}

/* Takes everything that the other side has for it. */
__attribute__((noinline)) static enum tls_status side_take(struct side *side, struct side *from,
                                                           uint8_t scratch[TLS_PLAINTEXT_BYTES_MAX])
{
    uint64_t begin_ns = clock_thread_cpu_ns();
    enum tls_status status = TLS_AGAIN;

    while (status == TLS_AGAIN && from->queue.head != NULL) {
        const struct slab *slab = from->queue.head;
        size_t count = slab->end - slab->start;

        tls_engine_feed(&side->engine, slab->data + slab->start, count);
        status = side_go_on(side, scratch);
        tls_engine_feed(&side->engine, NULL, 0);
        slab_queue_consume(&from->queue, count);
    }
    side->cpu_ns += clock_thread_cpu_ns() - begin_ns;
    return status;
}

__attribute__((noinline)) static enum tls_status side_write(struct side *side, const uint8_t *bytes,
                                                            size_t count)
{
    uint64_t begin_ns = clock_thread_cpu_ns();
    enum tls_status status = tls_engine_write(&side->engine, bytes, count, &side->failure);

    side->cpu_ns += clock_thread_cpu_ns() - begin_ns;
    return status;
}

__attribute__((noinline)) static void side_close(struct side *side)
{
    uint64_t begin_ns = clock_thread_cpu_ns();

    tls_engine_close(&side->engine);
    side->cpu_ns += clock_thread_cpu_ns() - begin_ns;
}

/* ---- Both ---- */

static int say_failed(const struct side *side, struct error *error)
{
    return error_set(error, "the %s in memory failed: %s", side->name, side->failure.reason);
}

/* Until neither has anything for the other. */
static int exchange(struct ceiling *ceiling, struct error *error)
{
    struct side *server = &ceiling->server;
    struct side *client = &ceiling->client;

    for (int i = 0; i < FLIGHTS_MAX && (client->queue.bytes > 0 || server->queue.bytes > 0); i++) {
        if (side_take(server, client, ceiling->scratch) == TLS_FAILED) {
            return say_failed(server, error);
        }
        if (side_take(client, server, ceiling->scratch) == TLS_FAILED) {
            return say_failed(client, error);
        }
    }
    return 0;
}

static int check_kind(const struct ceiling *ceiling, struct error *error)
{
    static const enum tls_resumption kinds[] = {
        [CEILING_TICKET] = TLS_RESUMED_TICKET,
        [CEILING_ID] = TLS_RESUMED_ID,
    };
    enum tls_resumption wanted = ceiling->session != NULL ? kinds[ceiling->work] : TLS_FULL;
    enum tls_resumption kind = TLS_FULL;

    tls_engine_resumed(&ceiling->server.engine, &kind);
    if (kind != wanted) {
        return error_set(error, "a handshake in memory was not resumed");
    }
    return 0;
}

/* A handshake, up to the tickets. */
static int connect_once(struct ceiling *ceiling, struct error *error)
{
    struct side *server = &ceiling->server;
    struct side *client = &ceiling->client;
    const struct tls_engine_options options = {.session = ceiling->session};
    uint64_t begin_ns;
    enum tls_status status;

    if (!side_open(server, NULL) || !side_open(client, &options)) {
        return error_set(error, "out of memory for a connection");
    }
    begin_ns = clock_thread_cpu_ns();
    status = side_go_on(client, ceiling->scratch);
    client->cpu_ns += clock_thread_cpu_ns() - begin_ns;
    if (status == TLS_FAILED) {
        return say_failed(client, error);
    }
    if (exchange(ceiling, error) != 0) {
        return -1;
    }
    if (!server->is_secure || !client->is_secure) {
        return error_set(error, "a handshake in memory did not come to its end");
    }
    return check_kind(ceiling, error);
}

/* Keeps the newest session when the next handshake shall resume from it. */
static int renew_session(struct ceiling *ceiling, struct error *error)
{
    struct tls_session *session;

    if (ceiling->work != CEILING_TICKET && ceiling->work != CEILING_ID) {
        return 0;
    }
    session = tls_engine_take_session(&ceiling->client.engine);
    if (session == NULL && ceiling->work == CEILING_ID && ceiling->session != NULL) {
        return 0; /* the old one stays good */
    }
    tls_session_free(ceiling->session);
    ceiling->session = session;
    return session != NULL ? 0 : error_set(error, "the server in memory gave no session");
}

/* In good order, as a load generator's connection ends. */
static int disconnect(struct ceiling *ceiling, struct error *error)
{
    int result;

    side_close(&ceiling->client);
    result = exchange(ceiling, error);
    side_close(&ceiling->server);
    side_free(&ceiling->server);
    side_free(&ceiling->client);
    return result;
}

static int handshake_once(struct ceiling *ceiling, struct error *error)
{
    if (connect_once(ceiling, error) != 0 || renew_session(ceiling, error) != 0) {
        side_free(&ceiling->server);
        side_free(&ceiling->client);
        return -1;
    }
    tls_engine_facts(&ceiling->client.engine, &ceiling->facts);
    return disconnect(ceiling, error);
}

static unsigned batch_count(const struct ceiling *ceiling)
{
    size_t count = BATCH_BYTES / ceiling->message_bytes;

    return count < 1 ? 1 : count > BATCH_MAX ? BATCH_MAX : (unsigned)count;
}

static int echo_batch(struct ceiling *ceiling, unsigned count, struct error *error)
{
    struct side *client = &ceiling->client;

    client->plain_bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        if (side_write(client, ceiling->message, ceiling->message_bytes) != TLS_OK) {
            return say_failed(client, error);
        }
    }
    if (exchange(ceiling, error) != 0) {
        return -1;
    }
    if (client->plain_bytes != count * ceiling->message_bytes) {
        return error_set(error, "an echo in memory came back incomplete");
    }
    return 0;
}

int ceiling_run(struct ceiling *ceiling, uint64_t cpu_ns, struct ceiling_cost *out_cost,
                struct error *error)
{
    struct side *server = &ceiling->server;
    struct side *client = &ceiling->client;
    unsigned batch = ceiling->work == CEILING_ECHO ? batch_count(ceiling) : 1;

    *out_cost = (struct ceiling_cost){0};
    server->cpu_ns = 0;
    client->cpu_ns = 0;
    while (server->cpu_ns + client->cpu_ns < cpu_ns) {
        if ((ceiling->work == CEILING_ECHO ? echo_batch(ceiling, batch, error)
                                           : handshake_once(ceiling, error)) != 0) {
            return -1;
        }
        out_cost->operations += batch;
    }
    out_cost->server_ns = server->cpu_ns;
    out_cost->client_ns = client->cpu_ns;
    return 0;
}

void ceiling_facts(const struct ceiling *ceiling, struct tls_facts *out)
{
    *out = ceiling->facts;
}

/* ---- Set-up ---- */

static int side_set_up(struct side *side, enum tls_role role, const struct tls_config *config,
                       const struct tls_shared *shared, struct error *error)
{
    side->name = role == TLS_SERVER ? "server" : "client";
    slab_pool_init(&side->pool, BATCH_MAX);
    slab_queue_init(&side->queue, &side->pool);
    side->context = tls_context_new(role, config, shared, error);
    return side->context != NULL ? 0 : -1;
}

static void side_tear_down(struct side *side)
{
    if (side->context != NULL) {
        tls_context_free(side->context);
    }
    slab_pool_deinit(&side->pool);
}

static int set_up(struct ceiling *ceiling, const struct ceiling_options *options,
                  struct error *error)
{
    ceiling->work = options->work;
    ceiling->server.echoes = options->work == CEILING_ECHO;
    ceiling->message_bytes = options->message_bytes;
    ceiling->message = options->work == CEILING_ECHO ? calloc(1, options->message_bytes) : NULL;
    ceiling->shared.library = tls_library_new();
    ceiling->shared.tickets = ticket_ring_new(1, error);
    ceiling->shared.sessions = session_store_new(SESSIONS);
    if (ceiling->shared.tickets == NULL) {
        return -1;
    }
    if (ceiling->shared.sessions == NULL ||
        (options->work == CEILING_ECHO && ceiling->message == NULL)) {
        return error_set(error, "out of memory");
    }
    if (side_set_up(&ceiling->server, TLS_SERVER, options->server, &ceiling->shared, error) != 0 ||
        side_set_up(&ceiling->client, TLS_CLIENT, options->client, &ceiling->shared, error) != 0) {
        return -1;
    }
    if (options->work != CEILING_ECHO) {
        /* Of what is resumed, the first is full and the second says whether it can be. */
        return handshake_once(ceiling, error) == 0 ? handshake_once(ceiling, error) : -1;
    }
    if (connect_once(ceiling, error) != 0) {
        return -1;
    }
    tls_engine_facts(&ceiling->client.engine, &ceiling->facts);
    return echo_batch(ceiling, 1, error);
}

struct ceiling *ceiling_new(const struct ceiling_options *options, struct error *error)
{
    struct ceiling *ceiling = calloc(1, sizeof(*ceiling));

    if (ceiling == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    if (set_up(ceiling, options, error) != 0) {
        ceiling_free(ceiling);
        return NULL;
    }
    return ceiling;
}

void ceiling_free(struct ceiling *ceiling)
{
    if (ceiling == NULL) {
        return;
    }
    side_free(&ceiling->server);
    side_free(&ceiling->client);
    tls_session_free(ceiling->session);
    side_tear_down(&ceiling->server);
    side_tear_down(&ceiling->client);
    tls_library_free(ceiling->shared.library);
    session_store_free(ceiling->shared.sessions);
    ticket_ring_free(ceiling->shared.tickets);
    free(ceiling->message);
    free(ceiling);
}
