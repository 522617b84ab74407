#include <string.h>

#include "stage.h"

TestSuite(tls, .init = stage_set_up, .fini = stage_tear_down, .timeout = 60);

/* ---- both sides of one connection ---- */

static void expect_shared_secrets(const char *version)
{
    uint8_t keys[3][32];
    uint8_t finished[2][64];
    struct dyno_tls *tls[2];
    size_t bytes;

    dyno_config_set_versions(stage.client_config, version, version);
    stage_pairs_open(DYNO_CLIENTS_ANONYMOUS);
    stage_pairs_settle(4096);
    for (int i = 0; i < 2; i++) {
        tls[i] = dyno_pair_tls(stage.pairs[i]);
        cr_assert(dyno_tls_export(tls[i], "EXPERIMENTAL test", "about", 5, keys[i], 32));
    }
    cr_assert_arr_eq(keys[0], keys[1], 32, "TLS %s", version);
    cr_assert(dyno_tls_export(tls[0], "EXPERIMENTAL test", "other", 5, keys[2], 32));
    cr_assert_arr_neq(keys[0], keys[2], 32, "another context");
    for (int i = 0; i < 2; i++) {
        bytes = dyno_tls_finished(tls[i], false, finished[0], sizeof finished[0]);
        cr_assert_gt(bytes, 0);
        cr_assert_eq(dyno_tls_finished(tls[1 - i], true, finished[1], sizeof finished[1]), bytes);
        cr_assert_arr_eq(finished[0], finished[1], bytes, "what one sent the other got");
    }
    stage_pairs_close();
}

Test(tls, both_sides_export_the_same_keys_and_see_each_others_finished)
{
    expect_shared_secrets("1.2");
    stage_tear_down();
    stage_set_up();
    expect_shared_secrets("1.3");
}

Test(tls, nothing_is_told_before_the_connection_is_secure)
{
    struct dyno_certificate peer;
    struct dyno_facts facts;
    struct dyno_tls *tls;
    const char *reason;
    uint8_t bytes[64];

    stage_pairs_open(DYNO_CLIENTS_ANONYMOUS);
    tls = dyno_pair_tls(stage.pairs[0]);
    cr_assert_not(dyno_tls_export(tls, "label", NULL, 0, bytes, sizeof bytes));
    cr_assert_eq(dyno_tls_finished(tls, true, bytes, sizeof bytes), 0);
    cr_assert_eq(dyno_tls_session(tls, bytes, sizeof bytes), 0);
    cr_assert_eq(dyno_tls_ticket(tls, bytes, sizeof bytes), 0);
    cr_assert_not(dyno_tls_peer_certificate(tls, 0, &peer));
    cr_assert_not(dyno_tls_authorized(tls, &reason));
    cr_assert_str_eq(reason, "no certificate");
    dyno_tls_facts(tls, &facts);
    cr_assert_str_eq(facts.cipher, "");
    stage_pairs_close();
}

/* ---- the peer's certificates ---- */

Test(tls, a_chain_is_told_certificate_by_certificate)
{
    struct certificate *middle = certificate_new(
        &(struct certificate_options){.authority = true, .common_name = "middle"}, stage.ca, NULL);
    const char *names[] = {"localhost", "127.0.0.1", NULL};
    struct certificate *leaf = certificate_new(
        &(struct certificate_options){.common_name = "leaf", .names = names}, middle, NULL);
    struct dyno_certificate peer[3];
    struct dyno_tls *tls;

    dyno_config_free(stage.server_config);
    stage.server_config = dyno_config_new();
    dyno_config_add_certificate_mem(stage.server_config, certificate_chain_pem(leaf),
                                    certificate_key_pem(leaf));
    stage_pairs_open(DYNO_CLIENTS_ANONYMOUS);
    stage_pairs_settle(4096);
    tls = dyno_pair_tls(stage.pairs[0]);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(dyno_tls_peer_certificate(tls, i, &peer[i]), "depth %u", i);
        cr_assert_eq(((const uint8_t *)peer[i].der)[0], 0x30, "DER begins with a SEQUENCE");
        cr_assert_eq(strlen(peer[i].fingerprint_sha1), 20 * 3 - 1);
        cr_assert_eq(strlen(peer[i].fingerprint_sha256), 32 * 3 - 1);
        cr_assert_gt(strlen(peer[i].serial), 0);
        cr_assert_lt(strcmp(peer[i].valid_from, peer[i].valid_to), 0);
    }
    cr_assert_str_eq(peer[0].names, "DNS:localhost, IP:127.0.0.1");
    cr_assert_str_eq(peer[0].issuer, peer[1].subject);
    cr_assert_str_eq(peer[1].issuer, peer[2].subject);
    cr_assert_str_eq(peer[2].issuer, peer[2].subject, "the root");
    cr_assert_not(dyno_tls_peer_certificate(tls, 3, &peer[0]));
    cr_assert_not(dyno_tls_peer_certificate(dyno_pair_tls(stage.pairs[1]), 0, &peer[0]),
                  "it has none");
    stage_pairs_close();
    certificate_free(leaf);
    certificate_free(middle);
}

/* ---- sessions ---- */

static uint8_t ticket[4096];
static size_t ticket_bytes;

static void take_ticket(struct dyno_socket *socket, const char *reason)
{
    ticket_bytes = dyno_tls_ticket(dyno_socket_tls(socket), ticket, sizeof ticket);
    hello_events.on_closed(socket, reason);
}

static struct seen meet_for_ticket(void)
{
    struct dyno_events events = hello_events;

    events.on_closed = take_ticket;
    stage_open(NULL);
    return stage_meet(&(struct dyno_connect){.events = &events});
}

Test(tls, a_ticket_is_told_and_is_in_the_session)
{
    struct seen seen = meet_for_ticket();

    cr_assert_gt(ticket_bytes, 48);
    cr_assert_not_null(memmem(seen.session, seen.session_bytes, ticket, ticket_bytes));
}

Test(tls, a_session_by_id_has_no_ticket)
{
    struct seen seen;

    dyno_config_disable_tickets(stage.server_config);
    dyno_config_set_versions(stage.client_config, "1.2", "1.2");
    seen = meet_for_ticket();
    cr_assert_gt(seen.session_bytes, 0);
    cr_assert_eq(ticket_bytes, 0);
    seen = stage_meet(
        &(struct dyno_connect){.session = seen.session, .session_bytes = seen.session_bytes});
    cr_assert(seen.facts.session_reused);
}
