#include "load/collect.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "load/merge.h"

/* Where each count goes in the result. */
static const struct {
    enum load_total total;
    size_t offset;
} total_fields[] = {
    {LOAD_TOTAL_CONNECTS, offsetof(struct load_result, connects)},
    {LOAD_TOTAL_HANDSHAKES_FULL, offsetof(struct load_result, handshakes_full)},
    {LOAD_TOTAL_HANDSHAKES_TICKET, offsetof(struct load_result, handshakes_ticket)},
    {LOAD_TOTAL_HANDSHAKES_ID, offsetof(struct load_result, handshakes_id)},
    {LOAD_TOTAL_RESUMES_OFFERED, offsetof(struct load_result, resumes_offered)},
    {LOAD_TOTAL_EARLY_ACCEPTED, offsetof(struct load_result, early_accepted)},
    {LOAD_TOTAL_EARLY_REJECTED, offsetof(struct load_result, early_rejected)},
    {LOAD_TOTAL_HELLO_RETRIES, offsetof(struct load_result, hello_retries)},
    {LOAD_TOTAL_TICKETS_RECEIVED, offsetof(struct load_result, tickets_received)},
    {LOAD_TOTAL_MESSAGES, offsetof(struct load_result, messages)},
    {LOAD_TOTAL_MESSAGES_CORRUPT, offsetof(struct load_result, messages_corrupt)},
    {LOAD_TOTAL_HTTP_STATUS_OTHER, offsetof(struct load_result, http_status_other)},
    {LOAD_TOTAL_DUE, offsetof(struct load_result, due)},
    {LOAD_TOTAL_DROPPED, offsetof(struct load_result, dropped)},
    {LOAD_TOTAL_BYTES_IN, offsetof(struct load_result, bytes_in)},
    {LOAD_TOTAL_BYTES_OUT, offsetof(struct load_result, bytes_out)},
};

static const struct {
    enum counter counter;
    size_t offset;
} counter_fields[] = {
    {COUNTER_WIRE_BYTES_IN, offsetof(struct load_result, wire_bytes_in)},
    {COUNTER_WIRE_BYTES_OUT, offsetof(struct load_result, wire_bytes_out)},
    {COUNTER_RECORDS_IN, offsetof(struct load_result, records_in)},
    {COUNTER_RECORDS_OUT, offsetof(struct load_result, records_out)},
    {COUNTER_RECORDS_DIRECT, offsetof(struct load_result, records_direct)},
};

static void set_field(struct load_result *out, size_t offset, uint64_t amount)
{
    uint64_t *field = (uint64_t *)(void *)((char *)out + offset);

    *field = amount;
}

void collect_live(struct load_thread *const *threads, unsigned count, struct collect_live *out)
{
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < count; i++) {
        for (int total = 0; total < LOAD_TOTAL_COUNT; total++) {
            out->totals[total] += load_totals_get(&threads[i]->totals, (enum load_total)total);
        }
        out->connections += (uint32_t)counters_get(&threads[i]->counters, COUNTER_CONNECTIONS_OPEN);
    }
}

void collect_begin(struct load_thread *const *threads, unsigned count, struct collect_live *out)
{
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < count; i++) {
        for (int total = 0; total < LOAD_TOTAL_COUNT; total++) {
            out->totals[total] += threads[i]->begin.totals[total];
        }
    }
}

/* A thread that never measured has both edges at zero, and adds nothing. */
static void read_measured(const struct load_thread *thread, struct load_result *out)
{
    const struct thread_edge *begin = &thread->begin;
    const struct thread_edge *end = &thread->end;

    out->seconds = (double)(end->at_ns - begin->at_ns) / (double)NS_PER_S;
    out->cpu_seconds = (double)(end->cpu_ns - begin->cpu_ns) / (double)NS_PER_S;
    out->busiest_thread = out->seconds > 0 ? out->cpu_seconds / out->seconds : 0;
    for (size_t i = 0; i < sizeof total_fields / sizeof total_fields[0]; i++) {
        const enum load_total total = total_fields[i].total;

        set_field(out, total_fields[i].offset, end->totals[total] - begin->totals[total]);
    }
    for (size_t i = 0; i < sizeof counter_fields / sizeof counter_fields[0]; i++) {
        const enum counter counter = counter_fields[i].counter;

        set_field(out, counter_fields[i].offset, end->counters[counter] - begin->counters[counter]);
    }
}

/* From the first thread's begin to the last one's end. */
static double measured_seconds(struct load_thread *const *threads, unsigned count)
{
    uint64_t begin_ns = UINT64_MAX;
    uint64_t end_ns = 0;

    for (unsigned i = 0; i < count; i++) {
        if (threads[i]->end.at_ns == 0) {
            continue;
        }
        if (threads[i]->begin.at_ns < begin_ns) {
            begin_ns = threads[i]->begin.at_ns;
        }
        if (threads[i]->end.at_ns > end_ns) {
            end_ns = threads[i]->end.at_ns;
        }
    }
    return end_ns > begin_ns ? (double)(end_ns - begin_ns) / (double)NS_PER_S : 0;
}

static void read_thread(const struct load_thread *thread, struct load_result *out)
{
    memset(out, 0, sizeof *out);
    out->threads = 1;
    out->connections_asked = thread->share.client_count - thread->share.idle_count;
    out->idle_asked = thread->share.idle_count;
    read_measured(thread, out);
    out->connections_peak = thread->open_peak;
    out->idle_held = thread->idle_held;
    out->idle_verified = thread->idle_verified;
    out->unstarted = thread->unstarted;
    out->handshakes = out->handshakes_full + out->handshakes_ticket + out->handshakes_id;
    memcpy(out->phases, thread->phases, sizeof out->phases);
    load_tally_publish(&thread->tally, out);
}

void collect_result(struct load_thread *const *threads, unsigned count, struct load_result *scratch,
                    struct load_result *out)
{
    for (unsigned i = 0; i < count; i++) {
        read_thread(threads[i], scratch);
        load_result_merge(out, scratch);
    }
    out->seconds = measured_seconds(threads, count); /* all read one clock */
}
