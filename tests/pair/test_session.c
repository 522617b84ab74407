/* Sessions in a store outside, which the handshake waits for. */
#include <string.h>

#include <criterion/criterion.h>

#include "asking.h"
#include "tls/session_store.h"

enum { ASK_SESSIONS = 1 << TLS_WANT_SESSION | 1 << TLS_WANT_SAVE };

/* A client that also offers TLS 1.3 makes up an ID (RFC 8446 D.4), which would be asked about. */
static void set_version(struct pair_setup *setup, enum tls_version version)
{
    setup->server_config.version_min = setup->server_config.version_max = version;
    setup->client_config.version_max = version;
}

static void open_setup(struct pair_setup *setup, enum tls_version version)
{
    set_version(setup, version);
    setup->server_config.no_tickets = true;
    pair_setup_init(setup, NULL);
}

/* A connection; `answers` says what is in the store, and what went there. */
static struct tls_session *connect_with(struct pair_setup *setup, struct answers *answers,
                                        const struct tls_session *session,
                                        enum tls_resumption *out_kind)
{
    struct tls_engine_options options = {.session = session};
    struct tls_session *next;
    struct pair pair;
    uint8_t byte;

    pair_init_asking(&pair, setup->client, setup->server, &options, ASK_SESSIONS);
    cr_assert(asking_handshake(&pair, answers), "%s; %s", pair.client.failure.reason,
              pair.server.failure.reason);
    pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"ping", 4);
    tls_engine_resumed(&pair.server.engine, out_kind);
    pair_read(&pair, &pair.client, &byte, 1); /* the ticket */
    next = tls_engine_take_session(&pair.client.engine);
    pair_deinit(&pair);
    return next;
}

/* First a connection that fills the store, then one with `change` made to what is in it. */
static enum tls_resumption resume(enum tls_version version, void (*change)(struct answers *store))
{
    struct pair_setup setup = {0};
    struct answers first = {0};
    struct answers second = {0};
    struct tls_session *session;
    enum tls_resumption kind;

    open_setup(&setup, version);
    session = connect_with(&setup, &first, NULL, &kind);
    cr_assert_eq(kind, TLS_FULL);
    cr_assert_not_null(session);
    cr_assert_eq(first.counts[TLS_WANT_SESSION], 0);
    cr_assert_eq(first.counts[TLS_WANT_SAVE], 1);
    second.session = first.saved;
    second.session_bytes = first.saved_bytes;
    change(&second);
    tls_session_free(connect_with(&setup, &second, session, &kind));
    cr_assert_eq(second.counts[TLS_WANT_SESSION], 1);
    cr_assert_eq(second.id_bytes, first.saved_id_bytes);
    cr_assert_arr_eq(second.id, first.saved_id, first.saved_id_bytes);
    cr_assert_eq(second.order[0], TLS_WANT_SESSION);
    tls_session_free(session);
    pair_setup_deinit(&setup);
    return kind;
}

static void leave(struct answers *store)
{
    (void)store;
}

static void forget(struct answers *store)
{
    store->session = NULL;
}

static void spoil(struct answers *store)
{
    ((uint8_t *)store->session)[2] ^= 0x55;
}

static void cut(struct answers *store)
{
    store->session_bytes--;
}

Test(session, a_saved_session_is_resumed)
{
    cr_assert_neq(resume(TLS_VERSION_1_3, leave), TLS_FULL);
    cr_assert_eq(resume(TLS_VERSION_1_2, leave), TLS_RESUMED_ID);
}

Test(session, a_miss_is_a_full_handshake)
{
    cr_assert_eq(resume(TLS_VERSION_1_3, forget), TLS_FULL);
    cr_assert_eq(resume(TLS_VERSION_1_2, forget), TLS_FULL);
}

Test(session, malformed_data_is_a_miss)
{
    cr_assert_eq(resume(TLS_VERSION_1_3, spoil), TLS_FULL);
    cr_assert_eq(resume(TLS_VERSION_1_2, spoil), TLS_FULL);
    cr_assert_eq(resume(TLS_VERSION_1_2, cut), TLS_FULL);
}

/* A store that gives the right thing for the wrong ID. */
Test(session, the_session_of_another_id_is_a_miss)
{
    struct pair_setup setup = {0};
    struct answers first = {0};
    struct answers other = {0};
    struct answers third = {0};
    struct tls_session *session;
    enum tls_resumption kind;

    open_setup(&setup, TLS_VERSION_1_2);
    session = connect_with(&setup, &first, NULL, &kind);
    tls_session_free(connect_with(&setup, &other, NULL, &kind));
    third.session = other.saved;
    third.session_bytes = other.saved_bytes;
    tls_session_free(connect_with(&setup, &third, session, &kind));
    cr_assert_eq(kind, TLS_FULL);
    tls_session_free(session);
    pair_setup_deinit(&setup);
}

static void expect_refusal(enum tls_version version, enum tls_want want)
{
    struct pair_setup setup = {0};
    struct answers first = {0};
    struct answers second = {.refused = want};
    struct tls_engine_options options = {0};
    struct tls_session *session;
    enum tls_resumption kind;
    struct pair pair;

    open_setup(&setup, version);
    session = connect_with(&setup, &first, NULL, &kind);
    options.session = want == TLS_WANT_SESSION ? session : NULL;
    pair_init_asking(&pair, setup.client, setup.server, &options, ASK_SESSIONS);
    cr_assert_not(asking_handshake(&pair, &second));
    cr_assert_eq(second.counts[want], 1);
    cr_assert_eq(pair.server.status, TLS_FAILED);
    cr_assert_eq(pair.server.failure.kind, TLS_FAILURE_INTERNAL);
    if (want == TLS_WANT_SESSION) {
        cr_assert_str_eq(pair.client.failure.reason, "alert internal error");
    }
    pair_deinit(&pair);
    tls_session_free(session);
    pair_setup_deinit(&setup);
}

Test(session, a_refused_lookup_or_save_ends_the_connection)
{
    expect_refusal(TLS_VERSION_1_3, TLS_WANT_SESSION);
    expect_refusal(TLS_VERSION_1_2, TLS_WANT_SESSION);
    expect_refusal(TLS_VERSION_1_3, TLS_WANT_SAVE);
    expect_refusal(TLS_VERSION_1_2, TLS_WANT_SAVE);
}

/* With tickets the client keeps its session itself. */
static void expect_no_questions(enum tls_version version)
{
    struct pair_setup setup = {0};
    struct answers first = {0};
    struct answers second = {0};
    struct tls_session *session;
    enum tls_resumption kind;

    set_version(&setup, version);
    pair_setup_init(&setup, NULL);
    session = connect_with(&setup, &first, NULL, &kind);
    tls_session_free(connect_with(&setup, &second, session, &kind));
    cr_assert_eq(kind, TLS_RESUMED_TICKET);
    cr_assert_eq(first.order_count + second.order_count, 0);
    tls_session_free(session);
    pair_setup_deinit(&setup);
}

Test(session, tickets_need_no_store)
{
    expect_no_questions(TLS_VERSION_1_3);
    expect_no_questions(TLS_VERSION_1_2);
}

Test(session, the_built_in_store_stays_out_of_it)
{
    struct pair_setup setup = {.shared = {.sessions = session_store_new(8)}};
    struct answers first = {0};
    struct answers second = {0};
    struct tls_session *session;
    enum tls_resumption kind;

    open_setup(&setup, TLS_VERSION_1_2);
    session = connect_with(&setup, &first, NULL, &kind);
    cr_assert_eq(session_store_count(setup.shared.sessions), 0);
    tls_session_free(connect_with(&setup, &second, session, &kind));
    cr_assert_eq(kind, TLS_FULL);
    tls_session_free(session);
    pair_setup_deinit(&setup);
    session_store_free(setup.shared.sessions);
}
