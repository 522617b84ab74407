#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "pair.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

struct handshake_row {
    char key_type[16];
    enum tls_version version;
    enum tls_resumption resumption;
    char version_name[16];
    char certificate[16];
    char signature[32];
};

ParameterizedTestParameters(handshake, every_version_key_and_resumption)
{
    static struct handshake_row rows[] = {
        {"p256", TLS_VERSION_1_3, TLS_FULL, "TLSv1.3", "EC P-256", "ecdsa_secp256r1_sha256"},
        {"p256", TLS_VERSION_1_3, TLS_RESUMED_TICKET, "TLSv1.3", "EC P-256", ""},
        {"p256", TLS_VERSION_1_2, TLS_FULL, "TLSv1.2", "EC P-256", "ecdsa_secp256r1_sha256"},
        {"p256", TLS_VERSION_1_2, TLS_RESUMED_TICKET, "TLSv1.2", "EC P-256", ""},
        {"p256", TLS_VERSION_1_2, TLS_RESUMED_ID, "TLSv1.2", "EC P-256", ""},
        {"p384", TLS_VERSION_1_3, TLS_FULL, "TLSv1.3", "EC P-384", "ecdsa_secp384r1_sha384"},
        {"ed25519", TLS_VERSION_1_3, TLS_FULL, "TLSv1.3", "Ed25519", "ed25519"},
        {"ed25519", TLS_VERSION_1_3, TLS_RESUMED_TICKET, "TLSv1.3", "Ed25519", ""},
        {"ed25519", TLS_VERSION_1_2, TLS_FULL, "TLSv1.2", "Ed25519", "ed25519"},
        {"ed25519", TLS_VERSION_1_2, TLS_RESUMED_TICKET, "TLSv1.2", "Ed25519", ""},
        {"ed25519", TLS_VERSION_1_2, TLS_RESUMED_ID, "TLSv1.2", "Ed25519", ""},
        {"rsa2048", TLS_VERSION_1_3, TLS_FULL, "TLSv1.3", "RSA 2048", "rsa_pss_rsae_sha256"},
        {"rsa2048", TLS_VERSION_1_3, TLS_RESUMED_TICKET, "TLSv1.3", "RSA 2048", ""},
        {"rsa2048", TLS_VERSION_1_2, TLS_FULL, "TLSv1.2", "RSA 2048", "rsa_pss_rsae_sha256"},
        {"rsa2048", TLS_VERSION_1_2, TLS_RESUMED_TICKET, "TLSv1.2", "RSA 2048", ""},
        {"rsa2048", TLS_VERSION_1_2, TLS_RESUMED_ID, "TLSv1.2", "RSA 2048", ""},
        {"p256", TLS_VERSION_1_1, TLS_FULL, "TLSv1.1", "EC P-256", "ecdsa_sha1"},
        {"p256", TLS_VERSION_1_0, TLS_FULL, "TLSv1", "EC P-256", "ecdsa_sha1"},
    };

    return cr_make_param_array(struct handshake_row, rows, sizeof(rows) / sizeof(rows[0]));
}

static void expect_facts(const struct tls_engine *engine, const struct handshake_row *row)
{
    bool exchanged = row->resumption == TLS_FULL || row->version == TLS_VERSION_1_3;
    struct tls_facts facts;

    tls_engine_facts(engine, &facts);
    cr_assert_str_eq(facts.version, row->version_name);
    cr_assert_eq(strncmp(facts.suite, "TLS_", 4), 0, "%s", facts.suite);
    cr_assert_str_eq(facts.group, exchanged ? "x25519" : "");
    cr_assert_str_eq(facts.certificate, row->certificate);
    cr_assert_str_eq(facts.signature, row->signature);
    cr_assert_str_eq(facts.alpn, "two");
    cr_assert_eq(facts.resumption, row->resumption);
}

ParameterizedTest(struct handshake_row *row, handshake, every_version_key_and_resumption)
{
    struct pair_setup setup = {
        .server_config = {.version_min = row->version,
                          .version_max = row->version,
                          .groups = "X25519",
                          .alpn = "two,one"},
        .client_config = {.version_min = row->version,
                          .version_max = row->version,
                          .alpn = "one,two",
                          .no_tickets = row->resumption == TLS_RESUMED_ID},
        .shared = {.tickets = ticket_ring_new(1, NULL), .sessions = session_store_new(16)},
    };
    struct tls_engine_options options = {.verify_host = "127.0.0.1"};
    enum tls_resumption kind;
    struct tls_session *session = NULL;
    struct pair pair;

    pair_setup_init(&setup, row->key_type);
    if (row->resumption != TLS_FULL) {
        session = pair_connect(&setup, NULL, &kind, NULL);
        cr_assert_eq(kind, TLS_FULL);
        cr_assert_not_null(session);
        /* Only what has no ticket belongs into the store. */
        cr_assert_eq(session_store_count(setup.shared.sessions), row->resumption == TLS_RESUMED_ID);
    }
    options.session = session;
    pair_init(&pair, setup.client, setup.server, &options);
    cr_assert(pair_handshake(&pair), "client: %s; server: %s", pair.client.failure.reason,
              pair.server.failure.reason);
    expect_facts(&pair.client.engine, row);
    expect_facts(&pair.server.engine, row);
    pair_deinit(&pair);
    tls_session_free(session);
    pair_setup_deinit(&setup);
    ticket_ring_free(setup.shared.tickets);
    session_store_free(setup.shared.sessions);
}

Test(handshake, survives_one_byte_at_a_time)
{
    struct pair_setup setup = {0};
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    pair.piece_bytes = 1;
    cr_assert(pair_handshake(&pair));
    pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"ping", 4);
    pair_send(&pair, &pair.server, &pair.client, (const uint8_t *)"pong", 4);
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

Test(handshake, default_versions_are_1_2_and_1_3)
{
    struct pair_setup setup = {0};
    struct tls_facts facts;
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair));
    tls_engine_facts(&pair.client.engine, &facts);
    cr_assert_str_eq(facts.version, "TLSv1.3");
    cr_assert_str_eq(facts.alpn, "");
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

Test(handshake, counts_a_hello_retry_at_both_ends)
{
    struct pair_setup setup = {
        .server_config = {.groups = "P-384"},
        .client_config = {.groups = "X25519:P-384"},
    };
    struct tls_facts facts;
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair));
    tls_engine_facts(&pair.client.engine, &facts);
    cr_assert_str_eq(facts.group, "secp384r1");
    cr_assert_eq(pair.client.engine.tally.hello_retries, 1);
    cr_assert_eq(pair.server.engine.tally.hello_retries, 1);
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

Test(handshake, counts_no_hello_retry_when_the_groups_fit)
{
    struct pair_setup setup = {
        .server_config = {.groups = "X25519:P-384"},
        .client_config = {.groups = "X25519:P-384"},
    };
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair));
    cr_assert_eq(pair.client.engine.tally.hello_retries, 0);
    cr_assert_eq(pair.server.engine.tally.hello_retries, 0);
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

Test(handshake, server_chooses_the_certificate_that_the_client_can_verify)
{
    struct certificate_options rsa_options = {.key_type = "rsa2048"};
    struct certificate *rsa = certificate_new(&rsa_options, NULL, NULL);
    struct pair_setup setup = {
        .client_config = {.insecure = true, .sigalgs = "rsa_pss_rsae_sha256"},
    };
    struct tls_context *both;
    struct tls_facts facts;
    struct pair pair;

    pair_setup_init(&setup, "p256");
    setup.server_config.certificates[1].certificate_pem = certificate_pem(rsa);
    setup.server_config.certificates[1].key_pem = certificate_key_pem(rsa);
    setup.server_config.certificate_count = 2;
    both = tls_context_new(TLS_SERVER, &setup.server_config, NULL, NULL);
    pair_init(&pair, setup.client, both, NULL);
    cr_assert(pair_handshake(&pair));
    tls_engine_facts(&pair.client.engine, &facts);
    cr_assert_str_eq(facts.certificate, "RSA 2048");
    pair_deinit(&pair);
    tls_context_free(both);
    certificate_free(rsa);
    pair_setup_deinit(&setup);
}

Test(handshake, a_chain_through_an_intermediate_is_verified)
{
    struct certificate_options authority = {.authority = true};
    struct certificate *root = certificate_new(&authority, NULL, NULL);
    struct certificate *middle = certificate_new(&authority, root, NULL);
    struct certificate *leaf = certificate_new(&(struct certificate_options){0}, middle, NULL);
    struct tls_config server_config = {
        .certificates = {{.certificate_pem = certificate_chain_pem(leaf),
                          .key_pem = certificate_key_pem(leaf)}},
        .certificate_count = 1,
    };
    struct tls_config client_config = {.ca_pem = certificate_pem(root)};
    struct tls_engine_options options = {.verify_host = "localhost"};
    struct tls_context *client = tls_context_new(TLS_CLIENT, &client_config, NULL, NULL);
    struct tls_context *server = tls_context_new(TLS_SERVER, &server_config, NULL, NULL);
    struct pair pair;

    pair_init(&pair, client, server, &options);
    cr_assert(pair_handshake(&pair), "%s", pair.client.failure.reason);
    pair_deinit(&pair);
    tls_context_free(server);

    /* And without the intermediate it is not. */
    server_config.certificates[0].certificate_pem = certificate_pem(leaf);
    server = tls_context_new(TLS_SERVER, &server_config, NULL, NULL);
    pair_init(&pair, client, server, &options);
    cr_assert_not(pair_handshake(&pair));
    cr_assert_eq(pair.client.failure.kind, TLS_FAILURE_CERTIFICATE);
    pair_deinit(&pair);
    tls_context_free(server);
    tls_context_free(client);
    certificate_free(leaf);
    certificate_free(middle);
    certificate_free(root);
}
