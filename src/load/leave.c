#include "load/leave.h"

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

static bool keep(struct load_client *client)
{
    if (!client->has_kept) {
        client->has_kept = keep_session(client) || keep_old_session(client);
    }
    return client->has_kept;
}

void client_leave(struct load_client *client)
{
    struct load_thread *thread = client->thread;
    const struct resume_pool *sessions = &thread->sessions;

    if (thread->plan->resume == LOAD_RESUME_NONE || keep(client) || !client->is_tls13 ||
        sessions->count == sessions->max) {
        client_close(client);
        return;
    }
    client->is_leaving = true;
    reactor_timer_start(&thread->reactor, &client->timer,
                        thread_now_ns(thread) + (thread->vain_waits < TICKET_VAIN_WAITS_MAX
                                                     ? TICKET_WAIT_NS
                                                     : TICKET_WAIT_IN_VAIN_NS));
    client_wait(client);
}

void leave_keep(struct load_client *client)
{
    if (client->thread->plan->resume != LOAD_RESUME_NONE) {
        keep(client);
    }
}

/* A ticket is no plaintext, so no event tells of it. */
void leave_poll(struct load_client *client)
{
    if (keep(client)) {
        client->is_waiting = false;
        client_close(client);
    }
}

void leave_timed_out(struct load_client *client)
{
    client->thread->vain_waits++;
    client->is_waiting = false;
    client_close(client);
}
