/* What went wrong in other people's servers and clients, for what has no better place. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>

#include "../unit/tls/forge.h"
#include "base/error.h"
#include "seal.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

/* Bytes in use on the heap; 0 where a sanitizer has its own. */
static size_t heap_bytes(void)
{
    return mallinfo2().uordblks;
}

static void settle(struct pair *pair)
{
    uint8_t byte;

    for (int i = 0; i < 6; i++) {
        cr_assert_eq(pair_read(pair, &pair->client, &byte, 1), 0);
        pair_move(&pair->client, &pair->server);
        cr_assert_eq(pair_read(pair, &pair->server, &byte, 1), 0);
        pair_move(&pair->server, &pair->client);
    }
}

/* CVE-2016-6304: each renegotiation brought a large list of OCSP responders, and none was freed. */
Test(past, renegotiations_that_ask_for_a_staple_cost_no_memory)
{
    struct pair_setup setup = {
        .client_config = {.request_ocsp = true, .version_max = TLS_VERSION_1_2},
        .server_config = {.renegotiation_limit = 1000}};
    STACK_OF(OCSP_RESPID) *responders = sk_OCSP_RESPID_new_null();
    const char *reason;
    struct pair pair;
    size_t before = 0;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    for (int i = 0; i < 500; i++) {
        const uint8_t *by_key = (const uint8_t *)"\xa2\x16\x04\x14"
                                                 "01234567890123456789";
        OCSP_RESPID *responder = d2i_OCSP_RESPID(NULL, &by_key, 24);

        cr_assert_not_null(responder);
        sk_OCSP_RESPID_push(responders, responder);
    }
    SSL_set_tlsext_status_ids(pair.client.engine.ssl, responders); /* takes them */
    cr_assert(pair_handshake(&pair));
    for (int i = 0; i < 120; i++) {
        cr_assert(tls_engine_renegotiate(&pair.client.engine, false, &reason), "%s", reason);
        settle(&pair);
        pair.client.inbox_bytes = pair.client.inbox_fed = 0;
        pair.server.inbox_bytes = pair.server.inbox_fed = 0;
        before = i == 60 ? heap_bytes() : before;
    }
    cr_assert_eq(pair.server.engine.tally.renegotiations, 120);
    /* The lists of 60 are 720 KiB; what the allocator keeps at hand is in it too. */
    cr_expect_leq(heap_bytes(), before + 100 * 1024);
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

/* CVE-2024-2511: with tickets off, OpenSSL's own cache of TLS 1.3 sessions grew without end. */
Test(past, without_tickets_tls_1_3_keeps_no_sessions)
{
    struct pair_setup setup = {
        .server_config = {.no_tickets = true, .version_min = TLS_VERSION_1_3}};
    SSL_CTX *context = NULL;
    size_t before = 0;

    setup.shared.sessions = session_store_new(8);
    pair_setup_init(&setup, NULL);
    for (int i = 0; i < 300; i++) {
        struct pair pair;

        pair_init(&pair, setup.client, setup.server, NULL);
        context = SSL_get_SSL_CTX(pair.server.engine.ssl);
        cr_assert(pair_handshake(&pair));
        pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"x", 1);
        pair_deinit(&pair);
        before = i == 100 ? heap_bytes() : before;
    }
    cr_expect_eq(SSL_CTX_sess_number(context), 0);
    cr_expect_leq(heap_bytes(), before + 100 * 1024); /* 200 sessions are more */
    pair_setup_deinit(&setup);
    session_store_free(setup.shared.sessions);
}

/* CVE-2024-4741: buffers were freed under a record that had come in part, or was read in part. */
Test(past, buffers_given_back_at_any_time_lose_no_byte)
{
    for (size_t part = 1; part < 72; part += 3) {
        struct pair_setup setup = {0};
        struct pair pair;
        uint8_t out[64];
        uint8_t *wire;
        size_t count;
        size_t cut;

        pair_setup_init(&setup, NULL);
        pair_init(&pair, setup.client, setup.server, NULL);
        cr_assert(pair_handshake(&pair));
        cr_assert_eq(tls_engine_write(&pair.client.engine,
                                      (const uint8_t *)"0123456789abcdefghijklmnopqrstuvwxyz....."
                                                       "0123456789",
                                      51, &pair.client.failure),
                     TLS_OK);
        tls_engine_idle(&pair.client.engine);
        wire = seal_take(&pair.client, &count);
        cut = part < count ? part : count - 1;
        tls_engine_idle(&pair.server.engine);
        pair_inject(&pair.server, wire, cut);
        cr_assert_eq(pair_read(&pair, &pair.server, out, sizeof(out)), 0);
        tls_engine_idle(&pair.server.engine); /* a part has come */
        pair_inject(&pair.server, wire + cut, count - cut);
        cr_assert_eq(pair_read(&pair, &pair.server, out, 20), 20);
        tls_engine_idle(&pair.server.engine); /* a part has been read */
        cr_assert_eq(pair_read(&pair, &pair.server, out + 20, 31), 31, "%s",
                     pair.server.failure.reason);
        cr_assert_arr_eq(out + 36, ".....0123456789", 15);
        free(wire);
        pair_deinit(&pair);
        pair_setup_deinit(&setup);
    }
}

/* Node's CVE-2020-8265: writes while the connection is being taken down. */
Test(past, writes_during_and_after_the_end_are_refused)
{
    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        struct pair_setup setup = {.client_config = {.version_max = (enum tls_version)version}};
        struct tls_failure_detail failure;
        struct pair pair;
        uint8_t byte;

        pair_setup_init(&setup, NULL);
        pair_init(&pair, setup.client, setup.server, NULL);
        cr_assert(pair_handshake(&pair));
        tls_engine_close(&pair.server.engine);
        cr_expect_eq(tls_engine_write(&pair.server.engine, (const uint8_t *)"x", 1, &failure),
                     TLS_FAILED);
        pair_inject(&pair.client, "\x17\x03\x03\x00\x05hello", 10); /* and now it fails */
        cr_expect_eq(pair_read(&pair, &pair.client, &byte, 1), 0);
        cr_expect_eq(pair.client.status, TLS_FAILED);
        cr_expect_eq(tls_engine_write(&pair.client.engine, (const uint8_t *)"x", 1, &failure),
                     TLS_FAILED);
        tls_engine_close(&pair.client.engine);
        tls_engine_idle(&pair.client.engine);
        pair_deinit(&pair);
        pair_setup_deinit(&setup);
    }
}

struct name_row {
    const char *name; /* in the certificate */
    const char *host;
    bool good;
};

/* Node's CVE-2021-44531 to 44533. */
Test(past, odd_wildcards_match_nothing)
{
    static const struct name_row rows[] = {
        {"*.a.example", "b.a.example", true},
        {"*.a.example", "B.A.EXAMPLE", true},
        {"*.a.example", "a.example", false},
        {"*.a.example", "c.b.a.example", false},
        {"*.a.example", ".a.example.evil", false},
        {"*", "localhost", false},
        {"*.example", "a.example", false},
        {"*.*.example", "b.a.example", false},
        {"b.*.example", "b.a.example", false},
        {"b*.a.example", "bc.a.example", false},
        {"*c.a.example", "bc.a.example", false},
        {"xn--*.a.example", "xn--b.a.example", false},
        {"**.a.example", "b.a.example", false},
        {"*.a.example.", "b.a.example", false},
        {"*.0.0.1", "127.0.0.1", false},
        {"a.example b.example", "b.example", false},
        {"a.example,b.example", "b.example", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const names[] = {rows[i].name, NULL};
        struct tls_engine_options options = {.verify_host = rows[i].host};
        struct certificate *certificate =
            certificate_new(&(struct certificate_options){.names = names}, NULL, NULL);
        struct tls_config config = {.certificate_count = 1};
        struct pair_setup setup = {.client_config = {.ca_pem = certificate_pem(certificate)}};
        struct tls_context *server;
        struct pair pair;

        config.certificates[0].certificate_pem = certificate_pem(certificate);
        config.certificates[0].key_pem = certificate_key_pem(certificate);
        pair_setup_init(&setup, NULL);
        server = tls_context_new(TLS_SERVER, &config, NULL, NULL);
        cr_assert_not_null(server);
        pair_init(&pair, setup.client, server, &options);
        cr_expect_eq(pair_handshake(&pair), rows[i].good, "%s for %s", rows[i].name, rows[i].host);
        pair_deinit(&pair);
        tls_context_free(server);
        pair_setup_deinit(&setup);
        certificate_free(certificate);
    }
}

/* The same CVEs: "localhost\0evil.example" is not localhost, neither as a name nor as what is told
 * of it. */
Test(past, a_name_with_a_nul_in_it_is_not_its_beginning)
{
    static const char *const names[] = {"localhost.evil.example", NULL};
    struct certificate_options own = {.common_name = "localhost.evil.example", .names = names};
    struct certificate *certificate = certificate_new(&own, NULL, NULL);
    char *forged = forge_bytes(certificate, certificate, "localhost.evil", "localhost\0evil", 14);
    struct tls_engine_options options = {.verify_host = "localhost"};
    struct tls_config config = {.certificate_count = 1};
    struct pair_setup setup = {.client_config = {.ca_pem = forged}};
    struct tls_peer_certificate peer;
    struct tls_context *server;
    struct pair pair;

    config.certificates[0].certificate_pem = forged;
    config.certificates[0].key_pem = certificate_key_pem(certificate);
    pair_setup_init(&setup, NULL);
    server = tls_context_new(TLS_SERVER, &config, NULL, NULL);
    cr_assert_not_null(server);
    pair_init(&pair, setup.client, server, &options);
    cr_expect_not(pair_handshake(&pair));
    cr_expect_not_null(strstr(pair.client.failure.reason, "hostname mismatch"), "%s",
                       pair.client.failure.reason);
    pair_deinit(&pair);

    pair_init(&pair, setup.client, server, NULL);
    cr_assert(pair_handshake(&pair), "%s", pair.client.failure.reason);
    cr_assert(tls_engine_peer_certificate(&pair.client.engine, 0, &peer));
    cr_expect_str_eq(peer.names, "DNS:localhost\\00evil.example");
    cr_expect_str_eq(peer.subject, "CN=localhost\\00evil.example");
    pair_deinit(&pair);
    tls_context_free(server);
    pair_setup_deinit(&setup);
    certificate_free(certificate);
    free(forged);
}
