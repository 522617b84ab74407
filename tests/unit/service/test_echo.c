#include <criterion/criterion.h>
#include <string.h>

#include "fake_conn.h"

Test(echo, sends_back_what_came_record_by_record)
{
    struct fake_conn *fake = fake_conn_new(&echo_service);

    fake_conn_receive(fake, fake->payload.bytes, 50000, PAYLOAD_SPAN_MAX);
    cr_expect_eq(fake->sent_count, 50000);
    cr_expect_eq(memcmp(fake->sent, fake->payload.bytes, 50000), 0);
    cr_expect_eq(fake->write_count, 4);
    cr_expect_eq(fake->message_count, 4);
    cr_expect_eq(fake->close_count, 0);
    fake_conn_free(fake);
}

Test(echo, takes_a_record_whole_even_without_room)
{
    struct fake_conn *fake = fake_conn_new(&echo_service);

    fake->conn.output.bytes = CONN_OUTPUT_HIGH_BYTES;
    cr_expect_eq(fake_conn_offer(fake, "abc", 3), 3);
    cr_expect_str_eq(fake_conn_sent(fake), "abc");
    fake_conn_free(fake);
}

Test(echo, goes_on_while_the_server_drains_and_closes_after_the_peer)
{
    struct fake_conn *fake = fake_conn_new(&echo_service);

    fake_conn_server_drains(fake);
    cr_expect_str_eq(fake_conn_say(fake, "still here"), "still here");
    cr_expect_eq(fake->close_count, 0);
    fake_conn_end(fake);
    cr_expect_eq(fake->close_count, 1);
    fake_conn_free(fake);
}
