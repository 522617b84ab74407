/* Records without payload in a row: how many a connection bears, and what are none. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "seal.h"

struct row {
    enum tls_version version;
    bool direct; /* record layer */
    unsigned limit;
};

/* Limit 0 is no_empty_records. */
static void set_limit(struct tls_config *config, unsigned limit)
{
    config->empty_record_limit = limit;
    config->no_empty_records = limit == 0;
}

static void flood_open(struct sealed_pair *flood, const struct row *row)
{
    memset(flood, 0, sizeof(*flood));
    seal_config(&flood->seal, row->version, &flood->setup.client_config);
    flood->setup.server_config.record_layer =
        row->direct ? TLS_RECORDS_DIRECT : TLS_RECORDS_OPENSSL;
    set_limit(&flood->setup.server_config, row->limit);
    sealed_pair_open(flood);
}

static void send_empty(struct sealed_pair *flood, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        seal_send(&flood->seal, &flood->pair, SEAL_DATA, "", 0);
    }
}

/* What is there to read; it is `text`. */
static void expect(struct sealed_pair *flood, const char *text, enum tls_status status)
{
    struct pair_end *server = &flood->pair.server;
    uint8_t out[64];
    size_t count = pair_read(&flood->pair, server, out, sizeof(out));

    cr_assert_eq(server->status, status, "%s", server->failure.reason);
    cr_assert_eq(count, strlen(text));
    cr_assert_arr_eq(out, text, count);
}

static void send_data(struct sealed_pair *flood, const char *text)
{
    seal_send(&flood->seal, &flood->pair, SEAL_DATA, text, strlen(text));
}

static void expect_dropped(struct sealed_pair *flood)
{
    expect(flood, "", TLS_FAILED);
    cr_assert_eq(flood->pair.server.engine.flood, TLS_FLOOD_EMPTY_RECORDS);
    cr_assert_eq(flood->pair.server.failure.kind, TLS_FAILURE_PROTOCOL);
    cr_assert_str_eq(flood->pair.server.failure.reason,
                     "too many records without payload in a row");
}

ParameterizedTestParameters(empty_records, end_at_the_limit)
{
    static const unsigned limits[] = {0, 1, 2, 5, 31, 32};
    static struct row rows[24];
    size_t count = 0;

    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
            rows[count++] = (struct row){(enum tls_version)version, false, limits[i]};
            rows[count++] = (struct row){(enum tls_version)version, true, limits[i]};
        }
    }
    return cr_make_param_array(struct row, rows, count);
}

ParameterizedTest(struct row *row, empty_records, end_at_the_limit)
{
    struct sealed_pair flood;

    flood_open(&flood, row);
    send_data(&flood, "good"); /* after which the direct layer opens records itself */
    expect(&flood, "good", TLS_AGAIN);
    for (int i = 0; i < 3; i++) {
        send_empty(&flood, row->limit);
        send_data(&flood, "good");
        expect(&flood, "good", TLS_AGAIN);
    }
    for (unsigned i = 0; i < row->limit; i++) {
        send_empty(&flood, 1);
        expect(&flood, "", TLS_AGAIN);
    }
    send_empty(&flood, 1);
    expect_dropped(&flood);
    sealed_pair_close(&flood);

    /* All at once, with data after it that comes too late. */
    flood_open(&flood, row);
    send_empty(&flood, row->limit + 1);
    send_data(&flood, "late");
    expect_dropped(&flood);
    sealed_pair_close(&flood);

    /* The record after the last empty one comes in pieces. */
    flood_open(&flood, row);
    flood.pair.piece_bytes = 1;
    send_empty(&flood, row->limit);
    send_data(&flood, "good");
    expect(&flood, "good", TLS_AGAIN);
    sealed_pair_close(&flood);
}

Test(empty_records, may_not_be_more_than_openssl_bears)
{
    struct sealed_pair flood;

    flood_open(&flood, &(struct row){TLS_VERSION_1_3, false, 1000});
    send_empty(&flood, TLS_EMPTY_RECORDS_MAX);
    expect(&flood, "", TLS_AGAIN);
    send_empty(&flood, 1);
    expect_dropped(&flood);
    sealed_pair_close(&flood);
}

/* CVE-2016-8610 */
Test(empty_records, are_warnings_too)
{
    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        const char *warning = version == TLS_VERSION_1_2 ? "\x01\x6e" : "\x01\x5a";
        struct sealed_pair flood;

        flood_open(&flood, &(struct row){(enum tls_version)version, false, 2});
        seal_send(&flood.seal, &flood.pair, SEAL_ALERT, warning, 2);
        send_empty(&flood, 1);
        expect(&flood, "", TLS_AGAIN);
        seal_send(&flood.seal, &flood.pair, SEAL_ALERT, warning, 2);
        expect_dropped(&flood);
        sealed_pair_close(&flood);
    }
}

Test(empty_records, are_not_what_ends_a_connection_otherwise)
{
    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        struct sealed_pair flood;

        flood_open(&flood, &(struct row){(enum tls_version)version, false, 0});
        seal_send(&flood.seal, &flood.pair, SEAL_ALERT, "\x01\x00", 2); /* close_notify */
        expect(&flood, "", TLS_CLOSED);
        sealed_pair_close(&flood);

        flood_open(&flood, &(struct row){(enum tls_version)version, false, 1});
        send_empty(&flood, 1);
        flood.seal.sequence++; /* so that it is not authentic */
        send_empty(&flood, 1);
        expect(&flood, "", TLS_FAILED);
        cr_assert_eq(flood.pair.server.engine.flood, TLS_FLOOD_NONE);
        cr_assert_eq(flood.pair.server.failure.kind, TLS_FAILURE_CORRUPT);
        sealed_pair_close(&flood);
    }
}

static void settle(struct pair *pair)
{
    uint8_t byte;

    for (int turn = 0; turn < 6; turn++) {
        pair_move(&pair->client, &pair->server);
        cr_assert_eq(pair_read(pair, &pair->server, &byte, 1), 0);
        pair_move(&pair->server, &pair->client);
        cr_assert_eq(pair_read(pair, &pair->client, &byte, 1), 0);
    }
}

/* Handshake messages are payload, in however many records they come: where none may be empty, keys
 * and tickets are renewed nonetheless. */
Test(empty_records, are_not_those_of_handshakes)
{
    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        struct pair_setup setup = {
            .server_config = {.version_max = (enum tls_version)version, .max_send_fragment = 512},
            .client_config = {.max_send_fragment = 512},
        };
        struct pair pair;

        setup.server_config.ticket_count = 40;
        set_limit(&setup.server_config, 0);
        set_limit(&setup.client_config, 0);
        pair_setup_init(&setup, NULL);
        pair_init(&pair, setup.client, setup.server, NULL);
        cr_assert(pair_handshake(&pair));
        settle(&pair);
        for (int i = 0; i < 3; i++) {
            const char *reason;

            if (version == TLS_VERSION_1_3) {
                cr_assert(tls_engine_update_key(&pair.client.engine, true));
            } else {
                cr_assert(tls_engine_renegotiate(&pair.client.engine, false, &reason));
            }
            settle(&pair);
        }
        cr_assert_eq(pair.server.engine.tally.renegotiations, 3);
        pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"ping", 4);
        pair_send(&pair, &pair.server, &pair.client, (const uint8_t *)"pong", 4);
        pair_deinit(&pair);
        pair_setup_deinit(&setup);
    }
}
