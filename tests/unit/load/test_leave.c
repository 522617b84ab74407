/* Whole runs whose connections resume. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

Test(leave, tickets_resume_all_but_the_first_of_each_connection)
{
    struct load_result *result = run_against(
        &echo_service,
        (struct load_plan){.mode = LOAD_HANDSHAKE, .count = 30, .resume = LOAD_RESUME_TICKET});

    cr_expect_eq(result->handshakes, 30);
    cr_expect_eq(result->handshakes_ticket, result->resumes_offered);
    cr_expect_leq(result->handshakes_full, 4 + 2);
    cr_expect_geq(result->handshakes_full, 1);
    cr_expect_eq(result->phases[LOAD_PHASE_HANDSHAKE_RESUMED].count, result->handshakes_ticket);
    free(result);
}

Test(leave, a_mix_resumes_its_share)
{
    struct load_result *result =
        run_against(&echo_service, (struct load_plan){.mode = LOAD_HANDSHAKE,
                                                      .threads = 1,
                                                      .connections = 1,
                                                      .count = 40,
                                                      .resume = LOAD_RESUME_TICKET,
                                                      .resume_percent = 25});

    cr_expect_eq(result->handshakes_ticket, 10);
    cr_expect_eq(result->handshakes_full, 30);
    free(result);
}

Test(leave, a_mix_is_exact_with_many_connections_at_once_too)
{
    struct load_result *result =
        run_against(&echo_service, (struct load_plan){.mode = LOAD_HANDSHAKE,
                                                      .threads = 2,
                                                      .connections = 8,
                                                      .count = 100,
                                                      .resume = LOAD_RESUME_TICKET,
                                                      .resume_percent = 70});

    cr_expect_eq(result->handshakes_ticket, 70);
    cr_expect_eq(result->handshakes_full, 30);
    free(result);
}

Test(leave, connections_end_after_so_many_requests_and_resume)
{
    for (int http = 0; http <= 1; http++) {
        struct load_result *result =
            run_against(http ? &http_service : &echo_service,
                        (struct load_plan){.mode = LOAD_RR,
                                           .peer = http ? LOAD_PEER_HTTP : LOAD_PEER_ECHO,
                                           .path = "/16",
                                           .threads = 1,
                                           .connections = 1,
                                           .count = 20,
                                           .depth = 3,
                                           .requests_per_connection = 4,
                                           .resume = LOAD_RESUME_TICKET});

        cr_expect_eq(result->messages, 20);
        /* The first is made before the measured time. */
        cr_expect_eq(result->handshakes_ticket, 4);
        cr_expect_eq(result->handshakes_full, 0);
        cr_expect_eq(result->phases[LOAD_PHASE_TO_FIRST_BYTE].count, 4);
        cr_expect_eq(result->phases[LOAD_PHASE_FIRST_BYTE].count, 20);
        cr_expect_eq(result->phases[LOAD_PHASE_SET_UP].count, 4);
        free(result);
    }
}

struct handed {
    uint8_t session[4096];
    size_t bytes;
};

static void take_session(void *user, const uint8_t *data, size_t bytes)
{
    struct handed *handed = user;

    cr_assert_leq(bytes, sizeof handed->session);
    memcpy(handed->session, data, bytes);
    handed->bytes = bytes;
}

Test(leave, a_session_outlives_the_run)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct server *server = server_start(&echo_service, false);
    struct handed handed = {0};
    const struct load_hooks hooks = {.session = take_session, .user = &handed};

    for (int again = 0; again <= 1; again++) {
        const struct load_plan plan = {.mode = LOAD_HANDSHAKE,
                                       .address = server->address,
                                       .tls.insecure = true,
                                       .connections = 1,
                                       .count = 1,
                                       .keep_session = true,
                                       .session = again ? handed.session : NULL,
                                       .session_bytes = handed.bytes};

        cr_assert_eq(load_run(&plan, &hooks, result, NULL), 0);
        cr_expect_gt(handed.bytes, 0);
        cr_expect_eq(result->handshakes_ticket, again ? 1 : 0);
    }
    free(result);
    server_stop(server);
}

Test(leave, tls_1_2_tickets_go_on_serving)
{
    struct load_result *result =
        run_against(&echo_service, (struct load_plan){.mode = LOAD_HANDSHAKE,
                                                      .threads = 1,
                                                      .connections = 1,
                                                      .count = 10,
                                                      .resume = LOAD_RESUME_TICKET,
                                                      .tls.version_max = TLS_VERSION_1_2});

    cr_expect_eq(result->handshakes_full, 1);
    cr_expect_eq(result->handshakes_ticket, 9);
    free(result);
}
