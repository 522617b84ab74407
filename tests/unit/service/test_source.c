#include <criterion/criterion.h>

#include "fake_conn.h"

/* The peer reads `count` times. */
static void drain_times(struct fake_conn *fake, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        fake_conn_drain(fake);
    }
}

Test(source, fills_the_output_at_once_and_never_beyond_one_record_more)
{
    struct fake_conn *fake = fake_conn_new(&source_service);

    cr_expect_geq(fake->sent_count, CONN_OUTPUT_HIGH_BYTES);
    drain_times(fake, 20);
    cr_expect_geq(fake->sent_count, 21 * CONN_OUTPUT_HIGH_BYTES);
    cr_expect_lt(fake->output_max, CONN_OUTPUT_HIGH_BYTES + PAYLOAD_SPAN_MAX);
    cr_expect(payload_matches(&fake->payload, 0, fake->sent, fake->sent_count));
    cr_expect_eq(fake->close_count, 0);
    fake_conn_free(fake);
}

Test(source, sends_exactly_its_limit_and_closes_once)
{
    static const uint64_t limits[] = {1,      16383,  16384,  16385,  131071,
                                      131072, 131073, 300000, 1048576};

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct fake_conn *fake = fake_conn_new_limited(&source_service, limits[i]);

        drain_times(fake, 20);
        cr_expect_eq(fake->sent_count, limits[i]);
        cr_expect(payload_matches(&fake->payload, 0, fake->sent, fake->sent_count));
        cr_expect_eq(fake->close_count, 1);
        fake_conn_free(fake);
    }
}

Test(source, ignores_what_the_client_says)
{
    struct fake_conn *fake = fake_conn_new(&source_service);
    size_t sent_count = fake->sent_count;

    cr_expect_eq(fake_conn_offer(fake, "stop", 4), 4);
    cr_expect_eq(fake->sent_count, sent_count);
    fake_conn_free(fake);
}

Test(source, closes_on_drain_only_when_it_would_never_end)
{
    struct fake_conn *endless = fake_conn_new(&source_service);
    struct fake_conn *limited = fake_conn_new_limited(&source_service, 1000000);

    fake_conn_server_drains(endless);
    cr_expect_eq(endless->close_count, 1);
    fake_conn_server_drains(limited);
    cr_expect_eq(limited->close_count, 0);
    drain_times(limited, 20);
    cr_expect_eq(limited->sent_count, 1000000);
    cr_expect_eq(limited->close_count, 1);
    fake_conn_free(endless);
    fake_conn_free(limited);
}

Test(source, stops_when_a_write_fails)
{
    struct fake_conn *fake = fake_conn_new(&source_service);
    size_t sent_count = fake->sent_count;

    fake->fails = true;
    fake_conn_drain(fake);
    cr_expect_eq(fake->abort_count, 1);
    cr_expect_eq(fake->sent_count, sent_count);
    fake_conn_free(fake);
}
