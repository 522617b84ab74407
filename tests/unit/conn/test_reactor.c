#include "loopback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

static enum conn_end client_end;
static int client_os_error;
static enum conn_end server_end;

enum { TRANSFER_BYTES = 3 * 1000 * 1000 };

/* Server: echo. */
static size_t echo_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    conn_write(conn, bytes, count);
    return count;
}

static void server_closed(struct conn *conn)
{
    server_end = conn->end;
}

static const struct service echo = {
    .name = "echo", .on_data = echo_data, .on_closed = server_closed};

/* Client: sends TRANSFER_BYTES and wants them back. */
struct transfer {
    size_t sent, received;
};

static void transfer_send(struct conn *conn)
{
    struct transfer *transfer = conn_service_state(conn);

    while (transfer->sent < TRANSFER_BYTES && conn_output_room(conn) > 0) {
        size_t count = TRANSFER_BYTES - transfer->sent;

        count = count < PAYLOAD_SPAN_MAX ? count : PAYLOAD_SPAN_MAX;
        conn_write(conn, payload_at(&loopback.payload, transfer->sent), count);
        transfer->sent += count;
    }
}

static size_t transfer_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct transfer *transfer = conn_service_state(conn);

    cr_assert(payload_matches(&loopback.payload, transfer->received, bytes, count), "bytes differ");
    transfer->received += count;
    if (transfer->received == TRANSFER_BYTES) {
        conn_close(conn);
    }
    return count;
}

static void client_closed(struct conn *conn)
{
    client_end = conn->end;
    client_os_error = conn->os_error;
    reactor_leave_when_empty(&loopback.reactor);
}

static const struct service transfer_service = {
    .name = "transfer",
    .on_open = transfer_send,
    .on_data = transfer_data,
    .on_writable = transfer_send,
    .on_closed = client_closed,
};

/* Client: connects and says nothing. */
static const struct service silent_service = {.name = "silent", .on_closed = client_closed};

/* Client: plain bytes to a TLS server, and closes on the first answer, which must be an alert. */
static void babble_open(struct conn *conn)
{
    conn_write(conn, "GET / HTTP/1.0\r\n\r\n", 18);
}

static size_t babble_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    cr_assert_eq(bytes[0], 21, "content type alert (RFC 8446 5.1)");
    conn_close(conn);
    return count;
}

static const struct service babble_service = {
    .name = "babble",
    .on_open = babble_open,
    .on_data = babble_data,
    .on_closed = client_closed,
};

TestSuite(reactor, .init = loopback_set_up, .fini = loopback_tear_down, .timeout = 60);

static void listen_with(struct tls_context *context)
{
    loopback_listen(&(struct reactor_listen_options){.context = context, .service = &echo});
}

Test(reactor, echoes_every_byte_over_tls)
{
    loopback_start(NULL, NULL);
    listen_with(loopback.server_context);
    loopback_connect(&transfer_service, loopback.client_context);
    reactor_run(&loopback.reactor);
    cr_assert_eq(client_end, CONN_END_CLEAN);
    cr_assert_eq(server_end, CONN_END_CLEAN);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_HANDSHAKES_FULL), 2, "one on each side");
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_PLAIN_BYTES_IN), 2 * TRANSFER_BYTES);
}

Test(reactor, echoes_every_byte_over_plain_tcp)
{
    loopback_start(NULL, NULL);
    listen_with(NULL);
    loopback_connect(&transfer_service, NULL);
    reactor_run(&loopback.reactor);
    cr_assert_eq(client_end, CONN_END_CLEAN);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_HANDSHAKES_FULL), 0);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_WIRE_BYTES_IN), 2 * TRANSFER_BYTES);
}

Test(reactor, many_connections_share_few_buffers)
{
    loopback_start(NULL, NULL);
    listen_with(loopback.server_context);
    for (int i = 0; i < 30; i++) {
        loopback_connect(&transfer_service, loopback.client_context);
    }
    reactor_run(&loopback.reactor);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_HANDSHAKES_FULL), 60);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_PLAIN_BYTES_IN), 60ull * TRANSFER_BYTES);
}

Test(reactor, a_refused_connection_says_so)
{
    loopback_start(NULL, NULL);
    close(loopback.listener);
    loopback.listener = -1;
    loopback_connect(&silent_service, loopback.client_context);
    reactor_run(&loopback.reactor);
    cr_assert_eq(client_end, CONN_END_CONNECT);
    cr_assert_eq(client_os_error, ECONNREFUSED);
}

Test(reactor, a_client_that_does_not_speak_tls_fails_and_is_told)
{
    loopback_start(NULL, NULL);
    listen_with(loopback.server_context);
    loopback_connect(&babble_service, NULL);
    reactor_run(&loopback.reactor);
    cr_assert_eq(server_end, CONN_END_TLS);
}

/* Writes wherever a connection that ends still calls its service (Node's CVE-2020-8265). */
static size_t late_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    conn_write(conn, bytes, count);
    conn_close(conn);
    conn_write(conn, bytes, count);
    conn_end(conn);
    conn_resume_reading(conn);
    return count;
}

static void late_closed(struct conn *conn)
{
    conn_write(conn, "late", 4);
    conn_close(conn);
    conn_abort(conn, CONN_END_LOCAL);
    server_end = conn->end;
}

static const struct service late = {.name = "late", .on_data = late_data, .on_closed = late_closed};

static size_t one_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    size_t *heard = conn_service_state(conn);

    (void)bytes;
    *heard += count;
    cr_assert_leq(*heard, 5, "what was written after the end has come");
    return count;
}

static void one_open(struct conn *conn)
{
    conn_write(conn, "hello", 5);
}

static void one_closed(struct conn *conn)
{
    size_t *heard = conn_service_state(conn);

    cr_expect_eq(*heard, 5);
    client_closed(conn);
}

static const struct service one_service = {
    .name = "one", .on_open = one_open, .on_data = one_data, .on_closed = one_closed};

Test(reactor, writes_while_a_connection_ends_go_nowhere)
{
    loopback_start(NULL, NULL);
    loopback_listen(
        &(struct reactor_listen_options){.context = loopback.server_context, .service = &late});
    loopback_connect(&one_service, loopback.client_context);
    reactor_run(&loopback.reactor);
    cr_assert_eq(server_end, CONN_END_CLEAN);
    cr_assert_eq(client_end, CONN_END_CLEAN);
}

/* Server: says more whenever there is room, from the start. */
static void talk(struct conn *conn)
{
    while (conn->state == CONN_OPEN && conn_output_room(conn) > 0) {
        conn_write(conn, payload_at(&loopback.payload, 0), PAYLOAD_SPAN_MAX);
    }
}

static const struct service endless = {
    .name = "endless", .on_open = talk, .on_writable = talk, .on_closed = server_closed};

/* Client: has heard enough after a while. */
static size_t enough_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    size_t *heard = conn_service_state(conn);

    (void)bytes;
    *heard += count;
    if (*heard > TRANSFER_BYTES) {
        conn_close(conn);
    }
    return count;
}

static const struct service enough_service = {
    .name = "enough", .on_data = enough_data, .on_closed = client_closed};

Test(reactor, an_endless_answer_ends_when_the_client_does)
{
    loopback_start(NULL, NULL);
    loopback_listen(&(struct reactor_listen_options){.service = &endless});
    loopback_connect(&enough_service, NULL);
    reactor_run(&loopback.reactor);
    cr_assert_eq(server_end, CONN_END_CLEAN, "not by a reset when the client gave up waiting");
}

Test(reactor, a_silent_client_is_dropped_at_the_handshake_timeout)
{
    loopback_start(
        &(struct reactor_options){.connections_max = 64, .handshake_timeout_ns = 10 * 1000 * 1000},
        NULL);
    listen_with(loopback.server_context);
    loopback_connect(&silent_service, NULL); /* plain: never sends a ClientHello */
    reactor_run(&loopback.reactor);
    cr_assert_eq(server_end, CONN_END_TIMEOUT_HANDSHAKE);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_TIMEOUTS_HANDSHAKE), 1);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_HANDSHAKE_FAILED_TIMEOUT), 1);
}

Test(reactor, an_idle_connection_is_dropped)
{
    loopback_start(
        &(struct reactor_options){.connections_max = 64, .idle_timeout_ns = 500 * NS_PER_MS}, NULL);
    listen_with(loopback.server_context);
    loopback_connect(&silent_service, loopback.client_context);
    reactor_run(&loopback.reactor);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_HANDSHAKES_FULL), 2);
    cr_assert_geq(counters_get(&loopback.counters, COUNTER_TIMEOUTS_IDLE), 1);
}

Test(reactor, a_full_table_refuses_and_counts)
{
    loopback_start(&(struct reactor_options){.connections_max = 2}, NULL);
    listen_with(loopback.server_context);
    loopback_connect(&silent_service, loopback.client_context);
    loopback_connect(&silent_service, loopback.client_context);
    cr_assert_null(reactor_connect(&loopback.reactor, &loopback.address,
                                   &(struct reactor_connect_options){0}));
    cr_assert_eq(errno, ENOSPC);
    reactor_run(&loopback.reactor);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_REFUSED), 2);
}

Test(reactor, a_shared_limit_holds)
{
    struct reactor_limit limit = {.open_max = 1};

    loopback_start(&(struct reactor_options){.connections_max = 64, .limit = &limit}, NULL);
    loopback_connect(&silent_service, loopback.client_context);
    cr_assert_null(reactor_connect(&loopback.reactor, &loopback.address,
                                   &(struct reactor_connect_options){0}));
    reactor_stop(&loopback.reactor, CONN_END_LOCAL);
    reactor_run(&loopback.reactor);
    cr_assert_eq(limit.open, 0);
    cr_assert_eq(client_end, CONN_END_LOCAL);
}

/* A reactor without connections, which leaves in the first turn after `leave_ns`. */
struct lonely {
    struct reactor reactor;
    struct counters counters;
    struct wheel_timer timer;
    uint64_t leave_ns;
    uint64_t wanted_ns; /* what on_wait says */
    unsigned turns;
};

static void lonely_turn(void *owner, uint64_t now_ns)
{
    struct lonely *lonely = owner;

    lonely->turns++;
    if (now_ns >= lonely->leave_ns) {
        reactor_leave_when_empty(&lonely->reactor);
    }
}

static uint64_t lonely_wait(void *owner)
{
    return ((struct lonely *)owner)->wanted_ns;
}

static struct lonely *lonely_new(void)
{
    const struct reactor_options options = {.connections_max = 1};
    const struct reactor_events events = {.on_turn = lonely_turn, .on_wait = lonely_wait};
    struct lonely *lonely = aligned_alloc(_Alignof(struct lonely), sizeof *lonely);
    struct error error = {0};

    cr_assert_not_null(lonely);
    memset(lonely, 0, sizeof *lonely);
    cr_assert_eq(
        reactor_init(&lonely->reactor, &options, &events, lonely, &lonely->counters, &error), 0,
        "%s", error.text);
    return lonely;
}

Test(reactor, owners_deadline_ends_a_wait_that_the_wheel_would_not)
{
    struct lonely *lonely = lonely_new();
    const uint64_t start_ns = clock_now_ns();

    reactor_timer_start(&lonely->reactor, &lonely->timer, start_ns + 60 * NS_PER_S);
    lonely->leave_ns = lonely->wanted_ns = start_ns + 300 * NS_PER_US;
    reactor_run(&lonely->reactor);
    cr_expect_geq(clock_now_ns(), lonely->leave_ns);
    cr_expect_lt(clock_now_ns() - start_ns, 10 * NS_PER_S);
    reactor_deinit(&lonely->reactor);
    free(lonely);
}

Test(reactor, owner_without_a_deadline_waits_for_the_wheel)
{
    struct lonely *lonely = lonely_new();

    lonely->leave_ns = clock_now_ns() + 5 * NS_PER_MS;
    lonely->wanted_ns = UINT64_MAX;
    reactor_timer_start(&lonely->reactor, &lonely->timer, lonely->leave_ns);
    reactor_run(&lonely->reactor);
    cr_expect_leq(lonely->turns, 20, "the wait is one, not a busy loop");
    reactor_deinit(&lonely->reactor);
    free(lonely);
}
