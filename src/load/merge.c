#include "load/merge.h"

#include "load/series.h"
#include "load/tally.h"

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void merge_counts(struct load_result *into, const struct load_result *from)
{
    into->threads += from->threads;
    into->connections_asked += from->connections_asked;
    into->connections_peak += from->connections_peak;
    into->idle_asked += from->idle_asked;
    into->idle_held += from->idle_held;
    into->idle_verified += from->idle_verified;
    into->connects += from->connects;
    into->handshakes += from->handshakes;
    into->handshakes_full += from->handshakes_full;
    into->handshakes_ticket += from->handshakes_ticket;
    into->handshakes_id += from->handshakes_id;
    into->resumes_offered += from->resumes_offered;
    into->early_accepted += from->early_accepted;
    into->early_rejected += from->early_rejected;
    into->hello_retries += from->hello_retries;
    into->tickets_received += from->tickets_received;
    into->messages += from->messages;
    into->messages_corrupt += from->messages_corrupt;
    into->http_status_other += from->http_status_other;
    into->bytes_in += from->bytes_in;
    into->bytes_out += from->bytes_out;
    into->wire_bytes_in += from->wire_bytes_in;
    into->wire_bytes_out += from->wire_bytes_out;
    into->records_in += from->records_in;
    into->records_out += from->records_out;
    into->records_direct += from->records_direct;
    into->due += from->due;
    into->dropped += from->dropped;
    into->unstarted += from->unstarted;
}

void load_result_merge(struct load_result *into, const struct load_result *from)
{
    struct load_tally tally = {0};

    into->seconds = larger(into->seconds, from->seconds);
    into->cpu_seconds += from->cpu_seconds;
    into->busiest_thread = larger(into->busiest_thread, from->busiest_thread);
    into->interrupted = into->interrupted || from->interrupted;
    merge_counts(into, from);
    for (int phase = 0; phase < LOAD_PHASE_COUNT; phase++) {
        histogram_merge(&into->phases[phase], &from->phases[phase]);
    }
    load_tally_merge(&tally, into);
    load_tally_merge(&tally, from);
    load_tally_publish(&tally, into);
    series_merge(into, from);
}
