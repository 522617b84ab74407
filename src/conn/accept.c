#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn/path.h"

/* Out of descriptors or memory (EMFILE, ENFILE, ENOMEM): the connection stays queued in the kernel,
 * and accepting again at once would fail again at once. Wait for a connection to end, or for this
 * long. */
static const uint64_t retry_ns = 100 * 1000 * 1000;

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

static void accept_refuse(struct reactor *reactor, int descriptor)
{
    close(descriptor);
    counters_increment(reactor->counters, COUNTER_REFUSED);
}

static void accept_start(struct reactor *reactor, const struct reactor_listen_options *options,
                         int descriptor)
{
    const struct tls_engine_options engine_options = {.asks = options->asks};
    struct conn *conn = reactor->draining ? NULL : reactor_take(reactor);

    if (!conn) {
        accept_refuse(reactor, descriptor);
        return;
    }
    conn->descriptor = descriptor;
    conn->service = options->service;
    conn->service_config = options->service_config;
    conn->fragments.is_dynamic = options->dynamic_records;
    conn->context = tls_context_ref(options->context);
    conn->started_ns = conn->connected_ns = conn->active_ns = reactor->now_ns;
    if (!tls_engine_init(&conn->engine, options->context, &conn->output, &engine_options)) {
        reactor_put(conn);
        accept_refuse(reactor, descriptor);
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
    } else if (completion->result != -ECANCELED) {
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
    for (uint32_t i = 0; i < reactor->listener_count; i++) {
        if (wheel_is_started(&reactor->listeners[i].retry)) {
            wheel_cancel(&reactor->wheel, &reactor->listeners[i].retry);
            accept_arm(reactor, i);
        }
    }
}

void accept_stop(struct reactor *reactor)
{
    for (uint32_t i = 0; i < reactor->listener_count; i++) {
        struct reactor_listener *listener = &reactor->listeners[i];

        wheel_cancel(&reactor->wheel, &listener->retry);
        /* Without this the kernel would go on completing TCP handshakes that nobody accepts. */
        shutdown(listener->descriptor, SHUT_RDWR);
        if (listener->armed) {
            ring_cancel(&reactor->ring, (struct op){.kind = OP_ACCEPT, .slot = i},
                        (struct op){.kind = OP_IGNORE});
        }
    }
}
