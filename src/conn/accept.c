#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn/path.h"
#include "conn/sources.h"

/* Out of descriptors or memory (EMFILE, ENFILE, ENOMEM): the connection stays queued in the kernel,
 * and accepting again at once would fail again at once. Wait for a connection to end, or for this
 * long. */
static const uint64_t retry_ns = 100 * 1000 * 1000;

/* From the last SYN that is let in to the end of its TCP handshake: a round trip, as long as one
 * may be while those who are not let in find the listener gone when they try again, after a second
 * (RFC 6298, 2.1). */
static const uint64_t hand_over_ns = 800 * 1000 * 1000;

/* At least a backlog; so that clients that go on coming cannot keep a listener from closing. */
enum { ACCEPT_QUEUE_MAX = 8192 };

void accept_arm(struct reactor *reactor, uint32_t listener_index)
{
    struct reactor_listener *listener = &reactor->listeners[listener_index];

    if (listener->armed || reactor->draining) {
        return;
    }
    listener->armed = true;
    ring_accept_multishot(&reactor->ring, listener->descriptor,
                          (struct op){.kind = OP_ACCEPT, .slot = listener_index});
}

static void accept_refuse(struct reactor *reactor, int descriptor, enum counter limit)
{
    counters_increment(reactor->counters, limit); /* before the peer can know */
    close(descriptor);
}

/* Counts it for its address. Returns the counter of the limit that it would exceed, or
 * COUNTER_COUNT. */
static enum counter accept_source(struct reactor *reactor, int descriptor, bool is_tls,
                                  uint64_t *out_source)
{
    struct socket_address peer = {.bytes = sizeof peer.storage};

    if (getpeername(descriptor, &peer.any, &peer.bytes) != 0) {
        return COUNTER_COUNT; /* it is gone already, and will be found so */
    }
    *out_source = sources_key(reactor->options.sources, &peer);
    switch (sources_take(reactor->options.sources, *out_source, is_tls, reactor->now_ns)) {
    case SOURCES_CONNECTIONS:
        return COUNTER_REFUSED_ADDRESS_CONNECTIONS;
    case SOURCES_HANDSHAKES:
        return COUNTER_REFUSED_ADDRESS_HANDSHAKES;
    case SOURCES_GOOD:
        break;
    }
    return COUNTER_COUNT;
}

/* Likewise, for all limits but that on open connections. */
static enum counter accept_judge(struct reactor *reactor, int descriptor, bool is_tls,
                                 uint64_t *out_source)
{
    const struct reactor_options *options = &reactor->options;

    if (is_tls && options->handshakes_max > 0 &&
        counters_get(reactor->counters, COUNTER_HANDSHAKES_IN_PROGRESS) >=
            options->handshakes_max) {
        return COUNTER_REFUSED_HANDSHAKES;
    }
    if (pressure_is_full(reactor)) {
        return COUNTER_REFUSED_BUFFERS;
    }
    return options->sources ? accept_source(reactor, descriptor, is_tls, out_source)
                            : COUNTER_COUNT;
}

static void accept_start(struct reactor *reactor, const struct reactor_listen_options *options,
                         int descriptor)
{
    const struct tls_engine_options engine_options = {.asks = options->asks};
    uint64_t source = 0;
    enum counter limit = accept_judge(reactor, descriptor, options->context != NULL, &source);
    struct conn *conn;

    if (limit != COUNTER_COUNT) {
        accept_refuse(reactor, descriptor, limit);
        return;
    }
    conn = reactor_take(reactor);
    if (!conn) {
        if (reactor->options.sources) {
            sources_put(reactor->options.sources, source);
        }
        accept_refuse(reactor, descriptor, COUNTER_REFUSED);
        return;
    }
    conn->descriptor = descriptor;
    conn->source = source;
    conn->service = options->service;
    conn->service_config = options->service_config;
    conn->fragments.is_dynamic = options->dynamic_records;
    conn->context = tls_context_ref(options->context);
    conn->started_ns = conn->connected_ns = conn->active_ns = reactor->now_ns;
    if (!tls_engine_init(&conn->engine, options->context, &conn->output, &engine_options)) {
        reactor_put(conn);
        accept_refuse(reactor, descriptor, COUNTER_REFUSED);
        return;
    }
    if (conn->service->on_start) {
        conn->service->on_start(conn);
    }
    handshake_begin(conn);
}

void accept_completed(struct reactor *reactor, const struct ring_completion *completion)
{
    struct reactor_listener *listener = &reactor->listeners[completion->op.slot];

    assert(completion->op.slot < reactor->listener_count);
    if (!completion->more) {
        listener->armed = false;
    }
    if (completion->result >= 0) {
        counters_increment(reactor->counters, COUNTER_ACCEPTS);
        accept_start(reactor, &listener->options, completion->result);
    } else if (!reactor->draining) {
        counters_increment(reactor->counters, COUNTER_ACCEPT_ERRORS);
    }
    if (listener->armed || reactor->draining) {
        return;
    }
    if (completion->result >= 0 || completion->result == -ECONNABORTED) {
        accept_arm(reactor, completion->op.slot);
    } else {
        wheel_start(&reactor->wheel, &listener->retry, reactor->now_ns + retry_ns);
    }
}

void accept_retry(struct reactor *reactor)
{
    if (reactor->draining) {
        return; /* the timers are then the hand-over's */
    }
    for (uint32_t i = 0; i < reactor->listener_count; i++) {
        if (wheel_is_started(&reactor->listeners[i].retry)) {
            wheel_cancel(&reactor->wheel, &reactor->listeners[i].retry);
            accept_arm(reactor, i);
        }
    }
}

static void accept_cancel(struct reactor *reactor, const struct reactor_listener *listener)
{
    if (listener->armed) {
        ring_cancel(
            &reactor->ring,
            (struct op){.kind = OP_ACCEPT, .slot = (uint32_t)(listener - reactor->listeners)},
            (struct op){.kind = OP_IGNORE});
    }
}

/* For good. */
static void accept_shut(struct reactor *reactor, struct reactor_listener *listener)
{
    /* Without this the kernel would go on completing TCP handshakes that nobody accepts. */
    if (listener->options.farewell != REACTOR_LEAVES) {
        shutdown(listener->descriptor, SHUT_RDWR);
    }
    accept_cancel(reactor, listener);
}

/* Shutting a listener down resets what waits in its queue, clients that are connected already as
 * they see it: take them before. */
static void accept_empty(struct reactor *reactor, struct reactor_listener *listener)
{
    for (unsigned i = 0; i < ACCEPT_QUEUE_MAX; i++) {
        int descriptor = socket_accept(listener->descriptor);

        if (descriptor < 0) {
            break;
        }
        counters_increment(reactor->counters, COUNTER_ACCEPTS);
        accept_start(reactor, &listener->options, descriptor);
    }
    accept_shut(reactor, listener);
}

void accept_timer_fired(struct reactor *reactor, struct reactor_listener *listener)
{
    if (reactor->draining) {
        accept_empty(reactor, listener);
    } else {
        accept_arm(reactor, (uint32_t)(listener - reactor->listeners));
    }
}

uint64_t accept_drain(struct reactor *reactor)
{
    uint64_t longest_ns = 0;

    for (uint32_t i = 0; i < reactor->listener_count; i++) {
        struct reactor_listener *listener = &reactor->listeners[i];

        wheel_cancel(&reactor->wheel, &listener->retry);
        switch (listener->options.farewell) {
        case REACTOR_SHUTS:
            accept_empty(reactor, listener);
            break;
        case REACTOR_LEAVES:
            accept_cancel(reactor, listener);
            break;
        case REACTOR_HANDS_OVER:
            if (socket_hold_off(listener->descriptor) == 0) {
                wheel_start(&reactor->wheel, &listener->retry, reactor->now_ns + hand_over_ns);
                longest_ns = hand_over_ns;
            } else {
                accept_empty(reactor, listener);
            }
            break;
        }
    }
    return longest_ns;
}

void accept_stop(struct reactor *reactor)
{
    for (uint32_t i = 0; i < reactor->listener_count; i++) {
        struct reactor_listener *listener = &reactor->listeners[i];

        wheel_cancel(&reactor->wheel, &listener->retry);
        accept_shut(reactor, listener);
    }
}

bool accept_is_over(const struct reactor *reactor)
{
    for (uint32_t i = 0; i < reactor->listener_count; i++) {
        const struct reactor_listener *listener = &reactor->listeners[i];

        if (listener->armed || wheel_is_started(&listener->retry)) {
            return false;
        }
    }
    return true;
}
