#include "load/open_loop.h"

#include <stdlib.h>

#include "load/thread.h"

bool open_loop_init(struct open_loop *loop)
{
    /* The kernel gives memory to the part that is used, which is hardly any as a rule. */
    loop->queue = calloc(LOAD_QUEUE_MAX, sizeof *loop->queue);
    loop->next_ns = UINT64_MAX;
    return loop->queue != NULL;
}

void open_loop_deinit(struct open_loop *loop)
{
    free(loop->queue);
    loop->queue = NULL;
}

void open_loop_start(struct open_loop *loop, const struct arrivals_options *options)
{
    arrivals_init(&loop->arrivals, options);
    loop->next_ns = arrivals_next(&loop->arrivals);
}

void open_loop_advance(struct load_thread *thread, uint64_t now_ns)
{
    struct open_loop *loop = &thread->open_loop;
    uint64_t due = 0;
    uint64_t dropped = 0;

    if (!open_loop_is_on(loop)) {
        return;
    }
    for (; loop->next_ns <= now_ns; loop->next_ns = arrivals_next(&loop->arrivals)) {
        due++;
        if (loop->queue_count == LOAD_QUEUE_MAX) {
            dropped++;
            continue;
        }
        loop->queue[(loop->queue_head + loop->queue_count) % LOAD_QUEUE_MAX] = loop->next_ns;
        loop->queue_count++;
    }
    load_totals_add(&thread->totals, LOAD_TOTAL_DUE, due);
    load_totals_add(&thread->totals, LOAD_TOTAL_DROPPED, dropped);
}

static uint64_t take_due(struct open_loop *loop)
{
    const uint64_t intended_ns = loop->queue[loop->queue_head % LOAD_QUEUE_MAX];

    loop->queue_head++;
    loop->queue_count--;
    return intended_ns;
}

static void put_in_line(struct load_client *client)
{
    struct open_loop *loop = &client->thread->open_loop;

    if (client->is_ready) {
        return;
    }
    client->is_ready = true;
    client->ready_next = NULL;
    if (loop->ready_head == NULL) {
        loop->ready_head = client;
    } else {
        loop->ready_tail->ready_next = client;
    }
    loop->ready_tail = client;
}

void open_loop_turn(struct load_thread *thread, uint64_t now_ns)
{
    struct open_loop *loop = &thread->open_loop;

    open_loop_advance(thread, now_ns);
    while (loop->queue_count > 0 && loop->ready_head != NULL && thread_may_begin(thread)) {
        struct load_client *client = loop->ready_head;

        loop->ready_head = client->ready_next;
        client->is_ready = false;
        loop->granted = client;
        client_begin(client); /* one that can no longer leaves the work to the next in line */
        loop->granted = NULL;
    }
}

uint64_t open_loop_deadline_ns(const struct load_thread *thread)
{
    const struct open_loop *loop = &thread->open_loop;

    if (loop->ready_head == NULL || !thread_may_begin(thread)) {
        return UINT64_MAX; /* a completion, or the thread's tick, comes first */
    }
    return loop->queue_count > 0 ? 0 : loop->next_ns;
}

bool open_loop_may_begin(struct load_client *client, uint64_t *out_intended_ns)
{
    struct load_thread *thread = client->thread;
    struct open_loop *loop = &thread->open_loop;

    if (!open_loop_is_on(loop)) {
        *out_intended_ns = thread_now_ns(thread);
        return true;
    }
    if (loop->granted != client) {
        put_in_line(client);
        return false;
    }
    loop->granted = NULL;
    *out_intended_ns = take_due(loop);
    return true;
}
