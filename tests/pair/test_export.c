#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "pair.h"

struct fixture {
    struct pair_setup setup;
    struct pair pair;
};

static void open_pair(struct fixture *fixture, enum tls_version version)
{
    fixture->setup.server_config.version_min = version;
    fixture->setup.server_config.version_max = version;
    pair_setup_init(&fixture->setup, NULL);
    pair_init(&fixture->pair, fixture->setup.client, fixture->setup.server, NULL);
    cr_assert(pair_handshake(&fixture->pair));
}

static void close_pair(struct fixture *fixture)
{
    pair_deinit(&fixture->pair);
    pair_setup_deinit(&fixture->setup);
}

static void expect_same_keys(enum tls_version version)
{
    struct fixture fixture = {0};
    const struct tls_engine *client = &fixture.pair.client.engine;
    const struct tls_engine *server = &fixture.pair.server.engine;
    uint8_t ours[32], theirs[32], other[32], empty[32];

    open_pair(&fixture, version);
    cr_assert(tls_engine_export(client, "EXPORTER-test", NULL, 0, ours, 32));
    cr_assert(tls_engine_export(server, "EXPORTER-test", NULL, 0, theirs, 32));
    cr_assert_arr_eq(ours, theirs, 32);
    cr_assert(tls_engine_export(server, "EXPORTER-other", NULL, 0, other, 32));
    cr_assert_arr_neq(ours, other, 32);
    cr_assert(tls_engine_export(server, "EXPORTER-test", (const uint8_t *)"x", 1, other, 32));
    cr_assert_arr_neq(ours, other, 32);
    cr_assert(tls_engine_export(server, "EXPORTER-test", (const uint8_t *)"", 0, empty, 32));
    cr_assert_eq(memcmp(ours, empty, 32) == 0, version == TLS_VERSION_1_3);
    close_pair(&fixture);
}

Test(export, both_ends_export_the_same_keys)
{
    expect_same_keys(TLS_VERSION_1_3);
    expect_same_keys(TLS_VERSION_1_2);
}

Test(export, nothing_before_the_handshake_is_complete_and_without_tls)
{
    struct pair_setup setup = {0};
    struct pair pair;
    uint8_t out[32];

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    pair_handshake_step(&pair, &pair.client);
    cr_assert_not(tls_engine_export(&pair.client.engine, "EXPORTER-test", NULL, 0, out, 32));
    cr_assert_eq(tls_engine_finished(&pair.client.engine, false, out, 32), 0);
    pair_deinit(&pair);
    pair_init(&pair, NULL, NULL, NULL);
    cr_assert_not(tls_engine_export(&pair.client.engine, "EXPORTER-test", NULL, 0, out, 32));
    cr_assert_eq(tls_engine_finished(&pair.client.engine, false, out, 32), 0);
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

static void expect_finished(enum tls_version version, size_t expected_bytes)
{
    struct fixture fixture = {0};
    const struct tls_engine *client = &fixture.pair.client.engine;
    const struct tls_engine *server = &fixture.pair.server.engine;
    uint8_t sent[64], received[64];

    open_pair(&fixture, version);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(tls_engine_finished(i == 0 ? client : server, false, sent, 64),
                     expected_bytes);
        cr_assert_eq(tls_engine_finished(i == 0 ? server : client, true, received, 64),
                     expected_bytes);
        cr_assert_arr_eq(sent, received, expected_bytes);
    }
    close_pair(&fixture);
}

Test(export, what_one_end_finished_with_the_other_has_received)
{
    expect_finished(TLS_VERSION_1_3, 48); /* SHA-384, of the suite that is negotiated */
    expect_finished(TLS_VERSION_1_2, 12);
}

static struct tls_session *passed_on(struct tls_session *session, size_t cut_bytes)
{
    size_t bytes = tls_session_serialise(session, NULL, 0);
    uint8_t *data = malloc(bytes);
    struct tls_session *copy;

    cr_assert_gt(bytes, 100);
    memset(data, 0, bytes);
    cr_assert_eq(tls_session_serialise(session, data, bytes - 1), bytes);
    cr_assert_eq(data[0], 0); /* no room, not a byte */
    cr_assert_eq(tls_session_serialise(session, data, bytes), bytes);
    tls_session_free(session);
    copy = tls_session_parse(data, bytes - cut_bytes);
    free(data);
    return copy;
}

static void expect_resumable(enum tls_version version)
{
    struct pair_setup setup = {0};
    struct tls_session *session;
    enum tls_resumption kind;
    size_t bytes;

    setup.server_config.version_min = setup.server_config.version_max = version;
    pair_setup_init(&setup, NULL);
    session = passed_on(pair_connect(&setup, NULL, &kind, NULL), 0);
    cr_assert_not_null(session);
    cr_assert_not_null(tls_session_ticket(session, &bytes));
    cr_assert_gt(bytes, 48);
    tls_session_free(pair_connect(&setup, session, &kind, NULL));
    cr_assert_eq(kind, TLS_RESUMED_TICKET);
    tls_session_free(session);
    pair_setup_deinit(&setup);
}

Test(export, a_session_resumes_after_a_trip_as_bytes)
{
    expect_resumable(TLS_VERSION_1_3);
    expect_resumable(TLS_VERSION_1_2);
}

Test(export, a_cut_session_and_anything_else_is_none)
{
    struct pair_setup setup = {0};
    enum tls_resumption kind;

    pair_setup_init(&setup, NULL);
    cr_assert_null(passed_on(pair_connect(&setup, NULL, &kind, NULL), 1));
    cr_assert_null(tls_session_parse((const uint8_t *)"not a session", 13));
    cr_assert_null(tls_session_parse(NULL, 0));
    pair_setup_deinit(&setup);
}

Test(export, a_session_by_id_has_no_ticket)
{
    struct pair_setup setup = {.client_config = {.no_tickets = true}};
    struct tls_session *session;
    enum tls_resumption kind;
    size_t bytes;

    setup.server_config.version_max = TLS_VERSION_1_2;
    pair_setup_init(&setup, NULL);
    session = pair_connect(&setup, NULL, &kind, NULL);
    cr_assert_not_null(session);
    cr_assert_null(tls_session_ticket(session, &bytes));
    cr_assert_eq(bytes, 0);
    tls_session_free(session);
    pair_setup_deinit(&setup);
}
