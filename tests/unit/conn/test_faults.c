/* What the kernel seldom does, done by plan: each of these was once served wrongly. */
#include "loopback.h"

#include <sys/resource.h>
#include <unistd.h>

#include "ring/fault.h"

enum { TRANSFER_BYTES = 2 * 1000 * 1000, CLIENTS = 8 };

static unsigned open_clients;

struct transfer {
    size_t sent, received;
};

static size_t echo_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    conn_write(conn, bytes, count);
    return count;
}

static const struct service echo = {.name = "echo", .on_data = echo_data};

static void transfer_send(struct conn *conn)
{
    struct transfer *transfer = conn_service_state(conn);

    while (transfer->sent < TRANSFER_BYTES && conn_output_room(conn) > 0) {
        conn_write(conn, payload_at(&loopback.payload, transfer->sent), 10000);
        transfer->sent += 10000;
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
    cr_expect_eq(conn->end, CONN_END_CLEAN, "%s", conn_end_reason(conn));
    if (--open_clients == 0) {
        reactor_leave_when_empty(&loopback.reactor);
    }
}

static const struct service transferring = {
    .name = "transferring",
    .on_open = transfer_send,
    .on_data = transfer_data,
    .on_writable = transfer_send,
    .on_closed = client_closed,
};

static void close_at_once(struct conn *conn)
{
    conn_close(conn);
}

static const struct service closing = {
    .name = "closing", .on_open = close_at_once, .on_closed = client_closed};

TestSuite(faults, .init = loopback_set_up, .fini = loopback_tear_down, .timeout = 60);

static void start(const struct fault_plan *plan, const struct reactor_events *events)
{
    fault_plan(plan);
    loopback_start(NULL, events);
    loopback_listen(&(struct reactor_listen_options){.service = &echo});
}

static void run(const struct service *service)
{
    for (int i = 0; i < CLIENTS; i++) {
        open_clients++;
        loopback_connect(service, NULL);
    }
    reactor_run(&loopback.reactor);
}

Test(faults, a_stale_completion_does_not_touch_the_slots_next_connection)
{
    start(&(struct fault_plan){.per_mille = {[FAULT_STALE] = 1000}}, NULL);
    run(&transferring);
    cr_assert_gt(fault_happened(FAULT_STALE), 0);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_COMPLETIONS_STALE),
                 fault_happened(FAULT_STALE));
}

Test(faults, no_completion_is_stale_without_them)
{
    start(&(struct fault_plan){.per_mille = {[FAULT_LATE] = 300}}, NULL);
    run(&transferring);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_COMPLETIONS_STALE), 0);
}

/* Sends of several slabs are described in memory that the kernel had not read yet. */
Test(faults, what_requests_point_at_stays_until_the_kernel_has_them)
{
    start(&(struct fault_plan){.per_mille = {[FAULT_ENTER_FAIL] = 500, [FAULT_LATE] = 500}}, NULL);
    run(&transferring);
    cr_assert_gt(fault_happened(FAULT_ENTER_FAIL), 0);
}

/* The process has no descriptor left until this many failures to accept have been counted. */
enum { FAILURES = 3 };

static struct rlimit plenty;

static void relent(void *owner, uint64_t now_ns)
{
    (void)owner;
    (void)now_ns;
    if (counters_get(&loopback.counters, COUNTER_ACCEPT_ERRORS) >= FAILURES) {
        setrlimit(RLIMIT_NOFILE, &plenty);
    }
}

Test(faults, without_descriptors_accepting_waits_and_does_not_spin)
{
    const struct reactor_events events = {.on_turn = relent};
    struct rlimit none;
    uint64_t errors;

    start(NULL, &events);
    open_clients = 1;
    loopback_connect(&closing, NULL);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &plenty), 0);
    none = plenty;
    none.rlim_cur = (rlim_t)dup(0); /* the lowest free one */
    close((int)none.rlim_cur);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    reactor_run(&loopback.reactor);
    errors = counters_get(&loopback.counters, COUNTER_ACCEPT_ERRORS);
    cr_assert_geq(errors, FAILURES);
    cr_assert_eq(counters_get(&loopback.counters, COUNTER_ACCEPTS), 1, "it was not lost");
    /* Each failure costs a turn that arms the accept, one that hears of it, and one that waits;
     * the connection itself some more. */
    cr_assert_leq(counters_get(&loopback.counters, COUNTER_ENTERS), 3 * errors + 20);
}

Test(faults, a_ring_that_is_always_full_loses_nothing)
{
    start(&(struct fault_plan){.entries = 1, .completions = 2}, NULL);
    run(&transferring);
}
