#include "report/figures.h"

#include <math.h>

static const double GIB = 1024.0 * 1024.0 * 1024.0;
static const double RATE_TOLERANCE = 0.01;

static double ratio(double numerator, double denominator)
{
    return denominator > 0 ? numerator / denominator : NAN;
}

/* Over plain TCP a connection is what a handshake would have been. */
static uint64_t count_handshakes(const struct load_plan *plan, const struct load_result *result)
{
    return plan->plain_tcp ? result->connects : result->handshakes;
}

bool report_succeeded(const struct load_plan *plan, const struct load_result *result)
{
    switch (plan->mode) {
    case LOAD_HANDSHAKE:
        return count_handshakes(plan, result) > 0;
    case LOAD_RR:
        return result->messages > 0;
    case LOAD_UPLOAD:
        return result->bytes_out > 0;
    case LOAD_DOWNLOAD:
        return result->bytes_in > 0;
    }
    return false;
}

static double count_staples(const struct load_result *result)
{
    double asked = 0;

    for (int i = 0; i < TLS_STAPLE_COUNT; i++) {
        asked += (double)result->staples[i];
    }
    return asked;
}

static void compute_rates(struct report_figures *out, const struct load_plan *plan,
                          const struct load_result *result)
{
    double seconds = result->seconds;
    uint64_t resumed = result->handshakes_ticket + result->handshakes_id;

    out->handshakes = count_handshakes(plan, result);
    out->has_handshakes = plan->mode == LOAD_HANDSHAKE || out->handshakes > 0;
    out->has_messages = plan->mode == LOAD_RR;
    out->has_bytes = result->bytes_in > 0 || result->bytes_out > 0;

    out->handshakes_per_second = ratio((double)out->handshakes, seconds);
    out->full_per_second = plan->plain_tcp ? NAN : ratio((double)result->handshakes_full, seconds);
    out->resumed_per_second = plan->plain_tcp ? NAN : ratio((double)resumed, seconds);
    out->resumed_share = ratio((double)resumed, (double)result->resumes_offered);
    out->early_share = ratio((double)result->early_accepted,
                             (double)result->early_accepted + (double)result->early_rejected);
    out->stapled_share = ratio((double)result->staples[TLS_STAPLE_GOOD], count_staples(result));
    out->messages_per_second = out->has_messages ? ratio((double)result->messages, seconds) : NAN;
    out->bytes_in_per_second = out->has_bytes ? ratio((double)result->bytes_in, seconds) : NAN;
    out->bytes_out_per_second = out->has_bytes ? ratio((double)result->bytes_out, seconds) : NAN;
    out->overhead_in = ratio((double)result->wire_bytes_in, (double)result->bytes_in) - 1;
    out->overhead_out = ratio((double)result->wire_bytes_out, (double)result->bytes_out) - 1;
}

static void compute_open_loop(struct report_figures *out, const struct load_plan *plan,
                              const struct load_result *result)
{
    const double due = (double)result->due;
    const double done = (double)(plan->mode == LOAD_HANDSHAKE ? out->handshakes : result->messages);

    out->achieved_per_second = plan->rate > 0 ? ratio(done, result->seconds) : NAN;
    out->achieved_share = plan->rate > 0 ? ratio(done, due) : NAN;
    out->rate_missed = plan->rate > 0 && fabs(done - due) > fmax(due * RATE_TOLERANCE, 1);
}

/* CPU time is charged to what the mode is about and to nothing else: the handshakes of a
 * request/response run did not cost what its messages did. */
static void compute_cost(struct report_cost *out, const struct load_plan *plan, double handshakes,
                         double messages, double bytes)
{
    if (plan->mode != LOAD_HANDSHAKE) {
        handshakes = NAN;
        out->cpu_seconds_per_gib = ratio(out->cpu_seconds, bytes / GIB);
    } else {
        out->cpu_seconds_per_gib = NAN;
    }
    if (plan->mode != LOAD_RR) {
        messages = NAN;
    }
    /* Where nothing was done, the cost of doing it is not known, and neither is the rate. */
    handshakes = handshakes > 0 ? handshakes : NAN;
    messages = messages > 0 ? messages : NAN;
    out->cpu_seconds_per_handshake = ratio(out->cpu_seconds, handshakes);
    out->handshakes_per_cpu_second = ratio(handshakes, out->cpu_seconds);
    out->cpu_seconds_per_message = ratio(out->cpu_seconds, messages);
    out->messages_per_cpu_second = ratio(messages, out->cpu_seconds);
}

static double known(int64_t counted)
{
    return counted < 0 ? NAN : (double)counted;
}

static void compute_server_cost(struct report_figures *out, const struct report_input *input)
{
    const struct server_side *side = &out->server_side;
    const int64_t *counted = side->counted;

    out->server.cpu_seconds = side->process_cpu_seconds;
    out->server.busiest = side->busiest_worker;
    /* The server was watched for slightly longer than the measured time. Handshakes and bytes it
     * counts itself, over that longer time; an echo server's messages are reads, not answers, so
     * the client's rate stands for them. */
    out->server_handshakes = input->plan->plain_tcp
                                 ? known(counted[COUNTER_ACCEPTS])
                                 : known(counted[COUNTER_HANDSHAKES_FULL]) +
                                       known(counted[COUNTER_HANDSHAKES_TICKET]) +
                                       known(counted[COUNTER_HANDSHAKES_ID]);
    compute_cost(&out->server, input->plan, out->server_handshakes,
                 out->messages_per_second * side->seconds,
                 known(counted[COUNTER_PLAIN_BYTES_IN]) + known(counted[COUNTER_PLAIN_BYTES_OUT]));
}

static void compute_server(struct report_figures *out, const struct report_input *input)
{
    out->server = (struct report_cost){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    out->server_handshakes = NAN;
    server_memory_read(input->server_start, input->server_after, &out->server_memory);
    if (input->server_before != NULL && input->server_after != NULL) {
        out->server_known = server_side_read(input->server_before, input->server_after,
                                             &out->server_side, &out->server_error) == 0;
    } else if (input->server_error != NULL) {
        error_set(&out->server_error, "%s", input->server_error);
    }
    if (out->server_known) {
        compute_server_cost(out, input);
    }
}

void report_figures_compute(struct report_figures *out, const struct report_input *input)
{
    const struct load_result *result = input->result;

    *out = (struct report_figures){.succeeded = report_succeeded(input->plan, result)};
    compute_rates(out, input->plan, result);
    compute_open_loop(out, input->plan, result);

    out->client.cpu_seconds = result->cpu_seconds;
    out->client.busiest = result->seconds > 0 ? result->busiest_thread : NAN;
    compute_cost(&out->client, input->plan, (double)out->handshakes, (double)result->messages,
                 (double)result->bytes_in + (double)result->bytes_out);
    compute_server(out, input);

    double machine_busy = NAN;

    if (input->same_machine && out->server_known && input->environment.cpu_count > 0) {
        machine_busy = (ratio(result->cpu_seconds, result->seconds) +
                        out->server_side.process_cpu_seconds / out->server_side.seconds) /
                       input->environment.cpu_count;
    }
    out->evidence = (struct verdict_evidence){
        .succeeded = out->succeeded,
        .client_busiest = out->client.busiest,
        .server_busiest = out->server.busiest,
        .machine_busy = machine_busy,
        .rate_kept = input->plan->rate > 0 && !out->rate_missed,
    };
    out->verdict = verdict_decide(&out->evidence);
}
