#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "asking.h"
#include "tls/replay.h"
#include "tls/ticket.h"

enum { EARLY_MAX = 4096 };

static void open_setup(struct pair_setup *setup, uint32_t early_max)
{
    setup->server_config.early_data_bytes_max = early_max;
    setup->shared.tickets = ticket_ring_new(1, NULL);
    setup->shared.replays = replay_guard_new(64, NULL);
    pair_setup_init(setup, NULL);
}

static void close_setup(struct pair_setup *setup)
{
    pair_setup_deinit(setup);
    ticket_ring_free(setup->shared.tickets);
    replay_guard_free(setup->shared.replays);
}

static struct tls_session *first_session(struct pair_setup *setup)
{
    enum tls_resumption kind;
    struct tls_session *session = pair_connect(setup, NULL, &kind, NULL);

    cr_assert_not_null(session);
    return session;
}

static size_t write_early(struct pair *pair, const char *text)
{
    return tls_engine_write_early(&pair->client.engine, (const uint8_t *)text, strlen(text));
}

static void expect_early_text(struct pair *pair, const char *expected)
{
    char text[64] = "";

    text[tls_engine_read_early(&pair->server.engine, (uint8_t *)text, sizeof(text) - 1)] = '\0';
    cr_assert_str_eq(text, expected);
}

/* Finishes the handshake and insists on what became of the early data. */
static void expect_early(struct pair *pair, enum tls_early expected)
{
    cr_assert(pair_handshake(pair), "%s; %s", pair->client.failure.reason,
              pair->server.failure.reason);
    cr_assert_eq(tls_engine_early(&pair->client.engine), expected);
    cr_assert_eq(tls_engine_early(&pair->server.engine), expected);
    expect_early_text(pair, "");
    pair_send(pair, &pair->client, &pair->server, (const uint8_t *)"ping", 4);
    pair_send(pair, &pair->server, &pair->client, (const uint8_t *)"pong", 4);
}

static void expect_accepted(size_t piece_bytes)
{
    struct pair_setup setup = {0};
    struct tls_engine_options options = {0};
    struct tls_session *session;
    struct pair pair;

    open_setup(&setup, EARLY_MAX);
    session = first_session(&setup);
    options.session = session;
    pair_init(&pair, setup.client, setup.server, &options);
    pair.piece_bytes = piece_bytes;
    cr_assert_eq(write_early(&pair, "early "), 6);
    cr_assert_eq(write_early(&pair, "bird"), 4);
    pair_move(&pair.client, &pair.server);
    cr_assert_eq(pair_handshake_step(&pair, &pair.server), TLS_AGAIN);
    expect_early_text(&pair, "early bird"); /* before the handshake is complete */
    cr_assert_eq(pair.server.engine.tally.early_bytes, 10);
    pair_move(&pair.server, &pair.client);
    expect_early(&pair, TLS_EARLY_ACCEPTED);
    pair_deinit(&pair);
    tls_session_free(session);
    close_setup(&setup);
}

Test(early, data_arrives_before_the_handshake_is_complete)
{
    expect_accepted(0);
    expect_accepted(1);
}

Test(early, data_is_there_after_the_handshake_too)
{
    struct pair_setup setup = {0};
    struct tls_engine_options options = {0};
    struct tls_session *session;
    struct pair pair;

    open_setup(&setup, EARLY_MAX);
    session = first_session(&setup);
    options.session = session;
    pair_init(&pair, setup.client, setup.server, &options);
    cr_assert_eq(write_early(&pair, "early"), 5);
    cr_assert(pair_handshake(&pair));
    expect_early_text(&pair, "early");
    pair_deinit(&pair);
    tls_session_free(session);
    close_setup(&setup);
}

/* The same first flight at two workers: one takes the early data, the other falls back. */
Test(early, a_replay_is_rejected_by_whichever_worker_gets_it)
{
    struct pair_setup setup = {0};
    struct tls_engine_options options = {0};
    struct tls_context *other;
    struct tls_session *session;
    struct pair pair, replay;
    uint8_t flight[4096];
    size_t flight_bytes;

    open_setup(&setup, EARLY_MAX);
    other = tls_context_new(TLS_SERVER, &setup.server_config, &setup.shared, NULL);
    session = first_session(&setup);
    options.session = session;
    pair_init(&pair, setup.client, setup.server, &options);
    cr_assert_eq(write_early(&pair, "pay"), 3);
    flight_bytes = pair.client.queue.bytes;
    cr_assert_leq(flight_bytes, sizeof(flight));
    memcpy(flight, pair.client.queue.head->data + pair.client.queue.head->start, flight_bytes);
    pair_move(&pair.client, &pair.server);
    pair_handshake_step(&pair, &pair.server);
    expect_early_text(&pair, "pay");

    pair_init(&replay, setup.client, other, NULL);
    pair_inject(&replay.server, flight, flight_bytes);
    cr_assert_eq(pair_handshake_step(&replay, &replay.server), TLS_AGAIN);
    expect_early_text(&replay, "");
    cr_assert_eq(tls_engine_early(&replay.server.engine), TLS_EARLY_REJECTED);
    cr_assert_eq(replay.server.engine.tally.early_bytes, 0);
    pair_deinit(&replay);

    pair_move(&pair.server, &pair.client);
    expect_early(&pair, TLS_EARLY_ACCEPTED);
    pair_deinit(&pair);
    tls_session_free(session);
    tls_context_free(other);
    close_setup(&setup);
}

/* Two connections of one client with the same ticket: the second one costs a round trip. */
Test(early, a_ticket_brings_early_data_once)
{
    struct pair_setup setup = {0};
    struct tls_engine_options options = {0};
    struct tls_session *session;
    struct pair pairs[2];

    open_setup(&setup, EARLY_MAX);
    session = first_session(&setup);
    options.session = session;
    for (int i = 0; i < 2; i++) {
        pair_init(&pairs[i], setup.client, setup.server, &options);
        cr_assert_eq(write_early(&pairs[i], "once"), 4);
    }
    for (int i = 0; i < 2; i++) {
        enum tls_resumption kind;

        pair_move(&pairs[i].client, &pairs[i].server);
        pair_handshake_step(&pairs[i], &pairs[i].server);
        expect_early_text(&pairs[i], i == 0 ? "once" : "");
        pair_move(&pairs[i].server, &pairs[i].client);
        expect_early(&pairs[i], i == 0 ? TLS_EARLY_ACCEPTED : TLS_EARLY_REJECTED);
        cr_assert(tls_engine_resumed(&pairs[i].server.engine, &kind));
    }
    for (int i = 0; i < 2; i++) {
        pair_deinit(&pairs[i]);
    }
    tls_session_free(session);
    close_setup(&setup);
}

/* The early data waits behind the ClientHello until it is clear who serves it. */
Test(early, data_waits_for_another_context)
{
    static const unsigned asks = 1 << TLS_WANT_CONTEXT | 1 << TLS_WANT_STAPLE;
    struct pair_setup setup = {0};
    struct pair_setup other = {.server_config = {.alpn = "other"}};
    struct tls_engine_options options = {.server_name = "localhost"};
    struct answers answers = {0};
    struct tls_session *session;
    struct pair pair;

    open_setup(&setup, EARLY_MAX);
    open_setup(&other, 0);
    session = first_session(&setup);
    options.session = session;
    answers.context = setup.server;
    pair_init_asking(&pair, setup.client, other.server, &options, asks);
    cr_assert_eq(write_early(&pair, "early"), 5);
    pair_move(&pair.client, &pair.server);
    cr_assert_eq(asking_server_step(&pair, &answers), TLS_AGAIN);
    cr_assert_eq(answers.counts[TLS_WANT_CONTEXT], 1);
    expect_early_text(&pair, "early");
    pair_move(&pair.server, &pair.client);
    expect_early(&pair, TLS_EARLY_ACCEPTED);
    pair_deinit(&pair);
    tls_session_free(session);
    close_setup(&setup);
    close_setup(&other);
}

static void expect_rejected(struct pair_setup *setup, struct tls_context *server)
{
    struct tls_session *session = first_session(setup);
    struct tls_engine_options options = {.session = session};
    enum tls_resumption kind;
    struct pair pair;

    cr_assert_not_null(server);
    pair_init(&pair, setup->client, server, &options);
    cr_assert_eq(write_early(&pair, "early"), 5);
    expect_early(&pair, TLS_EARLY_REJECTED);
    cr_assert(tls_engine_resumed(&pair.server.engine, &kind));
    pair_deinit(&pair);
    tls_session_free(session);
}

Test(early, a_server_that_does_not_take_it_any_more_skips_it)
{
    struct pair_setup setup = {0};
    struct tls_context *other;

    open_setup(&setup, EARLY_MAX);
    setup.server_config.early_data_bytes_max = 0;
    other = tls_context_new(TLS_SERVER, &setup.server_config, &setup.shared, NULL);
    expect_rejected(&setup, other);
    tls_context_free(other);
    close_setup(&setup);
}

Test(early, a_ticket_of_another_process_resumes_without)
{
    struct pair_setup setup = {0};
    struct tls_shared shared = {.replays = replay_guard_new(64, NULL)};
    struct tls_context *other;

    open_setup(&setup, EARLY_MAX);
    shared.tickets = setup.shared.tickets;
    other = tls_context_new(TLS_SERVER, &setup.server_config, &shared, NULL);
    expect_rejected(&setup, other);
    tls_context_free(other);
    replay_guard_free(shared.replays);
    close_setup(&setup);
}

Test(early, a_hello_that_must_be_repeated_takes_its_data_back)
{
    struct pair_setup setup = {.client_config = {.groups = "X25519:P-384"}};
    struct tls_context *other;

    setup.server_config.session_id_context = "both";
    open_setup(&setup, EARLY_MAX);
    setup.server_config.groups = "P-384";
    other = tls_context_new(TLS_SERVER, &setup.server_config, &setup.shared, NULL);
    expect_rejected(&setup, other);
    tls_context_free(other);
    close_setup(&setup);
}

Test(early, nothing_is_taken_beyond_what_the_ticket_allows)
{
    struct pair_setup setup = {0};
    struct tls_engine_options options = {0};
    struct tls_session *session;
    static uint8_t zeros[EARLY_MAX + 1];
    static uint8_t out[EARLY_MAX + 1];
    struct pair pair;

    open_setup(&setup, EARLY_MAX);
    session = first_session(&setup);
    options.session = session;
    pair_init(&pair, setup.client, setup.server, &options);
    cr_assert_eq(tls_engine_write_early(&pair.client.engine, zeros, sizeof(zeros)), EARLY_MAX);
    cr_assert_eq(tls_engine_write_early(&pair.client.engine, zeros, 1), 0);
    pair_move(&pair.client, &pair.server);
    pair_handshake_step(&pair, &pair.server);
    cr_assert_eq(tls_engine_read_early(&pair.server.engine, out, 100), 100);
    cr_assert_eq(tls_engine_read_early(&pair.server.engine, out, sizeof(out)), EARLY_MAX - 100);
    pair_move(&pair.server, &pair.client);
    expect_early(&pair, TLS_EARLY_ACCEPTED);
    cr_assert_eq(write_early(&pair, "late"), 0);
    pair_deinit(&pair);
    tls_session_free(session);
    close_setup(&setup);
}

static void expect_none(uint32_t early_max, enum tls_version version, bool with_session)
{
    struct pair_setup setup = {.server_config = {.version_max = version}};
    struct tls_engine_options options = {0};
    struct tls_session *session;
    struct pair pair;

    open_setup(&setup, early_max);
    session = first_session(&setup);
    options.session = with_session ? session : NULL;
    pair_init(&pair, setup.client, setup.server, &options);
    cr_assert_eq(write_early(&pair, "early"), 0);
    expect_early(&pair, TLS_EARLY_NONE);
    pair_deinit(&pair);
    tls_session_free(session);
    close_setup(&setup);
}

Test(early, data_is_off_by_default)
{
    expect_none(0, TLS_VERSION_1_3, true);
}

Test(early, data_needs_a_session_and_tls_1_3)
{
    expect_none(EARLY_MAX, TLS_VERSION_1_3, false);
    expect_none(EARLY_MAX, TLS_VERSION_1_2, true);
}

Test(early, a_server_without_a_guard_is_refused)
{
    struct pair_setup setup = {0};
    struct tls_shared shared = {0};

    open_setup(&setup, EARLY_MAX);
    cr_assert_null(tls_context_new(TLS_SERVER, &setup.server_config, &shared, NULL));
    close_setup(&setup);
}
