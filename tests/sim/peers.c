#include <string.h>

#include "world.h"

enum {
    PAUSED_MAX = 128,
    /* Beyond the high-water mark of its output, and less than the way back can hold: whoever sends
     * on and on to an echo waits for it forever. */
    WINDOW_BYTES = 150 * 1000,
};

struct client {
    uint64_t wanted; /* bytes to send and to get back */
    uint64_t sent, received;
    bool half_closes;
};

struct server {
    uint64_t received;
};

static struct conn *paused[PAUSED_MAX];
static uint32_t paused_count;

/* ---- whims ---- */

/* The connection says that it takes no more for now; a later turn says otherwise. */
static bool pause_reading(struct conn *conn)
{
    if (!world.is_wild || paused_count == PAUSED_MAX || !sim_chance(60)) {
        return false;
    }
    for (uint32_t i = 0; i < paused_count; i++) {
        if (paused[i] == conn) {
            return true;
        }
    }
    paused[paused_count++] = conn;
    return true;
}

static void forget(const struct conn *conn)
{
    for (uint32_t i = 0; i < paused_count; i++) {
        if (paused[i] == conn) {
            paused[i] = paused[--paused_count];
            return;
        }
    }
}

void peers_turn(void)
{
    struct conn *conn;

    if (paused_count > 0 && sim_chance(500)) {
        conn = paused[random_below(&world.random, paused_count)];
        forget(conn);
        conn_resume_reading(conn);
    }
}

static void act_up(struct conn *conn)
{
    const char *reason;

    if (!world.is_wild) {
        return;
    }
    if (sim_chance(3)) {
        conn_abort(conn, CONN_END_LOCAL);
    } else if (sim_chance(3)) {
        conn_close(conn);
    } else if (sim_chance(10)) {
        tls_engine_update_key(&conn->engine, sim_chance(500));
        conn_write(conn, "", 0);
    } else if (sim_chance(5)) {
        (void)conn_renegotiate(conn, false, &reason);
    } else if (sim_chance(10)) {
        (void)conn_set_max_send_fragment(conn, 512 + (unsigned)random_below(&world.random, 15872));
    }
}

/* ---- the client ---- */

static void client_start(struct conn *conn)
{
    struct client *client = conn_service_state(conn);

    world.clients_open++;
    client->wanted = random_below(&world.random, 4) > 0 ? random_below(&world.random, 20 * 1000)
                                                        : random_below(&world.random, 600 * 1000);
    client->half_closes = sim_chance(300);
}

static void client_finish(struct conn *conn)
{
    struct client *client = conn_service_state(conn);

    if (client->received == client->wanted && !client->half_closes) {
        conn_close(conn);
    }
}

static void client_send(struct conn *conn)
{
    struct client *client = conn_service_state(conn);

    while (client->sent < client->wanted && client->sent - client->received < WINDOW_BYTES &&
           conn_output_room(conn) > 0) {
        uint64_t count = 1 + random_below(&world.random, PAYLOAD_SPAN_MAX);

        count = count < client->wanted - client->sent ? count : client->wanted - client->sent;
        conn_write(conn, payload_at(&sim_payload, client->sent), count);
        client->sent += count;
    }
    if (client->sent == client->wanted && client->half_closes) {
        conn_end(conn);
    }
    client_finish(conn);
}

/* Takes some, checks it, and asks for the rest later. */
static size_t some(struct conn *conn, size_t count)
{
    return pause_reading(conn) ? random_below(&world.random, count) : count;
}

static size_t client_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct client *client = conn_service_state(conn);
    size_t taken = some(conn, count);

    SIM_CHECK(payload_matches(&sim_payload, client->received, bytes, taken),
              "client %u: bytes differ at %zu", conn->slot, (size_t)client->received);
    client->received += taken;
    SIM_CHECK(client->received <= client->sent, "client %u: more came back than was sent",
              conn->slot);
    act_up(conn);
    client_send(conn);
    return taken;
}

static void client_closed(struct conn *conn)
{
    struct client *client = conn_service_state(conn);
    bool done = client->received == client->wanted && conn->end == CONN_END_CLEAN;

    forget(conn);
    world.clients_open--;
    world.clean_clients += done;
    SIM_CHECK(done || !world.gentle, "client %u: ended '%s' (%s) with %zu of %zu bytes", conn->slot,
              conn_end_name(conn->end), conn_end_reason(conn), (size_t)client->received,
              (size_t)client->wanted);
    world_start_clients();
}

const struct service sim_client = {
    .name = "client",
    .on_start = client_start,
    .on_open = client_send,
    .on_data = client_data,
    .on_writable = client_send,
    .on_closed = client_closed,
};

/* ---- the server ---- */

static void server_start(struct conn *conn)
{
    (void)conn;
    world.servers_open++;
}

static size_t server_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct server *server = conn_service_state(conn);
    size_t taken = conn_output_room(conn) == 0 ? 0 : some(conn, count);

    SIM_CHECK(payload_matches(&sim_payload, server->received, bytes, taken),
              "server %u: bytes differ at %zu", conn->slot, (size_t)server->received);
    server->received += taken;
    conn_write(conn, bytes, taken);
    act_up(conn);
    return taken;
}

static void server_closed(struct conn *conn)
{
    forget(conn);
    world.servers_open--;
    SIM_CHECK(!world.gentle || conn->end == CONN_END_CLEAN, "server %u: ended '%s' (%s)",
              conn->slot, conn_end_name(conn->end), conn_end_reason(conn));
}

const struct service sim_server = {
    .name = "server",
    .on_start = server_start,
    .on_data = server_data,
    .on_closed = server_closed,
};
