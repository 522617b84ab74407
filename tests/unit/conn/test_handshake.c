/* Handshakes that wait for an answer of the reactor's owner. */
#include "loopback.h"

#include <string.h>

#include "base/clock.h"

static enum conn_end client_end;
static enum conn_end server_end;
static unsigned asked, drained;
static char asked_name[64];
static struct conn *waiting;
static struct wheel_timer answer_later;

static void client_closed(struct conn *conn)
{
    client_end = conn->end;
    reactor_leave_when_empty(&loopback.reactor);
}

static void server_closed(struct conn *conn)
{
    server_end = conn->end;
}

static void close_at_once(struct conn *conn)
{
    conn_close(conn);
}

static const struct service client = {
    .name = "client", .on_open = close_at_once, .on_closed = client_closed};
static const struct service patient_client = {.name = "patient client", .on_closed = client_closed};

static void close_when_drained(struct conn *conn)
{
    drained++;
    conn_close(conn);
}

static const struct service server = {
    .name = "server", .on_drain = close_when_drained, .on_closed = server_closed};

TestSuite(handshake, .init = loopback_set_up, .fini = loopback_tear_down, .timeout = 60);

static void note(struct conn *conn, enum tls_want want)
{
    const char *name = tls_engine_server_name(&conn->engine);

    cr_assert_eq(want, TLS_WANT_CONTEXT);
    asked++;
    strncpy(asked_name, name ? name : "", sizeof asked_name - 1);
}

static void answer_now(void *owner, struct conn *conn, enum tls_want want)
{
    (void)owner;
    note(conn, want);
    conn_answer_context(conn, loopback.server_context);
    conn_resume(conn);
}

static void drain_and_answer(void *owner, struct conn *conn, enum tls_want want)
{
    reactor_drain(&loopback.reactor);
    answer_now(owner, conn, want);
}

static void refuse(void *owner, struct conn *conn, enum tls_want want)
{
    (void)owner;
    note(conn, want);
    tls_engine_refuse(&conn->engine);
    conn_resume(conn);
}

static void answer_in_a_while(void *owner, struct conn *conn, enum tls_want want)
{
    (void)owner;
    note(conn, want);
    waiting = conn;
    reactor_timer_start(&loopback.reactor, &answer_later, clock_now_ns() + 5 * NS_PER_MS);
}

static void give_answer(void *owner, struct wheel_timer *timer)
{
    (void)owner;
    (void)timer;
    conn_answer_context(waiting, NULL);
    conn_resume(waiting);
}

static void say_nothing(void *owner, struct conn *conn, enum tls_want want)
{
    (void)owner;
    note(conn, want);
}

static void abort_it(void *owner, struct conn *conn, enum tls_want want)
{
    (void)owner;
    note(conn, want);
    conn_abort(conn, CONN_END_LOCAL);
}

static void run_with(const struct service *service, const struct reactor_options *options,
                     const struct reactor_events *events)
{
    const struct reactor_connect_options connect = {
        .context = loopback.client_context,
        .service = service,
        .engine.server_name = "www.example.org",
    };

    loopback_start(options, events);
    loopback_listen(&(struct reactor_listen_options){
        .context = loopback.server_context, .service = &server, .asks = 1u << TLS_WANT_CONTEXT});
    cr_assert_not_null(reactor_connect(&loopback.reactor, &loopback.address, &connect));
    reactor_run(&loopback.reactor);
    cr_assert_eq(asked, 1, "asked once");
    cr_assert_str_eq(asked_name, "www.example.org");
}

static void run(const struct reactor_options *options, const struct reactor_events *events)
{
    run_with(&client, options, events);
    cr_assert_eq(drained, 0);
}

Test(handshake, goes_on_with_an_answer_at_once)
{
    run(NULL, &(struct reactor_events){.on_want = answer_now});
    cr_assert_eq(client_end, CONN_END_CLEAN);
    cr_assert_eq(server_end, CONN_END_CLEAN);
}

Test(handshake, goes_on_with_an_answer_later)
{
    run(NULL, &(struct reactor_events){.on_want = answer_in_a_while, .on_timer = give_answer});
    cr_assert_eq(client_end, CONN_END_CLEAN);
    cr_assert_eq(server_end, CONN_END_CLEAN);
}

Test(handshake, fails_with_an_alert_when_refused)
{
    run(NULL, &(struct reactor_events){.on_want = refuse});
    cr_assert_eq(client_end, CONN_END_TLS);
    cr_assert_eq(server_end, CONN_END_TLS);
}

Test(handshake, an_answer_that_never_comes_ends_at_the_timeout)
{
    run(&(struct reactor_options){.connections_max = 8, .handshake_timeout_ns = 500 * NS_PER_MS},
        &(struct reactor_events){.on_want = say_nothing});
    cr_assert_eq(server_end, CONN_END_TIMEOUT_HANDSHAKE);
}

Test(handshake, whoever_is_asked_may_end_the_connection)
{
    run(NULL, &(struct reactor_events){.on_want = abort_it});
    cr_assert_eq(server_end, CONN_END_LOCAL);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_HANDSHAKE_FAILED_CLOSED), 2);
}

Test(handshake, one_that_ends_while_the_reactor_drains_is_told_so)
{
    run_with(&patient_client, NULL, &(struct reactor_events){.on_want = drain_and_answer});
    cr_assert_eq(drained, 1);
    cr_assert_eq(client_end, CONN_END_CLEAN);
}
