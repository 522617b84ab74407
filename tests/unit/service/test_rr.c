#include <criterion/criterion.h>
#include <string.h>

#include "fake_conn.h"

/* Writes a request and returns its size. */
static size_t put_request(uint8_t *out, uint32_t request_bytes, uint32_t response_bytes)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(request_bytes >> (24 - 8 * i));
        out[4 + i] = (uint8_t)(response_bytes >> (24 - 8 * i));
    }
    if (request_bytes > RR_HEADER_BYTES) { /* a loop makes gcc 14 fear for short buffers at -O3 */
        memset(out + RR_HEADER_BYTES, 'x', request_bytes - RR_HEADER_BYTES);
    }
    return request_bytes;
}

Test(rr, answers_the_payload_from_its_start_once_the_request_is_whole)
{
    struct fake_conn *fake = fake_conn_new(&rr_service);
    uint8_t request[100];
    size_t count = put_request(request, 100, 300);

    fake_conn_receive(fake, request, count - 1, count);
    cr_expect_eq(fake->sent_count, 0);
    fake_conn_receive(fake, request + count - 1, 1, 1);
    cr_expect_eq(fake->sent_count, 300);
    cr_expect(payload_matches(&fake->payload, 0, fake->sent, 300));
    cr_expect_eq(fake->message_count, 1);
    fake_conn_receive(fake, request, count, count);
    cr_expect_eq(fake->sent_count, 600);
    cr_expect(payload_matches(&fake->payload, 0, fake->sent + 300, 300));
    fake_conn_free(fake);
}

Test(rr, pipelined_requests_are_answered_alike_in_any_fragmentation)
{
    static const uint32_t sizes[][2] = {{8, 1}, {8, 0}, {9, 70000}, {20000, 5}, {64, 64}};
    static uint8_t stream[5 * 20000];
    size_t count = 0;

    for (size_t i = 0; i < 5; i++) {
        count += put_request(stream + count, sizes[i][0], sizes[i][1]);
    }
    for (size_t record_bytes = 1; record_bytes <= 16384; record_bytes *= 2) {
        struct fake_conn *fake = fake_conn_new(&rr_service);

        fake_conn_receive(fake, stream, count, record_bytes);
        cr_expect_eq(fake->sent_count, 70070, "%zu bytes a record", record_bytes);
        cr_expect_eq(fake->message_count, 5);
        cr_expect(payload_matches(&fake->payload, 0, fake->sent + 1, 70000));
        fake_conn_free(fake);
    }
}

Test(rr, leaves_requests_with_the_data_path_while_an_answer_has_no_room)
{
    struct fake_conn *fake = fake_conn_new(&rr_service);
    uint8_t requests[16];

    put_request(requests, 8, 400000);
    put_request(requests + 8, 8, 1);
    cr_expect_eq(fake_conn_offer(fake, requests, 16), 8);
    cr_expect_eq(fake_conn_offer(fake, requests + 8, 8), 0);
    cr_expect_lt(fake->output_max, CONN_OUTPUT_HIGH_BYTES + PAYLOAD_SPAN_MAX);
    fake_conn_receive(fake, requests + 8, 8, 8);
    cr_expect_eq(fake->sent_count, 400001);
    cr_expect(payload_matches(&fake->payload, 0, fake->sent, 400000));
    fake_conn_free(fake);
}

Test(rr, a_header_that_breaks_the_rules_ends_the_connection)
{
    static const struct {
        uint32_t request_bytes, response_bytes;
        bool valid;
    } rows[] = {
        {8, 1, true},           {7, 1, false}, {0, 1, false},
        {8, 1u << 30, true},    {9, 0, true},  {8, (1u << 30) + 1, false},
        {8, UINT32_MAX, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_conn *fake = fake_conn_new(&rr_service);
        uint8_t header[16] = {0};

        put_request(header, rows[i].request_bytes, rows[i].response_bytes);
        fake_conn_offer(fake, header, RR_HEADER_BYTES);
        cr_expect_eq(fake->abort_count, rows[i].valid ? 0 : 1, "row %zu", i);
        cr_expect_eq(fake->conn.end, rows[i].valid ? CONN_END_NONE : CONN_END_LOCAL);
        fake_conn_free(fake);
    }
}

Test(rr, drains_at_once_when_idle_but_for_a_first_request_and_after_the_answer_when_not)
{
    struct fake_conn *fresh = fake_conn_new(&rr_service);
    struct fake_conn *idle = fake_conn_new(&rr_service);
    struct fake_conn *reading = fake_conn_new(&rr_service);
    struct fake_conn *answering = fake_conn_new(&rr_service);
    uint8_t request[10];

    put_request(request, 8, 3);
    fake_conn_server_drains(fresh);
    cr_expect_eq(fresh->close_count, 0, "its client could not know");
    fake_conn_offer(fresh, request, 8);
    cr_expect_eq(fresh->sent_count, 3);
    cr_expect_eq(fresh->close_count, 1);

    fake_conn_offer(idle, request, 8);
    fake_conn_server_drains(idle);
    cr_expect_eq(idle->close_count, 1);

    put_request(request, 10, 3);
    fake_conn_offer(reading, request, 9);
    fake_conn_server_drains(reading);
    cr_expect_eq(reading->close_count, 0);
    fake_conn_offer(reading, request + 9, 1);
    cr_expect_eq(reading->sent_count, 3);
    cr_expect_eq(reading->close_count, 1);

    put_request(request, 8, 200000);
    fake_conn_offer(answering, request, 8);
    fake_conn_server_drains(answering);
    cr_expect_eq(answering->close_count, 0);
    fake_conn_drain(answering);
    cr_expect_eq(answering->sent_count, 200000);
    cr_expect_eq(answering->close_count, 1);

    fake_conn_free(fresh);
    fake_conn_free(idle);
    fake_conn_free(reading);
    fake_conn_free(answering);
}

Test(rr, the_peers_end_leaves_the_answer_under_way_owed)
{
    struct fake_conn *fake = fake_conn_new(&rr_service);
    uint8_t request[8];

    put_request(request, 8, 200000);
    fake_conn_offer(fake, request, 8);
    fake_conn_end(fake);
    cr_expect_eq(fake->close_count, 0);
    fake_conn_drain(fake);
    cr_expect_eq(fake->sent_count, 200000);
    cr_expect_eq(fake->close_count, 1);
    fake_conn_free(fake);
}
