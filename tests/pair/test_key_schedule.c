/* Peers cannot tell our key schedule and PRF from OpenSSL's own: one end has the one, the other the
 * other. */
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include "pair.h"
#include "tls/session_store.h"

static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                     "TLS_CHACHA20_POLY1305_SHA256"};

static void expect_same_export(struct pair *pair)
{
    uint8_t keys[2][100]; /* more than a digest */

    cr_assert(tls_engine_export(&pair->client.engine, "EXPORTER-test", (const uint8_t *)"context",
                                7, keys[0], sizeof(keys[0])));
    cr_assert(tls_engine_export(&pair->server.engine, "EXPORTER-test", (const uint8_t *)"context",
                                7, keys[1], sizeof(keys[1])));
    cr_assert_arr_eq(keys[0], keys[1], sizeof(keys[0]));
}

/* A connection with bytes before and after new keys in both directions. */
static void connect_and_update(struct pair_setup *setup)
{
    struct pair pair;

    pair_init(&pair, setup->client, setup->server, NULL);
    cr_assert(pair_handshake(&pair), "%s; %s", pair.client.failure.reason,
              pair.server.failure.reason);
    pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"before", 6);
    expect_same_export(&pair);
    cr_assert(tls_engine_update_key(&pair.client.engine, true));
    pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"new", 3);
    pair_send(&pair, &pair.server, &pair.client, (const uint8_t *)"new too", 7);
    pair_deinit(&pair);
}

static void connect_with_suite(bool stock_server, const char *suite)
{
    struct pair_setup setup = {
        .server_config = {.stock_key_schedule = stock_server, .ciphersuites = suite},
        .client_config = {.stock_key_schedule = !stock_server},
    };
    struct tls_session *session;
    enum tls_resumption kind;

    pair_setup_init(&setup, "p256");
    connect_and_update(&setup);
    session = pair_connect(&setup, NULL, &kind, NULL);
    cr_assert_eq(kind, TLS_FULL);
    tls_session_free(pair_connect(&setup, session, &kind, NULL));
    cr_assert_eq(kind, TLS_RESUMED_TICKET);
    tls_session_free(session);
    pair_setup_deinit(&setup);
}

Test(key_schedule, ours_serves_openssls)
{
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        connect_with_suite(false, suites[i]);
    }
}

Test(key_schedule, openssls_serves_ours)
{
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        connect_with_suite(true, suites[i]);
    }
}

Test(key_schedule, both_ends_may_have_ours)
{
    struct pair_setup setup = {0};

    pair_setup_init(&setup, "p256");
    connect_and_update(&setup);
    pair_setup_deinit(&setup);
}

/* What the PRF of a connection depends on, and then whether the master secret is an extended one.
 */
struct old_way {
    const char *ciphers;
    enum tls_version version;
    uint64_t options;
};

static const struct old_way old_ways[] = {
    {"ECDHE-ECDSA-AES128-GCM-SHA256", TLS_VERSION_1_2, 0},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", TLS_VERSION_1_2, 0},
    {"ECDHE-ECDSA-AES256-SHA384", TLS_VERSION_1_2, 0}, /* CBC: a long key block */
    {"ECDHE-ECDSA-AES256-SHA", TLS_VERSION_1_2, SSL_OP_NO_EXTENDED_MASTER_SECRET},
    {"ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0", TLS_VERSION_1_1, 0}, /* MD5 and SHA-1: OpenSSL's */
};

static void connect_old_way(bool stock_server, const struct old_way *way, bool no_tickets)
{
    struct pair_setup setup = {
        .server_config = {.stock_key_schedule = stock_server,
                          .ciphers = way->ciphers,
                          .version_max = way->version,
                          .options = way->options,
                          .no_tickets = no_tickets},
        .client_config = {.stock_key_schedule = !stock_server,
                          .ciphers = way->ciphers,
                          .version_max = way->version},
    };
    enum tls_resumption kind;
    struct tls_session *session;
    struct pair pair;

    setup.shared.sessions = session_store_new(8);
    pair_setup_init(&setup, "p256");
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair), "%s: %s; %s", way->ciphers, pair.client.failure.reason,
              pair.server.failure.reason);
    pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"there", 5);
    pair_send(&pair, &pair.server, &pair.client, (const uint8_t *)"and back", 8);
    expect_same_export(&pair);
    pair_deinit(&pair);
    session = pair_connect(&setup, NULL, &kind, NULL);
    cr_assert_eq(kind, TLS_FULL);
    tls_session_free(pair_connect(&setup, session, &kind, NULL));
    cr_assert_eq(kind, no_tickets ? TLS_RESUMED_ID : TLS_RESUMED_TICKET);
    tls_session_free(session);
    pair_setup_deinit(&setup);
    session_store_free(setup.shared.sessions);
}

Test(key_schedule, the_prf_serves_openssls_and_is_served)
{
    for (size_t i = 0; i < sizeof(old_ways) / sizeof(old_ways[0]); i++) {
        connect_old_way(false, &old_ways[i], i % 2 == 0);
        connect_old_way(true, &old_ways[i], i % 2 != 0);
    }
}
