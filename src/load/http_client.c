/* GET requests over HTTP/1.1 with keep-alive against any server, `depth` of them under way. The
 * body is compared byte by byte when the server is ours, and held to its framing otherwise. */
#include <stdio.h>
#include <string.h>

#include "base/payload.h"
#include "load/thread.h"

static void prepare(const struct load_plan *plan, const struct payload *payload,
                    struct client_request *out)
{
    (void)payload;
    out->bytes = (size_t)snprintf((char *)out->data, sizeof out->data,
                                  "GET %s HTTP/1.1\r\n"
                                  "Host: %s\r\n"
                                  "User-Agent: tlsdyno/" TLSDYNO_VERSION "\r\n"
                                  "\r\n",
                                  plan->path, plan->authority);
}

static void on_connected(struct conn *conn)
{
    struct load_client *client = client_of(conn);
    const struct client_request *request = client->thread->request;

    if (exchange_begin_early(client)) {
        client->early_bytes = conn_write_early(conn, request->data, request->bytes);
    }
}

/* The rest of what was begun as early data, or all of it when the server did not take it. */
static void settle_early(struct load_client *client)
{
    const struct client_request *request = client->thread->request;
    const size_t taken = exchange_early_taken(client);

    conn_write(client->conn, request->data + taken, request->bytes - taken);
    load_totals_add(&client->thread->totals, LOAD_TOTAL_BYTES_OUT, request->bytes - taken);
}

static void begin_requests(struct load_client *client)
{
    struct load_thread *thread = client->thread;
    const struct client_request *request = thread->request;

    if (thread->stage == LOAD_STAGE_RAMP || client->is_ending || client->is_leaving) {
        return;
    }
    while (conn_output_room(client->conn) > 0 && exchange_begin(client)) {
        conn_write(client->conn, request->data, request->bytes);
        load_totals_add(&thread->totals, LOAD_TOTAL_BYTES_OUT, request->bytes);
    }
    if (exchange_is_over(client)) {
        client_leave(client);
    }
}

static void on_open(struct conn *conn)
{
    struct load_client *client = client_of(conn);

    client_opened(client);
    if (client->asked_early) {
        settle_early(client);
    }
    begin_requests(client);
    client->is_prompt = client->exchange.begun > 0;
}

static void on_writable(struct conn *conn)
{
    begin_requests(client_of(conn));
}

static bool is_success(const struct http_response *response)
{
    return response->status >= 200 && response->status < 300;
}

/* Of ours only octets are the payload sequence; texts are the greeting at "/" and refusals. */
static bool body_is_right(const struct load_client *client, const uint8_t *body, size_t count)
{
    const struct http_response *response = &client->response;

    return !response->is_tlsdyno || !response->is_octets ||
           payload_matches(client->thread->payload, response->body_bytes - count, body, count);
}

/* Returns whether the connection goes on. */
static bool end_answer(struct load_client *client)
{
    struct http_response *response = &client->response;
    const bool goes_on = response->keep_alive;

    if (!is_success(response)) {
        load_totals_add(&client->thread->totals, LOAD_TOTAL_HTTP_STATUS_OTHER, 1);
    }
    memset(response, 0, offsetof(struct http_response, line));
    exchange_answered(client);
    if (!goes_on) {
        client_leave(client);
    }
    return goes_on;
}

/* One step through the answers. Returns whether there is another to take. */
static bool take_step(struct load_client *client, const uint8_t **bytes, size_t *count)
{
    struct http_response *response = &client->response;
    enum http_event event;
    size_t used;
    size_t body_bytes;

    if (!response->begun) {
        if (*count == 0) {
            return false;
        }
        if (client->exchange.count == 0) {
            client_fail(client, "the server sent more than was asked for");
            return false;
        }
        exchange_first_byte(client);
    }
    event = http_response_next(response, *bytes, *count, &used, &body_bytes);
    *bytes += used;
    *count -= used;
    switch (event) {
    case HTTP_BODY:
        if (!body_is_right(client, *bytes - body_bytes, body_bytes)) {
            client_fail_corrupt(client);
            return false;
        }
        return true;
    case HTTP_DONE:
        return end_answer(client);
    case HTTP_BAD:
        client_fail(client, "the answer is not valid HTTP/1.1");
        return false;
    default:
        return false;
    }
}

static size_t on_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct load_client *client = client_of(conn);
    const size_t all = count;

    load_totals_add(&client->thread->totals, LOAD_TOTAL_BYTES_IN, count);
    while (take_step(client, &bytes, &count)) {
    }
    if (!client->is_blamed) {
        begin_requests(client);
    }
    return all;
}

/* The end of the stream can be the end of an answer (RFC 9112 6.3). */
static void on_end(struct conn *conn)
{
    struct load_client *client = client_of(conn);

    if (client->response.begun && http_response_end(&client->response) == HTTP_DONE) {
        end_answer(client);
    } else {
        conn_close(conn);
    }
}

static void on_closed(struct conn *conn)
{
    struct load_client *client = client_of(conn);
    const struct exchange *exchange = &client->exchange;
    enum failure_owed owed = FAILURE_OWED_NOTHING;

    if (client->response.begun) {
        owed = FAILURE_OWED_REST;
    } else if (exchange->answered > 0 &&
               (conn->end == CONN_END_CLEAN || conn->end == CONN_END_TRUNCATED)) {
        /* A server may end a kept-alive connection at any time between answers (RFC 9112 9.5). */
        client->is_ending = true;
    } else if (exchange->count > 0) {
        owed = FAILURE_OWED_ANSWER;
    }
    exchange_forget(client);
    client_closed(client, owed);
}

const struct client_kind http_client = {
    .service = {.name = "http",
                .on_connected = on_connected,
                .on_open = on_open,
                .on_data = on_data,
                .on_writable = on_writable,
                .on_end = on_end,
                .on_closed = on_closed},
    .prepare = prepare,
    .start = begin_requests,
    .timer = exchange_timed_out,
};
