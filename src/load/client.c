#include "load/client.h"

#include <errno.h>
#include <string.h>

#include "load/thread.h"

static const uint64_t BACKOFF_NS_MIN = 10 * 1000 * 1000;
static const uint64_t BACKOFF_NS_MAX = 1000 * 1000 * 1000;

const struct client_kind *client_kind_of(const struct load_plan *plan)
{
    if (plan->mode == LOAD_HANDSHAKE) {
        return &handshake_client;
    }
    switch (plan->peer) {
    case LOAD_PEER_HTTP:
        return &http_client;
    case LOAD_PEER_SOURCE:
        return &download_client;
    case LOAD_PEER_DISCARD:
        return &upload_client;
    default:
        return &rr_client;
    }
}

const struct client_kind *client_idle_kind_of(const struct load_plan *plan)
{
    return plan->peer == LOAD_PEER_HTTP ? &http_client : &rr_client;
}

uint64_t client_backoff_ns(uint32_t failures)
{
    uint64_t backoff_ns = BACKOFF_NS_MIN;

    for (uint32_t i = 1; i < failures && backoff_ns < BACKOFF_NS_MAX; i++) {
        backoff_ns *= 2;
    }
    return backoff_ns < BACKOFF_NS_MAX ? backoff_ns : BACKOFF_NS_MAX;
}

static void blame(struct load_client *client, enum load_error_phase phase, const char *reason)
{
    load_tally_error(&client->thread->tally, phase, reason, 1);
    load_totals_add(&client->thread->totals, LOAD_TOTAL_ERRORS, 1);
}

static void rest_after_failure(struct load_client *client)
{
    struct load_thread *thread = client->thread;

    client->failures++;
    thread_settled(thread, client);
    if (thread->stage != LOAD_STAGE_STOP) {
        reactor_timer_start(&thread->reactor, &client->timer,
                            thread_now_ns(thread) + client_backoff_ns(client->failures));
    }
}

static void forget_offered(struct load_client *client)
{
    if (client->offered != NULL) {
        tls_session_free(client->offered);
        client->offered = NULL;
    }
}

/* Whether the stage and the plan's count allow another connection. */
static bool may_connect(struct load_client *client)
{
    const struct load_thread *thread = client->thread;

    if (client->is_idle) {
        return !client->was_open && thread->stage < LOAD_STAGE_MEASURED;
    }
    return thread->stage == LOAD_STAGE_RAMP || thread_may_begin(thread);
}

void client_connect(struct load_client *client)
{
    struct load_thread *thread = client->thread;
    const struct load_plan *plan = thread->plan;
    const bool is_handshake = client->kind == &handshake_client;
    struct socket_address source;
    struct reactor_connect_options options = {
        .context = thread->context,
        .service = &client->kind->service,
        .engine = {.server_name = plan->server_name, .verify_host = plan->verify_host},
        .dynamic_records = plan->dynamic_records,
        /* Silence is as it should be, also until the load begins. */
        .may_idle = client->is_idle || thread->stage == LOAD_STAGE_RAMP,
    };

    if (!may_connect(client)) {
        thread_settled(thread, client);
        return;
    }
    if (is_handshake && !open_loop_may_begin(client, &client->intended_ns)) {
        thread_settled(thread, client); /* the ramp need not wait for the schedule */
        return;
    }
    if (plan->resume != LOAD_RESUME_NONE && !client->is_idle &&
        resume_mix_next(&thread->mix, thread->sessions.count > 0)) {
        client->offered = resume_pool_take(&thread->sessions);
        options.engine.session = client->offered;
    }
    options.source = source_of(plan, client->index, &source) ? &source : NULL;
    client->conn = reactor_connect(&thread->reactor, &plan->address, &options);
    if (client->conn == NULL) {
        forget_offered(client);
        blame(client, LOAD_ERROR_CONNECT, strerrordesc_np(errno));
        rest_after_failure(client);
        return;
    }
    *(struct load_client **)conn_service_state(client->conn) = client;
    client->is_leaving = client->has_kept = false;
    client->is_prompt = client->asked_early = client->is_early = false;
    client->early_bytes = 0;
    client->is_ending = false;
    client->is_blamed = false;
    client->request_offset = 0;
    client->answer_offset = 0;
    client->left_bytes = 0;
    exchange_reset(client);
    memset(&client->response, 0, offsetof(struct http_response, line));
    thread->under_way += is_handshake ? 1 : 0;
}

void client_begin(struct load_client *client)
{
    const struct client_kind *kind = client->kind;

    if (client->conn != NULL) {
        if (client->is_open && !client->is_ending && !client->is_blamed && kind->start != NULL) {
            kind->start(client);
        }
    } else if (!wheel_is_started(&client->timer)) { /* else it rests after a failure */
        client_connect(client);
    }
}

/* Connections that are made once, before the measured time, are all recorded. */
static void record_set_up(struct load_thread *thread, enum load_phase phase, uint64_t duration_ns)
{
    if (thread->is_measuring || !load_plan_reconnects(thread->plan)) {
        histogram_record(&thread->phases[phase], duration_ns);
    }
}

static enum load_phase phase_of(const struct tls_engine *engine, enum tls_resumption kind)
{
    static const enum load_phase phases[] = {
        [TLS_FULL] = LOAD_PHASE_HANDSHAKE_FULL,
        [TLS_RESUMED_TICKET] = LOAD_PHASE_HANDSHAKE_TICKET,
        [TLS_RESUMED_ID] = LOAD_PHASE_HANDSHAKE_ID,
    };

    if (kind == TLS_RESUMED_TICKET && tls_engine_early(engine) != TLS_EARLY_NONE) {
        return tls_engine_early(engine) == TLS_EARLY_ACCEPTED ? LOAD_PHASE_HANDSHAKE_EARLY_ACCEPTED
                                                              : LOAD_PHASE_HANDSHAKE_EARLY_REJECTED;
    }
    return phases[kind];
}

static void record_times(struct load_thread *thread, const struct conn *conn,
                         enum tls_resumption kind)
{
    const uint64_t handshake_ns = conn->secure_ns - conn->connected_ns;

    record_set_up(thread, LOAD_PHASE_HELLO, conn->hello_ns - conn->connected_ns);
    record_set_up(thread, LOAD_PHASE_FINISH, conn->secure_ns - conn->hello_ns);
    record_set_up(thread, phase_of(&conn->engine, kind), handshake_ns);
    if (kind != TLS_FULL) {
        record_set_up(thread, LOAD_PHASE_HANDSHAKE_RESUMED, handshake_ns);
    }
}

/* Nothing but the handshake has been sent yet, and nothing else has been read. */
static void record_bytes(struct load_thread *thread, const struct conn *conn,
                         enum tls_resumption kind)
{
    if (thread->is_measuring || !load_plan_reconnects(thread->plan)) {
        load_tally_bytes(&thread->tally, kind, conn->wire_bytes_in - conn_unread_bytes(conn),
                         conn->wire_bytes_out + conn->output.bytes);
    }
}

static void record_early(struct load_thread *thread, const struct tls_engine *engine)
{
    const enum tls_early early = tls_engine_early(engine);

    if (early != TLS_EARLY_NONE) {
        load_totals_add(
            &thread->totals,
            early == TLS_EARLY_ACCEPTED ? LOAD_TOTAL_EARLY_ACCEPTED : LOAD_TOTAL_EARLY_REJECTED, 1);
    }
}

static void record_handshake(struct load_client *client)
{
    struct load_thread *thread = client->thread;
    const struct conn *conn = client->conn;
    struct tls_facts facts = {0};

    tls_engine_facts(&conn->engine, &facts);
    client->is_tls13 = strcmp(facts.version, "TLSv1.3") == 0;
    load_tally_negotiated(&thread->tally, &facts, 1);
    record_times(thread, conn, facts.resumption);
    record_bytes(thread, conn, facts.resumption);
    load_totals_add(&thread->totals,
                    (enum load_total)(LOAD_TOTAL_HANDSHAKES_FULL + (int)facts.resumption), 1);
    load_totals_add(&thread->totals, LOAD_TOTAL_RESUMES_OFFERED, client->offered != NULL ? 1 : 0);
    record_early(thread, &conn->engine);
    if (thread->plan->tls.request_ocsp && facts.resumption == TLS_FULL) {
        load_tally_staple(&thread->tally, tls_engine_staple_check(&conn->engine));
    }
    load_totals_add(&thread->totals, LOAD_TOTAL_HELLO_RETRIES, conn->engine.tally.hello_retries);
}

/* A new connection as a whole, from the actual and, in an open loop, from the intended start. */
static void record_whole(struct load_client *client)
{
    struct load_thread *thread = client->thread;
    const struct conn *conn = client->conn;
    const uint64_t done_ns = thread->context != NULL ? conn->secure_ns : conn->connected_ns;

    record_set_up(thread, LOAD_PHASE_SET_UP, done_ns - conn->started_ns);
    if (thread->plan->mode == LOAD_HANDSHAKE && open_loop_is_on(&thread->open_loop)) {
        thread_record(thread, LOAD_PHASE_SET_UP_CORRECTED, done_ns - client->intended_ns);
        thread_record(thread, LOAD_PHASE_START_DELAY, conn->started_ns - client->intended_ns);
    }
}

void client_opened(struct load_client *client)
{
    struct load_thread *thread = client->thread;
    const struct conn *conn = client->conn;

    client->is_open = client->was_open = true;
    if (client->is_idle) {
        thread->idle_open++;
    } else if (++thread->open_count > thread->open_peak) {
        thread->open_peak = thread->open_count;
    }
    load_totals_add(&thread->totals, LOAD_TOTAL_CONNECTS, 1);
    record_set_up(thread, LOAD_PHASE_CONNECT, conn->connected_ns - conn->started_ns);
    if (thread->context != NULL) {
        record_handshake(client);
    }
    record_whole(client);
    thread_settled(thread, client);
}

void client_closed(struct load_client *client, enum failure_owed owed)
{
    struct load_thread *thread = client->thread;
    const struct conn *conn = client->conn;
    char reason[LOAD_REASON_BYTES];

    if (client->is_open) {
        leave_keep(client);
        client->is_ending |= client->is_leaving && conn->end == CONN_END_CLEAN;
    }
    client->conn = NULL;
    client->is_waiting = false;
    forget_offered(client);
    reactor_timer_cancel(&thread->reactor, &client->timer);
    load_totals_add(&thread->totals, LOAD_TOTAL_TICKETS_RECEIVED,
                    conn->engine.tally.tickets_received);
    if (client->is_open && conn->ticket_ns > conn->secure_ns) { /* before it: TLS 1.2's own */
        record_set_up(thread, LOAD_PHASE_TICKET, conn->ticket_ns - conn->secure_ns);
    }
    if (client->is_open) {
        client->is_open = false;
        *(client->is_idle ? &thread->idle_open : &thread->open_count) -= 1;
    } else if (conn->connected_ns != 0) {
        load_totals_add(&thread->totals, LOAD_TOTAL_CONNECTS, 1);
    }
    if (client->is_ending) {
        client_connect(client);
        return;
    }
    if (!client->is_blamed) {
        const enum load_error_phase phase = failure_describe(conn, owed, reason);

        blame(client, phase, reason);
        if (conn->end == CONN_END_CONNECT) {
            load_totals_add(&thread->totals, LOAD_TOTAL_REFUSED, 1);
        }
    }
    rest_after_failure(client);
}

void client_close(struct load_client *client)
{
    client->is_ending = true;
    if (client->kind->is_endless) {
        conn_abort(client->conn, CONN_END_LOCAL);
    } else {
        conn_close(client->conn);
    }
}

void client_fail(struct load_client *client, const char *reason)
{
    if (client->is_ending || client->is_blamed) {
        return;
    }
    client->is_blamed = true;
    blame(client, LOAD_ERROR_TRANSFER, reason);
    conn_abort(client->conn, CONN_END_LOCAL);
}

/* Counted where it is blamed, so that no corrupt answer is in one of the counts alone. */
void client_fail_corrupt(struct load_client *client)
{
    if (client->is_ending || client->is_blamed) {
        return;
    }
    load_totals_add(&client->thread->totals, LOAD_TOTAL_MESSAGES_CORRUPT, 1);
    client_fail(client, "the answer's bytes are not what they should be");
}

void client_wait(struct load_client *client)
{
    struct load_thread *thread = client->thread;

    client->is_waiting = true;
    if (!client->is_listed) {
        client->is_listed = true;
        client->waiting_next = thread->waiting;
        thread->waiting = client;
    }
}

void client_poll(struct load_client *client)
{
    if (client->is_leaving) {
        leave_poll(client);
    } else {
        client->kind->poll(client);
    }
}

void client_timer(struct load_client *client)
{
    if (client->conn == NULL) {
        client_connect(client);
    } else if (client->is_leaving) {
        leave_timed_out(client);
    } else if (client->kind->timer != NULL) {
        client->kind->timer(client);
    }
}
