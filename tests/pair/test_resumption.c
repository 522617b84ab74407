#include <string.h>

#include <criterion/criterion.h>

#include "base/random.h"
#include "pair.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

static void open_setup(struct pair_setup *setup, enum tls_version version, size_t previous_max)
{
    setup->server_config.version_min = setup->server_config.version_max = version;
    setup->shared.tickets = ticket_ring_new(previous_max, NULL);
    setup->shared.sessions = session_store_new(8);
    pair_setup_init(setup, NULL);
}

static void close_setup(struct pair_setup *setup)
{
    pair_setup_deinit(setup);
    ticket_ring_free(setup->shared.tickets);
    session_store_free(setup->shared.sessions);
}

struct tally_row {
    enum tls_resumption kind;
    bool accepted;
    bool renewed;
    bool rejected;
};

/* Connects with the session, uses it up, and returns the next one. */
static struct tls_session *expect_use(struct pair_setup *setup, struct tls_session *session,
                                      struct tally_row expected)
{
    struct tls_tally tally;
    enum tls_resumption kind;
    struct tls_session *next = pair_connect(setup, session, &kind, &tally);

    cr_assert_eq(kind, expected.kind);
    cr_assert_eq(tally.ticket_accepted, expected.accepted);
    cr_assert_eq(tally.ticket_renewed, expected.renewed);
    cr_assert_eq(tally.ticket_rejected, expected.rejected);
    cr_assert_not_null(next);
    tls_session_free(session);
    return next;
}

/* Resumed under the current key, resumed and renewed under the previous one, full once it is
 * retired. */
static void expect_rotation(enum tls_version version)
{
    static const struct tally_row full = {.kind = TLS_FULL};
    static const struct tally_row current = {.kind = TLS_RESUMED_TICKET, .accepted = true};
    static const struct tally_row previous = {TLS_RESUMED_TICKET, true, true, false};
    static const struct tally_row retired = {.kind = TLS_FULL, .rejected = true};
    struct pair_setup setup = {0};
    struct tls_session *sessions[3];
    struct tls_session *renewed;

    open_setup(&setup, version, 1);
    for (int i = 0; i < 3; i++) { /* a session is good for one connection */
        sessions[i] = expect_use(&setup, NULL, full);
    }
    tls_session_free(expect_use(&setup, sessions[0], current));

    cr_assert_eq(ticket_ring_rotate(setup.shared.tickets, NULL), 0);
    renewed = expect_use(&setup, sessions[1], previous);

    cr_assert_eq(ticket_ring_rotate(setup.shared.tickets, NULL), 0);
    tls_session_free(expect_use(&setup, sessions[2], retired));
    /* Sealed a rotation later, the renewed ticket lives a rotation longer. */
    tls_session_free(expect_use(&setup, renewed, previous));
    close_setup(&setup);
}

Test(resumption, ticket_keys_rotate_in_tls_1_3)
{
    expect_rotation(TLS_VERSION_1_3);
}

Test(resumption, ticket_keys_rotate_in_tls_1_2)
{
    expect_rotation(TLS_VERSION_1_2);
}

Test(resumption, each_use_of_a_tls_1_3_ticket_earns_a_fresh_one)
{
    struct pair_setup setup = {0};
    struct tls_session *session;
    enum tls_resumption kind;

    open_setup(&setup, TLS_VERSION_1_3, 1);
    session = pair_connect(&setup, NULL, &kind, NULL);
    for (int i = 0; i < 5; i++) {
        struct tls_session *next = pair_connect(&setup, session, &kind, NULL);

        cr_assert_eq(kind, TLS_RESUMED_TICKET);
        cr_assert_not_null(next);
        cr_assert_neq(next, session);
        tls_session_free(session);
        session = next;
    }
    tls_session_free(session);
    close_setup(&setup);
}

Test(resumption, a_tls_1_2_session_resumes_again_and_again)
{
    struct pair_setup setup = {.client_config = {.no_tickets = true}};
    struct tls_session *session;
    enum tls_resumption kind;

    open_setup(&setup, TLS_VERSION_1_2, 1);
    session = pair_connect(&setup, NULL, &kind, NULL);
    for (int i = 0; i < 5; i++) {
        struct tls_session *next = pair_connect(&setup, session, &kind, NULL);

        cr_assert_eq(kind, TLS_RESUMED_ID);
        cr_assert_not_null(next);
        tls_session_free(session);
        session = next;
    }
    tls_session_free(session);
    close_setup(&setup);
}

/* `second` is a configuration that a session of `first` is then offered to, with the same tickets
 * and store behind both. */
static enum tls_resumption resume_elsewhere(struct pair_setup *setup,
                                            const struct tls_config *second, bool no_tickets)
{
    struct tls_session *session;
    enum tls_resumption kind;
    struct tls_context *first;

    setup->client_config.no_tickets = no_tickets;
    open_setup(setup, TLS_VERSION_1_2, 1);
    session = pair_connect(setup, NULL, &kind, NULL);
    first = setup->server;
    setup->server_config.session_id_context = second->session_id_context;
    setup->server_config.alpn = second->alpn;
    setup->server_config.request_certificate = second->request_certificate;
    setup->server_config.ca_pem = second->ca_pem;
    setup->server_config.sigalgs = second->sigalgs;
    setup->server = tls_context_new(TLS_SERVER, &setup->server_config, &setup->shared, NULL);
    tls_session_free(pair_connect(setup, session, &kind, NULL));
    tls_session_free(session);
    tls_context_free(first);
    close_setup(setup);
    return kind;
}

Test(resumption, workers_with_the_same_configuration_resume_each_others_sessions)
{
    cr_assert_eq(resume_elsewhere(&(struct pair_setup){0}, &(struct tls_config){0}, false),
                 TLS_RESUMED_TICKET);
    cr_assert_eq(resume_elsewhere(&(struct pair_setup){0}, &(struct tls_config){0}, true),
                 TLS_RESUMED_ID);
}

Test(resumption, different_configurations_never_resume_each_other)
{
    struct tls_config other_alpn = {.alpn = "other"};
    struct tls_config other_context = {.session_id_context = "other"};

    cr_assert_eq(resume_elsewhere(&(struct pair_setup){0}, &other_alpn, false), TLS_FULL);
    cr_assert_eq(resume_elsewhere(&(struct pair_setup){0}, &other_alpn, true), TLS_FULL);
    cr_assert_eq(resume_elsewhere(&(struct pair_setup){0}, &other_context, true), TLS_FULL);
}

Test(resumption, a_named_session_id_context_may_join_configurations)
{
    struct pair_setup setup = {.server_config = {.session_id_context = "both"}};
    struct tls_config second = {.session_id_context = "both", .alpn = "other"};

    cr_assert_eq(resume_elsewhere(&setup, &second, false), TLS_RESUMED_TICKET);
}

/* A session says that its client was good, or that nobody asked; another judge would say otherwise.
 * CVE-2014-3616 and CVE-2025-23419 of nginx, CVE-2022-21654 of Envoy. */
Test(resumption, servers_that_verify_clients_differently_are_never_joined)
{
    struct certificate *authority =
        certificate_new(&(struct certificate_options){.authority = true}, NULL, NULL);
    const char *ca = certificate_pem(authority);
    const struct tls_config seconds[] = {
        {.request_certificate = true},
        {.request_certificate = true, .ca_pem = ca},
        {.ca_pem = ca}, /* trusted when a renegotiation asks */
        {.sigalgs = "ecdsa_secp256r1_sha256"},
    };

    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        struct tls_config second = seconds[i];

        second.session_id_context = "both";
        for (int no_tickets = 0; no_tickets < 2; no_tickets++) {
            struct pair_setup setup = {.server_config = {.session_id_context = "both"}};
            struct pair_setup twin = {.server_config = second};
            struct tls_config open = {.session_id_context = "both"};

            cr_assert_eq(resume_elsewhere(&setup, &second, no_tickets), TLS_FULL, "row %zu", i);
            cr_assert_eq(resume_elsewhere(&twin, &open, no_tickets), TLS_FULL, "row %zu", i);
            twin = (struct pair_setup){.server_config = second};
            cr_assert_neq(resume_elsewhere(&twin, &second, no_tickets), TLS_FULL, "row %zu", i);
        }
    }
    certificate_free(authority);
}

Test(resumption, a_connection_that_just_vanishes_leaves_its_session_usable)
{
    struct pair_setup setup = {.client_config = {.no_tickets = true}};
    struct tls_session *session;
    enum tls_resumption kind;
    struct pair pair;

    open_setup(&setup, TLS_VERSION_1_2, 1);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair));
    session = tls_engine_take_session(&pair.client.engine);
    pair_deinit(&pair);
    cr_assert_eq(session_store_count(setup.shared.sessions), 1);
    tls_session_free(pair_connect(&setup, session, &kind, NULL));
    cr_assert_eq(kind, TLS_RESUMED_ID);
    tls_session_free(session);
    close_setup(&setup);
}

Test(resumption, a_fatal_alert_removes_the_session_from_the_store)
{
    struct pair_setup setup = {.client_config = {.no_tickets = true}};
    struct pair pair;
    uint8_t byte;

    open_setup(&setup, TLS_VERSION_1_2, 1);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair));
    cr_assert_eq(session_store_count(setup.shared.sessions), 1);
    pair_inject(&pair.server, "\x17\x03\x03\x00\x20 these are not the bytes you want", 5 + 32);
    pair_read(&pair, &pair.server, &byte, 1);
    cr_assert_eq(pair.server.status, TLS_FAILED);
    pair_deinit(&pair);
    cr_assert_eq(session_store_count(setup.shared.sessions), 0);
    close_setup(&setup);
}

static void expect_nothing_to_resume(enum tls_version version)
{
    struct pair_setup setup = {.server_config = {.no_tickets = true}};
    enum tls_resumption kind;
    struct tls_tally tally;
    struct tls_session *session;

    setup.server_config.version_min = setup.server_config.version_max = version;
    pair_setup_init(&setup, NULL);
    session = pair_connect(&setup, NULL, &kind, &tally);
    cr_assert_eq(tally.tickets_issued, 0);
    if (session != NULL) { /* TLS 1.2 gives every session an ID, kept by the server or not */
        tls_session_free(pair_connect(&setup, session, &kind, NULL));
        cr_assert_eq(kind, TLS_FULL);
    }
    tls_session_free(session);
    pair_setup_deinit(&setup);
}

Test(resumption, without_tickets_and_store_every_handshake_is_full)
{
    expect_nothing_to_resume(TLS_VERSION_1_3);
    expect_nothing_to_resume(TLS_VERSION_1_2);
}

Test(resumption, as_many_tls_1_3_tickets_as_configured)
{
    struct pair_setup setup = {.server_config = {.ticket_count = 3}};
    struct tls_tally tally;
    enum tls_resumption kind;

    open_setup(&setup, TLS_VERSION_1_3, 1);
    tls_session_free(pair_connect(&setup, NULL, &kind, &tally));
    cr_assert_eq(tally.tickets_issued, 3);
    close_setup(&setup);
}

/* A session made by one client, offered by another. */
static enum tls_resumption offered(enum tls_version version, const struct tls_config *first,
                                   const struct tls_config *second, const char *host)
{
    struct tls_engine_options options = {.verify_host = host};
    struct pair_setup setup = {0};
    struct tls_context *clients[2];
    struct tls_config configs[2] = {*first, *second};
    struct tls_session *session;
    enum tls_resumption kind;
    struct pair pair;

    open_setup(&setup, version, 1);
    for (int i = 0; i < 2; i++) {
        configs[i].ca_pem = certificate_pem(setup.certificate);
        clients[i] = tls_context_new(TLS_CLIENT, &configs[i], NULL, NULL);
        cr_assert_not_null(clients[i]);
    }
    tls_context_free(setup.client);
    setup.client = clients[0];
    session = pair_connect(&setup, NULL, &kind, NULL);
    cr_assert_not_null(session);
    options.session = session;
    pair_init(&pair, clients[1], setup.server, &options);
    cr_assert(pair_handshake(&pair), "%s", pair.client.failure.reason);
    tls_engine_resumed(&pair.client.engine, &kind);
    pair_deinit(&pair);
    tls_session_free(session);
    tls_context_free(clients[1]);
    close_setup(&setup);
    return kind;
}

Test(resumption, a_client_that_verifies_offers_only_what_was_verified)
{
    static const struct tls_config verifies = {0};
    static const struct tls_config accepts = {.insecure = true};
    static const struct tls_config does_not_look = {.insecure = true, .no_verification = true};

    for (int i = 0; i < 2; i++) {
        enum tls_version version = i == 0 ? TLS_VERSION_1_2 : TLS_VERSION_1_3;

        cr_expect_eq(offered(version, &verifies, &verifies, "localhost"), TLS_RESUMED_TICKET);
        cr_expect_eq(offered(version, &verifies, &verifies, "127.0.0.1"), TLS_RESUMED_TICKET);
        cr_expect_eq(offered(version, &verifies, &verifies, NULL), TLS_RESUMED_TICKET);
        cr_expect_eq(offered(version, &does_not_look, &verifies, "localhost"), TLS_FULL);
        cr_expect_eq(offered(version, &does_not_look, &accepts, "localhost"), TLS_RESUMED_TICKET);
    }
}

/* Node's CVE-2020-8172: the session of one host let its client into another one, whose certificate
 * nobody looked at; here both have the same ticket keys and settings. */
Test(resumption, a_client_does_not_resume_at_a_host_that_the_certificate_is_not_for)
{
    struct tls_engine_options options = {.verify_host = "elsewhere.test"};
    struct pair_setup setup = {0};
    struct tls_session *session;
    enum tls_resumption kind;
    struct pair pair;

    for (int i = 0; i < 2; i++) {
        open_setup(&setup, i == 0 ? TLS_VERSION_1_2 : TLS_VERSION_1_3, 1);
        session = pair_connect(&setup, NULL, &kind, NULL);
        options.session = session;
        pair_init(&pair, setup.client, setup.server, &options);
        cr_expect_not(pair_handshake(&pair));
        cr_expect_not_null(strstr(pair.client.failure.reason, "hostname mismatch"), "%s",
                           pair.client.failure.reason);
        pair_deinit(&pair);
        tls_session_free(session);
        close_setup(&setup);
        setup = (struct pair_setup){0};
    }
}

/* HAProxy's CVE-2019-11323: keys of both sizes in one ring, in either order. */
Test(resumption, ticket_keys_of_both_sizes_take_turns)
{
    static const size_t sizes[] = {48, 80, 80, 48, 48};
    static const struct tally_row full = {.kind = TLS_FULL};
    static const struct tally_row current = {.kind = TLS_RESUMED_TICKET, .accepted = true};
    static const struct tally_row previous = {TLS_RESUMED_TICKET, true, true, false};
    static const struct tally_row retired = {.kind = TLS_FULL, .rejected = true};

    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        struct tls_session *older = NULL;
        struct tls_session *old[2] = {NULL, NULL};
        struct pair_setup setup = {0};

        open_setup(&setup, (enum tls_version)version, 1);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            uint8_t key[80];

            random_fill(&(struct random){.state = i}, key, sizeof(key));
            cr_assert_eq(ticket_ring_push(setup.shared.tickets, key, sizes[i], NULL), 0);
            if (older != NULL) {
                tls_session_free(expect_use(&setup, older, retired));
            }
            older = old[0];
            if (old[1] != NULL) {
                tls_session_free(expect_use(&setup, old[1], previous));
            }
            old[0] = expect_use(&setup, NULL, full);
            old[1] = expect_use(&setup, NULL, full);
            tls_session_free(expect_use(&setup, expect_use(&setup, NULL, full), current));
        }
        tls_session_free(older);
        tls_session_free(old[0]);
        tls_session_free(old[1]);
        close_setup(&setup);
    }
}
