/* Whole runs against a server in the same process: the data path's own reactor and services. Runs
 * are bounded by counts, so that the machine's speed does not matter. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "server.h"

Test(load, handshakes_are_counted_and_named)
{
    struct load_result *result =
        run_against(&echo_service, (struct load_plan){.mode = LOAD_HANDSHAKE, .count = 21});

    cr_expect_eq(result->handshakes, 21);
    cr_expect_eq(result->handshakes_full, 21);
    cr_expect_eq(result->phases[LOAD_PHASE_HANDSHAKE_FULL].count, 21);
    cr_expect_eq(result->phases[LOAD_PHASE_HANDSHAKE_RESUMED].count, 0);
    cr_expect_gt(result->seconds, 0);
    cr_expect_gt(result->cpu_seconds, 0);
    cr_assert_eq(result->negotiated_count, 1);
    cr_expect_str_eq(result->negotiated[0].facts.version, "TLSv1.3");
    cr_expect_str_eq(result->negotiated[0].facts.certificate, "EC P-256");
    cr_expect_eq(result->negotiated[0].connections, 21);
    free(result);
}

Test(load, a_count_smaller_than_the_threads_is_exact_too)
{
    struct load_result *handshakes =
        run_against(&echo_service, (struct load_plan){.mode = LOAD_HANDSHAKE, .count = 1});
    struct load_result *messages =
        run_against(&echo_service, (struct load_plan){.mode = LOAD_RR, .count = 1, .depth = 4});

    cr_expect_eq(handshakes->handshakes, 1);
    cr_expect_eq(messages->messages, 1);
    cr_expect_eq(messages->bytes_out, 64);
    free(handshakes);
    free(messages);
}

Test(load, several_processes_make_the_whole_together)
{
    uint64_t messages = 0;
    uint64_t due = 0;
    uint32_t connections = 0;

    for (unsigned i = 0; i < 3; i++) {
        struct load_result *result = run_against(
            &echo_service,
            (struct load_plan){
                .mode = LOAD_RR, .count = 20, .connections = 5, .rate = 1000, .rank = {i, 3}});

        cr_expect_eq(result->messages, i < 2 ? 7 : 6);
        messages += result->messages;
        connections += result->connections_asked;
        due += result->due;
        free(result);
    }
    cr_expect_eq(messages, 20);
    cr_expect_eq(connections, 5);
    cr_expect_geq(due, 20);
}

static bool call_off(void *user, bool goes_on)
{
    cr_expect(goes_on);
    *(bool *)user = true;
    return false;
}

Test(load, nothing_begins_when_another_process_cannot)
{
    bool was_asked = false;
    struct load_plan plan = {.mode = LOAD_RR, .count = 20};
    struct error error = {0};
    struct load_result *result = calloc(1, sizeof *result);

    cr_assert_not_null(result);
    cr_assert_eq(load_plan_target(&plan, "127.0.0.1:1", &error), 0);
    plan.plain_tcp = true;
    cr_expect_eq(
        load_run(&plan, &(struct load_hooks){.meet = call_off, .user = &was_asked}, result, &error),
        -1);
    cr_expect(was_asked);
    cr_expect_str_empty(error.text);
    free(result);
}

Test(load, echo_answers_are_verified_at_any_size_and_depth)
{
    const uint64_t sizes[] = {1, 64, 16384, 16385, 300000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct load_result *result = run_against(
            &echo_service,
            (struct load_plan){
                .mode = LOAD_RR, .count = 41, .message_bytes = sizes[i], .depth = 1 + (uint32_t)i});

        cr_expect_eq(result->messages, 41);
        cr_expect_eq(result->bytes_in, 41 * sizes[i]);
        cr_expect_eq(result->bytes_out, 41 * sizes[i]);
        cr_expect_eq(result->phases[LOAD_PHASE_MESSAGE].count, 41);
        cr_expect_eq(result->phases[LOAD_PHASE_FIRST_BYTE].count, 41);
        cr_expect_eq(result->phases[LOAD_PHASE_CONNECT].count, 4);
        free(result);
    }
}

Test(load, rr_has_its_own_sizes_each_way)
{
    struct load_result *result =
        run_against(&rr_service, (struct load_plan){.mode = LOAD_RR,
                                                    .peer = LOAD_PEER_RR,
                                                    .count = 25,
                                                    .message_bytes = 20000,
                                                    .response_bytes = 70000});

    cr_expect_eq(result->messages, 25);
    cr_expect_eq(result->bytes_in, 25 * 70000);
    free(result);
}

Test(load, http_works_over_tls_and_plain_tcp)
{
    for (int plain = 0; plain < 2; plain++) {
        struct load_result *result =
            run_against(&http_service, (struct load_plan){.mode = LOAD_RR,
                                                          .peer = LOAD_PEER_HTTP,
                                                          .path = "/100000",
                                                          .plain_tcp = plain == 1,
                                                          .depth = 3,
                                                          .count = 25});

        cr_expect_eq(result->messages, 25);
        cr_expect_eq(result->http_status_other, 0);
        cr_expect_gt(result->bytes_in, 25 * 100000);
        cr_expect_eq(result->negotiated_count, plain == 1 ? 0 : 1);
        free(result);
    }
}

Test(load, http_answers_other_than_success_are_told)
{
    struct load_result *result = run_against(
        &http_service,
        (struct load_plan){
            .mode = LOAD_RR, .peer = LOAD_PEER_HTTP, .path = "/no-such-thing", .count = 5});

    cr_expect_eq(result->http_status_other, 5);
    free(result);
}

Test(load, streams_go_both_ways)
{
    struct load_result *up =
        run_against(&discard_service, (struct load_plan){.mode = LOAD_UPLOAD, .count = 100});
    struct load_result *down =
        run_against(&source_service, (struct load_plan){.mode = LOAD_DOWNLOAD, .count = 100});

    cr_expect_eq(up->messages, 100);
    cr_expect_eq(up->bytes_out, 100 * 16384);
    cr_expect_geq(down->messages, 100);
    cr_expect_geq(down->bytes_in, 100 * 16384 - 4 * 16384);
    free(up);
    free(down);
}

Test(load, wrong_bytes_are_noticed)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct server *server = server_start(&source_service, false);
    struct load_plan plan = {.mode = LOAD_RR,
                             .address = server->address,
                             .tls.insecure = true,
                             .connections = 1,
                             .count = 1,
                             .timeout_ns = 200 * NS_PER_MS};

    cr_assert_eq(load_run(&plan, NULL, result, NULL), 0);
    cr_expect_eq(result->messages, 0);
    cr_expect_gt(result->errors_total, 0);
    free(result);
    server_stop(server);
}

Test(load, a_dead_server_is_told_and_never_waited_for)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct socket_address any, bound;
    struct error error = {0};
    struct load_plan plan = {.connections = 3, .duration_ns = 100 * NS_PER_MS};
    int listener;

    /* A port that was free a moment ago. */
    cr_assert_eq(socket_parse("127.0.0.1:0", &any, &error), 0);
    listener = socket_listen(&any, false, 1, &bound, &error);
    cr_assert_geq(listener, 0);
    close(listener);
    plan.address = bound;
    cr_assert_eq(load_run(&plan, NULL, result, &error), 0, "%s", error.text);
    cr_expect_eq(result->handshakes, 0);
    cr_assert_eq(result->error_count, 1);
    cr_expect_eq(result->errors[0].phase, LOAD_ERROR_CONNECT);
    cr_expect_str_eq(result->errors[0].reason, "Connection refused");
    cr_expect_geq(result->errors_total, 3);
    /* Five each in this time; a busy machine makes it longer. */
    cr_expect_leq(result->errors_total, 3 * 10, "back-off must bound the attempts");
    plan.duration_ns = 3600 * NS_PER_S; /* which nobody waits for */
    cr_assert_eq(load_run(&plan, NULL, result, &error), 0, "%s", error.text);
    cr_expect_geq(result->errors_total, 3);
    free(result);
}

Test(load, an_untrusted_certificate_is_told)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct server *server = server_start(&echo_service, false);
    struct load_plan plan = {.address = server->address, .connections = 1, .duration_ns = NS_PER_S};

    cr_assert_eq(load_run(&plan, NULL, result, NULL), 0);
    cr_expect_eq(result->handshakes, 0);
    cr_assert_eq(result->error_count, 1);
    cr_expect_eq(result->errors[0].phase, LOAD_ERROR_HANDSHAKE);
    cr_expect_not_null(strstr(result->errors[0].reason, "certificate verify failed"));
    free(result);
    server_stop(server);
}

Test(load, what_cannot_be_run_is_refused)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct load_plan plan = {0};
    struct error error = {0};

    cr_expect_eq(load_run(&plan, NULL, result, &error), -1);
    cr_expect_not_null(strstr(error.text, "target"));
    cr_assert_eq(load_plan_target(&plan, "127.0.0.1:4433", &error), 0);
    plan.tls.ciphersuites = "NO_SUCH_SUITE";
    cr_expect_eq(load_run(&plan, NULL, result, &error), -1);
    cr_expect_not_null(strstr(error.text, "NO_SUCH_SUITE"), "%s", error.text);
    free(result);
}

Test(load, idle_connections_are_held_and_asked_at_the_end)
{
    for (int rr = 0; rr <= 1; rr++) {
        struct load_result *result =
            run_against(&echo_service, (struct load_plan){.mode = rr ? LOAD_RR : LOAD_HANDSHAKE,
                                                          .connections = 3,
                                                          .idle = 21,
                                                          .count = 30,
                                                          .ramp_ns = 20 * NS_PER_MS,
                                                          .loopback_sources = 2});

        cr_expect_eq(result->idle_asked, 21);
        cr_expect_eq(result->idle_held, 21);
        cr_expect_eq(result->idle_verified, 21);
        cr_expect_eq(rr ? result->messages : result->handshakes, 30, "the idle ones do not count");
        cr_expect_leq(result->connections_peak, 3);
        free(result);
    }
}

Test(load, idle_connections_that_answer_wrongly_are_not_verified)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct server *server = server_start(&discard_service, false);
    const struct load_plan plan = {.mode = LOAD_HANDSHAKE,
                                   .address = server->address,
                                   .tls.insecure = true,
                                   .connections = 1,
                                   .idle = 3,
                                   .count = 1,
                                   .timeout_ns = NS_PER_S};

    cr_assert_eq(load_run(&plan, NULL, result, NULL), 0);
    cr_expect_eq(result->idle_held, 3);
    cr_expect_eq(result->idle_verified, 0);
    cr_expect_eq(result->errors_total, 3);
    free(result);
    server_stop(server);
}

struct watched {
    atomic_bool stop;
    unsigned begins, ends, calls;
    bool stop_at_first_call;
};

static void watch_begin(void *user)
{
    ((struct watched *)user)->begins++;
}

static void watch_end(void *user)
{
    ((struct watched *)user)->ends++;
}

static void watch_progress(void *user, const struct load_progress *progress)
{
    struct watched *watched = user;

    cr_expect_geq(progress->elapsed_s, 0);
    cr_expect_not_null(progress->stage);
    watched->calls++;
    if (watched->stop_at_first_call) {
        atomic_store(&watched->stop, true);
    }
}

Test(load, hooks_hear_of_the_measured_time_and_a_signal_ends_it)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct server *server = server_start(&echo_service, false);
    struct watched watched = {.stop_at_first_call = true};
    const struct load_hooks hooks = {.progress = watch_progress,
                                     .measure_begin = watch_begin,
                                     .measure_end = watch_end,
                                     .user = &watched,
                                     .stop = &watched.stop};
    struct load_plan plan = {.mode = LOAD_RR,
                             .address = server->address,
                             .tls.insecure = true,
                             .connections = 2,
                             .duration_ns = 3600 * NS_PER_S,
                             .interval_ns = 20 * NS_PER_MS};

    cr_assert_eq(load_run(&plan, &hooks, result, NULL), 0);
    cr_expect(result->interrupted);
    cr_expect_eq(watched.begins, watched.ends);
    cr_expect_geq(watched.calls, 1);
    free(result);
    server_stop(server);
}
