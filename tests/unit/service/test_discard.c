#include <criterion/criterion.h>

#include "fake_conn.h"

Test(discard, takes_everything_and_answers_nothing)
{
    struct fake_conn *fake = fake_conn_new(&discard_service);

    cr_expect_eq(fake_conn_offer(fake, fake->payload.bytes, PAYLOAD_SPAN_MAX), PAYLOAD_SPAN_MAX);
    cr_expect_eq(fake_conn_offer(fake, "x", 1), 1);
    cr_expect_eq(fake->message_count, 2);
    cr_expect_eq(fake->write_count, 0);
    fake_conn_end(fake);
    cr_expect_eq(fake->close_count, 1);
    fake_conn_free(fake);
}
