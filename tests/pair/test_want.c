#include <string.h>

#include <criterion/criterion.h>

#include "asking.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

enum {
    ASK_CONTEXT = 1 << TLS_WANT_CONTEXT,
    ASK_STAPLE = 1 << TLS_WANT_STAPLE,
    ASK_ALL = 2 * (1 << TLS_WANT_SAVE) - 2,
};

static const struct tls_engine_options named = {.server_name = "b.example"};

/* Host A, which connections begin with, and host B, which the name leads to; a client trusts both
 * and asks for a staple. */
struct hosts {
    struct pair_setup a;
    struct pair_setup b;
};

static void hosts_init(struct hosts *hosts, enum tls_version version)
{
    struct tls_config *a = &hosts->a.server_config;
    struct tls_config *b = &hosts->b.server_config;

    a->version_min = a->version_max = b->version_min = b->version_max = version;
    hosts->a.client_config.insecure = true;
    hosts->a.shared.tickets = hosts->b.shared.tickets = ticket_ring_new(1, NULL);
    hosts->a.shared.sessions = hosts->b.shared.sessions = session_store_new(8);
    pair_setup_init(&hosts->a, NULL);
    pair_setup_init(&hosts->b, "rsa2048");
}

static void hosts_deinit(struct hosts *hosts)
{
    pair_setup_deinit(&hosts->a);
    pair_setup_deinit(&hosts->b);
    ticket_ring_free(hosts->a.shared.tickets);
    session_store_free(hosts->a.shared.sessions);
}

static void expect_switch(enum tls_version version, size_t piece_bytes)
{
    struct hosts hosts = {.b = {.server_config = {.alpn = "b", .request_certificate = true}},
                          .a = {.client_config = {.alpn = "b"}}};
    struct answers answers = {0};
    struct tls_facts facts;
    struct pair pair;

    hosts_init(&hosts, version);
    answers.context = hosts.b.server;
    pair_init_asking(&pair, hosts.a.client, hosts.a.server, &named, ASK_CONTEXT);
    pair.piece_bytes = piece_bytes;
    cr_assert(asking_handshake(&pair, &answers), "%s; %s", pair.client.failure.reason,
              pair.server.failure.reason);
    cr_assert_eq(answers.counts[TLS_WANT_CONTEXT], 1);
    cr_assert_str_eq(answers.server_name, "b.example");
    cr_assert_str_eq(tls_engine_server_name(&pair.server.engine), "b.example");
    tls_engine_facts(&pair.client.engine, &facts);
    cr_assert_str_eq(facts.certificate, "RSA 2048");
    cr_assert_str_eq(facts.alpn, "b");
    pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"ping", 4);
    pair_send(&pair, &pair.server, &pair.client, (const uint8_t *)"pong", 4);
    pair_deinit(&pair);
    hosts_deinit(&hosts);
}

Test(want, another_context_brings_its_certificate_and_protocols)
{
    expect_switch(TLS_VERSION_1_3, 0);
    expect_switch(TLS_VERSION_1_2, 0);
    expect_switch(TLS_VERSION_1_3, 1);
    expect_switch(TLS_VERSION_1_2, 1);
}

/* Everything that SSL_set_SSL_CTX(3) would leave behind. */
Test(want, another_context_brings_its_versions_groups_and_client_certificates)
{
    struct hosts hosts = {.b = {.server_config = {.groups = "P-384", .require_certificate = true}}};
    struct answers answers = {0};
    struct tls_facts facts;
    struct pair pair;

    hosts_init(&hosts, TLS_VERSION_1_3);
    tls_context_free(hosts.b.server);
    hosts.b.server_config.version_min = hosts.b.server_config.version_max = TLS_VERSION_1_2;
    hosts.b.server = tls_context_new(TLS_SERVER, &hosts.b.server_config, &hosts.b.shared, NULL);
    answers.context = hosts.b.server;
    pair_init_asking(&pair, hosts.a.client, hosts.a.server, &named, ASK_CONTEXT);
    cr_assert_not(asking_handshake(&pair, &answers));
    cr_assert_str_eq(pair.server.failure.reason, "peer did not return a certificate");
    tls_engine_facts(&pair.client.engine, &facts);
    cr_assert_str_eq(facts.version, "TLSv1.2");
    cr_assert_str_eq(facts.group, "secp384r1");
    pair_deinit(&pair);
    hosts_deinit(&hosts);
}

/* The second ClientHello comes without a question. */
Test(want, another_context_may_retry_the_hello)
{
    struct hosts hosts = {.b = {.server_config = {.groups = "P-521"}},
                          .a = {.client_config = {.groups = "X25519:P-521"}}};
    struct answers answers = {0};
    struct pair pair;

    hosts_init(&hosts, TLS_VERSION_1_3);
    answers.context = hosts.b.server;
    pair_init_asking(&pair, hosts.a.client, hosts.a.server, &named, ASK_CONTEXT);
    cr_assert(asking_handshake(&pair, &answers), "%s", pair.client.failure.reason);
    cr_assert_eq(pair.server.engine.tally.hello_retries, 1);
    cr_assert_eq(answers.counts[TLS_WANT_CONTEXT], 1);
    pair_deinit(&pair);
    hosts_deinit(&hosts);
}

static void expect_first_context(const struct tls_engine_options *options, unsigned asked)
{
    struct hosts hosts = {0};
    struct answers answers = {0};
    struct tls_facts facts;
    struct pair pair;

    hosts_init(&hosts, TLS_VERSION_1_3);
    pair_init_asking(&pair, hosts.a.client, hosts.a.server, options, ASK_CONTEXT);
    cr_assert(asking_handshake(&pair, &answers));
    cr_assert_eq(answers.counts[TLS_WANT_CONTEXT], asked);
    tls_engine_facts(&pair.client.engine, &facts);
    cr_assert_str_eq(facts.certificate, "EC P-256");
    pair_deinit(&pair);
    hosts_deinit(&hosts);
}

Test(want, no_answer_and_no_name_leave_the_first_context)
{
    expect_first_context(&named, 1);
    expect_first_context(NULL, 0);
}

Test(want, a_server_that_does_not_ask_never_waits)
{
    struct hosts hosts = {.a = {.client_config = {.request_ocsp = true}}};
    struct pair pair;

    hosts_init(&hosts, TLS_VERSION_1_3);
    pair_init(&pair, hosts.a.client, hosts.a.server, &named);
    cr_assert(pair_handshake(&pair));
    cr_assert_eq(tls_engine_want(&pair.server.engine), TLS_WANT_NOTHING);
    pair_deinit(&pair);
    hosts_deinit(&hosts);
}

static void expect_refusal(enum tls_version version, enum tls_want want, const char *alert)
{
    struct hosts hosts = {.a = {.client_config = {.request_ocsp = true}}};
    struct answers answers = {.refused = want};
    struct pair pair;

    hosts_init(&hosts, version);
    pair_init_asking(&pair, hosts.a.client, hosts.a.server, &named, 1U << want);
    cr_assert_not(asking_handshake(&pair, &answers));
    cr_assert_eq(answers.counts[want], 1);
    cr_assert_eq(pair.server.status, TLS_FAILED);
    cr_assert_str_not_empty(pair.server.failure.reason);
    cr_assert_eq(pair.client.failure.kind, TLS_FAILURE_ALERT);
    cr_assert_str_eq(pair.client.failure.reason, alert);
    pair_deinit(&pair);
    hosts_deinit(&hosts);
}

Test(want, a_refused_name_is_unrecognized)
{
    expect_refusal(TLS_VERSION_1_3, TLS_WANT_CONTEXT, "alert unrecognized name");
    expect_refusal(TLS_VERSION_1_2, TLS_WANT_CONTEXT, "alert unrecognized name");
}

Test(want, a_refused_staple_is_an_internal_error)
{
    expect_refusal(TLS_VERSION_1_3, TLS_WANT_STAPLE, "alert internal error");
    expect_refusal(TLS_VERSION_1_2, TLS_WANT_STAPLE, "alert internal error");
}

/* A connection by way of A to the host behind `context`. */
static struct tls_session *connect_to(struct hosts *hosts, struct tls_context *context,
                                      const struct tls_session *session,
                                      enum tls_resumption *out_kind)
{
    struct tls_engine_options options = {.server_name = "b.example", .session = session};
    struct answers answers = {.context = context};
    struct tls_session *next;
    struct pair pair;
    uint8_t byte;

    pair_init_asking(&pair, hosts->a.client, hosts->a.server, &options, ASK_CONTEXT);
    cr_assert(asking_handshake(&pair, &answers));
    tls_engine_resumed(&pair.server.engine, out_kind);
    pair_read(&pair, &pair.client, &byte, 1); /* the tickets */
    next = tls_engine_take_session(&pair.client.engine);
    cr_assert_not_null(next);
    pair_deinit(&pair);
    return next;
}

static void expect_hosts_apart(enum tls_version version, bool no_tickets,
                               enum tls_resumption expected)
{
    struct hosts hosts = {.a = {.client_config = {.no_tickets = no_tickets}}};
    struct tls_session *sessions[2];
    enum tls_resumption kind;

    hosts_init(&hosts, version);
    for (int i = 0; i < 2; i++) {
        sessions[i] = connect_to(&hosts, hosts.b.server, NULL, &kind);
        cr_assert_eq(kind, TLS_FULL);
    }
    tls_session_free(connect_to(&hosts, hosts.b.server, sessions[0], &kind));
    cr_assert_eq(kind, expected);
    tls_session_free(connect_to(&hosts, NULL, sessions[1], &kind));
    cr_assert_eq(kind, TLS_FULL);
    tls_session_free(sessions[0]);
    tls_session_free(sessions[1]);
    hosts_deinit(&hosts);
}

Test(want, a_session_of_one_host_is_never_resumed_by_another)
{
    expect_hosts_apart(TLS_VERSION_1_3, false, TLS_RESUMED_TICKET);
    expect_hosts_apart(TLS_VERSION_1_2, false, TLS_RESUMED_TICKET);
    expect_hosts_apart(TLS_VERSION_1_2, true, TLS_RESUMED_ID);
}

/* Each byte of a ClientHello changed in turn: what is asked for then is nothing to rely on, but
 * each is answered, and the server ends as any other does. */
Test(want, a_damaged_hello_is_survived)
{
    struct hosts hosts = {.a = {.client_config = {.request_ocsp = true}}};
    struct answers answers = {0};
    uint8_t hello[2048];
    size_t hello_bytes;
    struct pair pair;

    hosts.a.server_config.no_tickets = true;
    hosts_init(&hosts, TLS_VERSION_1_3);
    answers.context = hosts.b.server;
    pair_init(&pair, hosts.a.client, hosts.a.server, &named);
    pair_handshake_step(&pair, &pair.client);
    hello_bytes = pair.client.queue.bytes;
    cr_assert_leq(hello_bytes, sizeof(hello));
    memcpy(hello, pair.client.queue.head->data + pair.client.queue.head->start, hello_bytes);
    pair_deinit(&pair);
    for (size_t at = 5; at < hello_bytes; at++) { /* the record header is no matter of ours */
        enum tls_status status;

        hello[at] ^= 0x11;
        answers.order_count = 0;
        pair_init_asking(&pair, hosts.a.client, hosts.a.server, NULL, ASK_ALL);
        pair_inject(&pair.server, hello, hello_bytes);
        status = asking_server_step(&pair, &answers);
        cr_assert(status == TLS_AGAIN || status == TLS_FAILED);
        pair_deinit(&pair);
        hello[at] ^= 0x11;
    }
    hosts_deinit(&hosts);
}

static void expect_staple(enum tls_version version, const uint8_t *staple, size_t staple_bytes,
                          bool request)
{
    struct hosts hosts = {.a = {.client_config = {.request_ocsp = request}}};
    struct answers answers = {.staple = staple, .staple_bytes = staple_bytes};
    struct pair pair;
    const uint8_t *got;
    size_t got_bytes;

    hosts_init(&hosts, version);
    pair_init_asking(&pair, hosts.a.client, hosts.a.server, &named, ASK_STAPLE);
    cr_assert(asking_handshake(&pair, &answers), "%s", pair.client.failure.reason);
    cr_assert_eq(answers.counts[TLS_WANT_STAPLE], request);
    got = tls_engine_staple(&pair.client.engine, &got_bytes);
    cr_assert_eq(got_bytes, request ? staple_bytes : 0);
    cr_assert_eq(got != NULL, got_bytes > 0);
    if (got != NULL) {
        cr_assert_arr_eq(got, staple, staple_bytes);
    }
    cr_assert_eq(answers.own_bytes > 0, request);
    pair_deinit(&pair);
    hosts_deinit(&hosts);
}

Test(want, an_answered_staple_reaches_the_client_that_asked)
{
    static const uint8_t staple[] = "an OCSP response";

    expect_staple(TLS_VERSION_1_3, staple, sizeof(staple), true);
    expect_staple(TLS_VERSION_1_2, staple, sizeof(staple), true);
}

Test(want, no_staple_is_an_answer_too)
{
    expect_staple(TLS_VERSION_1_3, NULL, 0, true);
    expect_staple(TLS_VERSION_1_2, NULL, 0, true);
}

Test(want, a_client_that_does_not_ask_gets_no_staple)
{
    static const uint8_t staple[] = "an OCSP response";

    expect_staple(TLS_VERSION_1_3, staple, sizeof(staple), false);
    expect_staple(TLS_VERSION_1_2, staple, sizeof(staple), false);
}

Test(want, the_issuer_of_our_certificate_is_told)
{
    struct certificate_options authority = {.authority = true};
    struct certificate *root = certificate_new(&authority, NULL, NULL);
    struct certificate *middle = certificate_new(&authority, root, NULL);
    struct certificate *leaf = certificate_new(&(struct certificate_options){0}, middle, NULL);
    struct tls_config config = {
        .certificates = {{.certificate_pem = certificate_chain_pem(leaf),
                          .key_pem = certificate_key_pem(leaf)}},
        .certificate_count = 1,
    };
    struct tls_config client_config = {.ca_pem = certificate_pem(root), .request_ocsp = true};
    struct tls_context *server = tls_context_new(TLS_SERVER, &config, NULL, NULL);
    struct tls_context *client = tls_context_new(TLS_CLIENT, &client_config, NULL, NULL);
    struct answers answers = {0};
    struct pair pair;

    pair_init_asking(&pair, client, server, NULL, ASK_STAPLE);
    cr_assert(asking_handshake(&pair, &answers), "%s", pair.client.failure.reason);
    cr_assert_gt(answers.own_bytes, 200);
    cr_assert_gt(answers.issuer_bytes, 200);
    pair_deinit(&pair);
    tls_context_free(server);
    tls_context_free(client);
    certificate_free(leaf);
    certificate_free(middle);
    certificate_free(root);
}

/* The server asks about its EC certificate; the client can only check RSA. */
Test(want, the_staple_is_asked_for_the_certificate_that_the_client_can_check)
{
    struct certificate_options options = {.key_type = "rsa2048"};
    struct certificate *rsa = certificate_new(&options, NULL, NULL);
    struct pair_setup setup = {.client_config = {.insecure = true,
                                                 .request_ocsp = true,
                                                 .sigalgs = "rsa_pss_rsae_sha256"}};
    struct answers answers = {.staple = (const uint8_t *)"x", .staple_bytes = 1};
    struct tls_context *both;
    struct pair pair;
    size_t bytes;

    pair_setup_init(&setup, "p256");
    setup.server_config.certificates[1].certificate_pem = certificate_pem(rsa);
    setup.server_config.certificates[1].key_pem = certificate_key_pem(rsa);
    setup.server_config.certificate_count = 2;
    both = tls_context_new(TLS_SERVER, &setup.server_config, NULL, NULL);
    pair_init_asking(&pair, setup.client, both, NULL, ASK_STAPLE);
    cr_assert(asking_handshake(&pair, &answers));
    cr_assert_gt(answers.own_bytes, 600); /* an EC certificate takes some 400 */
    cr_assert_not_null(tls_engine_staple(&pair.client.engine, &bytes));
    pair_deinit(&pair);
    tls_context_free(both);
    certificate_free(rsa);
    pair_setup_deinit(&setup);
}
