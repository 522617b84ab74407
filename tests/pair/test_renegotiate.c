#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/clock.h"
#include "pair.h"

static const uint64_t start_ns = 1000 * 1000 * 1000;

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
    tls_engine_set_time(&fixture->pair.server.engine, start_ns);
    tls_engine_set_time(&fixture->pair.client.engine, start_ns);
    cr_assert(pair_handshake(&fixture->pair));
}

static void close_pair(struct fixture *fixture)
{
    pair_deinit(&fixture->pair);
    pair_setup_deinit(&fixture->setup);
}

/* What an end that has failed says then is its last word. */
static void read_nothing(struct pair *pair, struct pair_end *end)
{
    uint8_t byte;

    if (end->status != TLS_FAILED) {
        cr_assert_eq(pair_read(pair, end, &byte, 1), 0);
    }
}

/* Lets both ends read until nothing moves, which must bring no plaintext. */
static void settle(struct pair *pair)
{
    for (int turn = 0; turn < 6; turn++) {
        pair_move(&pair->client, &pair->server);
        read_nothing(pair, &pair->server);
        pair_move(&pair->server, &pair->client);
        read_nothing(pair, &pair->client);
    }
}

/* True when it goes through and the connection is good afterwards. */
static bool renegotiate(struct pair *pair, struct pair_end *end)
{
    const char *reason;

    cr_assert(tls_engine_renegotiate(&end->engine, false, &reason), "%s", reason);
    cr_assert(tls_engine_renegotiating(&end->engine));
    settle(pair);
    if (pair->client.status == TLS_FAILED || pair->server.status == TLS_FAILED) {
        return false;
    }
    cr_assert_not(tls_engine_renegotiating(&pair->client.engine));
    cr_assert_not(tls_engine_renegotiating(&pair->server.engine));
    pair_send(pair, &pair->client, &pair->server, (const uint8_t *)"ping", 4);
    pair_send(pair, &pair->server, &pair->client, (const uint8_t *)"pong", 4);
    return true;
}

/* Limit 0 is no_renegotiation. */
static void set_limit(struct tls_config *config, unsigned limit)
{
    config->renegotiation_limit = limit;
    config->no_renegotiation = limit == 0;
}

ParameterizedTestParameters(renegotiate, one_more_than_the_limit_cuts)
{
    static unsigned limits[] = {0, 1, 2, 3, 5, 10, 16};

    return cr_make_param_array(unsigned, limits, sizeof(limits) / sizeof(limits[0]));
}

ParameterizedTest(unsigned *limit, renegotiate, one_more_than_the_limit_cuts)
{
    struct fixture fixture = {0};
    struct pair *pair = &fixture.pair;
    uint8_t byte;

    set_limit(&fixture.setup.server_config, *limit);
    open_pair(&fixture, TLS_VERSION_1_2);
    for (unsigned i = 0; i < *limit; i++) {
        cr_assert(renegotiate(pair, &pair->client), "%u", i);
    }
    cr_assert_not(renegotiate(pair, &pair->client));
    cr_assert_eq(pair->server.status, TLS_FAILED);
    cr_assert_eq(pair->server.failure.kind, TLS_FAILURE_PROTOCOL);
    cr_assert_str_eq(pair->server.failure.reason, "too many renegotiations");
    cr_assert_eq(pair->server.engine.tally.renegotiations, *limit + 1);
    cr_assert_eq(pair->client.status, TLS_FAILED);
    cr_assert_eq(pair->client.failure.kind, TLS_FAILURE_ALERT);
    pair_read(pair, &pair->server, &byte, 1);
    cr_assert_eq(pair->server.status, TLS_FAILED);
    close_pair(&fixture);
}

Test(renegotiate, the_default_limit_is_three)
{
    struct fixture fixture = {0};

    open_pair(&fixture, TLS_VERSION_1_2);
    for (int i = 0; i < 3; i++) {
        cr_assert(renegotiate(&fixture.pair, &fixture.pair.client));
    }
    cr_assert_not(renegotiate(&fixture.pair, &fixture.pair.client));
    close_pair(&fixture);
}

static bool again_after(uint64_t passed_ns)
{
    struct fixture fixture = {
        .setup = {.server_config = {.renegotiation_limit = 1, .renegotiation_window_s = 10}}};
    bool renegotiated;

    open_pair(&fixture, TLS_VERSION_1_2);
    cr_assert(renegotiate(&fixture.pair, &fixture.pair.client));
    tls_engine_set_time(&fixture.pair.server.engine, start_ns + passed_ns);
    renegotiated = renegotiate(&fixture.pair, &fixture.pair.client);
    close_pair(&fixture);
    return renegotiated;
}

Test(renegotiate, a_new_window_begins_from_nothing)
{
    cr_assert(again_after(10 * NS_PER_S));
    cr_assert_not(again_after(10 * NS_PER_S - 1));
}

Test(renegotiate, what_we_start_ourselves_is_not_limited)
{
    struct fixture fixture = {0};

    set_limit(&fixture.setup.server_config, 0);
    fixture.setup.client_config.renegotiation_limit = 100;
    open_pair(&fixture, TLS_VERSION_1_2);
    for (int i = 0; i < 10; i++) {
        cr_assert(renegotiate(&fixture.pair, &fixture.pair.server));
    }
    cr_assert_eq(fixture.pair.server.engine.tally.renegotiations, 0);
    cr_assert_eq(fixture.pair.client.engine.tally.renegotiations, 10);
    close_pair(&fixture);
}

Test(renegotiate, a_client_limits_its_server_too)
{
    struct fixture fixture = {0};

    open_pair(&fixture, TLS_VERSION_1_2);
    for (int i = 0; i < 3; i++) {
        cr_assert(renegotiate(&fixture.pair, &fixture.pair.server));
    }
    cr_assert_not(renegotiate(&fixture.pair, &fixture.pair.server));
    cr_assert_eq(fixture.pair.client.status, TLS_FAILED);
    cr_assert_str_eq(fixture.pair.client.failure.reason, "too many renegotiations");
    close_pair(&fixture);
}

/* Until the client has answered, what the server writes must wait. */
Test(renegotiate, plaintext_passes_before_and_after)
{
    struct fixture fixture = {0};
    struct pair *pair = &fixture.pair;
    const char *reason;
    uint8_t byte;

    open_pair(&fixture, TLS_VERSION_1_2);
    cr_assert(tls_engine_renegotiate(&pair->client.engine, false, &reason));
    cr_assert_eq(
        tls_engine_write(&pair->client.engine, (const uint8_t *)"x", 1, &pair->client.failure),
        TLS_AGAIN);
    cr_assert_not(tls_engine_renegotiate(&pair->client.engine, false, &reason));
    cr_assert_str_eq(reason, "a renegotiation is under way");
    /* What the server sent before it knew. */
    cr_assert_eq(
        tls_engine_write(&pair->server.engine, (const uint8_t *)"y", 1, &pair->server.failure),
        TLS_OK);
    pair_move(&pair->server, &pair->client);
    cr_assert_eq(pair_read(pair, &pair->client, &byte, 1), 1);
    cr_assert_eq(byte, 'y');
    settle(pair);
    pair_send(pair, &pair->client, &pair->server, (const uint8_t *)"x", 1);
    close_pair(&fixture);
}

static void give_certificate(struct pair_setup *setup, const struct certificate *certificate)
{
    setup->client_config.certificates[0].certificate_pem = certificate_pem(certificate);
    setup->client_config.certificates[0].key_pem = certificate_key_pem(certificate);
    setup->client_config.certificate_count = 1;
}

/* The server asks for the certificate of an open connection. */
static void ask_later(enum tls_version version, bool has, bool trusted)
{
    struct certificate_options options = {.client = true};
    struct certificate *certificate = certificate_new(&options, NULL, NULL);
    struct fixture fixture = {0};
    struct pair *pair = &fixture.pair;
    const char *reason;

    if (has) {
        give_certificate(&fixture.setup, certificate);
    }
    fixture.setup.server_config.ca_pem = trusted ? certificate_pem(certificate) : NULL;
    open_pair(&fixture, version);
    cr_assert_not(tls_engine_authorized(&pair->server.engine, &reason));
    cr_assert_str_eq(reason, "no certificate");
    if (has || version == TLS_VERSION_1_2) {
        cr_assert(tls_engine_renegotiate(&pair->server.engine, true, &reason), "%s", reason);
        cr_assert(tls_engine_renegotiating(&pair->server.engine));
        settle(pair);
        cr_assert_eq(pair->server.status, TLS_AGAIN, "%s", pair->server.failure.reason);
        cr_assert_not(tls_engine_renegotiating(&pair->server.engine));
    } else { /* it did not offer to */
        cr_assert_not(tls_engine_renegotiate(&pair->server.engine, true, &reason));
        cr_assert_str_eq(reason, "extension not received");
    }
    cr_assert_eq(tls_engine_authorized(&pair->server.engine, &reason), has && trusted, "%s",
                 reason);
    cr_assert_eq(strcmp(reason, "no certificate") == 0, !has);
    pair_send(pair, &pair->client, &pair->server, (const uint8_t *)"ping", 4);
    pair_send(pair, &pair->server, &pair->client, (const uint8_t *)"pong", 4);
    close_pair(&fixture);
    certificate_free(certificate);
}

Test(renegotiate, a_certificate_is_asked_for_later)
{
    ask_later(TLS_VERSION_1_2, true, true);
    ask_later(TLS_VERSION_1_3, true, true);
}

Test(renegotiate, a_certificate_asked_for_later_may_be_missing_or_bad)
{
    ask_later(TLS_VERSION_1_2, false, true);
    ask_later(TLS_VERSION_1_3, false, true);
    ask_later(TLS_VERSION_1_2, true, false);
    ask_later(TLS_VERSION_1_3, true, false);
}

/* Each costs the client a signature. */
Test(renegotiate, a_client_limits_how_often_it_shows_its_certificate)
{
    struct certificate_options options = {.client = true};
    struct certificate *certificate = certificate_new(&options, NULL, NULL);
    struct fixture fixture = {0};
    struct pair *pair = &fixture.pair;
    const char *reason;

    give_certificate(&fixture.setup, certificate);
    open_pair(&fixture, TLS_VERSION_1_3);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(pair->client.status == TLS_FAILED, false);
        cr_assert(tls_engine_renegotiate(&pair->server.engine, true, &reason), "%s", reason);
        settle(pair);
    }
    cr_assert_eq(pair->client.status, TLS_FAILED);
    cr_assert_str_eq(pair->client.failure.reason, "too many requests for the certificate");
    close_pair(&fixture);
    certificate_free(certificate);
}

Test(renegotiate, tls_1_3_says_that_it_has_none)
{
    struct fixture fixture = {0};
    const char *reason;

    open_pair(&fixture, TLS_VERSION_1_3);
    cr_assert_not(tls_engine_renegotiate(&fixture.pair.client.engine, false, &reason));
    cr_assert_str_eq(reason, "TLS 1.3 has no renegotiation");
    cr_assert_not(tls_engine_renegotiate(&fixture.pair.client.engine, true, &reason));
    cr_assert_not(tls_engine_renegotiate(&fixture.pair.server.engine, false, &reason));
    settle(&fixture.pair);
    close_pair(&fixture);
}

Test(renegotiate, not_before_the_handshake_and_not_without_tls)
{
    struct pair_setup setup = {0};
    struct pair pair;
    const char *reason;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert_not(tls_engine_renegotiate(&pair.client.engine, false, &reason));
    cr_assert_str_eq(reason, "the connection is not open");
    cr_assert_not(tls_engine_update_key(&pair.client.engine, true));
    cr_assert(pair_handshake(&pair));
    pair_deinit(&pair);
    pair_init(&pair, NULL, NULL, NULL);
    cr_assert_not(tls_engine_renegotiate(&pair.client.engine, false, &reason));
    cr_assert_str_eq(reason, "not encrypted");
    cr_assert_not(tls_engine_update_key(&pair.client.engine, true));
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

Test(renegotiate, keys_are_changed_in_both_directions)
{
    struct fixture fixture = {0};
    struct pair *pair = &fixture.pair;

    open_pair(&fixture, TLS_VERSION_1_3);
    cr_assert(tls_engine_update_key(&pair->client.engine, true));
    settle(pair);
    cr_assert_eq(pair->server.engine.tally.renegotiations, 1);
    pair_send(pair, &pair->client, &pair->server, (const uint8_t *)"ping", 4);
    pair_send(pair, &pair->server, &pair->client, (const uint8_t *)"pong", 4);
    cr_assert_eq(pair->client.engine.tally.renegotiations, 1); /* came with the answer */
    cr_assert(tls_engine_update_key(&pair->server.engine, false));
    settle(pair);
    cr_assert_eq(pair->server.engine.tally.renegotiations, 1);
    pair_send(pair, &pair->server, &pair->client, (const uint8_t *)"pong", 4);
    close_pair(&fixture);
}

Test(renegotiate, tls_1_2_has_no_key_update)
{
    struct fixture fixture = {0};

    open_pair(&fixture, TLS_VERSION_1_2);
    cr_assert_not(tls_engine_update_key(&fixture.pair.client.engine, true));
    settle(&fixture.pair);
    close_pair(&fixture);
}

/* All in one flight, a byte of plaintext after each, so that every read succeeds. */
static enum tls_status flood(unsigned limit, unsigned updates, struct tls_failure_detail *failure)
{
    struct fixture fixture = {.setup = {.server_config = {.renegotiation_limit = limit}}};
    struct pair_end *client = &fixture.pair.client;
    struct pair_end *server = &fixture.pair.server;
    enum tls_status status;
    uint8_t out[1000];

    open_pair(&fixture, TLS_VERSION_1_3);
    for (unsigned i = 0; i < updates; i++) {
        cr_assert(tls_engine_update_key(&client->engine, false));
        cr_assert_eq(tls_engine_write(&client->engine, (const uint8_t *)"x", 1, &client->failure),
                     TLS_OK);
        pair_move(client, server);
    }
    pair_read(&fixture.pair, server, out, sizeof(out));
    status = server->status;
    *failure = server->failure;
    close_pair(&fixture);
    return status;
}

Test(renegotiate, a_flood_of_key_updates_is_cut)
{
    struct tls_failure_detail failure;

    cr_assert_eq(flood(0, 96, &failure), TLS_AGAIN);
    cr_assert_eq(flood(0, 97, &failure), TLS_FAILED);
    cr_assert_eq(failure.kind, TLS_FAILURE_PROTOCOL);
    cr_assert_str_eq(failure.reason, "too many key updates");
    cr_assert_eq(flood(1, 32, &failure), TLS_AGAIN);
    cr_assert_eq(flood(1, 33, &failure), TLS_FAILED);
}
