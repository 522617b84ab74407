/* Connect, handshake, close, again. When sessions are to be resumed, a connection also waits for
 * the session of the next, unless enough are in hand. */
#include "load/thread.h"

/* How long to wait for a TLS 1.3 ticket, which follows the handshake; and how long once a server
 * has been seen not to send any. */
static const uint64_t TICKET_WAIT_NS = 1000 * 1000 * 1000;
static const uint64_t TICKET_WAIT_IN_VAIN_NS = 1000 * 1000;
enum { TICKET_VAIN_WAITS_MAX = 3 };

static bool keep_session(struct load_client *client)
{
    struct load_thread *thread = client->thread;
    struct tls_session *session = tls_engine_take_session(&client->conn->engine);

    if (session == NULL) {
        return false;
    }
    thread->vain_waits = 0;
    resume_pool_put(&thread->sessions, session);
    return true;
}

/* Before TLS 1.3 a resumed handshake brings no new session, and the old one goes on serving. */
static bool keep_old_session(struct load_client *client)
{
    enum tls_resumption kind;

    if (client->is_tls13 || client->offered == NULL ||
        !tls_engine_resumed(&client->conn->engine, &kind)) {
        return false;
    }
    resume_pool_put(&client->thread->sessions, client->offered);
    client->offered = NULL;
    return true;
}

static void on_open(struct conn *conn)
{
    struct load_client *client = client_of(conn);
    struct load_thread *thread = client->thread;
    const struct resume_pool *sessions = &thread->sessions;

    client_opened(client);
    client->failures = 0;
    thread_done(thread, 1);
    if (thread->plan->resume == LOAD_RESUME_NONE || keep_session(client) ||
        keep_old_session(client) || !client->is_tls13 || sessions->count == sessions->max) {
        client_close(client);
        return;
    }
    reactor_timer_start(&thread->reactor, &client->timer,
                        thread_now_ns(thread) + (thread->vain_waits < TICKET_VAIN_WAITS_MAX
                                                     ? TICKET_WAIT_NS
                                                     : TICKET_WAIT_IN_VAIN_NS));
    client_wait(client);
}

/* A ticket is no plaintext, so no event tells of it. */
static void poll_ticket(struct load_client *client)
{
    if (keep_session(client)) {
        client->is_waiting = false;
        client_close(client);
    }
}

static void give_up_ticket(struct load_client *client)
{
    client->thread->vain_waits++;
    client->is_waiting = false;
    client_close(client);
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
    .poll = poll_ticket,
    .timer = give_up_ticket,
};
