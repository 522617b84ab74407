#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "../unit/tls/forge.h"
#include "base/error.h"
#include "pair.h"
#include "tls/openssl_compat.h"

/* Makes one connection and tells what was negotiated; false when it came to nothing. */
static bool negotiate(struct pair_setup *setup, const char *key_type, struct tls_facts *out,
                      char out_npn[16], struct tls_failure_detail *out_server_failure)
{
    const unsigned char *npn;
    unsigned npn_bytes;
    struct pair pair;
    bool good;

    pair_setup_init(setup, key_type);
    pair_init(&pair, setup->client, setup->server, NULL);
    good = pair_handshake(&pair);
    *out_server_failure = pair.server.failure;
    tls_engine_facts(&pair.client.engine, out);
    compat_npn_get(pair.client.engine.ssl, &npn, &npn_bytes);
    cr_assert_lt(npn_bytes, 16);
    memcpy(out_npn, npn_bytes > 0 ? (const char *)npn : "", npn_bytes);
    out_npn[npn_bytes] = '\0';
    pair_deinit(&pair);
    pair_setup_deinit(setup);
    return good;
}

static struct tls_facts expect_good(struct pair_setup setup, const char *key_type)
{
    struct tls_failure_detail failure;
    struct tls_facts facts;
    char npn[16];

    cr_assert(negotiate(&setup, key_type, &facts, npn, &failure), "%s", failure.reason);
    return facts;
}

static void expect_no_overlap(struct pair_setup setup, const char *key_type)
{
    struct tls_failure_detail failure;
    struct tls_facts facts;
    char npn[16];

    cr_assert_not(negotiate(&setup, key_type, &facts, npn, &failure));
    cr_assert_eq(failure.kind, TLS_FAILURE_NO_SHARED, "%s", failure.reason);
}

Test(negotiation, dhe_takes_place_where_parameters_are_given)
{
    char *parameters = forge_parameters("DH", "ffdhe2048");
    struct pair_setup setup = {
        .server_config = {.version_max = TLS_VERSION_1_2},
        .client_config = {.ciphers = "DHE+AESGCM"},
    };

    setup.server_config.dhparam = "auto";
    cr_assert_str_eq(expect_good(setup, "rsa2048").suite, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384");
    setup.server_config.dhparam = NULL;
    setup.server_config.dhparam_pem = parameters;
    cr_assert_str_eq(expect_good(setup, "rsa2048").suite, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384");
    setup.server_config.dhparam_pem = NULL;
    expect_no_overlap(setup, "rsa2048");
    free(parameters);
}

Test(negotiation, without_groups_tls_1_2_has_no_ecdhe)
{
    struct pair_setup setup = {
        .server_config = {.groups = "none"},
        .client_config = {.version_max = TLS_VERSION_1_2},
    };

    cr_assert_str_eq(expect_good(setup, "rsa2048").suite, "TLS_RSA_WITH_AES_256_GCM_SHA384");
    setup.client_config.ciphers = "ECDHE+AESGCM";
    expect_no_overlap(setup, "rsa2048");
    setup.server_config.groups = NULL;
    cr_assert_str_eq(expect_good(setup, "rsa2048").suite, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
}

Test(negotiation, without_groups_tls_1_3_keeps_openssls)
{
    struct pair_setup setup = {.server_config = {.groups = "none"}};
    struct tls_facts facts = expect_good(setup, "p256");

    cr_assert_str_eq(facts.version, "TLSv1.3");
    cr_assert_str_neq(facts.group, "");
}

struct npn_row {
    char server[16];
    char client[16];
    enum tls_version version;
    char chosen[16];
};

ParameterizedTestParameters(negotiation, npn_follows_the_servers_order)
{
    static struct npn_row rows[] = {
        {"one,two", "two,one", TLS_VERSION_1_2, "one"},
        {"two,one", "two,one", TLS_VERSION_1_2, "two"},
        {"three", "two,one", TLS_VERSION_1_2, "two"}, /* no overlap: the client's first */
        {"one", "", TLS_VERSION_1_2, ""},
        {"", "one", TLS_VERSION_1_2, ""},
        {"one", "one", TLS_VERSION_1_3, ""}, /* TLS 1.3 has none */
    };

    return cr_make_param_array(struct npn_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct npn_row *row, negotiation, npn_follows_the_servers_order)
{
    struct pair_setup setup = {
        .server_config = {.npn = row->server[0] != '\0' ? row->server : NULL},
        .client_config = {.npn = row->client[0] != '\0' ? row->client : NULL,
                          .version_max = row->version},
    };
    struct tls_failure_detail failure;
    struct tls_facts facts;
    char npn[16];

    cr_assert(negotiate(&setup, "p256", &facts, npn, &failure), "%s", failure.reason);
    cr_assert_str_eq(npn, row->chosen);
    cr_assert_str_eq(facts.alpn, row->chosen);
}

Test(negotiation, alpn_goes_before_npn)
{
    struct pair_setup setup = {
        .server_config = {.npn = "old", .alpn = "new", .version_max = TLS_VERSION_1_2},
        .client_config = {.npn = "old", .alpn = "new"},
    };
    struct tls_failure_detail failure;
    struct tls_facts facts;
    char npn[16];

    cr_assert(negotiate(&setup, "p256", &facts, npn, &failure), "%s", failure.reason);
    cr_assert_str_eq(facts.alpn, "new");
    cr_assert_str_eq(npn, "");
}

Test(negotiation, options_have_their_effect)
{
    struct pair_setup setup = {0};

    cr_assert_str_eq(expect_good(setup, "p256").version, "TLSv1.3");
    cr_assert_eq(tls_options_parse("no-tlsv1-3", &setup.server_config.options, NULL), 0);
    cr_assert_str_eq(expect_good(setup, "p256").version, "TLSv1.2");
}

struct certificate_row {
    char sigalgs[32];
    char certificate[16]; /* "": no handshake */
};

ParameterizedTestParameters(negotiation, the_clients_algorithms_choose_the_certificate)
{
    static struct certificate_row rows[] = {
        {"ecdsa_secp256r1_sha256", "EC P-256"},
        {"rsa_pss_rsae_sha256", "RSA 2048"},
        {"ed25519", "Ed25519"},
        {"ed448", ""},
    };

    return cr_make_param_array(struct certificate_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct certificate_row *row, negotiation,
                  the_clients_algorithms_choose_the_certificate)
{
    struct certificate_options options[] = {{.key_type = "rsa2048"}, {.key_type = "ed25519"}};
    struct pair_setup setup = {
        .server_config = {.certificate_count = 3},
        .client_config = {.insecure = true, .sigalgs = row->sigalgs},
    };
    struct certificate *certificates[2];

    for (size_t i = 0; i < 2; i++) {
        certificates[i] = certificate_new(&options[i], NULL, NULL);
        setup.server_config.certificates[1 + i].certificate_pem = certificate_pem(certificates[i]);
        setup.server_config.certificates[1 + i].key_pem = certificate_key_pem(certificates[i]);
    }
    if (row->certificate[0] != '\0') {
        cr_assert_str_eq(expect_good(setup, "p256").certificate, row->certificate);
    } else {
        expect_no_overlap(setup, "p256");
    }
    certificate_free(certificates[0]);
    certificate_free(certificates[1]);
}

/* The key log lines of a connection's two ends, and the contexts' own users. */
struct lines {
    char text[4096];
};

static void on_line(void *user, const char *line)
{
    struct lines *lines = user;

    cr_assert_null(strchr(line, '\n'));
    cr_assert_lt(strlen(lines->text) + strlen(line) + 2, sizeof(lines->text));
    strcat(strcat(lines->text, line), "\n");
}

Test(negotiation, both_ends_log_the_same_keys)
{
    struct lines server = {0};
    struct lines client = {0};
    struct pair_setup setup = {
        .server_config = {.on_keylog = on_line, .keylog_user = &server},
        .client_config = {.on_keylog = on_line, .keylog_user = &client},
    };

    setup.client_config.version_max = TLS_VERSION_1_2;
    expect_good(setup, "p256");
    cr_assert_eq(strncmp(client.text, "CLIENT_RANDOM ", 14), 0, "%s", client.text);
    cr_assert_str_eq(client.text, server.text);

    setup.client_config.version_max = TLS_VERSION_1_3;
    server = client = (struct lines){0};
    expect_good(setup, "p256");
    cr_assert_not_null(strstr(client.text, "CLIENT_TRAFFIC_SECRET_0 "), "%s", client.text);
    cr_assert_not_null(strstr(server.text, "CLIENT_TRAFFIC_SECRET_0 "), "%s", server.text);
}

Test(negotiation, no_keys_are_logged_unasked)
{
    struct lines server = {0};
    struct pair_setup setup = {.server_config = {.keylog_user = &server}};

    expect_good(setup, "p256");
    cr_assert_str_eq(server.text, "");
}

/* From OpenSSL 3.5 on; before, context and certificate say so (tests/unit/tls). */
Test(negotiation, post_quantum_algorithms_are_negotiated_and_reported)
{
    struct pair_setup setup = {
        .server_config = {.groups = "X25519MLKEM768"},
        .client_config = {.groups = "X25519MLKEM768:X25519"},
    };
    struct tls_facts facts;

    if (OpenSSL_version_num() < 0x30500000L) {
        cr_skip_test("OpenSSL 3.5 has them");
    }
    facts = expect_good(setup, "mldsa65");
    cr_assert_str_eq(facts.group, "X25519MLKEM768");
    cr_assert_str_eq(facts.certificate, "ML-DSA-65");
    cr_assert_str_eq(facts.signature, "mldsa65");
    setup.client_config.groups = "X25519";
    expect_no_overlap(setup, "mldsa65");
}
