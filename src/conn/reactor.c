#include "conn/reactor.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "conn/path.h"
#include "conn/sources.h"

static const uint64_t linger_default_ns = 2ull * 1000 * 1000 * 1000;

int reactor_init(struct reactor *reactor, const struct reactor_options *options,
                 const struct reactor_events *events, void *owner, struct counters *counters,
                 struct error *error)
{
    memset(reactor, 0, sizeof *reactor);
    reactor->mailbox.event = -1;
    reactor->options = *options;
    if (reactor->options.linger_timeout_ns == 0) {
        reactor->options.linger_timeout_ns = linger_default_ns;
    }
    reactor->events = *events;
    reactor->owner = owner;
    reactor->counters = counters;
    reactor->now_ns = clock_now_ns();
    wheel_init(&reactor->wheel, reactor->now_ns);
    slab_pool_init(&reactor->slabs, REACTOR_SLABS_KEPT);
    reactor->slabs.out_max = reactor->options.buffer_bytes_max / SLAB_BYTES;
    if (reactor->options.output_bytes_max == 0) {
        reactor->options.output_bytes_max = CONN_OUTPUT_HIGH_BYTES;
    }
    reactor->output_high_bytes = reactor->options.output_bytes_max;
    reactor->stall_patience_ns = UINT64_MAX;
    reactor->scratch = malloc(TLS_READ_BYTES);
    reactor->vectors = calloc(REACTOR_VECTORS, sizeof *reactor->vectors);
    if (!reactor->scratch || !reactor->vectors ||
        !table_init(&reactor->table, options->connections_max)) {
        error_set(error, "no memory for a table of %u connections", options->connections_max);
        goto fail;
    }
    if (ring_open(&reactor->ring, options->completions, error) < 0 ||
        buffers_open(&reactor->buffers, &reactor->ring, error) < 0 ||
        mailbox_open(&reactor->mailbox, error) < 0) {
        goto fail;
    }
    mailbox_arm(&reactor->mailbox, &reactor->ring);
    return 0;

fail:
    reactor_deinit(reactor);
    return -1;
}

void reactor_deinit(struct reactor *reactor)
{
    if (reactor->buffers.memory) {
        buffers_close(&reactor->buffers, &reactor->ring);
    }
    for (uint32_t i = 0; i < reactor->listener_count; i++) {
        tls_context_free(reactor->listeners[i].options.context);
    }
    ring_close(&reactor->ring);
    mailbox_close(&reactor->mailbox);
    if (reactor->table.segments) {
        table_deinit(&reactor->table);
    }
    slab_pool_deinit(&reactor->slabs);
    free(reactor->scratch);
    free(reactor->vectors);
    memset(reactor, 0, sizeof *reactor);
    reactor->mailbox.event = -1;
}

bool reactor_listen(struct reactor *reactor, int descriptor,
                    const struct reactor_listen_options *options)
{
    uint32_t index = reactor->listener_count;

    if (index == REACTOR_LISTENERS_MAX) {
        return false;
    }
    reactor->listener_count++;
    reactor->listeners[index] = (struct reactor_listener){
        .descriptor = descriptor,
        .options = *options,
        .retry.kind = PATH_TIMER_LISTENER,
    };
    tls_context_ref(options->context);
    accept_arm(reactor, index);
    return true;
}

void reactor_replace_context(struct reactor *reactor, uint32_t listener_index,
                             struct tls_context *context, unsigned asks)
{
    struct reactor_listen_options *options = &reactor->listeners[listener_index].options;

    tls_context_ref(context);
    tls_context_free(options->context);
    options->context = context;
    options->asks = asks;
}

/* What a connection asked for that is no longer there. A slot is given back only after its last
 * completion, so none should come; one that does must not touch the slot's next connection. */
static void reactor_drop(struct reactor *reactor, const struct ring_completion *completion)
{
    counters_increment(reactor->counters, COUNTER_COMPLETIONS_STALE);
    if (completion->buffer >= 0) {
        buffers_take(&reactor->buffers, completion->buffer, 0);
        buffers_give(&reactor->buffers, completion->buffer);
    }
}

/* What new connections cost is none of the open ones' time. */
static void reactor_accept(struct reactor *reactor, const struct ring_completion *completion)
{
    uint64_t begin_ns = clock_now_ns();
    uint64_t taken_ns;

    accept_completed(reactor, completion);
    taken_ns = clock_now_ns() - begin_ns;
    reactor->accept_ns += taken_ns;
    handshake_owe(reactor, taken_ns);
}

static void reactor_dispatch(struct reactor *reactor, const struct ring_completion *completion)
{
    const struct op *op = &completion->op;
    struct conn *conn;

    switch (op->kind) {
    case OP_IGNORE:
        return;
    case OP_ACCEPT:
        reactor_accept(reactor, completion);
        return;
    case OP_MAIL:
        mailbox_arm(&reactor->mailbox, &reactor->ring);
        mailbox_take(&reactor->mailbox);
        return;
    default:
        break;
    }
    conn = table_find(&reactor->table, op->slot, op->generation);
    if (!conn) {
        reactor_drop(reactor, completion);
        return;
    }
    switch (op->kind) {
    case OP_CONNECT:
        connect_completed(conn, completion);
        break;
    case OP_RECV:
        receive_completed(conn, completion);
        break;
    case OP_SEND:
        send_completed(conn, completion);
        break;
    default:
        abort(); /* an operation that nobody prepares */
    }
}

static void reactor_complete(struct reactor *reactor)
{
    struct ring_completion completion;
    uint64_t count = 0;

    while (ring_next(&reactor->ring, &completion)) {
        count++;
        reactor_dispatch(reactor, &completion);
    }
    counters_add(reactor->counters, COUNTER_COMPLETIONS, count);
}

static void reactor_fire(struct reactor *reactor, struct wheel_timer *timer)
{
    switch ((enum path_timer)timer->kind) {
    case PATH_TIMER_CONN:
        timeout_fired((struct conn *)(void *)((char *)timer - offsetof(struct conn, timer)));
        break;
    case PATH_TIMER_LISTENER:
        accept_timer_fired(reactor,
                           (void *)((char *)timer - offsetof(struct reactor_listener, retry)));
        break;
    case PATH_TIMER_OWNER:
        if (reactor->events.on_timer) {
            reactor->events.on_timer(reactor->owner, timer);
        }
        break;
    }
}

static void reactor_time(struct reactor *reactor)
{
    struct wheel_timer *timer;

    while ((timer = wheel_advance(&reactor->wheel, reactor->now_ns)) != NULL) {
        reactor_fire(reactor, timer);
    }
}

/* How long there is nothing to do but to wait for completions. */
static uint64_t reactor_patience_ns(const struct reactor *reactor)
{
    uint64_t now_ns;
    uint64_t wait_ns;
    uint64_t deadline_ns;

    if (reactor->handshake_head) {
        return 0;
    }
    now_ns = clock_now_ns();
    wait_ns = wheel_next_ns(&reactor->wheel, now_ns);
    if (pressure_wait_ns(reactor) < wait_ns) {
        wait_ns = pressure_wait_ns(reactor);
    }
    if (!reactor->events.on_wait) {
        return wait_ns;
    }
    deadline_ns = reactor->events.on_wait(reactor->owner);
    if (deadline_ns <= now_ns) {
        return 0;
    }
    return deadline_ns - now_ns < wait_ns ? deadline_ns - now_ns : wait_ns;
}

static uint64_t reactor_plain_bytes(const struct reactor *reactor)
{
    return counters_get(reactor->counters, COUNTER_PLAIN_BYTES_IN) +
           counters_get(reactor->counters, COUNTER_PLAIN_BYTES_OUT);
}

/* How long this turn has worked for open connections. */
static uint64_t reactor_open_work_ns(const struct reactor *reactor)
{
    uint64_t taken_ns = clock_now_ns() - reactor->now_ns;

    return reactor->served_ns == reactor->now_ns && taken_ns > reactor->accept_ns
               ? taken_ns - reactor->accept_ns
               : 0;
}

static void reactor_turn(struct reactor *reactor)
{
    uint64_t plain_bytes = reactor_plain_bytes(reactor);
    uint64_t enters = reactor->ring.enters;
    uint64_t wait_ns = reactor_patience_ns(reactor);

    /* Whatever can go wrong here (out of kernel memory) passes: the requests stay queued. */
    (void)ring_turn(&reactor->ring, wait_ns);
    reactor->now_ns = clock_now_ns();
    if (ring_is_submitted(&reactor->ring)) {
        reactor->vector_count = 0;
    }
    reactor->accept_ns = 0;
    reactor_complete(reactor);
    if (reactor_plain_bytes(reactor) != plain_bytes) {
        reactor->served_ns = reactor->now_ns;
    }
    if (reactor->events.on_turn) {
        reactor->events.on_turn(reactor->owner, reactor->now_ns);
    }
    if (reactor->handshake_head) {
        reactor->open_work_ns = reactor_open_work_ns(reactor);
        handshake_work(reactor);
    }
    reactor_time(reactor);
    pressure_settle(reactor);
    send_flush(reactor);
    counters_add(reactor->counters, COUNTER_ENTERS, reactor->ring.enters - enters);
}

void reactor_run(struct reactor *reactor)
{
    send_flush(reactor);
    while (!reactor->leaving || reactor->table.used_count > 0 ||
           (reactor->draining && !reactor->stopping && !accept_is_over(reactor))) {
        reactor_turn(reactor);
    }
}

void drain_tell(struct conn *conn)
{
    if (conn->state == CONN_OPEN && conn->service->on_drain) {
        conn->service->on_drain(conn);
    }
}

uint64_t reactor_drain(struct reactor *reactor)
{
    uint64_t accepting_ns;

    if (reactor->draining) {
        return 0;
    }
    reactor->draining = true;
    accepting_ns = accept_drain(reactor);
    for (uint32_t slot = 0; slot < reactor->table.slot_count; slot++) {
        drain_tell(table_at(&reactor->table, slot));
    }
    return accepting_ns;
}

void reactor_stop(struct reactor *reactor, enum conn_end end)
{
    reactor->draining = true;
    reactor->stopping = true;
    reactor->leaving = true;
    accept_stop(reactor);
    for (uint32_t slot = 0; slot < reactor->table.slot_count; slot++) {
        struct conn *conn = table_at(&reactor->table, slot);

        if (conn->state != CONN_FREE) {
            conn_abort(conn, end);
        }
    }
}

void reactor_leave_when_empty(struct reactor *reactor)
{
    reactor->leaving = true;
}

void reactor_timer_start(struct reactor *reactor, struct wheel_timer *timer, uint64_t deadline_ns)
{
    timer->kind = PATH_TIMER_OWNER;
    wheel_start(&reactor->wheel, timer, deadline_ns);
}

void reactor_timer_cancel(struct reactor *reactor, struct wheel_timer *timer)
{
    wheel_cancel(&reactor->wheel, timer);
}

/* Counts a connection against the shared limit; false when it is reached. */
static bool limit_take(struct reactor_limit *limit)
{
    if (limit && atomic_fetch_add(&limit->open, 1) >= limit->open_max) {
        atomic_fetch_sub(&limit->open, 1);
        return false;
    }
    return true;
}

static void limit_put(struct reactor_limit *limit)
{
    if (limit) {
        atomic_fetch_sub(&limit->open, 1);
    }
}

struct conn *reactor_take(struct reactor *reactor)
{
    struct counters *counters = reactor->counters;
    struct conn *conn;
    uint64_t open;
    uint64_t peak;

    if (reactor->stopping || !limit_take(reactor->options.limit)) {
        return NULL;
    }
    conn = table_take(&reactor->table);
    if (!conn) {
        limit_put(reactor->options.limit);
        return NULL;
    }
    conn->reactor = reactor;
    conn->timer.kind = PATH_TIMER_CONN;
    conn->output_high_bytes = &reactor->output_high_bytes;
    held_init(&conn->held);
    slab_queue_init(&conn->output, &reactor->slabs);
    slab_queue_init(&conn->unwritten, &reactor->slabs);
    counters_increment(counters, COUNTER_CONNECTIONS_OPEN);
    open = counters_get(counters, COUNTER_CONNECTIONS_OPEN);
    peak = counters_get(counters, COUNTER_CONNECTIONS_PEAK);
    if (open > peak) {
        counters_add(counters, COUNTER_CONNECTIONS_PEAK, open - peak);
    }
    return conn;
}

void reactor_put(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;

    counters_decrement(reactor->counters, COUNTER_CONNECTIONS_OPEN);
    tls_context_free(conn->context);
    tls_context_free(conn->name_context);
    if (reactor->options.sources) {
        sources_put(reactor->options.sources, conn->source);
    }
    table_put(&reactor->table, conn);
    limit_put(reactor->options.limit);
}

void reactor_tally(struct conn *conn)
{
    struct counters *counters = conn->reactor->counters;
    const struct tls_tally *now = &conn->engine.tally;
    struct tls_tally *then = &conn->tallied;

    if (memcmp(now, then, sizeof *now) == 0) {
        return;
    }
    counters_add(counters, COUNTER_RECORDS_IN, now->records_in - then->records_in);
    counters_add(counters, COUNTER_RECORDS_OUT, now->records_out - then->records_out);
    counters_add(counters, COUNTER_RECORDS_DIRECT, now->records_direct - then->records_direct);
    counters_add(counters, COUNTER_EARLY_BYTES, now->early_bytes - then->early_bytes);
    counters_add(counters, COUNTER_RENEGOTIATIONS, now->renegotiations - then->renegotiations);
    counters_add(counters, COUNTER_TICKETS_ISSUED, now->tickets_issued - then->tickets_issued);
    counters_add(counters, COUNTER_TICKETS_ACCEPTED, now->ticket_accepted - then->ticket_accepted);
    counters_add(counters, COUNTER_TICKETS_RENEWED, now->ticket_renewed - then->ticket_renewed);
    counters_add(counters, COUNTER_TICKETS_REJECTED, now->ticket_rejected - then->ticket_rejected);
    if (now->tickets_received != then->tickets_received && conn->ticket_ns == 0) {
        conn->ticket_ns = clock_now_ns();
    }
    *then = *now;
}

uint64_t conn_unread_bytes(const struct conn *conn)
{
    size_t front = 0;

    if (conn->is_fed) {
        held_front(&conn->held, &conn->reactor->buffers, &front);
        front -= conn->engine.input_bytes;
    }
    return conn->held.bytes - front;
}

void conn_count_message(struct conn *conn, uint64_t amount)
{
    counters_add(conn->reactor->counters, COUNTER_MESSAGES, amount);
}

uint64_t conn_now_ns(const struct conn *conn)
{
    return conn->reactor->now_ns;
}
