#include "server/worker.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tls/ticket.h"

static void worker_rotate(struct worker *worker)
{
    struct error
        error; /* out of randomness or memory: the current key serves on until the next time */

    if (worker->tickets && ticket_ring_rotate(worker->tickets, &error) == 0) {
        counters_increment(worker->counters, COUNTER_TICKET_KEY_ROTATIONS);
    }
}

static void worker_plan_rotation(struct worker *worker)
{
    if (worker->tickets && worker->ticket_rotate_ns > 0) {
        reactor_timer_start(&worker->reactor, &worker->rotate_timer,
                            worker->reactor.now_ns + worker->ticket_rotate_ns);
    }
}

static struct worker *worker_of(struct letter *letter, size_t offset)
{
    return (struct worker *)(void *)((char *)letter - offset);
}

static void worker_open_drain(struct letter *letter)
{
    struct worker *worker = worker_of(letter, offsetof(struct worker, drain));
    struct reactor *reactor = &worker->reactor;
    uint64_t accepting_ns;

    if (reactor->draining) {
        return;
    }
    accepting_ns = reactor_drain(reactor);
    reactor_leave_when_empty(reactor);
    reactor_timer_start(reactor, &worker->drain_timer,
                        reactor->now_ns + accepting_ns + worker->drain_timeout_ns);
}

static void worker_open_stop(struct letter *letter)
{
    reactor_stop(&worker_of(letter, offsetof(struct worker, stop))->reactor, CONN_END_LOCAL);
}

static void worker_open_rotate(struct letter *letter)
{
    worker_rotate(worker_of(letter, offsetof(struct worker, rotate)));
}

/* A letter that is opened is the answer. */
static void worker_open_answer(struct letter *letter)
{
    (void)letter;
}

static void worker_on_timer(void *owner, struct wheel_timer *timer)
{
    struct worker *worker = owner;

    if (timer == &worker->rotate_timer) {
        worker_rotate(worker);
        worker_plan_rotation(worker);
    } else {
        reactor_stop(&worker->reactor, CONN_END_DRAIN);
    }
}

/* Connections accepted from now on are served under the worker's identity. */
static void worker_use_identity(struct worker *worker)
{
    unsigned asks = worker->asks;

    if (!worker->identity) {
        return;
    }
    if (worker->identity->names.count > 0) {
        asks |= 1u << TLS_WANT_CONTEXT;
    }
    for (uint32_t i = 0; i < worker->listener_count; i++) {
        if (!worker->listeners[i].plain_tcp) {
            reactor_replace_context(&worker->reactor, i, worker->identity->context, asks);
        }
    }
}

static void worker_open_identity(struct letter *letter)
{
    struct identity *identity =
        (struct identity *)(void *)((char *)letter - offsetof(struct identity, letter));
    struct worker *worker = identity->worker;

    identity_free(worker->identity);
    worker->identity = identity;
    worker_use_identity(worker);
}

static void worker_open_name(struct letter *letter)
{
    struct identity_name *name =
        (struct identity_name *)(void *)((char *)letter - offsetof(struct identity_name, letter));
    struct worker *worker = name->worker;

    /* Out of memory: the name is served as before. */
    if (worker->identity && tls_names_add(&worker->identity->names, name->host, name->context)) {
        worker_use_identity(worker);
    }
    identity_name_free(name);
}

/* An embedding program that answers at all answers everything. */
static void worker_on_want(void *owner, struct conn *conn, enum tls_want want)
{
    struct worker *worker = owner;

    if (worker->on_want) {
        worker->on_want(worker->user, conn, want);
        return;
    }
    conn_answer_context(conn, server_named_context(conn));
    conn_resume(conn);
}

unsigned server_worker_index(const struct conn *conn)
{
    const struct worker *worker = conn->reactor->owner;

    return worker->index;
}

struct tls_context *server_named_context(const struct conn *conn)
{
    const struct worker *worker = conn->reactor->owner;

    return worker->identity
               ? tls_names_find(&worker->identity->names, tls_engine_server_name(&conn->engine))
               : NULL;
}

static void worker_on_failed(void *owner, const struct conn *conn)
{
    const struct worker *worker = owner;

    struct socket_address peer = {.bytes = sizeof peer.storage};
    char text[SOCKET_TEXT_BYTES] = "unknown";

    if (!worker->on_failed) {
        return;
    }
    if (getpeername(conn->descriptor, &peer.any, &peer.bytes) == 0) {
        socket_format(&peer, text);
    }
    worker->on_failed(worker->user, text, conn_end_reason(conn));
}

static const struct reactor_events worker_events = {
    .on_want = worker_on_want,
    .on_failed = worker_on_failed,
    .on_timer = worker_on_timer,
};

static void worker_pin(const struct worker *worker)
{
    cpu_set_t cpus;

    if (worker->cpu >= 0) {
        CPU_ZERO(&cpus);
        CPU_SET((size_t)worker->cpu, &cpus);
        /* Refused by a cpuset that changed since: it then runs where it may. */
        pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
    }
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct reactor *reactor = &worker->reactor;

    worker_pin(worker);
    if (reactor_init(reactor, &worker->reactor_options, &worker_events, worker, worker->counters,
                     &worker->error) < 0) {
        worker->failed = true;
        sem_post(&worker->ready);
        return NULL;
    }
    for (size_t i = 0; i < worker->listener_count; i++) {
        const struct worker_listener *listener = &worker->listeners[i];

        reactor_listen(reactor, listener->descriptor,
                       &(struct reactor_listen_options){
                           .service = listener->service,
                           .service_config = listener->service_config,
                           .dynamic_records = worker->dynamic_records,
                           .farewell = listener->farewell,
                       });
    }
    worker_use_identity(worker);
    worker_plan_rotation(worker);
    sem_post(&worker->ready);

    reactor_run(reactor);

    reactor_timer_cancel(reactor, &worker->rotate_timer);
    reactor_timer_cancel(reactor, &worker->drain_timer);
    atomic_store(&worker->cpu_ns, clock_thread_cpu_ns());
    atomic_store(&worker->ended, true);
    if (worker->on_ended) {
        worker->on_ended(worker->user);
    }
    return NULL;
}

int worker_start(struct worker *worker, struct error *error)
{
    sigset_t all;
    sigset_t before;
    int result;

    worker->drain.open = worker_open_drain;
    worker->stop.open = worker_open_stop;
    worker->rotate.open = worker_open_rotate;
    worker->answer.open = worker_open_answer;
    sem_init(&worker->ready, 0, 0);
    /* Signals are for the thread that started the server. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&worker->thread, NULL, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        return error_set(error, "cannot start a worker thread: %s", strerror(result));
    }
    worker->started = true;
    while (sem_wait(&worker->ready) != 0) {
    }
    if (worker->failed) {
        return error_set(error, "%s", worker->error.text);
    }
    return 0;
}

void worker_identify(struct worker *worker, struct identity *identity)
{
    identity->worker = worker;
    identity->letter.open = worker_open_identity;
    if (!worker_ask(worker, &identity->letter)) {
        identity_free(identity);
    }
}

void worker_name(struct worker *worker, struct identity_name *name)
{
    name->worker = worker;
    name->letter.open = worker_open_name;
    if (!worker_ask(worker, &name->letter)) {
        identity_name_free(name);
    }
}

bool worker_ask(struct worker *worker, struct letter *letter)
{
    if (!worker->started || worker->failed || atomic_load(&worker->ended)) {
        return false;
    }
    mailbox_post(&worker->reactor.mailbox, letter);
    return true;
}

uint64_t worker_cpu_ns(const struct worker *worker)
{
    clockid_t clock;
    struct timespec time;

    if (!atomic_load(&worker->ended) && pthread_getcpuclockid(worker->thread, &clock) == 0 &&
        clock_gettime(clock, &time) == 0) {
        return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
    }
    return atomic_load(&worker->cpu_ns);
}

void worker_join(struct worker *worker)
{
    if (!worker->started) {
        return;
    }
    pthread_join(worker->thread, NULL);
    worker->started = false;
    sem_destroy(&worker->ready);
    if (!worker->failed) {
        mailbox_take(&worker->reactor.mailbox); /* what came too late is freed with the rest */
        reactor_deinit(&worker->reactor);
    }
}
