#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/random.h"
#include "pair.h"

enum { RECORD_ALERT = 21 };

/* What a server makes of these bytes as the first of a connection. */
static enum tls_status feed_server(const void *bytes, size_t count,
                                   struct tls_failure_detail *out_failure)
{
    struct pair_setup setup = {0};
    enum tls_status status;
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    pair_inject(&pair.server, bytes, count);
    status = pair_handshake_step(&pair, &pair.server);
    *out_failure = pair.server.failure;
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
    return status;
}

static void expect_failure(const struct tls_failure_detail *failure, enum tls_failure kind,
                           const char *reason)
{
    cr_assert_eq(failure->kind, kind, "%s: %s", tls_failure_name(failure->kind), failure->reason);
    cr_assert_not_null(strstr(failure->reason, reason), "%s", failure->reason);
}

Test(failure, plain_http_is_not_tls)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct tls_failure_detail failure;

    cr_assert_eq(feed_server(request, strlen(request), &failure), TLS_FAILED);
    expect_failure(&failure, TLS_FAILURE_NOT_TLS, "http request");
}

Test(failure, random_bytes_are_not_tls)
{
    /* Seed 3 begins as an SSLv2 record of more than 16 KiB would; the others as nothing at all. */
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct tls_failure_detail failure;
        uint8_t bytes[64];

        random_fill(&(struct random){.state = seed}, bytes, sizeof(bytes));
        cr_assert_eq(feed_server(bytes, sizeof(bytes), &failure), TLS_FAILED);
        cr_assert_eq(failure.kind, TLS_FAILURE_NOT_TLS, "%s", failure.reason);
    }
}

Test(failure, an_sslv2_hello_is_not_tls)
{
    static const uint8_t hello[] = {
        0x80, 0x1c,             /* record of 28 bytes */
        0x01, 0x00, 0x02,       /* client hello of SSL 2.0 */
        0x00, 0x03, 0x00, 0x00, /* one cipher, no session ID */
        0x00, 0x10,             /* 16 bytes of challenge */
        0x07, 0x00, 0xc0, 1,    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
    };
    struct tls_failure_detail failure;

    cr_assert_eq(feed_server(hello, sizeof(hello), &failure), TLS_FAILED);
    cr_assert_eq(failure.kind, TLS_FAILURE_NOT_TLS, "%s", failure.reason);
}

Test(failure, an_sslv3_hello_is_a_version_failure)
{
    static const uint8_t hello[] = {
        0x16, 0x03, 0x00, 0x00, 0x2d,              /* record of 45 bytes */
        0x01, 0x00, 0x00, 0x29, 0x03, 0x00,        /* client hello of SSL 3.0 */
        0,    1,    2,    3,    4,    5,    6,  7, /* random */
        8,    9,    10,   11,   12,   13,   14, 15, 16, 17, 18, 19,   20,
        21,   22,   23,   24,   25,   26,   27, 28, 29, 30, 31, 0x00, /* no session ID */
        0x00, 0x02, 0x00, 0x2f,                                       /* one cipher */
        0x01, 0x00,                                                   /* no compression */
    };
    struct tls_failure_detail failure;

    cr_assert_eq(feed_server(hello, sizeof(hello), &failure), TLS_FAILED);
    cr_assert_eq(failure.kind, TLS_FAILURE_VERSION, "%s", failure.reason);
}

Test(failure, a_message_out_of_order_is_a_protocol_failure)
{
    struct tls_failure_detail failure;

    /* Application data where a hello is due. */
    cr_assert_eq(feed_server("\x17\x03\x03\x00\x04text", 9, &failure), TLS_FAILED);
    cr_assert_eq(failure.kind, TLS_FAILURE_PROTOCOL, "%s", failure.reason);
}

Test(failure, a_malformed_hello_is_a_protocol_failure)
{
    struct tls_failure_detail failure;

    /* A hello whose session ID would end beyond its end. */
    cr_assert_eq(feed_server("\x16\x03\x01\x00\x08\x01\x00\x00\x04\x03\x03\x00\x00", 13, &failure),
                 TLS_FAILED);
    cr_assert_eq(failure.kind, TLS_FAILURE_PROTOCOL, "%s", failure.reason);
}

Test(failure, an_oversized_record_is_corrupt)
{
    struct tls_failure_detail failure;

    cr_assert_eq(feed_server("\x16\x03\x01\xff\xff\x01\x00\x00\x04", 9, &failure), TLS_FAILED);
    expect_failure(&failure, TLS_FAILURE_CORRUPT, "too long");
}

Test(failure, a_truncated_hello_only_waits)
{
    struct tls_failure_detail failure = {0};

    cr_assert_eq(feed_server("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, &failure),
                 TLS_AGAIN);
    cr_assert_eq(feed_server("", 0, &failure), TLS_AGAIN);
}

Test(failure, a_client_meets_a_server_that_speaks_plain_text)
{
    struct pair_setup setup = {0};
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert_eq(pair_handshake_step(&pair, &pair.client), TLS_AGAIN);
    pair_inject(&pair.client, "220 localhost ESMTP ready\r\n", 27);
    cr_assert_eq(pair_handshake_step(&pair, &pair.client), TLS_FAILED);
    expect_failure(&pair.client.failure, TLS_FAILURE_NOT_TLS, "wrong version number");
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

/* Shakes hands in vain. Each end's failure is kept; `setup` is closed. */
static void shake_in_vain(struct pair_setup *setup, const struct tls_engine_options *options,
                          struct tls_failure_detail *out_client,
                          struct tls_failure_detail *out_server)
{
    struct pair pair;

    pair_setup_init(setup, NULL);
    pair_init(&pair, setup->client, setup->server, options);
    cr_assert_not(pair_handshake(&pair));
    *out_client = pair.client.failure;
    *out_server = pair.server.failure;
    pair_deinit(&pair);
    pair_setup_deinit(setup);
}

Test(failure, no_common_version)
{
    struct pair_setup setup = {
        .server_config = {.version_min = TLS_VERSION_1_3},
        .client_config = {.version_max = TLS_VERSION_1_2},
    };
    struct tls_failure_detail client;
    struct tls_failure_detail server;

    shake_in_vain(&setup, NULL, &client, &server);
    expect_failure(&server, TLS_FAILURE_VERSION, "unsupported protocol");
    expect_failure(&client, TLS_FAILURE_ALERT, "alert protocol version");
}

Test(failure, no_shared_cipher)
{
    struct pair_setup setup = {
        .server_config = {.version_max = TLS_VERSION_1_2,
                          .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"},
        .client_config = {.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"},
    };
    struct tls_failure_detail client;
    struct tls_failure_detail server;

    shake_in_vain(&setup, NULL, &client, &server);
    expect_failure(&server, TLS_FAILURE_NO_SHARED, "no shared cipher");
    expect_failure(&client, TLS_FAILURE_ALERT, "alert handshake failure");
}

Test(failure, no_shared_group)
{
    struct pair_setup setup = {
        .server_config = {.groups = "X25519"},
        .client_config = {.groups = "P-384"},
    };
    struct tls_failure_detail client;
    struct tls_failure_detail server;

    shake_in_vain(&setup, NULL, &client, &server);
    cr_assert_eq(server.kind, TLS_FAILURE_NO_SHARED, "%s", server.reason);
}

Test(failure, no_shared_signature_algorithm)
{
    struct pair_setup setup = {.client_config = {.sigalgs = "rsa_pss_rsae_sha256"}};
    struct tls_failure_detail client;
    struct tls_failure_detail server;

    shake_in_vain(&setup, NULL, &client, &server);
    cr_assert_eq(server.kind, TLS_FAILURE_NO_SHARED, "%s", server.reason);
}

Test(failure, no_shared_application_protocol)
{
    struct pair_setup setup = {
        .server_config = {.alpn = "h2"},
        .client_config = {.alpn = "http/1.1"},
    };
    struct tls_failure_detail client;
    struct tls_failure_detail server;

    shake_in_vain(&setup, NULL, &client, &server);
    expect_failure(&server, TLS_FAILURE_NO_SHARED, "no application protocol");
    expect_failure(&client, TLS_FAILURE_ALERT, "alert no application protocol");
}

Test(failure, an_untrusted_certificate_is_refused_with_the_reason)
{
    struct certificate *stranger = certificate_new(&(struct certificate_options){0}, NULL, NULL);
    struct pair_setup setup = {.client_config = {.ca_pem = certificate_pem(stranger)}};
    struct tls_failure_detail client;
    struct tls_failure_detail server;

    shake_in_vain(&setup, NULL, &client, &server);
    expect_failure(&client, TLS_FAILURE_CERTIFICATE, "self-signed certificate");
    expect_failure(&server, TLS_FAILURE_ALERT, "alert unknown CA");
    certificate_free(stranger);
}

struct host_row {
    char host[32];
    char reason[32]; /* "": accepted */
};

ParameterizedTestParameters(failure, the_certificate_must_be_for_the_host)
{
    static struct host_row rows[] = {
        {"localhost", ""},
        {"127.0.0.1", ""},
        {"::1", ""},
        {"elsewhere.test", "hostname mismatch"},
        {"local", "hostname mismatch"},
        {"127.0.0.2", "IP address mismatch"},
        {"::2", "IP address mismatch"},
    };

    return cr_make_param_array(struct host_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct host_row *row, failure, the_certificate_must_be_for_the_host)
{
    struct tls_engine_options options = {.verify_host = row->host};
    struct pair_setup setup = {0};
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, &options);
    cr_assert_eq(pair_handshake(&pair), row->reason[0] == '\0');
    if (row->reason[0] != '\0') {
        expect_failure(&pair.client.failure, TLS_FAILURE_CERTIFICATE, row->reason);
    }
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

Test(failure, insecure_accepts_any_certificate_for_any_host)
{
    struct tls_engine_options options = {.verify_host = "elsewhere.test"};
    struct certificate *stranger = certificate_new(&(struct certificate_options){0}, NULL, NULL);
    struct pair_setup setup = {
        .client_config = {.ca_pem = certificate_pem(stranger), .insecure = true}};
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, &options);
    cr_assert(pair_handshake(&pair));
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
    certificate_free(stranger);
}

Test(failure, a_corrupted_record_is_corrupt_and_answered_with_an_alert)
{
    struct pair_setup setup = {.server_config = {.version_max = TLS_VERSION_1_2}};
    struct pair_end *server;
    struct pair_end *client;
    struct slab *wire;
    struct pair pair;
    uint8_t byte;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    client = &pair.client;
    server = &pair.server;
    cr_assert(pair_handshake(&pair));
    tls_engine_write(&client->engine, (const uint8_t *)"text", 4, &client->failure);
    wire = client->queue.head;
    wire->data[wire->end - 1] ^= 1;
    pair_move(client, server);
    cr_assert_eq(pair_read(&pair, server, &byte, 1), 0);
    cr_assert_eq(server->status, TLS_FAILED);
    expect_failure(&server->failure, TLS_FAILURE_CORRUPT, "bad record mac");
    cr_assert_eq(server->queue.head->data[server->queue.head->start], RECORD_ALERT);
    pair_move(server, client);
    cr_assert_eq(pair_read(&pair, client, &byte, 1), 0);
    cr_assert_eq(client->status, TLS_FAILED);
    expect_failure(&client->failure, TLS_FAILURE_ALERT, "alert bad record mac");
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

Test(failure, one_failed_connection_does_not_disturb_the_next)
{
    struct pair_setup setup = {0};
    struct pair bad;
    struct pair good;

    pair_setup_init(&setup, NULL);
    pair_init(&bad, setup.client, setup.server, NULL);
    pair_init(&good, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&good));
    pair_inject(&bad.server, "GET / HTTP/1.1\r\n\r\n", 18);
    cr_assert_eq(pair_handshake_step(&bad, &bad.server), TLS_FAILED);
    pair_send(&good, &good.client, &good.server, (const uint8_t *)"text", 4);
    pair_deinit(&bad);
    pair_deinit(&good);
    pair_setup_deinit(&setup);
}
