/* Connect, handshake, close, again. */
#include "load/thread.h"

static void on_open(struct conn *conn)
{
    struct load_client *client = client_of(conn);

    client_opened(client);
    client->failures = 0;
    thread_done(client, 1);
    client_leave(client);
}

static void on_closed(struct conn *conn)
{
    struct load_client *client = client_of(conn);

    if (!client->is_open) {
        client->thread->under_way--;
    } else if (conn->end == CONN_END_CLEAN) {
        client->is_ending = true; /* the handshake was all we wanted, whoever closed first */
    }
    client_closed(client, FAILURE_OWED_NOTHING);
}

const struct client_kind handshake_client = {
    .service = {.name = "handshake", .on_open = on_open, .on_closed = on_closed},
};
