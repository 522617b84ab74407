#include "loopback.h"

#include <string.h>

/* The server says so much at once; records are counted by the client. */
enum { BURST_BYTES = 300 * 1000 };

static uint64_t records;

static size_t count_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    uint64_t *received = conn_service_state(conn);

    (void)bytes;
    *received += count;
    records++; /* the data path hands over a record at a time */
    if (*received == BURST_BYTES) {
        conn_close(conn);
    }
    return count;
}

static void closed(struct conn *conn)
{
    cr_expect_eq(conn->end, CONN_END_CLEAN);
    reactor_leave_when_empty(&loopback.reactor);
}

static const struct service counting = {
    .name = "counting", .on_data = count_data, .on_closed = closed};

static void burst(struct conn *conn)
{
    for (size_t sent = 0; sent < BURST_BYTES; sent += 10000) {
        conn_write(conn, payload_at(&loopback.payload, sent), 10000);
    }
}

static const struct service bursting = {.name = "bursting", .on_open = burst};

static void burst_in_fragments(struct conn *conn)
{
    cr_assert(conn_set_max_send_fragment(conn, 1000));
    burst(conn);
}

static void refuse_sizes(struct conn *conn)
{
    cr_assert_not(conn_set_max_send_fragment(conn, 511));
    cr_assert_not(conn_set_max_send_fragment(conn, 16385));
    burst(conn);
}

static const struct service fragmenting = {.name = "fragmenting", .on_open = burst_in_fragments};
static const struct service refusing = {.name = "refusing", .on_open = refuse_sizes};

TestSuite(fragment, .init = loopback_set_up, .fini = loopback_tear_down, .timeout = 60);

static void run(const struct service *server, bool dynamic)
{
    loopback_start(NULL, NULL);
    loopback_listen(&(struct reactor_listen_options){
        .context = loopback.server_context, .service = server, .dynamic_records = dynamic});
    loopback_connect(&counting, loopback.client_context);
    reactor_run(&loopback.reactor);
}

Test(fragment, a_write_is_one_record_as_long_as_it_fits)
{
    run(&bursting, false);
    cr_assert_eq(records, BURST_BYTES / 10000);
}

Test(fragment, size_can_be_set_while_the_connection_is_open)
{
    run(&fragmenting, false);
    cr_assert_eq(records, BURST_BYTES / 1000);
}

Test(fragment, a_size_out_of_range_is_refused_and_changes_nothing)
{
    run(&refusing, false);
    cr_assert_eq(records, BURST_BYTES / 10000);
}

Test(fragment, dynamic_records_are_small_first_and_then_large)
{
    run(&bursting, true);
    /* 14 writes of 10,000 bytes reach the 128 KiB during which records have 1,400. */
    cr_assert_eq(records, 14 * 8 + (BURST_BYTES / 10000 - 14));
}

static void burst_as_it_likes(struct conn *conn)
{
    cr_assert(conn_set_max_send_fragment(conn, 1000));
    conn_set_dynamic_records(conn, true);
    burst(conn);
    conn_set_dynamic_records(conn, false);
}

static const struct service liking = {.name = "liking", .on_open = burst_as_it_likes};

Test(fragment, plain_tcp_has_no_records_to_size)
{
    loopback_start(NULL, NULL);
    loopback_listen(&(struct reactor_listen_options){.service = &liking, .dynamic_records = true});
    loopback_connect(&counting, NULL);
    reactor_run(&loopback.reactor);
}
