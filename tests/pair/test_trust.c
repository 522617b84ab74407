#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/ssl.h>

#include "../unit/tls/fixture.h"
#include "../unit/tls/forge.h"
#include "pair.h"
#include "tls/ticket.h"

/* A server and a client under one authority each, with one between; each trusts the other's root.
 */
struct party {
    struct certificate *root;
    struct certificate *middle;
    struct certificate *leaf;
};

struct parties {
    struct party server;
    struct party client;
    struct tls_config server_config;
    struct tls_config client_config;
};

static struct party party_make(bool client)
{
    struct certificate_options authority = {.authority = true,
                                            .common_name = client ? "client CA" : "server CA"};
    struct certificate_options between = {.authority = true, .common_name = "between"};
    struct certificate_options options = {.client = client};
    struct party party;

    party.root = certificate_new(&authority, NULL, NULL);
    party.middle = certificate_new(&between, party.root, NULL);
    party.leaf = certificate_new(&options, party.middle, NULL);
    return party;
}

static void party_free(struct party *party)
{
    certificate_free(party->leaf);
    certificate_free(party->middle);
    certificate_free(party->root);
}

static void present(struct tls_config *config, const struct certificate *certificate)
{
    config->certificates[0].certificate_pem = certificate_chain_pem(certificate);
    config->certificates[0].key_pem = certificate_key_pem(certificate);
    config->certificate_count = 1;
}

static void parties_init(struct parties *parties)
{
    *parties = (struct parties){.server = party_make(false), .client = party_make(true)};
    present(&parties->server_config, parties->server.leaf);
    present(&parties->client_config, parties->client.leaf);
    parties->server_config.ca_pem = certificate_pem(parties->client.root);
    parties->client_config.ca_pem = certificate_pem(parties->server.root);
}

static void parties_deinit(struct parties *parties)
{
    party_free(&parties->server);
    party_free(&parties->client);
}

/* What a handshake came to. */
struct outcome {
    bool good;
    long server_verified; /* X509_V_OK and so on */
    int authority_count;  /* that the server named */
    struct tls_failure_detail client;
    struct tls_failure_detail server;
};

static struct outcome meet(const struct parties *parties)
{
    struct error error = {0};
    struct tls_context *server = tls_context_new(TLS_SERVER, &parties->server_config, NULL, &error);
    struct tls_context *client = tls_context_new(TLS_CLIENT, &parties->client_config, NULL, &error);
    struct tls_engine_options options = {.verify_host = "localhost"};
    const STACK_OF(X509_NAME) * authorities;
    struct outcome outcome = {0};
    struct pair pair;

    cr_assert(server != NULL && client != NULL, "%s", error.text);
    pair_init(&pair, client, server, &options);
    outcome.good = pair_handshake(&pair);
    authorities = SSL_get0_peer_CA_list(pair.client.engine.ssl);
    outcome.server_verified = SSL_get_verify_result(pair.server.engine.ssl);
    outcome.authority_count = sk_X509_NAME_num(authorities);
    outcome.client = pair.client.failure;
    outcome.server = pair.server.failure;
    pair_deinit(&pair);
    tls_context_free(client);
    tls_context_free(server);
    return outcome;
}

static void expect_good(const struct parties *parties)
{
    struct outcome outcome = meet(parties);

    cr_assert(outcome.good, "client: %s; server: %s", outcome.client.reason, outcome.server.reason);
}

static void expect_client_refuses(const struct parties *parties, const char *reason)
{
    struct outcome outcome = meet(parties);

    cr_assert_not(outcome.good);
    cr_assert_eq(outcome.client.kind, TLS_FAILURE_CERTIFICATE, "%s", outcome.client.reason);
    cr_assert_not_null(strstr(outcome.client.reason, reason), "%s", outcome.client.reason);
}

static void expect_server_refuses(const struct parties *parties, const char *reason)
{
    struct outcome outcome = meet(parties);

    cr_assert_not(outcome.good);
    cr_assert_eq(outcome.server.kind, TLS_FAILURE_CERTIFICATE, "%s", outcome.server.reason);
    cr_assert_not_null(strstr(outcome.server.reason, reason), "%s", outcome.server.reason);
}

/* Both CRLs of a party's chain in one text, revoking this certificate if any. */
static char *crls_of(const struct party *party, const struct certificate *revoked)
{
    const struct certificate *list[] = {revoked, NULL};
    char *upper = forge_crl(party->root, list, 3600);
    char *lower = forge_crl(party->middle, list, 3600);
    char *both = malloc(strlen(upper) + strlen(lower) + 1);

    strcpy(both, upper);
    strcat(both, lower);
    free(upper);
    free(lower);
    return both;
}

Test(trust, a_revoked_server_is_refused_with_that_reason)
{
    struct parties parties;
    char *none;
    char *leaf;
    char *middle;

    parties_init(&parties);
    none = crls_of(&parties.server, NULL);
    leaf = crls_of(&parties.server, parties.server.leaf);
    middle = crls_of(&parties.server, parties.server.middle);
    parties.client_config.crl_pem = none;
    expect_good(&parties);
    parties.client_config.crl_pem = leaf;
    expect_client_refuses(&parties, "certificate revoked");
    parties.client_config.crl_pem = middle; /* the whole chain is looked up */
    expect_client_refuses(&parties, "certificate revoked");
    free(none);
    free(leaf);
    free(middle);
    parties_deinit(&parties);
}

Test(trust, an_issuer_without_a_crl_is_refused)
{
    struct parties parties;
    char *upper;

    parties_init(&parties);
    upper = forge_crl(parties.server.root, NULL, 3600);
    parties.client_config.crl_pem = upper;
    expect_client_refuses(&parties, "unable to get certificate CRL");
    free(upper);
    parties_deinit(&parties);
}

Test(trust, a_crl_past_its_next_update_is_refused)
{
    struct parties parties;
    char *upper;
    char *lower;
    char both[8192];

    parties_init(&parties);
    upper = forge_crl(parties.server.root, NULL, 3600);
    lower = forge_crl(parties.server.middle, NULL, -60);
    snprintf(both, sizeof(both), "%s%s", upper, lower);
    parties.client_config.crl_pem = both;
    expect_client_refuses(&parties, "CRL has expired");
    free(upper);
    free(lower);
    parties_deinit(&parties);
}

Test(trust, a_revoked_client_is_refused_with_that_reason)
{
    struct parties parties;
    char *none;
    char *leaf;

    parties_init(&parties);
    none = crls_of(&parties.client, NULL);
    leaf = crls_of(&parties.client, parties.client.leaf);
    parties.server_config.require_certificate = true;
    parties.server_config.crl_pem = none;
    expect_good(&parties);
    parties.server_config.crl_pem = leaf;
    expect_server_refuses(&parties, "certificate revoked");
    free(none);
    free(leaf);
    parties_deinit(&parties);
}

struct version_row {
    enum tls_version version;
};

ParameterizedTestParameters(trust, a_required_certificate_is_there_and_good)
{
    static struct version_row rows[] = {{TLS_VERSION_1_2}, {TLS_VERSION_1_3}};

    return cr_make_param_array(struct version_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct version_row *row, trust, a_required_certificate_is_there_and_good)
{
    struct parties parties;

    parties_init(&parties);
    parties.client_config.version_max = row->version;
    parties.server_config.require_certificate = true;
    expect_good(&parties);

    parties.server_config.ca_pem = certificate_pem(parties.server.root);
    expect_server_refuses(&parties, "certificate verify failed: ");

    parties.server_config.ca_pem = certificate_pem(parties.client.root);
    parties.client_config.certificate_count = 0;
    expect_server_refuses(&parties, "peer did not return a certificate");
    parties_deinit(&parties);
}

Test(trust, a_requested_certificate_may_be_missing_or_bad_and_the_server_knows)
{
    struct parties parties;
    struct outcome outcome;

    parties_init(&parties);
    parties.server_config.request_certificate = true;
    outcome = meet(&parties);
    cr_assert(outcome.good);
    cr_assert_eq(outcome.server_verified, X509_V_OK);

    parties.server_config.ca_pem = certificate_pem(parties.server.root);
    outcome = meet(&parties);
    cr_assert(outcome.good, "%s", outcome.server.reason);
    cr_assert_neq(outcome.server_verified, X509_V_OK);

    parties.client_config.certificate_count = 0;
    cr_assert(meet(&parties).good);
    parties_deinit(&parties);
}

Test(trust, a_server_that_asks_names_the_authorities_that_it_trusts)
{
    struct parties parties;
    char both[8192];

    parties_init(&parties);
    cr_assert_leq(meet(&parties).authority_count, 0);
    parties.server_config.request_certificate = true;
    cr_assert_eq(meet(&parties).authority_count, 1);
    snprintf(both, sizeof(both), "%s%s", certificate_pem(parties.client.root),
             certificate_pem(parties.server.root));
    parties.server_config.ca_pem = both;
    cr_assert_eq(meet(&parties).authority_count, 2);
    parties_deinit(&parties);
}

Test(trust, a_certificate_is_good_in_its_own_role_only)
{
    struct parties parties;

    parties_init(&parties);
    parties.server_config.require_certificate = true;
    parties.server_config.ca_pem = certificate_pem(parties.server.root);
    present(&parties.client_config, parties.server.leaf);
    expect_server_refuses(&parties, "certificate purpose");

    parties_deinit(&parties);
    parties_init(&parties);
    parties.client_config.ca_pem = certificate_pem(parties.client.root);
    present(&parties.server_config, parties.client.leaf);
    expect_client_refuses(&parties, "certificate purpose");
    parties_deinit(&parties);
}

Test(trust, an_expired_server_is_refused_with_that_reason)
{
    struct parties parties;
    char *old;
    char chain[8192];

    parties_init(&parties);
    old = forge_validity(parties.server.leaf, parties.server.middle, -7200, -60);
    snprintf(chain, sizeof(chain), "%s%s", old, certificate_pem(parties.server.middle));
    parties.server_config.certificates[0].certificate_pem = chain;
    expect_client_refuses(&parties, "certificate has expired");
    free(old);
    parties_deinit(&parties);
}

Test(trust, roots_of_a_directory_are_trusted)
{
    struct parties parties;
    char directory[FIXTURE_PATH_BYTES];

    parties_init(&parties);
    fixture_directory(directory);
    fixture_put(directory, "other.pem", certificate_pem(parties.client.root));
    parties.client_config.ca_pem = NULL;
    parties.client_config.ca_file = directory;
    expect_client_refuses(&parties, "unable to get local issuer certificate");
    fixture_put(directory, "server.pem", certificate_pem(parties.server.root));
    expect_good(&parties);
    fixture_remove(directory);
    parties_deinit(&parties);
}

Test(trust, a_bundle_brings_chain_and_root)
{
    struct parties parties;
    struct party other = party_make(true);
    uint8_t *server;
    uint8_t *client;
    uint8_t *stranger;
    struct tls_config *config = &parties.client_config;

    parties_init(&parties);
    parties.server_config = (struct tls_config){.passphrase = "server"};
    cr_assert_eq(certificate_pkcs12(parties.server.leaf, "server", &server,
                                    &parties.server_config.pfx_bytes, NULL),
                 0);
    parties.server_config.pfx = server;
    expect_good(&parties);

    /* The client's own root is another than the server's. */
    *config = (struct tls_config){.passphrase = "client"};
    cr_assert_eq(certificate_pkcs12(other.leaf, "client", &stranger, &config->pfx_bytes, NULL), 0);
    config->pfx = stranger;
    expect_client_refuses(&parties, "certificate verify failed: ");

    /* Under the server's root it is trusted, and trusts. */
    certificate_free(other.leaf);
    other.leaf =
        certificate_new(&(struct certificate_options){.client = true}, parties.server.middle, NULL);
    cr_assert_eq(certificate_pkcs12(other.leaf, "client", &client, &config->pfx_bytes, NULL), 0);
    config->pfx = client;
    parties.server_config.require_certificate = true;
    expect_good(&parties);
    free(server);
    free(client);
    free(stranger);
    party_free(&other);
    parties_deinit(&parties);
}

/* Whether a ticket of one configuration of the server resumes under another. */
static bool resumes(const struct parties *parties, const struct tls_config *later)
{
    struct pair_setup setup = {.shared = {.tickets = ticket_ring_new(1, NULL)}};
    enum tls_resumption kind;
    struct tls_session *session;

    setup.client = tls_context_new(TLS_CLIENT, &parties->client_config, NULL, NULL);
    setup.server = tls_context_new(TLS_SERVER, &parties->server_config, &setup.shared, NULL);
    session = pair_connect(&setup, NULL, &kind, NULL);
    cr_assert_not_null(session);
    tls_context_free(setup.server);
    setup.server = tls_context_new(TLS_SERVER, later, &setup.shared, NULL);
    tls_session_free(pair_connect(&setup, session, &kind, NULL));
    tls_session_free(session);
    tls_context_free(setup.server);
    tls_context_free(setup.client);
    ticket_ring_free(setup.shared.tickets);
    return kind == TLS_RESUMED_TICKET;
}

Test(trust, sessions_do_not_resume_where_other_peers_are_good)
{
    struct parties parties;
    struct tls_config later;
    char *crls;
    char both[8192];

    parties_init(&parties);
    crls = crls_of(&parties.client, NULL);
    snprintf(both, sizeof(both), "%s%s", certificate_pem(parties.client.root),
             certificate_pem(parties.server.root));
    parties.server_config.request_certificate = true;
    later = parties.server_config;
    cr_assert(resumes(&parties, &later));
    later.require_certificate = true;
    cr_assert_not(resumes(&parties, &later), "require");
    later = parties.server_config;
    later.ca_pem = both;
    cr_assert_not(resumes(&parties, &later), "ca");
    later = parties.server_config;
    later.crl_pem = crls;
    cr_assert_not(resumes(&parties, &later), "crl");
    later = parties.server_config;
    later.request_certificate = false;
    cr_assert_not(resumes(&parties, &later), "request");
    free(crls);
    parties_deinit(&parties);
}

Test(trust, an_insecure_client_that_does_not_even_look_accepts_and_authorizes_nobody)
{
    struct parties parties;
    struct tls_context *server;
    struct tls_context *client;
    struct error error = {0};
    struct pair pair;
    const char *reason;

    parties_init(&parties);
    parties.client_config.insecure = true;
    parties.client_config.no_verification = true;
    server = tls_context_new(TLS_SERVER, &parties.server_config, NULL, &error);
    client = tls_context_new(TLS_CLIENT, &parties.client_config, NULL, &error);
    cr_assert(server && client, "%s", error.text);
    pair_init(&pair, client, server, NULL);
    cr_assert(pair_handshake(&pair), "%s", pair.client.failure.reason);
    cr_assert_not(tls_engine_authorized(&pair.client.engine, &reason));
    pair_deinit(&pair);
    tls_context_free(server);
    tls_context_free(client);
    parties_deinit(&parties);
}
