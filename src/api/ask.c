/* What a server's handshake asks the program, and the answers, from whatever thread. An ask knows
 * its connection by slot and generation, so it may outlive it, and the server too. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

struct ask_bytes {
    uint8_t *data; /* heap; may be a secret */
    size_t count;
};

struct dyno_ask {
    struct letter letter; /* brings the answer to the core */
    struct gate *gate;
    struct reactor *reactor; /* while the gate is open */
    pthread_t thread;        /* the core's */
    uint32_t slot, generation;
    enum tls_want want;
    bool is_refused;
    struct ask_bytes question[2]; /* what was asked, for the program to read until it answers */
    struct dyno_context *context; /* the answers: referenced */
    struct ask_bytes answer;
};

/* False without memory. No bytes stay NULL. */
static bool bytes_set(struct ask_bytes *bytes, const void *data, size_t count)
{
    bytes->data = data ? malloc(count > 0 ? count : 1) : NULL;
    if (bytes->data) {
        memcpy(bytes->data, data, count);
        bytes->count = count;
    }
    return bytes->data || !data;
}

static void bytes_free(struct ask_bytes *bytes)
{
    if (bytes->data) {
        explicit_bzero(bytes->data, bytes->count);
        free(bytes->data);
    }
}

static void ask_free(struct dyno_ask *ask)
{
    bytes_free(&ask->question[0]);
    bytes_free(&ask->question[1]);
    bytes_free(&ask->answer);
    dyno_context_free(ask->context);
    gate_put(ask->gate);
    free(ask);
}

static void answer_context(struct dyno_ask *ask, struct conn *conn)
{
    struct dyno_socket *socket = conn_socket(conn);
    struct tls_context *tls = server_named_context(conn);

    if (ask->context) {
        tls = core_context(socket->core, ask->context, NULL);
        if (!tls) {
            socket->refused = TLS_WANT_CONTEXT;
            tls_engine_refuse(&conn->engine);
            return;
        }
        dyno_context_free(socket->answered);
        socket->answered = dyno_context_ref(ask->context);
    }
    conn_answer_context(conn, tls);
}

static void ask_give(struct dyno_ask *ask, struct conn *conn)
{
    struct dyno_socket *socket = conn_socket(conn);

    socket->ask = NULL;
    if (ask->is_refused) {
        socket->refused = ask->want;
        tls_engine_refuse(&conn->engine);
        return;
    }
    switch (ask->want) {
    case TLS_WANT_CONTEXT:
        answer_context(ask, conn);
        break;
    case TLS_WANT_SESSION:
        tls_engine_answer_session(&conn->engine, ask->answer.data, ask->answer.count);
        break;
    case TLS_WANT_STAPLE:
        tls_engine_answer_staple(&conn->engine, ask->answer.data, ask->answer.count);
        break;
    case TLS_WANT_SAVE:
        tls_engine_answer_save(&conn->engine);
        break;
    case TLS_WANT_NOTHING:
        break;
    }
}

/* On the core, or after its end, when no connection is left. */
static void ask_open(struct letter *letter)
{
    struct dyno_ask *ask =
        (struct dyno_ask *)(void *)((char *)letter - offsetof(struct dyno_ask, letter));
    struct conn *conn = table_find(&ask->reactor->table, ask->slot, ask->generation);

    if (conn && conn->state == CONN_HANDSHAKING && conn_socket(conn)->ask == ask) {
        ask_give(ask, conn);
        conn_resume(conn);
    }
    ask_free(ask);
}

static void ask_send(struct dyno_ask *ask)
{
    ask->letter.open = ask_open;
    if (pthread_equal(ask->thread, pthread_self())) {
        ask_open(&ask->letter);
    } else if (!gate_post(ask->gate, ask->reactor, &ask->letter)) {
        ask_free(ask);
    }
}

void dyno_answer_context(struct dyno_ask *ask, struct dyno_context *context)
{
    assert(ask->want == TLS_WANT_CONTEXT);
    assert(!context || context->role == TLS_SERVER);
    ask->context = dyno_context_ref(context);
    ask_send(ask);
}

/* Without memory for the answer it is a refusal. */
static void ask_send_data(struct dyno_ask *ask, const void *data, size_t bytes)
{
    ask->is_refused = !bytes_set(&ask->answer, data, bytes);
    ask_send(ask);
}

void dyno_answer_session(struct dyno_ask *ask, const void *data, size_t bytes)
{
    assert(ask->want == TLS_WANT_SESSION);
    ask_send_data(ask, data, bytes);
}

void dyno_answer_staple(struct dyno_ask *ask, const void *der, size_t bytes)
{
    assert(ask->want == TLS_WANT_STAPLE);
    ask_send_data(ask, der, bytes);
}

void dyno_answer_saved(struct dyno_ask *ask)
{
    assert(ask->want == TLS_WANT_SAVE);
    ask_send(ask);
}

void dyno_refuse(struct dyno_ask *ask)
{
    ask->is_refused = true;
    ask_send(ask);
}

unsigned ask_wants(const struct dyno_events *events)
{
    return (events->on_server_name ? 1u << TLS_WANT_CONTEXT : 0) |
           (events->on_resume_session ? 1u << TLS_WANT_SESSION : 0) |
           (events->on_ocsp_request ? 1u << TLS_WANT_STAPLE : 0) |
           (events->on_new_session ? 1u << TLS_WANT_SAVE : 0);
}

/* The connection may go before the answer comes, so the ask keeps what is asked about. */
static bool ask_copy_question(struct dyno_ask *ask, const struct tls_engine *engine)
{
    const char *name = tls_engine_server_name(engine);
    const uint8_t *first = NULL;
    const uint8_t *second = NULL;
    size_t first_bytes = 0;
    size_t second_bytes = 0;

    switch (ask->want) {
    case TLS_WANT_CONTEXT:
        first = (const uint8_t *)name;
        first_bytes = name ? strlen(name) + 1 : 0;
        break;
    case TLS_WANT_SESSION:
        first = tls_engine_session_id(engine, &first_bytes);
        break;
    case TLS_WANT_STAPLE:
        tls_engine_own_certificate(engine, &first, &first_bytes, &second, &second_bytes);
        break;
    case TLS_WANT_SAVE:
        tls_engine_saved_session(engine, &first, &first_bytes, &second, &second_bytes);
        break;
    case TLS_WANT_NOTHING:
        break;
    }
    return bytes_set(&ask->question[0], first, first_bytes) &&
           bytes_set(&ask->question[1], second, second_bytes);
}

static struct dyno_ask *ask_new(struct conn *conn, enum tls_want want)
{
    struct dyno_ask *ask = calloc(1, sizeof *ask);

    if (!ask) {
        return NULL;
    }
    ask->gate = conn_socket(conn)->core->server->gate;
    gate_get(ask->gate);
    ask->reactor = conn->reactor;
    ask->thread = pthread_self();
    ask->slot = conn->slot;
    ask->generation = conn->generation;
    ask->want = want;
    if (!ask_copy_question(ask, &conn->engine)) {
        ask_free(ask);
        return NULL;
    }
    return ask;
}

static void ask_call(struct dyno_ask *ask, struct dyno_socket *socket)
{
    const struct dyno_events *events = socket->events;
    const struct ask_bytes *first = &ask->question[0];
    const struct ask_bytes *second = &ask->question[1];

    switch (ask->want) {
    case TLS_WANT_CONTEXT:
        events->on_server_name(ask, socket, (const char *)first->data);
        break;
    case TLS_WANT_SESSION:
        events->on_resume_session(ask, socket, first->data, first->count);
        break;
    case TLS_WANT_STAPLE:
        events->on_ocsp_request(ask, socket, first->data, first->count, second->data,
                                second->count);
        break;
    case TLS_WANT_SAVE:
        events->on_new_session(ask, socket, first->data, first->count, second->data, second->count);
        break;
    case TLS_WANT_NOTHING:
        break;
    }
}

void ask_raise(void *server, struct conn *conn, enum tls_want want)
{
    struct dyno_socket *socket = conn_socket(conn);

    (void)server;
    if ((ask_wants(socket->events) & 1u << want) == 0) {
        /* Nobody answers but the server's own names: the only want that it raises by itself. */
        assert(want == TLS_WANT_CONTEXT);
        conn_answer_context(conn, server_named_context(conn));
        conn_resume(conn);
        return;
    }
    socket->ask = ask_new(conn, want);
    if (socket->ask) {
        ask_call(socket->ask, socket);
    } else {
        socket->refused = want;
        tls_engine_refuse(&conn->engine);
        conn_resume(conn);
    }
}
