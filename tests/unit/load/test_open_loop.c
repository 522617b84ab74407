/* The queue and the line of clients, with a made-up clock and clients that no network has. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "load/thread.h"

enum { CLIENTS = 3, START_NS = 1000 };

struct rig {
    struct load_plan plan;
    struct load_thread *thread;
    struct load_client clients[CLIENTS];
    struct conn conns[CLIENTS];
};

static struct rig rig;
static uint64_t intended_ns[CLIENTS]; /* by client, of what it began last */
static unsigned begun;

static void start(struct load_client *client)
{
    uint64_t at_ns;

    while (open_loop_may_begin(client, &at_ns)) {
        intended_ns[client->index] = at_ns;
        begun++;
        return; /* busy until its answer */
    }
}

static const struct client_kind kind = {.start = start};

static void set_up(void)
{
    rig.plan = (struct load_plan){.mode = LOAD_RR, .rate = 1000};
    rig.thread = aligned_alloc(_Alignof(struct load_thread), sizeof *rig.thread);
    cr_assert_not_null(rig.thread);
    memset(rig.thread, 0, sizeof *rig.thread);
    rig.thread->plan = &rig.plan;
    rig.thread->kind = &kind;
    rig.thread->is_measuring = true;
    rig.thread->stage = LOAD_STAGE_MEASURE;
    cr_assert(open_loop_init(&rig.thread->open_loop));
    for (uint32_t i = 0; i < CLIENTS; i++) {
        rig.clients[i] = (struct load_client){.thread = rig.thread,
                                              .kind = &kind,
                                              .conn = &rig.conns[i],
                                              .is_open = true,
                                              .index = i};
    }
}

static void tear_down(void)
{
    open_loop_deinit(&rig.thread->open_loop);
    free(rig.thread);
}

TestSuite(open_loop, .init = set_up, .fini = tear_down);

static void begin_schedule(void)
{
    open_loop_start(
        &rig.thread->open_loop,
        &(struct arrivals_options){.rate = rig.plan.rate, .threads = 1, .start_ns = START_NS});
}

static uint64_t total(enum load_total which)
{
    return load_totals_get(&rig.thread->totals, which);
}

Test(open_loop, nothing_is_due_before_the_schedule_begins)
{
    start(&rig.clients[0]);
    open_loop_turn(rig.thread, UINT64_MAX - 1);
    cr_expect_eq(begun, 0);
    cr_expect_eq(open_loop_deadline_ns(rig.thread), UINT64_MAX);
}

Test(open_loop, work_begins_when_it_is_due_and_not_before)
{
    begin_schedule();
    start(&rig.clients[0]);
    open_loop_turn(rig.thread, START_NS - 1);
    cr_expect_eq(begun, 0);
    cr_expect_eq(open_loop_deadline_ns(rig.thread), START_NS);
    open_loop_turn(rig.thread, START_NS);
    cr_expect_eq(begun, 1);
    cr_expect_eq(intended_ns[0], START_NS);
    cr_expect_eq(open_loop_deadline_ns(rig.thread), UINT64_MAX, "nobody is free to begin more");
    start(&rig.clients[0]);
    cr_expect_eq(open_loop_deadline_ns(rig.thread), START_NS + NS_PER_MS);
}

Test(open_loop, clients_take_turns)
{
    begin_schedule();
    for (int i = 0; i < CLIENTS; i++) {
        start(&rig.clients[i]);
        start(&rig.clients[i]); /* stands in line once however often it asks */
    }
    open_loop_turn(rig.thread, START_NS + 10 * NS_PER_MS);
    cr_expect_eq(begun, CLIENTS);
    for (uint64_t i = 0; i < CLIENTS; i++) {
        cr_expect_eq(intended_ns[i], START_NS + i * NS_PER_MS);
    }
}

Test(open_loop, what_waits_for_a_client_keeps_its_time)
{
    begin_schedule();
    open_loop_turn(rig.thread, START_NS + 4 * NS_PER_MS);
    cr_expect_eq(total(LOAD_TOTAL_DUE), 5);
    start(&rig.clients[2]);
    cr_expect_eq(open_loop_deadline_ns(rig.thread), 0, "work waits, and so does a client");
    open_loop_turn(rig.thread, START_NS + 4 * NS_PER_MS);
    cr_expect_eq(intended_ns[2], START_NS);
    cr_expect_eq(rig.thread->open_loop.queue_count, 4);
    cr_expect_eq(total(LOAD_TOTAL_DROPPED), 0);
}

Test(open_loop, a_client_that_has_gone_leaves_the_work_to_the_next)
{
    begin_schedule();
    start(&rig.clients[0]);
    start(&rig.clients[1]);
    rig.clients[0].is_open = false;
    open_loop_turn(rig.thread, START_NS);
    cr_expect_eq(intended_ns[0], 0);
    cr_expect_eq(intended_ns[1], START_NS);
    rig.clients[0].is_open = true;
    start(&rig.clients[0]);
    open_loop_turn(rig.thread, START_NS + NS_PER_MS);
    cr_expect_eq(intended_ns[0], START_NS + NS_PER_MS);
}

Test(open_loop, a_full_queue_drops_and_counts)
{
    begin_schedule();
    open_loop_turn(rig.thread, START_NS + (LOAD_QUEUE_MAX + 9ull) * NS_PER_MS);
    cr_expect_eq(total(LOAD_TOTAL_DUE), LOAD_QUEUE_MAX + 10);
    cr_expect_eq(total(LOAD_TOTAL_DROPPED), 10);
    start(&rig.clients[0]);
    open_loop_turn(rig.thread, START_NS + (LOAD_QUEUE_MAX + 9ull) * NS_PER_MS);
    cr_expect_eq(intended_ns[0], START_NS, "the oldest stay");
}

Test(open_loop, nothing_begins_beyond_the_count)
{
    rig.thread->share.count = 1;
    begin_schedule();
    rig.thread->under_way = 1;
    start(&rig.clients[0]);
    open_loop_turn(rig.thread, START_NS + NS_PER_MS);
    cr_expect_eq(begun, 0);
    cr_expect_eq(open_loop_deadline_ns(rig.thread), UINT64_MAX, "no busy loop either");
}

Test(open_loop, a_closed_loop_may_always_begin_now)
{
    uint64_t at_ns = 0;

    open_loop_deinit(&rig.thread->open_loop);
    rig.thread->open_loop = (struct open_loop){0};
    rig.thread->reactor.now_ns = 77;
    cr_expect(open_loop_may_begin(&rig.clients[0], &at_ns));
    cr_expect_eq(at_ns, 77);
    open_loop_advance(rig.thread, UINT64_MAX - 1);
    cr_expect_eq(total(LOAD_TOTAL_DUE), 0);
    cr_expect_eq(open_loop_deadline_ns(rig.thread), UINT64_MAX);
}
