#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "load/client.h"
#include "server.h"

Test(client, rests_longer_after_each_failure_up_to_a_second)
{
    cr_expect_eq(client_backoff_ns(1), 10 * NS_PER_MS);
    cr_expect_eq(client_backoff_ns(2), 20 * NS_PER_MS);
    cr_expect_eq(client_backoff_ns(7), 640 * NS_PER_MS);
    cr_expect_eq(client_backoff_ns(8), NS_PER_S);
    cr_expect_eq(client_backoff_ns(UINT32_MAX), NS_PER_S);
}

Test(client, each_mode_and_peer_has_its_kind)
{
    struct load_plan plan = {.mode = LOAD_HANDSHAKE, .peer = LOAD_PEER_HTTP};

    cr_expect_eq(client_kind_of(&plan), &handshake_client);
    plan.mode = LOAD_RR;
    cr_expect_eq(client_kind_of(&plan), &http_client);
    plan.peer = LOAD_PEER_ECHO;
    cr_expect_eq(client_kind_of(&plan), &rr_client);
    plan.peer = LOAD_PEER_RR;
    cr_expect_eq(client_kind_of(&plan), &rr_client);
    plan.mode = LOAD_UPLOAD;
    plan.peer = LOAD_PEER_DISCARD;
    cr_expect_eq(client_kind_of(&plan), &upload_client);
    plan.mode = LOAD_DOWNLOAD;
    plan.peer = LOAD_PEER_SOURCE;
    cr_expect_eq(client_kind_of(&plan), &download_client);
}

/* Whatever the version: the phases of a connection are read from one clock, so that they add up to
 * the nanosecond. */
Test(client, phases_add_up_to_the_whole)
{
    for (int old = 0; old <= 1; old++) {
        struct load_result *result = run_against(
            &echo_service,
            (struct load_plan){.mode = LOAD_HANDSHAKE,
                               .count = 40,
                               .resume = LOAD_RESUME_TICKET,
                               .resume_percent = 50,
                               .tls.version_max = old ? TLS_VERSION_1_2 : TLS_VERSION_1_3});
        const struct histogram *phases = result->phases;
        const uint64_t connect_ns = phases[LOAD_PHASE_CONNECT].sum_ns;

        cr_expect_eq(phases[LOAD_PHASE_SET_UP].count, 40);
        cr_expect_eq(phases[LOAD_PHASE_HELLO].count, 40);
        cr_expect_gt(phases[LOAD_PHASE_HELLO].min_ns, 0);
        cr_expect_gt(phases[LOAD_PHASE_FINISH].min_ns, 0);
        cr_expect_lt(phases[LOAD_PHASE_SET_UP].max_ns, 3600 * NS_PER_S, "a clock ran backwards");
        cr_expect_eq(phases[LOAD_PHASE_SET_UP].sum_ns, connect_ns +
                                                           phases[LOAD_PHASE_HELLO].sum_ns +
                                                           phases[LOAD_PHASE_FINISH].sum_ns);
        cr_expect_eq(phases[LOAD_PHASE_SET_UP].sum_ns,
                     connect_ns + phases[LOAD_PHASE_HANDSHAKE_FULL].sum_ns +
                         phases[LOAD_PHASE_HANDSHAKE_RESUMED].sum_ns);
        cr_expect_eq(phases[LOAD_PHASE_HANDSHAKE_TICKET].sum_ns,
                     phases[LOAD_PHASE_HANDSHAKE_RESUMED].sum_ns);
        if (old) {
            cr_expect_eq(phases[LOAD_PHASE_TICKET].count, 0, "it comes within the handshake");
        } else {
            cr_expect_gt(phases[LOAD_PHASE_TICKET].count, 0);
        }
        free(result);
    }
}

Test(client, session_ids_have_times_of_their_own)
{
    struct load_result *result = run_against(
        &echo_service,
        (struct load_plan){
            .mode = LOAD_HANDSHAKE, .threads = 1, .count = 20, .resume = LOAD_RESUME_ID});

    cr_expect_eq(result->phases[LOAD_PHASE_HANDSHAKE_ID].count, result->handshakes_id);
    cr_expect_eq(result->phases[LOAD_PHASE_HANDSHAKE_TICKET].count, 0);
    free(result);
}

Test(client, the_bytes_of_handshakes_are_told_by_their_kind)
{
    struct load_result *result =
        run_against(&echo_service, (struct load_plan){.mode = LOAD_HANDSHAKE,
                                                      .threads = 1,
                                                      .connections = 1,
                                                      .count = 20,
                                                      .resume = LOAD_RESUME_TICKET,
                                                      .resume_percent = 50});
    const struct load_handshake_bytes *full = &result->handshake_bytes[TLS_FULL];
    const struct load_handshake_bytes *ticket = &result->handshake_bytes[TLS_RESUMED_TICKET];

    cr_expect_eq(full->count, 10);
    cr_expect_eq(ticket->count, 10);
    cr_expect_eq(result->handshake_bytes[TLS_RESUMED_ID].count, 0);
    cr_expect_lt(ticket->in.max, full->in.min, "it has no certificate");
    cr_expect_gt(ticket->out.min, full->out.max, "it has a ticket");
    /* Nothing else is on the wire but tickets, close_notify and what the edges of the measured time
     * cut off. */
    cr_expect_lt(full->in.sum + ticket->in.sum, result->wire_bytes_in);
    cr_expect_lt(full->out.sum + ticket->out.sum, result->wire_bytes_out + 2 * ticket->out.max);
    free(result);
}
