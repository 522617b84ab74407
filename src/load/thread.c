#include "load/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
    RAMP_UNDER_WAY_MAX = 256,   /* first connections at once: no more than listen queues hold */
    VERIFY_UNDER_WAY_MAX = 256, /* idle connections that are asked at once */
    SPARE_SLOTS = 16,           /* a client connects again while its old slot is being freed */
};

static const uint64_t TICK_NS = 5 * 1000 * 1000;
static const uint64_t DRAIN_NS = 1000 * 1000 * 1000;

static void take_edge(struct load_thread *thread, struct thread_edge *out)
{
    out->at_ns = clock_now_ns();
    out->cpu_ns = clock_thread_cpu_ns();
    for (int i = 0; i < LOAD_TOTAL_COUNT; i++) {
        out->totals[i] = load_totals_get(&thread->totals, (enum load_total)i);
    }
    for (int i = 0; i < COUNTER_COUNT; i++) {
        out->counters[i] = counters_get(&thread->counters, (enum counter)i);
    }
}

static void measure_end(struct load_thread *thread)
{
    if (thread->is_measuring) {
        thread->is_measuring = false;
        open_loop_advance(thread, clock_now_ns()); /* so that what was due until now is in */
        thread->unstarted = thread->open_loop.queue_count;
        take_edge(thread, &thread->end);
        control_tell(thread->control, CONTROL_MEASURED);
    }
}

void thread_done(struct load_client *client, uint64_t amount)
{
    struct load_thread *thread = client->thread;
    uint64_t done;

    assert(thread->under_way >= amount);
    thread->under_way -= amount;
    load_totals_add(&thread->totals, LOAD_TOTAL_DONE, amount);
    done =
        load_totals_get(&thread->totals, LOAD_TOTAL_DONE) - thread->begin.totals[LOAD_TOTAL_DONE];
    if (thread->is_measuring && thread->share.count > 0 && done >= thread->share.count) {
        reactor_tally(client->conn); /* the last answer's records belong to it, too */
        measure_end(thread);
    }
}

/* Clients that are connected before the load begins. */
static uint32_t ramp_count(const struct load_thread *thread)
{
    return load_plan_has_ramp(thread->plan) ? thread->share.client_count : thread->share.idle_count;
}

/* When the ramp's turn comes for the next client; what an even ramp has reached. */
static uint64_t ramp_due_ns(const struct load_thread *thread)
{
    return thread->ramp_begin_ns +
           thread->ramp_next * (thread->plan->ramp_ns / thread->share.client_count);
}

static bool ramp_is_full(const struct load_thread *thread)
{
    const uint32_t count =
        thread->stage == LOAD_STAGE_RAMP ? ramp_count(thread) : thread->share.client_count;

    return thread->ramp_next >= count ||
           thread->ramp_next - load_totals_get(&thread->totals, LOAD_TOTAL_SETTLED) >=
               RAMP_UNDER_WAY_MAX;
}

static void ramp_more(struct load_thread *thread)
{
    while (!ramp_is_full(thread) && ramp_due_ns(thread) <= thread_now_ns(thread)) {
        client_connect(&thread->clients[thread->ramp_next++]);
    }
}

void thread_settled(struct load_thread *thread, struct load_client *client)
{
    if (client->is_settled) {
        return;
    }
    client->is_settled = true;
    load_totals_add(&thread->totals, LOAD_TOTAL_SETTLED, 1);
    if (load_totals_get(&thread->totals, LOAD_TOTAL_SETTLED) == ramp_count(thread)) {
        control_tell(thread->control, CONTROL_RAMPED);
    }
}

/* Asks the idle connections, not all at once. */
static void verify_more(struct load_thread *thread)
{
    while (thread->verify_next < thread->share.idle_count &&
           thread->under_way < VERIFY_UNDER_WAY_MAX) {
        struct load_client *client = &thread->clients[thread->verify_next++];

        if (client->is_open) {
            client->kind->start(client);
        }
    }
    if (thread->idle_open == 0 && !thread->has_verified) {
        thread->has_verified = true;
        control_tell(thread->control, CONTROL_VERIFIED);
    }
}

static void start_open_clients(struct load_thread *thread)
{
    for (uint32_t i = thread->share.idle_count; i < thread->share.client_count; i++) {
        struct load_client *client = &thread->clients[i];

        if (client->is_open && !client->is_ending) {
            conn_expect_traffic(client->conn);
            if (client->kind->start != NULL) {
                client->kind->start(client);
            }
        }
    }
}

/* A session is wanted that has not come yet: the end of the run can wait as long as for the others'
 * ends. */
static bool awaits_session(const struct load_thread *thread)
{
    return thread->plan->keep_session && thread->sessions.count == 0;
}

static void stop(struct load_thread *thread)
{
    struct reactor *reactor = &thread->reactor;

    measure_end(thread);
    reactor_timer_cancel(reactor, &thread->tick);
    for (uint32_t i = 0; i < thread->share.client_count; i++) {
        struct load_client *client = &thread->clients[i];

        if (client->is_leaving && awaits_session(thread)) {
            continue;
        }
        reactor_timer_cancel(reactor, &client->timer);
        if (client->conn == NULL) {
            continue;
        }
        if (client->is_open) {
            client_close(client);
        } else {
            client->is_ending = true;
            conn_abort(client->conn, CONN_END_LOCAL);
        }
    }
    reactor_timer_start(reactor, &thread->drain, thread_now_ns(thread) + DRAIN_NS);
    reactor_leave_when_empty(reactor);
}

/* Once, whatever stage comes first: warm-up and measured time have one schedule. */
static void start_schedule(struct load_thread *thread)
{
    const struct load_plan *plan = thread->plan;

    /* Processes take turns, and in each of them its threads: whatever their numbers of threads,
     * each process has its share of the rate. */
    if (open_loop_is_on(&thread->open_loop) && !open_loop_has_started(&thread->open_loop)) {
        open_loop_start(&thread->open_loop,
                        &(struct arrivals_options){.kind = plan->arrivals,
                                                   .rate = plan->rate,
                                                   .threads = plan->threads * plan->rank.count,
                                                   .index = thread->share.index * plan->rank.count +
                                                            plan->rank.index,
                                                   .start_ns = thread->control->schedule_ns});
    }
}

static void enter_stage(struct load_thread *thread, enum load_stage stage)
{
    const enum load_stage before = thread->stage;

    thread->stage = stage;
    if (stage == LOAD_STAGE_STOP) {
        stop(thread);
        return;
    }
    if (thread->ramp_begin_ns == 0) {
        thread->ramp_begin_ns = thread_now_ns(thread);
    }
    if (stage == LOAD_STAGE_RAMP && ramp_count(thread) == 0) {
        control_tell(thread->control, CONTROL_RAMPED);
    }
    if (stage == LOAD_STAGE_MEASURED || stage == LOAD_STAGE_VERIFY) {
        measure_end(thread);
        thread->idle_held = thread->idle_open;
        return;
    }
    if (stage != LOAD_STAGE_RAMP) {
        start_schedule(thread);
    }
    if (stage == LOAD_STAGE_MEASURE) {
        resume_mix_forget(&thread->mix);
        take_edge(thread, &thread->begin);
        thread->is_measuring = true;
        control_tell(thread->control, CONTROL_MEASURING);
    }
    if (before == LOAD_STAGE_RAMP) {
        start_open_clients(thread);
    }
}

static void poll_waiting(struct load_thread *thread)
{
    struct load_client **link = &thread->waiting;

    while (*link != NULL) {
        struct load_client *client = *link;

        if (client->is_waiting) {
            client_poll(client);
        }
        if (client->is_waiting) {
            link = &client->waiting_next;
        } else {
            *link = client->waiting_next;
            client->is_listed = false;
        }
    }
}

static void look_at_stage(struct load_thread *thread)
{
    const enum load_stage stage = control_stage(thread->control);

    if (stage != thread->stage) {
        enter_stage(thread, stage);
    }
}

static void on_turn(void *owner, uint64_t now_ns)
{
    struct load_thread *thread = owner;

    look_at_stage(thread);
    poll_waiting(thread);
    if (thread->stage == LOAD_STAGE_STOP) {
        return;
    }
    if (thread->stage != LOAD_STAGE_IDLE && thread->stage < LOAD_STAGE_MEASURED) {
        ramp_more(thread);
    } else if (thread->stage == LOAD_STAGE_VERIFY) {
        verify_more(thread);
    }
    if (open_loop_is_on(&thread->open_loop)) {
        open_loop_turn(thread, now_ns);
    }
}

static uint64_t on_wait(void *owner)
{
    const struct load_thread *thread = owner;
    const uint64_t deadline_ns = open_loop_deadline_ns(thread);
    uint64_t ramp_ns = UINT64_MAX;

    if (thread->plan->ramp_ns > 0 && thread->stage != LOAD_STAGE_IDLE &&
        thread->stage < LOAD_STAGE_MEASURED && !ramp_is_full(thread)) {
        ramp_ns = ramp_due_ns(thread);
    }
    return ramp_ns < deadline_ns ? ramp_ns : deadline_ns;
}

static void on_timer(void *owner, struct wheel_timer *timer)
{
    struct load_thread *thread = owner;

    if (timer == &thread->tick) {
        look_at_stage(thread); /* timers come after on_turn() */
        if (thread->stage == LOAD_STAGE_STOP) {
            return;
        }
        reactor_timer_start(&thread->reactor, timer, thread_now_ns(thread) + TICK_NS);
    } else if (timer == &thread->drain) {
        reactor_stop(&thread->reactor, CONN_END_LOCAL);
    } else {
        /* The timer is a client's first member. */
        client_timer((struct load_client *)(void *)timer);
    }
}

static const struct reactor_events events = {
    .on_turn = on_turn, .on_wait = on_wait, .on_timer = on_timer};

static int make_clients(struct load_thread *thread)
{
    const uint32_t count = thread->share.client_count;
    const uint32_t depth = thread->plan->depth;

    thread->clients = calloc(count, sizeof *thread->clients);
    thread->times = calloc((size_t)count * depth, sizeof *thread->times);
    if (thread->clients == NULL || thread->times == NULL ||
        !resume_pool_init(&thread->sessions, count) ||
        (thread->plan->rate > 0 && !open_loop_init(&thread->open_loop))) {
        return error_set(&thread->error, "no memory for %u connections", count);
    }
    for (uint32_t i = 0; i < count; i++) {
        thread->clients[i].thread = thread;
        thread->clients[i].index = thread->share.client_first + i;
        thread->clients[i].is_idle = i < thread->share.idle_count;
        thread->clients[i].kind =
            i < thread->share.idle_count ? client_idle_kind_of(thread->plan) : thread->kind;
        thread->clients[i].exchange.times = thread->times + (size_t)i * depth;
    }
    return 0;
}

/* The first connection of the run resumes from it. */
static int take_session(struct load_thread *thread)
{
    const struct load_plan *plan = thread->plan;
    struct tls_session *session;

    if (plan->session == NULL || thread->share.index > 0) {
        return 0;
    }
    session = tls_session_parse(plan->session, plan->session_bytes);
    if (session == NULL) {
        return error_set(&thread->error, "the saved session cannot be read");
    }
    resume_pool_put(&thread->sessions, session);
    return 0;
}

/* While OpenSSL's instance is still there. */
static void keep_session(struct load_thread *thread)
{
    struct tls_session *session =
        thread->plan->keep_session ? resume_pool_take(&thread->sessions) : NULL;
    size_t bytes = session != NULL ? tls_session_serialise(session, NULL, 0) : 0;

    thread->kept = bytes > 0 ? malloc(bytes) : NULL;
    if (thread->kept != NULL) {
        thread->kept_bytes = tls_session_serialise(session, thread->kept, bytes);
    }
    tls_session_free(session);
}

static int set_up(struct load_thread *thread)
{
    const struct load_plan *plan = thread->plan;
    const struct reactor_options options = {
        .connections_max = thread->share.client_count + SPARE_SLOTS,
        .completions = ring_completions(plan->threads),
        .handshake_timeout_ns = plan->timeout_ns,
        /* Between the requests of an open loop silence is as it should be: exchange_timed_out(). */
        .idle_timeout_ns = plan->rate > 0 ? 0 : plan->timeout_ns,
        .write_timeout_ns = plan->timeout_ns,
    };

    thread->mix.percent = plan->resume_percent;
    thread->mix.owed_max = thread->share.client_count;
    if (load_cpus_pin(&plan->cpus, thread->share.index, &thread->error) != 0 ||
        make_clients(thread) != 0 || take_session(thread) != 0) {
        return -1;
    }
    if (!plan->plain_tcp) {
        struct tls_shared shared = {.library = thread->library = tls_library_new()};

        thread->context = tls_context_new(TLS_CLIENT, &plan->tls, &shared, &thread->error);
        if (thread->context == NULL) {
            return -1;
        }
    }
    return reactor_init(&thread->reactor, &options, &events, thread, &thread->counters,
                        &thread->error);
}

static void *thread_main(void *argument)
{
    struct load_thread *thread = argument;

    if (set_up(thread) == 0) {
        reactor_timer_start(&thread->reactor, &thread->tick, clock_now_ns() + TICK_NS);
        control_tell(thread->control, CONTROL_READY);
        reactor_run(&thread->reactor);
        keep_session(thread);
        reactor_deinit(&thread->reactor);
    } else {
        control_tell(thread->control, CONTROL_READY);
    }
    resume_pool_deinit(&thread->sessions);
    tls_context_free(thread->context);
    tls_library_free(thread->library);
    free(thread->clients);
    free(thread->times);
    open_loop_deinit(&thread->open_loop);
    return NULL;
}

struct load_thread *thread_start(const struct thread_shared *shared,
                                 const struct thread_share *share, struct error *error)
{
    struct load_thread *thread = aligned_alloc(_Alignof(struct load_thread), sizeof *thread);
    sigset_t all, before;
    int status;

    if (thread == NULL) {
        error_set(error, "no memory for a load thread");
        return NULL;
    }
    memset(thread, 0, sizeof *thread);
    thread->plan = shared->plan;
    thread->kind = shared->kind;
    thread->payload = shared->payload;
    thread->request = shared->request;
    thread->control = shared->control;
    thread->share = *share;
    /* Signals are for the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&thread->handle, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != 0) {
        error_set(error, "cannot start a load thread: %s", strerror(status));
        free(thread);
        return NULL;
    }
    return thread;
}

void thread_join(struct load_thread *thread)
{
    pthread_join(thread->handle, NULL);
}

void thread_free(struct load_thread *thread)
{
    if (thread != NULL) {
        free(thread->kept);
    }
    free(thread);
}
