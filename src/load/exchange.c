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
}

bool exchange_begin(struct load_client *client)
{
    struct exchange *exchange = &client->exchange;
    struct load_thread *thread = client->thread;
    const uint32_t depth = thread->plan->depth;
    uint32_t tail = exchange->head + exchange->count;

    if (exchange->count == depth || !thread_may_begin(thread)) {
        return false;
    }
    tail -= tail >= depth ? depth : 0;
    exchange->begun_ns[tail] = thread_now_ns(thread);
    exchange->count++;
    exchange->begun++;
    thread->under_way++;
    return true;
}

void exchange_first_byte(struct load_client *client)
{
    const struct exchange *exchange = &client->exchange;
    struct load_thread *thread = client->thread;

    thread_record(thread, LOAD_PHASE_FIRST_BYTE,
                  thread_now_ns(thread) - exchange->begun_ns[exchange->head]);
}

void exchange_answered(struct load_client *client)
{
    struct exchange *exchange = &client->exchange;
    struct load_thread *thread = client->thread;

    thread_record(thread, LOAD_PHASE_MESSAGE,
                  thread_now_ns(thread) - exchange->begun_ns[exchange->head]);
    exchange->head++;
    exchange->head -= exchange->head == thread->plan->depth ? exchange->head : 0;
    exchange->count--;
    exchange->answered++;
    client->failures = 0;
    load_totals_add(&thread->totals, LOAD_TOTAL_MESSAGES, 1);
    thread_done(thread, 1);
}

void exchange_forget(struct load_client *client)
{
    client->thread->under_way -= client->exchange.count;
    client->exchange.count = 0;
}
