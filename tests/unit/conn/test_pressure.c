/* Servers that say more than their clients take. A client whose service takes nothing reads no more
 * than its buffers hold. */
#include "loopback.h"

enum { BUFFER_BYTES_MAX = 1 << 20, TALKERS = 16, TALK_BYTES = 8 << 20 };

static unsigned overflows, ended;
static unsigned ended_wanted;
static uint64_t slabs_peak;

static void look(const struct conn *conn)
{
    uint64_t out_count = conn->reactor->slabs.out_count;

    slabs_peak = out_count > slabs_peak ? out_count : slabs_peak;
}

/* At once, whatever room there is. */
static void flood_open(struct conn *conn)
{
    for (size_t sent = 0; sent < TALK_BYTES && conn->state == CONN_OPEN; sent += PAYLOAD_SPAN_MAX) {
        conn_write(conn, payload_at(&loopback.payload, sent), PAYLOAD_SPAN_MAX);
        look(conn);
    }
}

/* Without end, as long as there is room. */
static void talk(struct conn *conn)
{
    while (conn->state == CONN_OPEN && conn_output_room(conn) > 0) {
        conn_write(conn, payload_at(&loopback.payload, 0), 4096);
        look(conn);
    }
}

static void server_closed(struct conn *conn)
{
    overflows += conn->end == CONN_END_OVERFLOW;
    if (++ended == ended_wanted) {
        reactor_stop(conn->reactor, CONN_END_LOCAL);
    }
}

static const struct service flooder = {
    .name = "flooder", .on_open = flood_open, .on_closed = server_closed};
static const struct service talker = {
    .name = "talker", .on_open = talk, .on_writable = talk, .on_closed = server_closed};

static size_t refuse_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    (void)conn;
    (void)bytes;
    (void)count;
    return 0;
}

static size_t take_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    size_t *taken = conn_service_state(conn);

    (void)bytes;
    *taken += count;
    if (*taken >= TALK_BYTES) {
        conn_close(conn);
    }
    return count;
}

static const struct service deaf = {.name = "deaf", .on_data = refuse_data};
static const struct service taker = {.name = "taker", .on_data = take_data};

TestSuite(pressure, .init = loopback_set_up, .fini = loopback_tear_down, .timeout = 60);

/* Until so many servers' connections have ended. */
static void run(uint64_t buffer_bytes_max, const struct service *server,
                const struct service *client, unsigned clients, unsigned wanted)
{
    loopback_start(
        &(struct reactor_options){.connections_max = 64, .buffer_bytes_max = buffer_bytes_max},
        NULL);
    loopback_listen(&(struct reactor_listen_options){.service = server});
    for (unsigned i = 0; i < clients; i++) {
        loopback_connect(client, NULL);
    }
    ended_wanted = wanted;
    reactor_run(&loopback.reactor);
    cr_expect_leq(slabs_peak * SLAB_BYTES, buffer_bytes_max);
    cr_expect_eq(loopback.reactor.leftover_bytes, 0);
    cr_expect_eq(loopback.reactor.buffers.spilled_bytes, 0);
}

Test(pressure, a_connection_that_needs_more_than_there_is_ends)
{
    run(BUFFER_BYTES_MAX, &flooder, &deaf, 1, 1);
    cr_expect_eq(overflows, 1);
    cr_expect_eq(counters_get(&loopback.counters, COUNTER_CLOSED_OVERFLOW), 1);
}

Test(pressure, clients_that_take_nothing_make_room_for_others)
{
    /* Each may have four slabs, and all together have more than three quarters of it. */
    run(TALKERS * 5 * SLAB_BYTES, &talker, &deaf, TALKERS, 1);
    cr_expect_geq(overflows, 1);
    cr_expect_eq(ended, TALKERS, "the others went on until the end");
}

Test(pressure, clients_that_take_what_they_get_stay)
{
    run(BUFFER_BYTES_MAX, &talker, &taker, 4, 4);
    cr_expect_eq(overflows, 0);
    cr_expect_eq(counters_get(&loopback.counters, COUNTER_CLOSED_OVERFLOW), 0);
}

/* Answers each of the two requests with room only; there is none left for the second one, though
 * the answer to the first was far from what one connection may queue. */
static size_t answer_with_room(struct conn *conn, const uint8_t *bytes, size_t count)
{
    if (conn_output_room(conn) == 0) {
        return 0;
    }
    conn_write(conn, bytes, count);
    loopback.reactor.output_high_bytes = 1; /* memory has become short */
    return count;
}

static void give_room(void *owner, uint64_t now_ns)
{
    (void)owner;
    (void)now_ns;
    loopback.reactor.output_high_bytes = CONN_OUTPUT_HIGH_BYTES;
}

static const struct service answering = {.name = "answering", .on_data = answer_with_room};

static void ask_twice(struct conn *conn)
{
    conn_write(conn, payload_at(&loopback.payload, 0), 1000);
    conn_write(conn, payload_at(&loopback.payload, 1000), 1000);
}

static size_t count_answers(struct conn *conn, const uint8_t *bytes, size_t count)
{
    size_t *received = conn_service_state(conn);

    (void)bytes;
    *received += count;
    if (*received == 2000) {
        conn_close(conn);
    }
    return count;
}

static void asker_closed(struct conn *conn)
{
    cr_expect_eq(conn->end, CONN_END_CLEAN);
    reactor_leave_when_empty(&loopback.reactor);
}

static const struct service asking = {
    .name = "asking", .on_open = ask_twice, .on_data = count_answers, .on_closed = asker_closed};

Test(pressure, what_found_no_room_is_offered_again_once_the_output_has_drained)
{
    loopback_start(NULL, &(struct reactor_events){.on_turn = give_room});
    loopback_listen(&(struct reactor_listen_options){.context = loopback.server_context,
                                                     .service = &answering});
    loopback_connect(&asking, loopback.client_context);
    reactor_run(&loopback.reactor);
}
