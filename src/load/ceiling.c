#include "load/ceiling.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "tls/context.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

/* So much is under way at once in CEILING_ECHO, that reading the clock weighs nothing and yet the
 * messages stay in the cache, as in a server's turn. */
enum { BATCH_BYTES = 64 * 1024, BATCH_MAX = 64, SESSIONS = 1024, FLIGHTS_MAX = 16 };

struct side {
    struct tls_context *context;
    struct tls_engine engine;
    struct slab_queue queue; /* wire bytes for the other side */
    struct tls_failure_detail failure;
    const char *name;
    uint64_t cpu_ns;
    uint64_t plain_bytes; /* received */
    bool is_secure;
    bool echoes;
};

struct pair {
    struct side server, client;
};

struct ceiling {
    enum ceiling_work work;
    size_t message_bytes;
    uint8_t *message;
    uint8_t scratch[TLS_PLAINTEXT_BYTES_MAX];
    struct tls_shared shared;
    struct slab_pool pool;
    struct tls_context *server_context, *client_context;
    struct pair *pairs; /* one, but for echoes of many connections */
    uint32_t pair_count;
    uint32_t next_pair;          /* whose turn it is */
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
static enum tls_status side_take_all(struct side *side, struct side *from,
                                     uint8_t scratch[TLS_PLAINTEXT_BYTES_MAX])
{
    enum tls_status status = TLS_AGAIN;

    while (status == TLS_AGAIN && from->queue.head != NULL) {
        const struct slab *slab = from->queue.head;
        size_t count = slab->end - slab->start;

        tls_engine_feed(&side->engine, slab->data + slab->start, count);
        status = side_go_on(side, scratch);
        tls_engine_feed(&side->engine, NULL, 0);
        slab_queue_consume(&from->queue, count);
    }
    return status;
}

__attribute__((noinline)) static enum tls_status side_take(struct side *side, struct side *from,
                                                           uint8_t scratch[TLS_PLAINTEXT_BYTES_MAX])
{
    uint64_t begin_ns = clock_thread_cpu_ns();
    enum tls_status status = side_take_all(side, from, scratch);

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
static int exchange(struct ceiling *ceiling, struct pair *pair, struct error *error)
{
    struct side *server = &pair->server;
    struct side *client = &pair->client;

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

static int check_kind(const struct ceiling *ceiling, const struct pair *pair, struct error *error)
{
    static const enum tls_resumption kinds[] = {
        [CEILING_TICKET] = TLS_RESUMED_TICKET,
        [CEILING_ID] = TLS_RESUMED_ID,
    };
    enum tls_resumption wanted = ceiling->session != NULL ? kinds[ceiling->work] : TLS_FULL;
    enum tls_resumption kind = TLS_FULL;

    tls_engine_resumed(&pair->server.engine, &kind);
    if (kind != wanted) {
        return error_set(error, "a handshake in memory was not resumed");
    }
    return 0;
}

/* A handshake, up to the tickets. */
static int connect_once(struct ceiling *ceiling, struct pair *pair, struct error *error)
{
    struct side *server = &pair->server;
    struct side *client = &pair->client;
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
    if (exchange(ceiling, pair, error) != 0) {
        return -1;
    }
    if (!server->is_secure || !client->is_secure) {
        return error_set(error, "a handshake in memory did not come to its end");
    }
    return check_kind(ceiling, pair, error);
}

/* Keeps the newest session when the next handshake shall resume from it. */
static int renew_session(struct ceiling *ceiling, struct error *error)
{
    struct tls_session *session;

    if (ceiling->work != CEILING_TICKET && ceiling->work != CEILING_ID) {
        return 0;
    }
    session = tls_engine_take_session(&ceiling->pairs->client.engine);
    if (session == NULL && ceiling->work == CEILING_ID && ceiling->session != NULL) {
        return 0; /* the old one stays good */
    }
    tls_session_free(ceiling->session);
    ceiling->session = session;
    return session != NULL ? 0 : error_set(error, "the server in memory gave no session");
}

static void pair_free(struct pair *pair)
{
    side_free(&pair->server);
    side_free(&pair->client);
}

/* In good order, as a load generator's connection ends. */
static int disconnect(struct ceiling *ceiling, struct pair *pair, struct error *error)
{
    int result;

    side_close(&pair->client);
    result = exchange(ceiling, pair, error);
    side_close(&pair->server);
    pair_free(pair);
    return result;
}

static int handshake_once(struct ceiling *ceiling, struct error *error)
{
    struct pair *pair = ceiling->pairs;

    if (connect_once(ceiling, pair, error) != 0 || renew_session(ceiling, error) != 0) {
        pair_free(pair);
        return -1;
    }
    tls_engine_facts(&pair->client.engine, &ceiling->facts);
    return disconnect(ceiling, pair, error);
}

/* Some connections that echo at once, as in a server's turn, and how many messages each; or one
 * handshake. */
struct turn {
    uint32_t pairs;
    unsigned messages;
};

static struct turn turn_of(const struct ceiling *ceiling)
{
    struct turn turn = {1, 1};
    size_t count;

    if (ceiling->work != CEILING_ECHO) {
        return turn;
    }
    count = BATCH_BYTES / ceiling->message_bytes;
    count = count < 1 ? 1 : count > BATCH_MAX ? BATCH_MAX : count;
    turn.pairs = count < ceiling->pair_count ? (uint32_t)count : ceiling->pair_count;
    turn.messages = (unsigned)(count / turn.pairs);
    return turn;
}

static struct pair *pair_of_turn(struct ceiling *ceiling, uint32_t index)
{
    return &ceiling->pairs[(ceiling->next_pair + index) % ceiling->pair_count];
}

__attribute__((noinline)) static int clients_write(struct ceiling *ceiling, struct turn turn,
                                                   struct error *error)
{
    for (uint32_t i = 0; i < turn.pairs; i++) {
        struct side *client = &pair_of_turn(ceiling, i)->client;

        for (unsigned message = 0; message < turn.messages; message++) {
            if (tls_engine_write(&client->engine, ceiling->message, ceiling->message_bytes,
                                 &client->failure) != TLS_OK) {
                return say_failed(client, error);
            }
        }
    }
    return 0;
}

__attribute__((noinline)) static int servers_echo(struct ceiling *ceiling, struct turn turn,
                                                  struct error *error)
{
    for (uint32_t i = 0; i < turn.pairs; i++) {
        struct pair *pair = pair_of_turn(ceiling, i);

        if (side_take_all(&pair->server, &pair->client, ceiling->scratch) == TLS_FAILED) {
            return say_failed(&pair->server, error);
        }
    }
    return 0;
}

__attribute__((noinline)) static int clients_read(struct ceiling *ceiling, struct turn turn,
                                                  struct error *error)
{
    for (uint32_t i = 0; i < turn.pairs; i++) {
        struct pair *pair = pair_of_turn(ceiling, i);

        pair->client.plain_bytes = 0;
        if (side_take_all(&pair->client, &pair->server, ceiling->scratch) == TLS_FAILED) {
            return say_failed(&pair->client, error);
        }
        if (pair->client.plain_bytes != turn.messages * ceiling->message_bytes) {
            return error_set(error, "an echo in memory came back incomplete");
        }
    }
    return 0;
}

/* The clock is read around all connections of the turn: around each alone it would weigh more than
 * a small message. */
static int echo_turn(struct ceiling *ceiling, struct turn turn, struct error *error)
{
    struct pair *first = ceiling->pairs;
    uint64_t begin_ns = clock_thread_cpu_ns();
    uint64_t written_ns, echoed_ns;

    if (clients_write(ceiling, turn, error) != 0) {
        return -1;
    }
    written_ns = clock_thread_cpu_ns();
    if (servers_echo(ceiling, turn, error) != 0) {
        return -1;
    }
    echoed_ns = clock_thread_cpu_ns();
    if (clients_read(ceiling, turn, error) != 0) {
        return -1;
    }
    first->server.cpu_ns += echoed_ns - written_ns;
    first->client.cpu_ns += written_ns - begin_ns + clock_thread_cpu_ns() - echoed_ns;
    ceiling->next_pair = (ceiling->next_pair + turn.pairs) % ceiling->pair_count;
    return 0;
}

static int operate(struct ceiling *ceiling, struct turn turn, struct error *error)
{
    return ceiling->work == CEILING_ECHO ? echo_turn(ceiling, turn, error)
                                         : handshake_once(ceiling, error);
}

/* Each connection once, or one handshake, not measured: after a fork(2) of whoever runs this the
 * next write to each page is a fault, which costs more than a record. */
static int warm_up(struct ceiling *ceiling, struct turn turn, struct error *error)
{
    for (uint32_t done = 0; done < ceiling->pair_count; done += turn.pairs) {
        if (operate(ceiling, turn, error) != 0) {
            return -1;
        }
    }
    return 0;
}

int ceiling_run(struct ceiling *ceiling, uint64_t cpu_ns, struct ceiling_cost *out_cost,
                struct error *error)
{
    struct side *server = &ceiling->pairs->server;
    struct side *client = &ceiling->pairs->client;
    struct turn turn = turn_of(ceiling);

    if (warm_up(ceiling, turn, error) != 0) {
        return -1;
    }
    *out_cost = (struct ceiling_cost){0};
    server->cpu_ns = 0;
    client->cpu_ns = 0;
    while (server->cpu_ns + client->cpu_ns < cpu_ns) {
        if (operate(ceiling, turn, error) != 0) {
            return -1;
        }
        out_cost->operations += (uint64_t)turn.pairs * turn.messages;
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

static void side_set_up(struct side *side, enum tls_role role, struct ceiling *ceiling)
{
    side->name = role == TLS_SERVER ? "server" : "client";
    side->context = role == TLS_SERVER ? ceiling->server_context : ceiling->client_context;
    side->echoes = role == TLS_SERVER && ceiling->work == CEILING_ECHO;
    slab_queue_init(&side->queue, &ceiling->pool);
}

static int open_all(struct ceiling *ceiling, struct error *error)
{
    for (uint32_t i = 0; i < ceiling->pair_count; i++) {
        if (connect_once(ceiling, &ceiling->pairs[i], error) != 0) {
            return -1;
        }
    }
    tls_engine_facts(&ceiling->pairs->client.engine, &ceiling->facts);
    return 0;
}

static int set_up(struct ceiling *ceiling, const struct ceiling_options *options,
                  struct error *error)
{
    ceiling->work = options->work;
    ceiling->pair_count =
        options->work == CEILING_ECHO && options->connections > 1 ? options->connections : 1;
    ceiling->pairs = calloc(ceiling->pair_count, sizeof(ceiling->pairs[0]));
    ceiling->message_bytes = options->message_bytes;
    ceiling->message = options->work == CEILING_ECHO ? calloc(1, options->message_bytes) : NULL;
    ceiling->shared.library = tls_library_new();
    ceiling->shared.tickets = ticket_ring_new(1, error);
    ceiling->shared.sessions = session_store_new(SESSIONS);
    if (ceiling->shared.tickets == NULL) {
        return -1;
    }
    if (ceiling->pairs == NULL || ceiling->shared.sessions == NULL ||
        (options->work == CEILING_ECHO && ceiling->message == NULL)) {
        return error_set(error, "out of memory");
    }
    ceiling->server_context = tls_context_new(TLS_SERVER, options->server, &ceiling->shared, error);
    ceiling->client_context =
        ceiling->server_context != NULL
            ? tls_context_new(TLS_CLIENT, options->client, &ceiling->shared, error)
            : NULL;
    if (ceiling->client_context == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < ceiling->pair_count; i++) {
        side_set_up(&ceiling->pairs[i].server, TLS_SERVER, ceiling);
        side_set_up(&ceiling->pairs[i].client, TLS_CLIENT, ceiling);
    }
    if (options->work != CEILING_ECHO) {
        /* Of what is resumed, the first is full and the second says whether it can be. */
        return handshake_once(ceiling, error) == 0 ? handshake_once(ceiling, error) : -1;
    }
    return open_all(ceiling, error);
}

struct ceiling *ceiling_new(const struct ceiling_options *options, struct error *error)
{
    struct ceiling *ceiling = calloc(1, sizeof(*ceiling));

    if (ceiling == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    slab_pool_init(&ceiling->pool, BATCH_MAX);
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
    for (uint32_t i = 0; ceiling->pairs != NULL && i < ceiling->pair_count; i++) {
        pair_free(&ceiling->pairs[i]);
    }
    free(ceiling->pairs);
    tls_session_free(ceiling->session);
    if (ceiling->server_context != NULL) {
        tls_context_free(ceiling->server_context);
    }
    if (ceiling->client_context != NULL) {
        tls_context_free(ceiling->client_context);
    }
    slab_pool_deinit(&ceiling->pool);
    tls_library_free(ceiling->shared.library);
    session_store_free(ceiling->shared.sessions);
    ticket_ring_free(ceiling->shared.tickets);
    free(ceiling->message);
    free(ceiling);
}
