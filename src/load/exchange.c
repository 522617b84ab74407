#include "load/exchange.h"

#include "load/client.h"
#include "load/thread.h"

void exchange_reset(struct load_client *client)
{
    struct exchange *exchange = &client->exchange;

    exchange->head = 0;
    exchange->count = 0;
    exchange->begun = 0;
    exchange->answered = 0;
    exchange->begun_max = UINT64_MAX;
    if (client->is_idle) {
        exchange->begun_max = 1;
    } else if (client->thread->plan->requests_per_connection > 0) {
        exchange->begun_max = client->thread->plan->requests_per_connection;
    }
}

/* Where silence is as it should be, and the data path has no timeout for it. */
static bool has_timer(const struct load_client *client)
{
    return client->is_idle || open_loop_is_on(&client->thread->open_loop);
}

/* The answer that comes next must come in time; when none does, nothing is waited for. */
static void expect_answer(struct load_client *client)
{
    const struct exchange *exchange = &client->exchange;
    struct load_thread *thread = client->thread;

    if (exchange->count == 0) {
        reactor_timer_cancel(&thread->reactor, &client->timer);
    } else {
        reactor_timer_start(&thread->reactor, &client->timer,
                            exchange->times[exchange->head].begun_ns + thread->plan->timeout_ns);
    }
}

static bool may_begin(struct load_client *client, uint64_t *out_intended_ns)
{
    struct load_thread *thread = client->thread;

    if (client->is_idle) {
        *out_intended_ns = thread_now_ns(thread);
        return thread->stage == LOAD_STAGE_VERIFY;
    }
    return thread_may_begin(thread) && open_loop_may_begin(client, out_intended_ns);
}

bool exchange_begin(struct load_client *client)
{
    struct exchange *exchange = &client->exchange;
    struct load_thread *thread = client->thread;
    const uint32_t depth = thread->plan->depth;
    uint32_t tail = exchange->head + exchange->count;
    uint64_t intended_ns;

    if (exchange->count == depth || exchange->begun == exchange->begun_max ||
        !may_begin(client, &intended_ns)) {
        return false;
    }
    tail -= tail >= depth ? depth : 0;
    exchange->times[tail] =
        (struct exchange_times){.intended_ns = intended_ns, .begun_ns = thread_now_ns(thread)};
    exchange->count++;
    exchange->begun++;
    thread->under_way++;
    if (open_loop_is_on(&thread->open_loop)) {
        thread_record(thread, LOAD_PHASE_START_DELAY, thread_now_ns(thread) - intended_ns);
    }
    if (exchange->count == 1 && has_timer(client)) {
        expect_answer(client);
    }
    return true;
}

bool exchange_begin_early(struct load_client *client)
{
    const struct load_plan *plan = client->thread->plan;

    client->asked_early = plan->early_data && client->offered != NULL &&
                          tls_session_early_bytes_max(client->offered) > 0 &&
                          client->thread->stage != LOAD_STAGE_RAMP && exchange_begin(client);
    return client->asked_early;
}

size_t exchange_early_taken(struct load_client *client)
{
    client->is_early = tls_engine_early(&client->conn->engine) == TLS_EARLY_ACCEPTED;
    if (!client->is_early) {
        client->early_bytes = 0;
    }
    load_totals_add(&client->thread->totals, LOAD_TOTAL_BYTES_OUT, client->early_bytes);
    return client->early_bytes;
}

bool exchange_is_over(const struct load_client *client)
{
    const struct exchange *exchange = &client->exchange;

    return exchange->count == 0 && (exchange->begun == exchange->begun_max ||
                                    (!client->is_idle && !thread_may_begin(client->thread)));
}

void exchange_timed_out(struct load_client *client)
{
    client_fail(client, "timed out waiting for an answer");
}

/* Of the connection's first answer. */
static void record_prompt(const struct load_client *client, uint64_t since_begun_ns)
{
    struct load_thread *thread = client->thread;

    if (client->is_early) {
        thread_record(thread, LOAD_PHASE_FIRST_BYTE_EARLY, since_begun_ns);
    }
    thread_record(thread,
                  client->is_early ? LOAD_PHASE_TO_FIRST_BYTE_EARLY : LOAD_PHASE_TO_FIRST_BYTE,
                  thread_now_ns(thread) - client->conn->started_ns);
}

void exchange_first_byte(struct load_client *client)
{
    const struct exchange *exchange = &client->exchange;
    struct load_thread *thread = client->thread;
    const uint64_t since_begun_ns =
        thread_now_ns(thread) - exchange->times[exchange->head].begun_ns;

    thread_record(thread, LOAD_PHASE_FIRST_BYTE, since_begun_ns);
    if (exchange->answered == 0 && client->is_prompt) {
        record_prompt(client, since_begun_ns);
    }
}

void exchange_answered(struct load_client *client)
{
    struct exchange *exchange = &client->exchange;
    struct load_thread *thread = client->thread;
    const struct exchange_times *times = &exchange->times[exchange->head];

    thread_record(thread, LOAD_PHASE_MESSAGE, thread_now_ns(thread) - times->begun_ns);
    if (open_loop_is_on(&thread->open_loop)) {
        thread_record(thread, LOAD_PHASE_MESSAGE_CORRECTED,
                      thread_now_ns(thread) - times->intended_ns);
    }
    exchange->head++;
    exchange->head -= exchange->head == thread->plan->depth ? exchange->head : 0;
    exchange->count--;
    exchange->answered++;
    if (has_timer(client)) {
        expect_answer(client);
    }
    thread->idle_verified += client->is_idle ? 1 : 0;
    client->failures = 0;
    load_totals_add(&thread->totals, LOAD_TOTAL_MESSAGES, 1);
    thread_done(client, 1);
}

void exchange_forget(struct load_client *client)
{
    client->thread->under_way -= client->exchange.count;
    client->exchange.count = 0;
}
