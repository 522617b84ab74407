#include <string.h>

#include <criterion/criterion.h>

#include "pair.h"

/* A server that asks for a certificate of a client that has one, from an authority of three
 * storeys. */
struct mutual {
    struct certificate *root;
    struct certificate *middle;
    struct certificate *leaf;
    struct pair_setup setup;
    struct pair pair;
};

static void mutual_open(struct mutual *mutual, bool trusted, bool sent)
{
    struct certificate_options authority = {.authority = true};
    static const char *const names[] = {"a.example", "127.0.0.1", "::1", NULL};
    struct certificate_options client = {.client = true, .names = names};
    struct tls_config *config = &mutual->setup.client_config;

    mutual->root = certificate_new(&authority, NULL, NULL);
    mutual->middle = certificate_new(&authority, mutual->root, NULL);
    mutual->leaf = certificate_new(&client, mutual->middle, NULL);
    if (sent) {
        config->certificates[0].certificate_pem = certificate_chain_pem(mutual->leaf);
        config->certificates[0].key_pem = certificate_key_pem(mutual->leaf);
        config->certificate_count = 1;
    }
    mutual->setup.server_config.request_certificate = true;
    if (trusted) {
        mutual->setup.server_config.ca_pem = certificate_pem(mutual->root);
    } else {
        mutual->setup.server_config.ca_pem = certificate_pem(mutual->leaf);
    }
    pair_setup_init(&mutual->setup, NULL);
    pair_init(&mutual->pair, mutual->setup.client, mutual->setup.server, NULL);
    cr_assert(pair_handshake(&mutual->pair), "%s", mutual->pair.server.failure.reason);
}

static void mutual_close(struct mutual *mutual)
{
    pair_deinit(&mutual->pair);
    pair_setup_deinit(&mutual->setup);
    certificate_free(mutual->leaf);
    certificate_free(mutual->middle);
    certificate_free(mutual->root);
}

Test(peer, the_whole_chain_is_told_to_the_root)
{
    struct mutual mutual = {0};
    struct tls_engine *server = &mutual.pair.server.engine;
    struct tls_peer_certificate peer;
    char fingerprint[CERTIFICATE_FINGERPRINT_TEXT_BYTES];
    const char *reason;

    mutual_open(&mutual, true, true);
    cr_assert(tls_engine_authorized(server, &reason), "%s", reason);
    cr_assert(tls_engine_peer_certificate(server, 0, &peer));
    certificate_fingerprint(mutual.leaf, fingerprint);
    cr_assert_str_eq(peer.fingerprint_sha256, fingerprint);
    cr_assert_eq(strlen(peer.fingerprint_sha1), 59);
    cr_assert_str_eq(peer.names, "DNS:a.example, IP:127.0.0.1, IP:0:0:0:0:0:0:0:1");
    cr_assert_not_null(strstr(peer.subject, "CN="));
    cr_assert_not_null(strstr(peer.issuer, "CN=tlsdyno CA"));
    cr_assert_eq(strlen(peer.valid_from), 20);
    cr_assert_lt(strcmp(peer.valid_from, peer.valid_to), 0);
    cr_assert_str_not_empty(peer.serial);
    cr_assert_eq(peer.der[0], 0x30);
    cr_assert_gt(peer.der_bytes, 200);

    cr_assert(tls_engine_peer_certificate(server, 1, &peer));
    certificate_fingerprint(mutual.middle, fingerprint);
    cr_assert_str_eq(peer.fingerprint_sha256, fingerprint);
    cr_assert(tls_engine_peer_certificate(server, 2, &peer));
    certificate_fingerprint(mutual.root, fingerprint);
    cr_assert_str_eq(peer.fingerprint_sha256, fingerprint);
    cr_assert_str_eq(peer.subject, peer.issuer);
    cr_assert_not(tls_engine_peer_certificate(server, 3, &peer));
    cr_assert_not(tls_engine_peer_certificate(server, 4000000000u, &peer));
    mutual_close(&mutual);
}

Test(peer, a_client_nobody_knows_is_heard_but_not_authorized)
{
    struct mutual mutual = {0};
    struct tls_engine *server = &mutual.pair.server.engine;
    struct tls_peer_certificate peer;
    char fingerprint[CERTIFICATE_FINGERPRINT_TEXT_BYTES];
    const char *reason;

    mutual_open(&mutual, false, true);
    cr_assert_not(tls_engine_authorized(server, &reason));
    cr_assert_str_not_empty(reason);
    cr_assert(tls_engine_peer_certificate(server, 0, &peer));
    /* What the client sent, and no root. */
    cr_assert(tls_engine_peer_certificate(server, 1, &peer));
    certificate_fingerprint(mutual.middle, fingerprint);
    cr_assert_str_eq(peer.fingerprint_sha256, fingerprint);
    cr_assert_not(tls_engine_peer_certificate(server, 2, &peer));
    mutual_close(&mutual);
}

Test(peer, a_client_without_a_certificate_has_none)
{
    struct mutual mutual = {0};
    struct tls_engine *server = &mutual.pair.server.engine;
    struct tls_peer_certificate peer;
    const char *reason;

    mutual_open(&mutual, true, false);
    cr_assert_not(tls_engine_authorized(server, &reason));
    cr_assert_str_eq(reason, "no certificate");
    cr_assert_not(tls_engine_peer_certificate(server, 0, &peer));
    cr_assert_not(tls_engine_peer_certificate(server, 1, &peer));
    cr_assert_null(peer.der);
    mutual_close(&mutual);
}

static void expect_server(bool insecure, bool authorized, const char *expected)
{
    struct certificate *other = certificate_new(&(struct certificate_options){0}, NULL, NULL);
    struct pair_setup setup = {.client_config = {.insecure = insecure}};
    struct tls_peer_certificate peer;
    const char *reason;
    struct pair pair;

    if (insecure) {
        setup.client_config.ca_pem = certificate_pem(other);
    }
    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair));
    cr_assert_eq(tls_engine_authorized(&pair.client.engine, &reason), authorized);
    cr_assert_str_eq(reason, expected);
    cr_assert(tls_engine_peer_certificate(&pair.client.engine, 0, &peer));
    cr_assert_str_eq(peer.subject, "CN=localhost");
    cr_assert_not(tls_engine_peer_certificate(&pair.client.engine, 1, &peer));
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
    certificate_free(other);
}

Test(peer, a_server_is_authorized_by_its_root)
{
    expect_server(false, true, "");
}

Test(peer, a_client_that_accepts_anybody_still_knows)
{
    expect_server(true, false, "self-signed certificate");
}

/* A name that would read as two, and a byte that would move the cursor. */
Test(peer, names_cannot_be_taken_for_others)
{
    static const char *const names[] = {"a.example, DNS:b.example\x1b", NULL};
    struct certificate_options options = {.names = names, .client = true};
    struct certificate *certificate = certificate_new(&options, NULL, NULL);
    struct pair_setup setup = {.server_config = {.request_certificate = true}};
    struct tls_peer_certificate peer;
    struct pair pair;

    cr_assert_not_null(certificate);
    setup.client_config.certificates[0].certificate_pem = certificate_pem(certificate);
    setup.client_config.certificates[0].key_pem = certificate_key_pem(certificate);
    setup.client_config.certificate_count = 1;
    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair));
    cr_assert(tls_engine_peer_certificate(&pair.server.engine, 0, &peer));
    cr_assert_str_eq(peer.names, "DNS:a.example\\2c\\20DNS:b.example\\1b");
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
    certificate_free(certificate);
}
