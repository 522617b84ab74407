#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "fake_conn.h"
#include "service/http_request.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK(type, length)                                                                           \
    "HTTP/1.1 200 OK\r\nServer: tlsdyno\r\nContent-Type: " type "\r\nContent-Length: " length "\r" \
    "\n"
#define HELLO    OK("text/plain", "16") "\r\ntlsdyno: hello!\n"
#define POSTED_3 OK("application/json", "13") "\r\n{\"bytes\": 3}\n"

/* What a fresh connection answers to a text. */
static void expect_answer(const char *text, const char *answer, bool closes)
{
    struct fake_conn *fake = fake_conn_new(&http_service);

    cr_expect_str_eq(fake_conn_say(fake, text), answer);
    cr_expect_eq(fake->close_count, closes ? 1 : 0, "after %s", text);
    fake_conn_free(fake);
}

/* That the answer has this status, and whether the connection closes after it. */
static void expect_status(const char *text, unsigned status, bool closes)
{
    struct fake_conn *fake = fake_conn_new(&http_service);
    char start[32];
    const char *sent = fake_conn_say(fake, text);

    snprintf(start, sizeof start, "HTTP/1.1 %u ", status);
    cr_expect_eq(strncmp(sent, start, strlen(start)), 0, "%s got %s", text, sent);
    cr_expect_eq(strstr(sent, "\r\nConnection: close\r\n") != NULL, closes);
    cr_expect_eq(fake->close_count, closes ? 1 : 0);
    cr_expect_eq(fake->message_count, 1);
    fake_conn_free(fake);
}

Test(http, get_answers_in_one_write)
{
    struct fake_conn *fake = fake_conn_new(&http_service);
    const char *head = OK("application/octet-stream", "16") "\r\n";
    const char *sent = fake_conn_say(fake, GET("/16"));

    cr_expect_eq(strncmp(sent, head, strlen(head)), 0, "%s", sent);
    cr_expect_eq(fake->sent_count, strlen(head) + 16);
    cr_expect(payload_matches(&fake->payload, 0, fake->sent + strlen(head), 16));
    cr_expect_eq(fake->write_count, 1);
    cr_expect_eq(fake->message_count, 1);
    fake_conn_free(fake);
    expect_answer(GET("/"), HELLO, false);
    expect_answer(GET("/0"), OK("application/octet-stream", "0") "\r\n", false);
}

Test(http, head_answers_without_a_body)
{
    expect_answer("HEAD /1mi HTTP/1.1\r\nHost: a\r\n\r\n",
                  OK("application/octet-stream", "1048576") "\r\n", false);
    expect_answer("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", OK("text/plain", "16") "\r\n", false);
    expect_answer("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n",
                  "HTTP/1.1 404 Not Found\r\nServer: tlsdyno\r\nContent-Type: text/plain\r\n"
                  "Content-Length: 14\r\n\r\n",
                  false);
}

Test(http, post_and_put_say_how_many_bytes_came)
{
    expect_answer("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", POSTED_3, false);
    expect_answer("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "1\r\na\r\n2;x\r\nbc\r\n0\r\nT: u\r\n\r\n",
                  POSTED_3, false);
    expect_answer("POST / HTTP/1.1\r\nHost: a\r\n\r\n",
                  OK("application/json", "13") "\r\n{\"bytes\": 0}\n", false);
}

Test(http, continue_comes_before_the_body)
{
    struct fake_conn *fake = fake_conn_new(&http_service);

    cr_expect_str_eq(fake_conn_say(fake, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                                         "Expect: 100-continue\r\n\r\n"),
                     "HTTP/1.1 100 Continue\r\n\r\n");
    cr_expect_str_eq(fake_conn_say(fake, "abc"), "HTTP/1.1 100 Continue\r\n\r\n" POSTED_3);
    fake_conn_free(fake);
}

Test(http, errors_that_keep_the_connection)
{
    expect_status(GET("/nothing"), 404, false);
    expect_status("GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 404, false);
    expect_status("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, false);
    expect_status("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405, false);
    expect_status("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, false);
}

Test(http, method_not_allowed_names_those_that_are)
{
    struct fake_conn *fake = fake_conn_new(&http_service);
    const char *sent = fake_conn_say(fake, "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");

    cr_expect_not_null(strstr(sent, "\r\nAllow: GET, HEAD, POST, PUT\r\n"));
    fake_conn_free(fake);
}

Test(http, errors_that_close)
{
    char *large = malloc(HTTP_HEAD_BYTES_MAX + 100);

    expect_status("nonsense\r\n", 400, true);
    expect_status("GET / HTTP/1.1\r\n\r\n", 400, true);
    expect_status("GET / HTTP/3.0\r\n", 505, true);
    expect_status("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br, chunked\r\n\r\n", 501, true);
    expect_status("GET / HTTP/1.1\r\nExpect: cake\r\n", 417, true);
    memset(large, 'x', HTTP_HEAD_BYTES_MAX + 99);
    large[HTTP_HEAD_BYTES_MAX + 99] = '\0';
    expect_status(large, 414, true);
    memcpy(large, "GET / HTTP/1.1\r\n", 16);
    expect_status(large, 431, true);
    free(large);
}

Test(http, keep_alive_of_both_versions)
{
    expect_answer("GET / HTTP/1.0\r\n\r\n",
                  OK("text/plain", "16") "Connection: close\r\n\r\ntlsdyno: hello!\n", true);
    expect_answer("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                  OK("text/plain", "16") "Connection: keep-alive\r\n\r\ntlsdyno: hello!\n", false);
    expect_answer("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                  OK("text/plain", "16") "Connection: close\r\n\r\ntlsdyno: hello!\n", true);
}

Test(http, nothing_is_answered_after_the_last)
{
    expect_answer("GET / HTTP/1.0\r\n\r\n" GET("/"),
                  OK("text/plain", "16") "Connection: close\r\n\r\ntlsdyno: hello!\n", true);
}

Test(http, pipelined_answers_share_a_write)
{
    struct fake_conn *fake = fake_conn_new(&http_service);

    cr_expect_str_eq(fake_conn_say(fake, GET("/") GET("/") GET("/")), HELLO HELLO HELLO);
    cr_expect_eq(fake->write_count, 1);
    cr_expect_eq(fake->message_count, 3);
    fake_conn_free(fake);
}

Test(http, large_body_goes_out_in_full_records_within_the_output_bound)
{
    struct fake_conn *fake = fake_conn_new(&http_service);
    const char *head = OK("application/octet-stream", "10485760") "\r\n";
    size_t count = strlen(head) + 10485760;

    fake_conn_say(fake, GET("/10mi"));
    cr_expect_eq(fake->sent_count, count);
    cr_expect(payload_matches(&fake->payload, 0, fake->sent + strlen(head), 10485760));
    cr_expect_eq(fake->write_count, (count + PAYLOAD_SPAN_MAX - 1) / PAYLOAD_SPAN_MAX);
    cr_expect_lt(fake->output_max, CONN_OUTPUT_HIGH_BYTES + PAYLOAD_SPAN_MAX);
    fake_conn_free(fake);
}

Test(http, leaves_requests_with_the_data_path_while_an_answer_has_no_room)
{
    struct fake_conn *fake = fake_conn_new(&http_service);
    const char *first = GET("/400k");
    const char *both = GET("/400k") GET("/");

    cr_expect_eq(fake_conn_offer(fake, both, strlen(both)), strlen(first));
    cr_expect_eq(fake_conn_offer(fake, GET("/"), strlen(GET("/"))), 0);
    fake_conn_say(fake, GET("/"));
    cr_expect_str_eq(fake_conn_sent(fake) + fake->sent_count - strlen(HELLO), HELLO);
    cr_expect_eq(fake->message_count, 2);
    fake_conn_free(fake);
}

Test(http, a_flood_of_small_requests_stays_within_the_output_bound)
{
    struct fake_conn *fake = fake_conn_new(&http_service);
    const char *request = GET("/4k");
    size_t count = strlen(request);
    uint8_t record[16384];
    size_t used = 0;

    for (; used + count <= sizeof record; used += count) {
        memcpy(record + used, request, count);
    }
    cr_expect_lt(fake_conn_offer(fake, record, used), used);
    cr_expect_lt(fake->output_max, CONN_OUTPUT_HIGH_BYTES + PAYLOAD_SPAN_MAX);
    fake_conn_free(fake);
}

Test(http, drains_at_once_when_idle_but_answers_a_first_request)
{
    struct fake_conn *fresh = fake_conn_new(&http_service);
    struct fake_conn *used = fake_conn_new(&http_service);

    fake_conn_server_drains(fresh);
    cr_expect_eq(fresh->close_count, 0, "its client could not know");
    cr_expect_str_eq(fake_conn_say(fresh, GET("/")),
                     OK("text/plain", "16") "Connection: close\r\n\r\ntlsdyno: hello!\n");
    cr_expect_eq(fresh->close_count, 1);
    fake_conn_say(used, GET("/"));
    fake_conn_server_drains(used);
    cr_expect_eq(used->close_count, 1);
    fake_conn_free(fresh);
    fake_conn_free(used);
}

Test(http, drains_after_the_request_or_the_answer_under_way)
{
    struct fake_conn *reading = fake_conn_new(&http_service);
    struct fake_conn *answering = fake_conn_new(&http_service);

    fake_conn_say(reading, "GET / HTT");
    fake_conn_server_drains(reading);
    cr_expect_eq(reading->close_count, 0);
    cr_expect_str_eq(fake_conn_say(reading, "P/1.1\r\nHost: a\r\n\r\n" GET("/")),
                     OK("text/plain", "16") "Connection: close\r\n\r\ntlsdyno: hello!\n");
    cr_expect_eq(reading->close_count, 1);

    fake_conn_offer(answering, GET("/200ki"), strlen(GET("/200ki")));
    fake_conn_server_drains(answering);
    cr_expect_eq(answering->close_count, 0);
    fake_conn_drain(answering);
    cr_expect_eq(answering->close_count, 1);
    cr_expect_gt(answering->sent_count, 200 * 1024);

    fake_conn_free(reading);
    fake_conn_free(answering);
}

Test(http, the_peers_end_leaves_the_answer_under_way_owed)
{
    struct fake_conn *cut = fake_conn_new(&http_service);
    struct fake_conn *answering = fake_conn_new(&http_service);

    fake_conn_say(cut, "GET / HTT");
    fake_conn_end(cut);
    cr_expect_eq(cut->close_count, 1);
    cr_expect_eq(cut->sent_count, 0);

    fake_conn_offer(answering, GET("/200ki"), strlen(GET("/200ki")));
    fake_conn_end(answering);
    cr_expect_eq(answering->close_count, 0);
    fake_conn_drain(answering);
    cr_expect_eq(answering->close_count, 1);
    cr_expect_gt(answering->sent_count, 200 * 1024);

    fake_conn_free(cut);
    fake_conn_free(answering);
}

Test(http, stops_when_a_write_fails)
{
    struct fake_conn *fake = fake_conn_new(&http_service);

    fake->fails = true;
    cr_expect_eq(fake_conn_offer(fake, GET("/1048576mi"), strlen(GET("/1048576mi"))),
                 strlen(GET("/1048576mi")));
    cr_expect_eq(fake->abort_count, 1);
    cr_expect_eq(fake->close_count, 0);
    fake_conn_free(fake);
}

enum { STREAM_BYTES_MAX = 65536, STREAM_REQUESTS = 60, SPLIT_ROUNDS = 200 };

/* A pipelined stream of valid requests, drawn at random. */
static size_t draw_stream(struct random *random, char stream[STREAM_BYTES_MAX])
{
    static const char *const requests[] = {
        GET("/"),
        GET("/16"),
        GET("/20k?query"),
        GET("/nothing"),
        "HEAD /1mi HTTP/1.1\r\nHost: a\r\nUser-Agent: test/1\r\nAccept: */*\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 29\r\n\r\nGET / HTTP/1.1\r\nHost: "
        "b\r\n\r\n--",
        "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n1f;x=y\r\n\r\n0\r\n\r\n0123456789012345678901\r\n\r\n0\r\nA: b\r\n\r\n",
        "\r\nDELETE /7 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
    };
    size_t used = 0;

    for (int i = 0; i < STREAM_REQUESTS; i++) {
        const char *request = requests[random_below(random, sizeof requests / sizeof *requests)];
        size_t count = strlen(request);

        memcpy(stream + used, request, count);
        used += count;
    }
    return used;
}

Test(http, any_split_of_a_stream_is_answered_alike)
{
    static char stream[STREAM_BYTES_MAX];
    struct random random = {.state = 20260101};

    for (int round = 0; round < SPLIT_ROUNDS; round++) {
        size_t count = draw_stream(&random, stream);
        size_t span_max = (size_t)1 << random_below(&random, 12);
        struct fake_conn *whole = fake_conn_new(&http_service);
        struct fake_conn *split = fake_conn_new(&http_service);

        fake_conn_receive(whole, stream, count, count);
        for (size_t offset = 0; offset < count;) {
            size_t left = count - offset;
            size_t part = 1 + (size_t)random_below(&random, span_max);

            part = part < left ? part : left;
            fake_conn_receive(split, stream + offset, part, part);
            offset += part;
        }
        cr_assert_eq(whole->message_count, STREAM_REQUESTS);
        cr_assert_eq(split->message_count, STREAM_REQUESTS, "round %d", round);
        cr_assert_eq(split->sent_count, whole->sent_count, "round %d", round);
        cr_assert_eq(memcmp(split->sent, whole->sent, whole->sent_count), 0, "round %d", round);
        fake_conn_free(whole);
        fake_conn_free(split);
    }
}

Test(http, any_split_of_a_mutilated_stream_is_answered_alike)
{
    static char stream[STREAM_BYTES_MAX];
    struct random random = {.state = 7};

    for (int round = 0; round < SPLIT_ROUNDS; round++) {
        size_t count = draw_stream(&random, stream);
        struct fake_conn *whole = fake_conn_new(&http_service);
        struct fake_conn *split = fake_conn_new(&http_service);

        stream[random_below(&random, count)] = (char)random_next(&random);
        fake_conn_receive(whole, stream, count, count);
        fake_conn_receive(split, stream, count, 1);
        cr_assert_eq(split->close_count, whole->close_count, "round %d", round);
        cr_assert_eq(split->sent_count, whole->sent_count, "round %d", round);
        cr_assert_eq(memcmp(split->sent, whole->sent, whole->sent_count), 0, "round %d", round);
        fake_conn_free(whole);
        fake_conn_free(split);
    }
}
