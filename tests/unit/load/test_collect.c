#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "load/collect.h"

static struct load_thread *thread_new(void)
{
    struct load_thread *thread = aligned_alloc(_Alignof(struct load_thread), sizeof *thread);

    cr_assert_not_null(thread);
    memset(thread, 0, sizeof *thread);
    return thread;
}

Test(collect, only_what_lies_between_the_edges_counts)
{
    struct load_thread *threads[2] = {thread_new(), thread_new()};
    struct load_result *result = calloc(1, sizeof *result);
    struct load_result *scratch = calloc(1, sizeof *scratch);

    for (int i = 0; i < 2; i++) {
        struct load_thread *thread = threads[i];

        thread->begin.at_ns = (1 + (uint64_t)i) * NS_PER_S;
        thread->end.at_ns = (3 + (uint64_t)i) * NS_PER_S;
        thread->begin.cpu_ns = NS_PER_S;
        thread->end.cpu_ns = NS_PER_S + (1 + (uint64_t)i) * NS_PER_S / 2;
        thread->begin.totals[LOAD_TOTAL_MESSAGES] = 100;
        thread->end.totals[LOAD_TOTAL_MESSAGES] = 110;
        thread->begin.totals[LOAD_TOTAL_HANDSHAKES_FULL] = 1;
        thread->end.totals[LOAD_TOTAL_HANDSHAKES_FULL] = 3;
        thread->end.totals[LOAD_TOTAL_HANDSHAKES_ID] = 1;
        thread->begin.counters[COUNTER_WIRE_BYTES_IN] = 5000;
        thread->end.counters[COUNTER_WIRE_BYTES_IN] = 6000;
        thread->begin.totals[LOAD_TOTAL_DUE] = 10;
        thread->end.totals[LOAD_TOTAL_DUE] = 25;
        thread->end.totals[LOAD_TOTAL_DROPPED] = 2;
        thread->unstarted = 3;
        thread->open_peak = 3;
        thread->share.client_count = 4 + (uint32_t)i;
        thread->share.idle_count = 1;
        load_totals_add(&thread->totals, LOAD_TOTAL_MESSAGES, 999);
        histogram_record(&thread->phases[LOAD_PHASE_MESSAGE], 1000);
    }
    collect_result(threads, 2, scratch, result);
    cr_expect_eq(result->seconds, 3);
    cr_expect_eq(result->cpu_seconds, 1.5);
    cr_expect_eq(result->busiest_thread, 0.5);
    cr_expect_eq(result->threads, 2);
    cr_expect_eq(result->connections_asked, 7);
    cr_expect_eq(result->idle_asked, 2);
    cr_expect_eq(result->connections_peak, 6);
    cr_expect_eq(result->messages, 20);
    cr_expect_eq(result->due, 30);
    cr_expect_eq(result->dropped, 4);
    cr_expect_eq(result->unstarted, 6);
    cr_expect_eq(result->handshakes_full, 4);
    cr_expect_eq(result->handshakes, 6);
    cr_expect_eq(result->wire_bytes_in, 2000);
    cr_expect_eq(result->phases[LOAD_PHASE_MESSAGE].count, 2);
    free(threads[0]);
    free(threads[1]);
    free(result);
    free(scratch);
}

Test(collect, a_thread_that_never_measured_adds_nothing)
{
    struct load_thread *thread = thread_new();
    struct load_result *result = calloc(1, sizeof *result);
    struct load_result *scratch = calloc(1, sizeof *scratch);

    load_totals_add(&thread->totals, LOAD_TOTAL_MESSAGES, 5);
    collect_result(&thread, 1, scratch, result);
    cr_expect_eq(result->seconds, 0);
    cr_expect_eq(result->messages, 0);
    free(thread);
    free(result);
    free(scratch);
}

Test(collect, live_counts_are_sums)
{
    struct load_thread *threads[2] = {thread_new(), thread_new()};
    struct collect_live live;

    for (int i = 0; i < 2; i++) {
        load_totals_add(&threads[i]->totals, LOAD_TOTAL_DONE, 5);
        counters_add(&threads[i]->counters, COUNTER_CONNECTIONS_OPEN, 2);
    }
    collect_live(threads, 2, &live);
    cr_expect_eq(live.totals[LOAD_TOTAL_DONE], 10);
    cr_expect_eq(live.connections, 4);
    free(threads[0]);
    free(threads[1]);
}
