#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "load/plan.h"

static struct load_plan plan_for(const char *target)
{
    struct load_plan plan = {0};
    struct error error = {0};

    cr_assert_eq(load_plan_target(&plan, target, &error), 0, "%s", error.text);
    return plan;
}

Test(plan, zeros_become_the_documented_defaults)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");

    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.connections, 50);
    cr_expect_geq(plan.threads, 1);
    cr_expect_eq(plan.duration_ns, 10 * NS_PER_S);
    cr_expect_eq(plan.message_bytes, 64);
    cr_expect_eq(plan.response_bytes, 64);
    cr_expect_eq(plan.depth, 1);
    cr_expect_eq(plan.timeout_ns, 10 * NS_PER_S);
    cr_expect_eq(plan.interval_ns, NS_PER_S);
    cr_expect_str_eq(plan.path, "/");
}

Test(plan, completing_twice_changes_nothing)
{
    struct load_plan plan = plan_for("localhost:4433");
    struct load_plan again;

    plan.mode = LOAD_UPLOAD;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    again = plan;
    cr_assert_eq(load_plan_complete(&again, NULL), 0);
    cr_expect_eq(memcmp(&plan, &again, offsetof(struct load_plan, server_name)), 0);
    cr_expect_eq(again.peer, plan.peer);
    cr_expect_eq(again.message_bytes, plan.message_bytes);
}

Test(plan, a_count_has_no_duration_unless_one_is_given)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");

    plan.count = 1000;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.duration_ns, 0);
}

Test(plan, handshakes_and_messages_may_have_a_rate)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");

    plan.rate = LOAD_RATE_MAX;
    cr_expect_eq(load_plan_complete(&plan, NULL), 0);
    plan.mode = LOAD_RR;
    cr_expect_eq(load_plan_complete(&plan, NULL), 0);
}

Test(plan, no_thread_is_without_a_connection)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");

    plan.connections = 3;
    plan.threads = 8;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.threads, 3);
}

Test(plan, no_thread_is_without_a_share_of_the_count)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");

    plan.count = 2;
    plan.threads = 8;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.threads, 2);
    cr_expect_eq(plan.connections, 50);
}

Test(plan, shares_of_processes_add_up_to_the_whole)
{
    for (uint64_t whole = 0; whole < 12; whole++) {
        uint64_t before = 0;

        for (unsigned i = 0; i < 3; i++) {
            cr_expect_eq(load_share_before(whole, 3, i), before);
            before += load_share(whole, 3, i);
        }
        cr_expect_eq(before, whole);
    }
    cr_expect_eq(load_share(10, 3, 0), 4);
    cr_expect_eq(load_share(10, 3, 2), 3);
}

Test(plan, no_thread_of_a_process_is_without_a_share)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");

    plan.rank = (struct load_rank){.index = 2, .count = 3};
    plan.connections = 10;
    plan.threads = 8;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.threads, 3);
    cr_expect_eq(plan.connections, 10, "the plan is that of all");
    plan.count = 7;
    plan.threads = 8;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.threads, 2);
}

Test(plan, a_process_without_a_share_is_refused)
{
    const struct load_plan whole = plan_for("127.0.0.1:4433");
    struct load_plan plan = whole;
    struct error error = {0};

    plan.rank.count = 3;
    plan.connections = 2;
    cr_expect_eq(load_plan_complete(&plan, &error), -1);
    cr_expect_not_null(strstr(error.text, "--connections 2 among 3 ranks"), "%s", error.text);
    plan = whole;
    plan.rank.count = 3;
    plan.count = 2;
    cr_expect_eq(load_plan_complete(&plan, &error), -1);
    cr_expect_not_null(strstr(error.text, "--count 2 among 3 ranks"), "%s", error.text);
    plan = whole;
    plan.rank.count = 2;
    plan.session = (const uint8_t *)"";
    plan.mode = LOAD_HANDSHAKE;
    cr_expect_eq(load_plan_complete(&plan, &error), -1);
    cr_expect_not_null(strstr(error.text, "saved session"), "%s", error.text);
}

Test(plan, server_name_is_the_host_but_never_an_address)
{
    struct load_plan name = plan_for("localhost:4433");
    struct load_plan v4 = plan_for("127.0.0.1:4433");
    struct load_plan v6 = plan_for("[::1]:4433");
    struct load_plan chosen = plan_for("127.0.0.1:4433");

    chosen.server_name = "example.org";
    cr_assert_eq(load_plan_complete(&name, NULL), 0);
    cr_assert_eq(load_plan_complete(&v4, NULL), 0);
    cr_assert_eq(load_plan_complete(&v6, NULL), 0);
    cr_assert_eq(load_plan_complete(&chosen, NULL), 0);
    cr_expect_str_eq(name.server_name, "localhost");
    cr_expect_null(v4.server_name);
    cr_expect_null(v6.server_name);
    cr_expect_str_eq(chosen.server_name, "example.org");
}

Test(plan, streams_choose_their_peer_and_block)
{
    struct load_plan up = plan_for("127.0.0.1:4433");
    struct load_plan down = plan_for("127.0.0.1:4433");
    struct load_plan get = plan_for("https://127.0.0.1:4433/1k");

    up.mode = LOAD_UPLOAD;
    down.mode = LOAD_DOWNLOAD;
    get.mode = LOAD_DOWNLOAD;
    cr_assert_eq(load_plan_complete(&up, NULL), 0);
    cr_assert_eq(load_plan_complete(&down, NULL), 0);
    cr_assert_eq(load_plan_complete(&get, NULL), 0);
    cr_expect_eq(up.peer, LOAD_PEER_DISCARD);
    cr_expect_eq(up.message_bytes, 16384);
    cr_expect_eq(down.peer, LOAD_PEER_SOURCE);
    cr_expect_eq(get.peer, LOAD_PEER_HTTP);
}

Test(plan, resuming_by_id_means_tls_1_2_without_tickets)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");

    plan.resume = LOAD_RESUME_ID;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.tls.version_max, TLS_VERSION_1_2);
    cr_expect(plan.tls.no_tickets);
    cr_expect_eq(plan.resume_percent, 100);

    plan.tls.version_max = TLS_VERSION_1_1;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.tls.version_max, TLS_VERSION_1_1);
}

struct refused {
    char word[24]; /* that the sentence must contain */
    struct load_plan plan;
};

ParameterizedTestParameters(plan, refuses)
{
    static struct refused rows[] = {
        {"connections", {.connections = LOAD_CONNECTIONS_MAX + 1}},
        {"threads", {.threads = LOAD_THREADS_MAX + 1, .connections = LOAD_THREADS_MAX + 1}},
        {"depth", {.mode = LOAD_RR, .depth = LOAD_DEPTH_MAX + 1}},
        {"interval", {.interval_ns = 1}},
        {"timeout", {.timeout_ns = 1}},
        {"upload", {.mode = LOAD_UPLOAD, .peer = LOAD_PEER_HTTP}},
        {"download", {.mode = LOAD_DOWNLOAD, .peer = LOAD_PEER_RR}},
        {"rr", {.mode = LOAD_RR, .peer = LOAD_PEER_DISCARD}},
        {"handshake", {.mode = LOAD_RR, .resume = LOAD_RESUME_TICKET}},
        {"plain TCP", {.resume = LOAD_RESUME_TICKET, .plain_tcp = true}},
        {"percent", {.resume = LOAD_RESUME_TICKET, .resume_percent = 101}},
        {"no-tickets", {.resume = LOAD_RESUME_TICKET, .tls.no_tickets = true}},
        {"TLS 1.2", {.resume = LOAD_RESUME_ID, .tls.version_min = TLS_VERSION_1_3}},
        {"TLS 1.2", {.resume = LOAD_RESUME_ID, .tls.version_max = TLS_VERSION_1_3}},
        {"bytes", {.mode = LOAD_RR, .message_bytes = LOAD_MESSAGE_BYTES_MAX + 1ull}},
        {"bytes", {.mode = LOAD_RR, .peer = LOAD_PEER_RR, .message_bytes = 7}},
        {"echo", {.mode = LOAD_RR, .message_bytes = 64, .response_bytes = 65}},
        {"--rate", {.mode = LOAD_RR, .rate = LOAD_RATE_MAX + 1ull}},
        {"--rate", {.mode = LOAD_UPLOAD, .rate = 1}},
        {"--rate", {.mode = LOAD_DOWNLOAD, .rate = 1}},
    };

    return cr_make_param_array(struct refused, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct refused *row, plan, refuses)
{
    struct load_plan plan = row->plan;
    const struct load_plan target = plan_for("127.0.0.1:4433");
    struct error error = {0};

    plan.address = target.address;
    cr_expect_eq(load_plan_complete(&plan, &error), -1, "%s", row->word);
    cr_expect_not_null(strstr(error.text, row->word), "\"%s\" in: %s", row->word, error.text);
}

Test(plan, refuses_no_target)
{
    struct load_plan plan = {0};
    struct error error = {0};

    cr_expect_eq(load_plan_complete(&plan, &error), -1);
    cr_expect_not_null(strstr(error.text, "target"), "%s", error.text);
}

Test(plan, names_are_those_of_the_flags)
{
    cr_expect_str_eq(load_mode_name(LOAD_HANDSHAKE), "handshake");
    cr_expect_str_eq(load_mode_name(LOAD_DOWNLOAD), "download");
    cr_expect_str_eq(load_arrivals_name(LOAD_ARRIVALS_POISSON), "poisson");
    cr_expect_str_eq(load_peer_name(LOAD_PEER_ECHO), "echo");
    cr_expect_str_eq(load_peer_name(LOAD_PEER_DISCARD), "discard");
}

Test(plan, early_data_brings_what_it_needs)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");

    plan.mode = LOAD_RR;
    plan.early_data = true;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.requests_per_connection, 1);
    cr_expect_eq(plan.resume, LOAD_RESUME_TICKET);
    cr_expect_eq(plan.resume_percent, 100);
    cr_expect(load_plan_reconnects(&plan));
}

Test(plan, early_data_that_cannot_be_is_refused)
{
    for (int i = 0; i < 5; i++) {
        struct load_plan plan = plan_for("127.0.0.1:4433");
        struct error error = {0};

        plan.mode = i == 0 ? LOAD_HANDSHAKE : LOAD_RR;
        plan.early_data = true;
        plan.plain_tcp = i == 1;
        plan.rate = i == 2 ? 10 : 0;
        plan.resume = i == 3 ? LOAD_RESUME_ID : LOAD_RESUME_NONE;
        plan.tls.version_max = i == 4 ? TLS_VERSION_1_2 : TLS_VERSION_DEFAULT;
        cr_expect_eq(load_plan_complete(&plan, &error), -1, "%d", i);
        cr_expect_not_null(strstr(error.text, "--early-data"), "%s", error.text);
    }
}

Test(plan, open_connections_resume_only_from_a_saved_session)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");

    plan.mode = LOAD_RR;
    plan.resume = LOAD_RESUME_TICKET;
    cr_expect_eq(load_plan_complete(&plan, NULL), -1);
    plan.keep_session = true;
    cr_expect_eq(load_plan_complete(&plan, NULL), 0);
    plan.keep_session = false;
    plan.requests_per_connection = 5;
    cr_expect_eq(load_plan_complete(&plan, NULL), 0);
}

Test(plan, many_connections_are_checked)
{
    struct load_plan plan = plan_for("127.0.0.1:4433");
    struct socket_address source = {.bytes = sizeof source.in6};

    plan.idle = 100;
    plan.ramp_rate = 50;
    plan.connections = 50;
    cr_assert_eq(load_plan_complete(&plan, NULL), 0);
    cr_expect_eq(plan.ramp_ns, 3 * NS_PER_S);
    plan.idle = 0; /* handshakes have nothing to ramp */
    cr_expect_eq(load_plan_complete(&plan, NULL), -1);
    plan = plan_for("127.0.0.1:4433");
    plan.idle = 10;
    plan.mode = LOAD_UPLOAD;
    cr_expect_eq(load_plan_complete(&plan, NULL), -1);
    plan = plan_for("127.0.0.1:4433");
    source.in6.sin6_family = AF_INET6;
    plan.sources = &source;
    plan.source_count = 1;
    cr_expect_eq(load_plan_complete(&plan, NULL), -1);
}
