/* What the direct record layer does that OpenSSL's has no like of. */
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "pair.h"
#include "tls/records.h"

/* The client has the server's certificate for its own. */
static void setup_init_with_certificate(struct pair_setup *setup)
{
    struct error error = {0};

    pair_setup_init(setup, "p256");
    setup->client_config.certificate_count = 1;
    setup->client_config.certificates[0] = setup->server_config.certificates[0];
    tls_context_free(setup->client);
    setup->client = tls_context_new(TLS_CLIENT, &setup->client_config, &setup->shared, &error);
    cr_assert_not_null(setup->client, "%s", error.text);
}

/* OpenSSL's answer to that breaks the rules; it must not break the connection. */
Test(records, a_request_for_the_certificate_may_meet_a_close_notify)
{
    struct pair_setup setup = {.is_about_layers = true,
                               .server_config = {.record_layer = TLS_RECORDS_DIRECT},
                               .client_config = {.record_layer = TLS_RECORDS_DIRECT}};
    struct pair_end *client;
    struct pair_end *server;
    struct pair pair;
    const char *reason;

    setup_init_with_certificate(&setup);
    pair_init(&pair, setup.client, setup.server, NULL);
    client = &pair.client;
    server = &pair.server;
    cr_assert(pair_handshake(&pair));
    for (int i = 0; i < 3; i++) {
        pair_send(&pair, client, server, (const uint8_t *)"ping", 4);
        pair_send(&pair, server, client, (const uint8_t *)"pong", 4);
    }
    cr_assert(client->engine.records->out.traffic);
    tls_engine_close(&client->engine);
    cr_assert(tls_engine_renegotiate(&server->engine, true, &reason), "%s", reason);
    pair_send(&pair, server, client, (const uint8_t *)"data", 4);
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

static void expect_the_last_number_refused(bool in)
{
    struct pair_setup setup = {.is_about_layers = true,
                               .server_config = {.record_layer = TLS_RECORDS_DIRECT}};
    struct tls_records *records;
    struct pair_end *server;
    struct pair pair;
    uint8_t byte = 0;

    pair_setup_init(&setup, "p256");
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair));
    server = &pair.server;
    pair_send(&pair, &pair.client, server, (const uint8_t *)"ping", 4);
    pair_send(&pair, server, &pair.client, (const uint8_t *)"pong", 4);
    records = server->engine.records;
    if (in) {
        records->in.traffic->sequence = UINT64_MAX;
        cr_assert_eq(tls_engine_write(&pair.client.engine, &byte, 1, &pair.client.failure), TLS_OK);
        pair_move(&pair.client, server);
        cr_assert_eq(pair_read(&pair, server, &byte, 1), 0);
        cr_assert_eq(server->status, TLS_FAILED);
    } else {
        records->out.traffic->sequence = UINT64_MAX - 1;
        cr_assert_eq(tls_engine_write(&server->engine, &byte, 1, &server->failure), TLS_OK);
        slab_queue_clear(&server->queue);
        cr_assert_eq(tls_engine_write(&server->engine, &byte, 1, &server->failure), TLS_FAILED);
        cr_assert_eq(server->queue.bytes, 0);
    }
    cr_assert_eq(server->failure.kind, TLS_FAILURE_INTERNAL);
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

Test(records, numbers_never_come_again)
{
    expect_the_last_number_refused(true);
    expect_the_last_number_refused(false);
}

static void expect_taken_after(struct pair *pair, uint64_t records)
{
    const struct tls_records *layer = pair->server.engine.records;

    cr_assert_leq(pair->server.engine.tally.records_in - layer->in.begin, 1);
    for (uint64_t i = 0; i < records + 2; i++) {
        uint64_t in = pair->server.engine.tally.records_in - layer->in.begin;
        uint64_t out = pair->server.engine.tally.records_out - layer->out.begin;

        cr_assert_eq(layer->in.traffic != NULL, in >= records, "%lu", (unsigned long)in);
        cr_assert_eq(layer->out.traffic != NULL, out >= records, "%lu", (unsigned long)out);
        pair_send(pair, &pair->client, &pair->server, (const uint8_t *)"ping", 4);
        pair_send(pair, &pair->server, &pair->client, (const uint8_t *)"pong", 4);
    }
    cr_assert_not_null(layer->in.traffic);
    cr_assert_not_null(layer->out.traffic);
}

Test(records, are_openssls_until_taking_over_is_worth_it)
{
    for (int is_1_2 = 0; is_1_2 < 2; is_1_2++) {
        struct pair_setup setup = {
            .is_about_layers = true,
            .server_config = {.version_max = is_1_2 ? TLS_VERSION_1_2 : TLS_VERSION_1_3,
                              .record_layer = TLS_RECORDS_DIRECT}};
        struct pair pair;

        pair_setup_init(&setup, "p256");
        pair_init(&pair, setup.client, setup.server, NULL);
        pair.server.engine.records_before_taking = RECORDS_BEFORE_TAKING;
        cr_assert(pair_handshake(&pair));
        expect_taken_after(&pair, RECORDS_BEFORE_TAKING);
        /* And again under new keys. */
        if (!is_1_2) {
            cr_assert(tls_engine_update_key(&pair.server.engine, true));
            pair_send(&pair, &pair.server, &pair.client, (const uint8_t *)"pong", 4);
            pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"ping", 4);
            expect_taken_after(&pair, RECORDS_BEFORE_TAKING);
        }
        pair_deinit(&pair);
        pair_setup_deinit(&setup);
    }
}

/* What keeps OpenSSL's connection. */
enum keeper {
    KEEPER_NONE,
    KEEPER_OPENSSLS_LAYER,
    KEEPER_TLS_1_2,
    KEEPER_CERTIFICATE,
    KEEPER_OUR_CLOSE,
    KEEPER_PEERS_CLOSE,
    KEEPER_REQUEST,
    KEEPER_ASKED_UPDATE,
    KEEPER_PART,
    KEEPERS
};

static void keep(struct pair *pair, enum keeper keeper)
{
    struct pair_end *client = &pair->client;
    struct pair_end *server = &pair->server;
    const char *reason;
    uint8_t byte;

    if (keeper == KEEPER_OUR_CLOSE) {
        tls_engine_close(&server->engine);
    } else if (keeper == KEEPER_PEERS_CLOSE) {
        tls_engine_close(&client->engine);
    } else if (keeper == KEEPER_REQUEST) {
        cr_assert(tls_engine_renegotiate(&server->engine, true, &reason), "%s", reason);
    } else if (keeper == KEEPER_ASKED_UPDATE) {
        cr_assert(tls_engine_update_key(&client->engine, true));
    } else if (keeper == KEEPER_PART) {
        pair_inject(server, "\x17\x03\x03\x00\x20", 5);
    }
    pair_move(client, server);
    pair_read(pair, server, &byte, 1);
}

Test(records, a_connection_retires_where_nothing_is_half_done)
{
    for (enum keeper keeper = KEEPER_NONE; keeper < KEEPERS; keeper++) {
        bool is_1_2 = keeper == KEEPER_TLS_1_2;
        struct pair_setup setup = {
            .is_about_layers = true,
            .server_config = {.version_max = is_1_2 ? TLS_VERSION_1_2 : TLS_VERSION_1_3,
                              .request_certificate = keeper == KEEPER_CERTIFICATE,
                              .record_layer = keeper == KEEPER_OPENSSLS_LAYER
                                                  ? TLS_RECORDS_OPENSSL
                                                  : TLS_RECORDS_DIRECT}};
        const char *reason;
        struct pair pair;

        setup_init_with_certificate(&setup);
        pair_init(&pair, setup.client, setup.server, NULL);
        cr_assert(pair_handshake(&pair));
        keep(&pair, keeper);
        tls_engine_idle(&pair.client.engine);
        tls_engine_idle(&pair.server.engine);
        cr_assert_not(tls_engine_has_retired(&pair.client.engine));
        cr_assert_eq(tls_engine_has_retired(&pair.server.engine), keeper == KEEPER_NONE, "%d",
                     (int)keeper);
        if (keeper == KEEPER_NONE) {
            cr_assert_not(tls_engine_is_plain(&pair.server.engine));
            cr_assert_not(tls_engine_authorized(&pair.server.engine, &reason));
            cr_assert_str_eq(reason, "no certificate");
            cr_assert_not(tls_engine_renegotiate(&pair.server.engine, true, &reason));
            pair_send(&pair, &pair.server, &pair.client, (const uint8_t *)"pong", 4);
            pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"ping", 4);
        }
        pair_deinit(&pair);
        pair_setup_deinit(&setup);
    }
}
