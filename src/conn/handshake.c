#include <assert.h>

#include "base/clock.h"
#include "conn/path.h"

/* A storm of new connections at most halves what the open ones get, and neither starves: what
 * handshakes take beyond the open connections' own time is a debt, and while there is one they wait
 * for a turn in which no plaintext moves. A step takes as long as dozens of echoes, so right after
 * plaintext there is one at a time; otherwise a turn's worth. */
static const uint64_t work_ns = 250 * 1000;
static const uint64_t debt_max_ns = 1000 * 1000;
static const uint64_t recently_ns = 1000 * 1000;

static const enum counter resumption_counters[] = {
    [TLS_FULL] = COUNTER_HANDSHAKES_FULL,
    [TLS_RESUMED_TICKET] = COUNTER_HANDSHAKES_TICKET,
    [TLS_RESUMED_ID] = COUNTER_HANDSHAKES_ID,
};

static void handshake_count_early(struct conn *conn)
{
    switch (tls_engine_early(&conn->engine)) {
    case TLS_EARLY_NONE:
        break;
    case TLS_EARLY_ACCEPTED:
        counters_increment(conn->reactor->counters, COUNTER_EARLY_ACCEPTED);
        break;
    case TLS_EARLY_REJECTED:
        counters_increment(conn->reactor->counters, COUNTER_EARLY_REJECTED);
        break;
    }
}

static void handshake_finish(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    enum tls_resumption kind = TLS_FULL;

    conn->state = CONN_OPEN;
    conn->secure_ns = conn->active_ns = clock_now_ns();
    counters_decrement(reactor->counters, COUNTER_HANDSHAKES_IN_PROGRESS);
    if (!tls_engine_is_plain(&conn->engine)) {
        struct histogram *histogram = &reactor->counters->handshake_resumed;

        if (!tls_engine_resumed(&conn->engine, &kind)) {
            histogram = &reactor->counters->handshake_full;
        }
        histogram_record(histogram, conn->secure_ns - conn->connected_ns);
        counters_increment(reactor->counters, resumption_counters[kind]);
        handshake_count_early(conn);
    }
    timeout_start(conn);
    if (conn->service->on_open) {
        conn->service->on_open(conn);
    }
    receive_serve(conn);
    if (reactor->draining) { /* it was no open one when the others were told */
        drain_tell(conn);
    }
}

/* Leaves the decision to the owner, who may take its time: the handshake timeout goes on. */
static void handshake_ask(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;

    conn->is_waiting = true;
    reactor->events.on_want(reactor->owner, conn, tls_engine_want(&conn->engine));
}

void conn_resume(struct conn *conn)
{
    conn->is_waiting = false;
    if (conn->state == CONN_HANDSHAKING) {
        handshake_queue(conn);
    }
}

void conn_answer_context(struct conn *conn, struct tls_context *context)
{
    tls_context_free(conn->name_context);
    conn->name_context = tls_context_ref(context);
    tls_engine_answer_context(&conn->engine, context);
}

/* Goes on with what has been received, until the handshake is done or needs more. */
static void handshake_step(struct conn *conn)
{
    struct tls_failure_detail failure;
    enum tls_status status;
    uint64_t begin_ns;

    if (conn->is_waiting) {
        return;
    }
    begin_ns = conn->is_client && !held_is_empty(&conn->held) ? clock_now_ns() : 0;
    do {
        status = tls_engine_handshake(&conn->engine, &failure);
        if (status == TLS_WAITING) {
            handshake_ask(conn);
        }
    } while ((status == TLS_AGAIN && receive_feed(conn)) ||
             (status == TLS_WAITING && !conn->is_waiting && conn->state == CONN_HANDSHAKING));

    reactor_tally(conn);
    if (conn->hello_ns == 0 && conn->engine.tally.hello_answered) {
        conn->hello_ns = begin_ns;
    }
    if (conn->output.bytes > 0) {
        send_mark(conn);
    }
    if (conn->state != CONN_HANDSHAKING) {
        return; /* whoever was asked has ended it */
    }
    switch (status) {
    case TLS_OK:
        handshake_finish(conn);
        break;
    case TLS_WAITING:
        break;
    case TLS_AGAIN:
        if (conn->peer_ended) {
            close_begin(conn, CONN_END_TRUNCATED);
        }
        break;
    case TLS_CLOSED:
        close_begin(conn, CONN_END_TRUNCATED);
        break;
    case TLS_FAILED:
        close_fail(conn, &failure);
        break;
    }
}

void handshake_begin(struct conn *conn)
{
    conn->state = CONN_HANDSHAKING;
    counters_increment(conn->reactor->counters, COUNTER_HANDSHAKES_IN_PROGRESS);
    timeout_start(conn);
    send_mark(conn); /* which arms the first recv */
    if (conn->is_client && conn->service->on_connected) {
        conn->service->on_connected(conn);
    }
    if (conn->is_client || tls_engine_is_plain(&conn->engine)) {
        handshake_step(conn);
    }
}

void handshake_queue(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;

    if (conn->is_queued) {
        return;
    }
    conn->is_queued = true;
    conn->queue_next = NULL;
    if (reactor->handshake_tail) {
        reactor->handshake_tail->queue_next = conn;
    } else {
        reactor->handshake_head = conn;
    }
    reactor->handshake_tail = conn;
}

static void handshake_next(struct reactor *reactor)
{
    struct conn *conn = reactor->handshake_head;

    reactor->handshake_head = conn->queue_next;
    if (!reactor->handshake_head) {
        reactor->handshake_tail = NULL;
    }
    conn->is_queued = false;
    send_mark(conn); /* it may have been closed while it waited */
    if (conn->state == CONN_HANDSHAKING) {
        handshake_step(conn);
    }
    if (conn->os_error != 0) { /* a reset that came while it waited */
        conn_abort(conn, CONN_END_RESET);
    }
}

/* How long handshakes may take now; at least one step is made. */
static uint64_t handshake_budget_ns(const struct reactor *reactor)
{
    if (reactor->open_work_ns > 0) {
        return reactor->open_work_ns;
    }
    return reactor->now_ns - reactor->served_ns < recently_ns ? 0 : work_ns;
}

void handshake_owe(struct reactor *reactor, uint64_t taken_ns)
{
    uint64_t debt_ns = reactor->handshake_debt_ns + taken_ns;

    reactor->handshake_debt_ns = debt_ns < debt_max_ns ? debt_ns : debt_max_ns;
}

void handshake_work(struct reactor *reactor)
{
    uint64_t paid_ns = reactor->open_work_ns;
    uint64_t begin_ns;
    uint64_t taken_ns;

    if (paid_ns > 0 && reactor->handshake_debt_ns > paid_ns) {
        reactor->handshake_debt_ns -= paid_ns;
        return;
    }
    if (paid_ns > 0) {
        reactor->handshake_debt_ns = 0;
    }
    begin_ns = clock_now_ns();
    do {
        handshake_next(reactor);
        taken_ns = clock_now_ns() - begin_ns;
    } while (reactor->handshake_head && taken_ns < handshake_budget_ns(reactor));
    handshake_owe(reactor, taken_ns > paid_ns ? taken_ns - paid_ns : 0);
}
