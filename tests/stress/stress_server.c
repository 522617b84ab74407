/* A whole server in this process: clients come and go on threads of their own while ticket keys
 * rotate, snapshots are taken and, at the end, the server drains under load. */
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "conn/reactor.h"
#include "server/server.h"
#include "stress.h"
#include "tls/certificate.h"
#include "tls/context.h"

enum { CONNECTIONS = 8, ROUNDS = 40, MESSAGE_BYTES = 20000 };

static struct server *server;
static _Atomic int clients_left = STRESS_THREADS - 1;

/* One client thread: keeps CONNECTIONS going until ROUNDS have come back whole. */
struct client {
    struct reactor reactor;
    struct counters counters;
    struct tls_context *context;
    int started;
    int finished;
};

static void client_connect(struct client *client);

static void client_open(struct conn *conn)
{
    static const uint8_t message[MESSAGE_BYTES];

    conn_write(conn, message, sizeof message);
}

static size_t client_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    size_t *received = conn_service_state(conn);

    (void)bytes;
    *received += count;
    if (*received == MESSAGE_BYTES) {
        conn_close(conn);
    }
    return count;
}

static void client_closed(struct conn *conn)
{
    struct client *client = conn->reactor->owner;

    CHECK(conn->end == CONN_END_CLEAN);
    client->finished++;
    client_connect(client);
    if (client->finished == ROUNDS) {
        reactor_leave_when_empty(&client->reactor);
    }
}

static const struct service client_service = {
    .name = "client",
    .on_open = client_open,
    .on_data = client_data,
    .on_closed = client_closed,
};

static void client_connect(struct client *client)
{
    struct reactor_connect_options options = {
        .context = client->context,
        .service = &client_service,
    };

    if (client->started == ROUNDS) {
        return;
    }
    client->started++;
    CHECK(reactor_connect(&client->reactor, server_address(server, 0), &options) != NULL);
}

static void client_run(void)
{
    static const struct reactor_events no_events;
    struct client *client = aligned_alloc(64, (sizeof(struct client) + 63) / 64 * 64);
    struct reactor_options options = {.connections_max = CONNECTIONS * 2};
    struct tls_config config = {.insecure = true};
    struct error error = {0};

    CHECK(client != NULL);
    *client = (struct client){0};
    client->context = tls_context_new(TLS_CLIENT, &config, NULL, &error);
    CHECK(client->context != NULL);
    CHECK(reactor_init(&client->reactor, &options, &no_events, client, &client->counters, &error) ==
          0);
    for (int i = 0; i < CONNECTIONS; i++) {
        client_connect(client);
    }
    reactor_run(&client->reactor);
    reactor_deinit(&client->reactor);
    tls_context_free(client->context);
    free(client);
    atomic_fetch_sub(&clients_left, 1);
}

static void disturb(void)
{
    struct error error = {0};

    while (atomic_load(&clients_left) > 0) {
        struct snapshot *snapshot = server_snapshot(server);

        CHECK(snapshot != NULL);
        snapshot_free(snapshot);
        CHECK(server_rotate_tickets(server, &error) == 0);
        usleep(1000);
    }
}

static void *work(void *index)
{
    if (*(size_t *)index == 0) {
        disturb();
    } else {
        client_run();
    }
    return NULL;
}

static void check_totals(void)
{
    struct snapshot *snapshot = server_snapshot(server);

    CHECK(snapshot != NULL);
    CHECK(snapshot->values[COUNTER_HANDSHAKES_FULL] == (STRESS_THREADS - 1) * ROUNDS);
    CHECK(snapshot->values[COUNTER_CONNECTIONS_OPEN] == 0);
    CHECK(snapshot->values[COUNTER_PLAIN_BYTES_IN] ==
          (uint64_t)(STRESS_THREADS - 1) * ROUNDS * MESSAGE_BYTES);
    CHECK(snapshot->values[COUNTER_PLAIN_BYTES_OUT] == snapshot->values[COUNTER_PLAIN_BYTES_IN]);
    CHECK(snapshot->values[COUNTER_TICKET_KEY_ROTATIONS] > 0);
    snapshot_free(snapshot);
}

int main(void)
{
    struct error error = {0};
    struct server_config config = {.listener_count = 1, .threads = 2};
    struct certificate *certificate =
        certificate_new(&(struct certificate_options){0}, NULL, &error);

    CHECK(certificate != NULL);
    CHECK(socket_parse("127.0.0.1:0", &config.listeners[0].address, &error) == 0);
    config.listeners[0].service = &echo_service;
    config.tls.certificate_count = 1;
    config.tls.certificates[0].certificate_pem = certificate_chain_pem(certificate);
    config.tls.certificates[0].key_pem = certificate_key_pem(certificate);
    server = server_start(&config, &error);
    certificate_free(certificate);
    if (!server) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    stress_run(work);
    server_drain(server);
    while (!server_has_ended(server)) {
        usleep(1000);
    }
    check_totals();
    server_free(server);
    return 0;
}
