/* What a client may send over and over, and where it ends. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include "seal.h"

enum { FLOOD = 2000 };

static void flood_open(struct sealed_pair *flood, enum tls_version version)
{
    seal_config(&flood->seal, version, &flood->setup.client_config);
    sealed_pair_open(flood);
}

static void expect_data(struct sealed_pair *flood, const char *text)
{
    uint8_t out[64];
    size_t count = strlen(text);

    seal_send(&flood->seal, &flood->pair, SEAL_DATA, text, count);
    cr_assert_eq(pair_read(&flood->pair, &flood->pair.server, out, count), count, "%s",
                 flood->pair.server.failure.reason);
    cr_assert_arr_eq(out, text, count);
}

/* How many of the same record the server bears in a row; it bears `good` of them with data between
 * each. */
static unsigned bears(enum tls_version version, uint8_t type, const void *bytes, size_t count,
                      unsigned good)
{
    struct sealed_pair flood = {0};
    unsigned borne = 0;
    uint8_t byte;

    flood_open(&flood, version);
    for (unsigned i = 0; i < good; i++) {
        seal_send(&flood.seal, &flood.pair, type, bytes, count);
        expect_data(&flood, "good");
    }
    while (borne < FLOOD) {
        seal_send(&flood.seal, &flood.pair, type, bytes, count);
        cr_assert_eq(pair_read(&flood.pair, &flood.pair.server, &byte, 1), 0);
        if (flood.pair.server.status != TLS_AGAIN) {
            break;
        }
        borne++;
    }
    cr_assert_eq(flood.pair.server.status, TLS_FAILED);
    cr_assert(flood.pair.server.failure.kind == TLS_FAILURE_PROTOCOL ||
                  flood.pair.server.failure.kind == TLS_FAILURE_ALERT,
              "%s", flood.pair.server.failure.reason);
    sealed_pair_close(&flood);
    return borne;
}

Test(flood, records_without_payload_end_at_a_limit)
{
    cr_expect_eq(bears(TLS_VERSION_1_2, SEAL_DATA, "", 0, 100), 32);
    cr_expect_eq(bears(TLS_VERSION_1_3, SEAL_DATA, "", 0, 100), 32);
}

/* CVE-2016-8610 */
Test(flood, warnings_after_the_handshake_end_at_a_limit)
{
    static const uint8_t warning[] = {1, 110}; /* unsupported_extension */

    cr_expect_eq(bears(TLS_VERSION_1_2, SEAL_ALERT, warning, 2, 100), 4);
    /* TLS 1.3 knows no warnings but close_notify and user_canceled (RFC 8446 6). */
    cr_expect_eq(bears(TLS_VERSION_1_3, SEAL_ALERT, warning, 2, 0), 0);
    cr_expect_eq(bears(TLS_VERSION_1_3, SEAL_ALERT, "\x01\x5a", 2, 100), 4);
}

Test(flood, sealed_changes_of_the_cipher_are_none)
{
    cr_expect_eq(bears(TLS_VERSION_1_2, SEAL_CHANGE_CIPHER_SPEC, "\x01", 1, 0), 0);
    cr_expect_eq(bears(TLS_VERSION_1_3, SEAL_CHANGE_CIPHER_SPEC, "\x01", 1, 0), 0);
}

/* Node's CVE-2018-7162, after the handshake: messages that have had their time. */
Test(flood, handshake_messages_out_of_time_end_the_connection)
{
    static const uint8_t types[] = {2, 8, 11, 12, 13, 14, 15, 16, 20, 22, 67, 254};

    for (size_t i = 0; i < sizeof(types); i++) {
        uint8_t message[36] = {types[i], 0, 0, 32};

        cr_expect_eq(bears(TLS_VERSION_1_2, SEAL_HANDSHAKE, message, sizeof(message), 0), 0,
                     "type %u in TLS 1.2", types[i]);
        cr_expect_eq(bears(TLS_VERSION_1_3, SEAL_HANDSHAKE, message, sizeof(message), 0), 0,
                     "type %u in TLS 1.3", types[i]);
    }
}

Test(flood, one_byte_in_each_record_is_good)
{
    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        struct sealed_pair flood = {0};

        flood_open(&flood, (enum tls_version)version);
        for (int i = 0; i < FLOOD; i++) {
            expect_data(&flood, "x");
        }
        cr_expect_geq(flood.pair.server.engine.tally.records_in, FLOOD);
        sealed_pair_close(&flood);
    }
}

/* The server's answer to plain records after a ClientHello: how many it bears. */
static unsigned bears_before(enum tls_version version, const char *record, size_t record_bytes,
                             const char **out_reason)
{
    static struct tls_failure_detail failure;
    struct pair_setup setup = {.server_config = {.version_max = version}};
    enum tls_status status = TLS_AGAIN;
    unsigned borne = 0;
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    pair_handshake_step(&pair, &pair.client);
    pair_move(&pair.client, &pair.server);
    while (borne < FLOOD) {
        status = pair_handshake_step(&pair, &pair.server);
        if (status != TLS_AGAIN) {
            break;
        }
        pair_inject(&pair.server, record, record_bytes);
        borne++;
    }
    cr_assert_eq(status, TLS_FAILED, "%u", borne);
    failure = pair.server.failure;
    *out_reason = failure.reason;
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
    return borne - 1;
}

/* CVE-2016-8610, CVE-2020-25648 */
Test(flood, warnings_and_changes_of_the_cipher_before_finished_end_at_a_limit)
{
    const char *reason;

    cr_expect_eq(bears_before(TLS_VERSION_1_2, "\x15\x03\x03\x00\x02\x01\x6e", 7, &reason), 4, "%s",
                 reason);
    cr_expect_eq(bears_before(TLS_VERSION_1_3, "\x14\x03\x03\x00\x01\x01", 6, &reason), 32, "%s",
                 reason);
    cr_expect_eq(bears_before(TLS_VERSION_1_2, "\x14\x03\x03\x00\x01\x01", 6, &reason), 0, "%s",
                 reason);
    cr_expect_leq(bears_before(TLS_VERSION_1_2, "\x16\x03\x03\x00\x00", 5, &reason), 32, "%s",
                  reason);
}
