/* One reactor that talks to itself over loopback: both roles of the data path, real kernel. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/payload.h"
#include "conn/reactor.h"
#include "tls/certificate.h"

static struct reactor reactor;
static struct counters counters;
static struct payload payload;
static struct tls_context *server_context;
static struct tls_context *client_context;
static int listener;
static struct socket_address address;
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
        conn_write(conn, payload_at(&payload, transfer->sent), count);
        transfer->sent += count;
    }
}

static size_t transfer_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct transfer *transfer = conn_service_state(conn);

    cr_assert(payload_matches(&payload, transfer->received, bytes, count), "bytes differ");
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
    reactor_leave_when_empty(&reactor);
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

static void set_up(void)
{
    struct error error = {0};
    struct certificate *certificate =
        certificate_new(&(struct certificate_options){0}, NULL, &error);
    struct tls_config config = {.certificate_count = 1, .insecure = true};

    cr_assert_not_null(certificate, "%s", error.text);
    config.certificates[0].certificate_pem = certificate_chain_pem(certificate);
    config.certificates[0].key_pem = certificate_key_pem(certificate);
    server_context = tls_context_new(TLS_SERVER, &config, NULL, &error);
    config.certificate_count = 0;
    client_context = tls_context_new(TLS_CLIENT, &config, NULL, &error);
    cr_assert(server_context && client_context, "%s", error.text);
    certificate_free(certificate);
    payload_init(&payload);
    cr_assert_eq(socket_parse("127.0.0.1:0", &address, &error), 0);
    listener = socket_listen(&address, false, 16, &address, &error);
    cr_assert_geq(listener, 0, "%s", error.text);
}

static void tear_down(void)
{
    reactor_deinit(&reactor);
    tls_context_free(server_context);
    tls_context_free(client_context);
    close(listener);
}

TestSuite(reactor, .init = set_up, .fini = tear_down, .timeout = 60);

static void start(const struct reactor_options *options)
{
    static const struct reactor_events no_events;
    struct error error = {0};

    cr_assert_eq(reactor_init(&reactor, options, &no_events, NULL, &counters, &error), 0, "%s",
                 error.text);
}

static const struct reactor_options no_timeouts = {.connections_max = 64};

static struct conn *connect_to(const struct service *service, struct tls_context *context)
{
    struct conn *conn =
        reactor_connect(&reactor, &address,
                        &(struct reactor_connect_options){.context = context, .service = service});

    cr_assert_not_null(conn);
    return conn;
}

static void expect_quiet(void)
{
    cr_assert_eq(counters_get(&counters, COUNTER_CONNECTIONS_OPEN), 0);
    cr_assert_eq(counters_get(&counters, COUNTER_HANDSHAKES_IN_PROGRESS), 0);
    cr_assert_eq(reactor.buffers.held_count, 0, "a receive buffer was lost");
    cr_assert_eq(reactor.slabs.out_count, 0, "a slab was lost");
}

Test(reactor, echoes_every_byte_over_tls)
{
    start(&no_timeouts);
    reactor_listen(&reactor, listener, server_context, &echo, NULL);
    connect_to(&transfer_service, client_context);
    reactor_run(&reactor);
    cr_assert_eq(client_end, CONN_END_CLEAN);
    cr_assert_eq(server_end, CONN_END_CLEAN);
    cr_assert_eq(counters_get(&counters, COUNTER_HANDSHAKES_FULL), 2, "one on each side");
    cr_assert_eq(counters_get(&counters, COUNTER_PLAIN_BYTES_IN), 2 * TRANSFER_BYTES);
    expect_quiet();
}

Test(reactor, echoes_every_byte_over_plain_tcp)
{
    start(&no_timeouts);
    reactor_listen(&reactor, listener, NULL, &echo, NULL);
    connect_to(&transfer_service, NULL);
    reactor_run(&reactor);
    cr_assert_eq(client_end, CONN_END_CLEAN);
    cr_assert_eq(counters_get(&counters, COUNTER_HANDSHAKES_FULL), 0);
    cr_assert_eq(counters_get(&counters, COUNTER_WIRE_BYTES_IN), 2 * TRANSFER_BYTES);
    expect_quiet();
}

Test(reactor, many_connections_share_few_buffers)
{
    start(&no_timeouts);
    reactor_listen(&reactor, listener, server_context, &echo, NULL);
    for (int i = 0; i < 30; i++) {
        connect_to(&transfer_service, client_context);
    }
    reactor_run(&reactor);
    cr_assert_eq(counters_get(&counters, COUNTER_HANDSHAKES_FULL), 60);
    cr_assert_eq(counters_get(&counters, COUNTER_PLAIN_BYTES_IN), 60ull * TRANSFER_BYTES);
    expect_quiet();
}

Test(reactor, a_refused_connection_says_so)
{
    start(&no_timeouts);
    close(listener);
    connect_to(&silent_service, client_context);
    reactor_run(&reactor);
    cr_assert_eq(client_end, CONN_END_CONNECT);
    cr_assert_eq(client_os_error, ECONNREFUSED);
    expect_quiet();
}

Test(reactor, a_client_that_does_not_speak_tls_fails_and_is_told)
{
    start(&no_timeouts);
    reactor_listen(&reactor, listener, server_context, &echo, NULL);
    connect_to(&babble_service, NULL);
    reactor_run(&reactor);
    cr_assert_eq(server_end, CONN_END_TLS);
    expect_quiet();
}

Test(reactor, a_silent_client_is_dropped_at_the_handshake_timeout)
{
    start(
        &(struct reactor_options){.connections_max = 64, .handshake_timeout_ns = 10 * 1000 * 1000});
    reactor_listen(&reactor, listener, server_context, &echo, NULL);
    connect_to(&silent_service, NULL); /* plain: never sends a ClientHello */
    reactor_run(&reactor);
    cr_assert_eq(server_end, CONN_END_TIMEOUT_HANDSHAKE);
    cr_assert_eq(counters_get(&counters, COUNTER_TIMEOUTS_HANDSHAKE), 1);
    cr_assert_eq(counters_get(&counters, COUNTER_HANDSHAKE_FAILED_TIMEOUT), 1);
    expect_quiet();
}

Test(reactor, an_idle_connection_is_dropped)
{
    start(&(struct reactor_options){.connections_max = 64, .idle_timeout_ns = 10 * 1000 * 1000});
    reactor_listen(&reactor, listener, server_context, &echo, NULL);
    connect_to(&silent_service, client_context);
    reactor_run(&reactor);
    cr_assert_eq(counters_get(&counters, COUNTER_HANDSHAKES_FULL), 2);
    cr_assert_geq(counters_get(&counters, COUNTER_TIMEOUTS_IDLE), 1);
    expect_quiet();
}

Test(reactor, a_full_table_refuses_and_counts)
{
    start(&(struct reactor_options){.connections_max = 2});
    reactor_listen(&reactor, listener, server_context, &echo, NULL);
    connect_to(&silent_service, client_context);
    connect_to(&silent_service, client_context);
    cr_assert_null(reactor_connect(&reactor, &address, &(struct reactor_connect_options){0}));
    cr_assert_eq(errno, ENOSPC);
    reactor_run(&reactor);
    cr_assert_eq(counters_get(&counters, COUNTER_REFUSED), 2);
    expect_quiet();
}

Test(reactor, a_shared_limit_holds)
{
    struct reactor_limit limit = {.open_max = 1};

    start(&(struct reactor_options){.connections_max = 64, .limit = &limit});
    connect_to(&silent_service, client_context);
    cr_assert_null(reactor_connect(&reactor, &address, &(struct reactor_connect_options){0}));
    reactor_stop(&reactor, CONN_END_LOCAL);
    reactor_run(&reactor);
    cr_assert_eq(limit.open, 0);
    cr_assert_eq(client_end, CONN_END_LOCAL);
    expect_quiet();
}
