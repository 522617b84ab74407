#include <string.h>

#include "stage.h"

TestSuite(server, .init = stage_set_up, .fini = stage_tear_down, .timeout = 60);

static struct dyno_context *context_of(const struct certificate *certificate)
{
    struct dyno_config *config = dyno_config_new();
    struct dyno_context *context;

    dyno_config_add_certificate_mem(config, certificate_chain_pem(certificate),
                                    certificate_key_pem(certificate));
    context = dyno_context_new(DYNO_SERVER, config, NULL);
    cr_assert_not_null(context);
    dyno_config_free(config);
    return context;
}

Test(server, a_name_that_is_added_gets_its_own_certificate)
{
    struct dyno_connect other = {.server_name = "other.example", .verify_host = "other.example"};
    struct dyno_context *context;
    struct dyno_error error;

    stage_open(NULL);
    context = context_of(stage.other_certificate);
    cr_assert_not(stage_meet(&other).is_secure);
    cr_assert_eq(dyno_server_add_context(stage.server, "not a name", context, &error), -1);
    cr_assert_not_null(strstr(error.text, "not a name"));
    cr_assert_eq(dyno_server_add_context(stage.server, "*.example", context, &error), 0);
    cr_assert_str_eq(stage_meet(&other).heard, "hello");
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).heard, "hello");
    dyno_context_free(context);
}

Test(server, another_context_serves_from_then_on_and_names_stay)
{
    struct dyno_connect other = {.verify_host = "other.example"};
    struct dyno_connect named = {.server_name = "a.test", .verify_host = "localhost"};
    struct dyno_context *context;
    struct dyno_error error = {0};

    stage_open(NULL);
    context = context_of(stage.other_certificate);
    cr_assert_eq(dyno_server_add_context(stage.server, "a.test", stage.server_context, &error), 0);
    cr_assert_not(stage_meet(&other).is_secure);
    cr_assert_eq(dyno_server_set_context(stage.server, context, &error), 0, "%s", error.text);
    cr_assert_str_eq(stage_meet(&other).heard, "hello");
    cr_assert_str_eq(stage_meet(&named).heard, "hello");
    cr_assert_eq(dyno_server_set_context(stage.server, stage.client_context, &error), -1);
    cr_assert_str_eq(error.text, "the context is a client's");
    dyno_context_free(context);
}

Test(server, a_ticket_outlives_one_rotation_but_not_four)
{
    struct seen seen;
    struct dyno_connect again = {0};

    stage_open(NULL);
    seen = stage_meet(&(struct dyno_connect){0});
    again.session = seen.session;
    again.session_bytes = seen.session_bytes;
    cr_assert_eq(dyno_context_rotate_ticket_key(stage.server_context, NULL, 0, NULL), 0);
    cr_assert(stage_meet(&again).facts.session_reused);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(dyno_context_rotate_ticket_key(stage.server_context, NULL, 0, NULL), 0);
    }
    cr_assert_not(stage_meet(&again).facts.session_reused);
}

static struct {
    bool is_secure, is_authorized;
    char subject[256], reason[256];
} visitor;
static sem_t visited;

static void visit(struct dyno_socket *socket)
{
    struct dyno_certificate peer;
    const char *reason;

    visitor.is_secure = true;
    visitor.is_authorized = dyno_tls_authorized(dyno_socket_tls(socket), &reason);
    strncpy(visitor.reason, reason ? reason : "", sizeof visitor.reason - 1);
    if (dyno_tls_peer_certificate(dyno_socket_tls(socket), 0, &peer)) {
        strcpy(visitor.subject, peer.subject);
    }
    sem_post(&visited);
}

static void turn_away(void *user, const struct dyno_failure *failure)
{
    (void)user;
    strncpy(visitor.reason, failure->reason, sizeof visitor.reason - 1);
    cr_assert(strncmp(failure->peer, "127.0.0.1:", 10) == 0);
    sem_post(&visited);
}

static const struct dyno_events gate_events = {
    .on_secure = visit, .on_data = dyno_socket_write, .on_failed = turn_away};

Test(server, a_client_certificate_that_is_asked_for_is_told)
{
    sem_init(&visited, 0, 0);
    dyno_config_set_clients(stage.server_config, DYNO_CLIENTS_ASKED);
    dyno_config_add_certificate_mem(stage.client_config,
                                    certificate_chain_pem(stage.client_certificate),
                                    certificate_key_pem(stage.client_certificate));
    stage_open(&gate_events);
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).heard, "hello");
    cr_assert(visitor.is_authorized);
    cr_assert_not_null(strstr(visitor.subject, "CN=a client"));
}

Test(server, a_client_without_one_is_let_in_when_only_asked)
{
    sem_init(&visited, 0, 0);
    dyno_config_set_clients(stage.server_config, DYNO_CLIENTS_ASKED);
    stage_open(&gate_events);
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).heard, "hello");
    cr_assert_not(visitor.is_authorized);
    cr_assert_str_eq(visitor.reason, "no certificate");
}

Test(server, a_client_without_one_is_dropped_when_it_must_be_authorized)
{
    sem_init(&visited, 0, 0);
    dyno_config_set_clients(stage.server_config, DYNO_CLIENTS_AUTHORIZED);
    stage_open(&gate_events);
    stage_meet(&(struct dyno_connect){0});
    stage_wait(&visited);
    cr_assert_not(visitor.is_secure);
    cr_assert_str_eq(visitor.reason, "peer did not return a certificate");
}

/* ---- sessions and certificates ---- */

/* Servers that share keys and a session ID context by hand, and differ in whom they let in: a
 * session that was made without a certificate must not open the door of the other. */
static struct seen meet_one_of(enum dyno_clients maker, enum dyno_clients taker, bool *out_resumed)
{
    static const uint8_t key[48] = "keys that two machines share, 48 bytes of them.";
    struct dyno_context *context;
    struct dyno_connect again = {0};
    struct seen first;
    struct seen second;

    dyno_config_set_ticket_key_mem(stage.server_config, key, sizeof key);
    dyno_config_set_session_id_context(stage.server_config, "both");
    dyno_config_set_clients(stage.server_config, maker);
    stage_open(&gate_events);
    first = stage_meet(&(struct dyno_connect){0});
    cr_assert_gt(first.session_bytes, 0);
    dyno_config_set_clients(stage.server_config, taker);
    context = dyno_context_new(DYNO_SERVER, stage.server_config, NULL);
    cr_assert_eq(dyno_server_set_context(stage.server, context, NULL), 0);
    dyno_context_free(context);
    again.session = first.session;
    again.session_bytes = first.session_bytes;
    second = stage_meet(&again);
    *out_resumed = second.facts.session_reused;
    stage_tear_down();
    stage_set_up();
    return second;
}

Test(server, a_session_without_a_certificate_does_not_open_a_stricter_server)
{
    bool resumed;

    sem_init(&visited, 0, 0);
    meet_one_of(DYNO_CLIENTS_ANONYMOUS, DYNO_CLIENTS_ANONYMOUS, &resumed);
    cr_assert(resumed, "the same judge");
    cr_assert_str_eq(meet_one_of(DYNO_CLIENTS_ANONYMOUS, DYNO_CLIENTS_ASKED, &resumed).heard,
                     "hello");
    cr_assert_not(resumed);
    cr_assert_neq(meet_one_of(DYNO_CLIENTS_ASKED, DYNO_CLIENTS_AUTHORIZED, &resumed).reason[0],
                  '\0');
    cr_assert_not(resumed);
    cr_assert_str_eq(visitor.reason, "peer did not return a certificate");
}

/* CVE-2025-23419 of nginx: the session of a name that asks nobody, at a name that insists. */
Test(server, a_session_of_one_name_does_not_open_a_stricter_one)
{
    static const char *const versions[] = {"1.2", "1.3"};

    for (int i = 0; i < 2; i++) {
        struct dyno_connect strict = {.server_name = "strict.test", .verify_host = "localhost"};
        struct dyno_context *context;
        struct seen seen;

        sem_init(&visited, 0, 0);
        dyno_config_set_versions(stage.client_config, versions[i], versions[i]);
        dyno_config_set_session_id_context(stage.server_config, "both");
        stage_open(&gate_events);
        dyno_config_set_clients(stage.server_config, DYNO_CLIENTS_AUTHORIZED);
        context = dyno_context_new(DYNO_SERVER, stage.server_config, NULL);
        cr_assert_eq(dyno_server_add_context(stage.server, "strict.test", context, NULL), 0);
        dyno_context_free(context);
        seen = stage_meet(&(struct dyno_connect){.server_name = "", .verify_host = "localhost"});
        cr_assert_str_eq(seen.heard, "hello");
        stage_wait(&visited);
        strict.session = seen.session;
        strict.session_bytes = seen.session_bytes;
        seen = stage_meet(&strict);
        cr_assert_str_eq(seen.heard, "", "TLS %s", versions[i]);
        stage_wait(&visited);
        cr_assert_str_eq(visitor.reason, "peer did not return a certificate");
        stage_tear_down();
        stage_set_up();
    }
}

/* ---- renegotiation ---- */

static struct dyno_error refusal;

static void renegotiate(struct dyno_socket *socket)
{
    if (dyno_socket_renegotiate(socket, true, &refusal) < 0) {
        sem_post(&visited);
    }
}

static size_t swallow(struct dyno_socket *socket, const void *bytes, size_t count)
{
    (void)socket;
    (void)bytes;
    return count;
}

static void visit_and_answer(struct dyno_socket *socket)
{
    visit(socket);
    dyno_socket_write(socket, "hello", 5);
}

Test(server, the_certificate_may_be_asked_for_later)
{
    static const char *const versions[] = {"1.2", "1.3"};

    for (int i = 0; i < 2; i++) {
        const struct dyno_events events = {
            .on_secure = renegotiate, .on_data = swallow, .on_renegotiated = visit_and_answer};

        if (i > 0) {
            stage_tear_down();
            stage_set_up();
        }
        sem_init(&visited, 0, 0);
        visitor.is_authorized = false;
        dyno_config_set_versions(stage.client_config, versions[i], versions[i]);
        dyno_config_add_certificate_mem(stage.client_config,
                                        certificate_chain_pem(stage.client_certificate),
                                        certificate_key_pem(stage.client_certificate));
        stage_open(&events);
        cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).heard, "hello");
        stage_wait(&visited);
        cr_assert_str_eq(refusal.text, "");
        cr_assert(visitor.is_authorized, "TLS %s", versions[i]);
    }
}

static void renegotiate_plainly(struct dyno_socket *socket)
{
    cr_assert_eq(dyno_socket_renegotiate(socket, false, &refusal), -1);
    sem_post(&visited);
}

Test(server, tls_1_3_has_no_renegotiation)
{
    const struct dyno_events events = {.on_secure = renegotiate_plainly,
                                       .on_data = dyno_socket_write};

    sem_init(&visited, 0, 0);
    stage_open(&events);
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).heard, "hello");
    stage_wait(&visited);
    cr_assert_str_eq(refusal.text, "cannot renegotiate: TLS 1.3 has no renegotiation");
}

/* ---- start and end ---- */

static void count(void *user, const char *name, uint64_t value)
{
    if (strcmp(name, "accepts") == 0) {
        *(uint64_t *)user = value;
    }
}

static void closed(void *user)
{
    sem_post(user);
}

Test(server, it_counts_and_tells_when_it_has_closed)
{
    uint64_t accepts = 0;
    sem_t done;

    sem_init(&done, 0, 0);
    stage_open(NULL);
    stage_meet(&(struct dyno_connect){0});
    dyno_server_counters(stage.server, count, &accepts);
    cr_assert_eq(accepts, 1);
    cr_assert_eq(dyno_server_core_count(stage.server), 2);
    dyno_server_close(stage.server, closed, &done);
    stage_wait(&done);
    cr_assert_eq(dyno_server_connections(stage.server, -1), 0);
    cr_assert_eq(dyno_server_connections(stage.server, 1), 0);
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).reason, "Connection refused");
}

Test(server, what_cannot_start_says_why)
{
    struct dyno_error error = {0};
    struct dyno_server *server;

    stage_open(NULL);
    server = dyno_server_new(stage.server_context, NULL, NULL);
    dyno_server_listen(server, stage.address.text);
    cr_assert_eq(dyno_server_start(server, &error), -1);
    cr_assert_not_null(strstr(error.text, stage.address.text));
    dyno_server_free(server);

    server = dyno_server_new(stage.server_context, NULL, NULL);
    dyno_server_listen(server, "::1:4433");
    cr_assert_eq(dyno_server_start(server, &error), -1);
    cr_assert_not_null(strstr(error.text, "ambiguous"));
    dyno_server_free(server);

    server = dyno_server_new(stage.client_context, NULL, NULL);
    cr_assert_eq(dyno_server_start(server, &error), -1);
    cr_assert_str_eq(error.text, "the context is a client's");
    dyno_server_free(server);
}
