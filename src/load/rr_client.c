/* Requests and answers against an echo or rr server, in a closed loop: `depth` requests under way,
 * and the next one begun when an answer is complete. Each answer is compared byte by byte. */
#include <string.h>

#include "base/payload.h"
#include "load/thread.h"
#include "service/services.h"

/* Less than the high-water mark by more than a record: at the mark the data path would stop
 * reading, and an echo server that cannot write does not read on either. */
enum { OUTPUT_BYTES_MAX = CONN_OUTPUT_HIGH_BYTES - 2 * PAYLOAD_SPAN_MAX };

static void put_big_endian(uint8_t out[4], uint64_t value)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

/* An rr request is its header and then the payload sequence; only the first record is special. */
static void prepare(const struct load_plan *plan, const struct payload *payload,
                    struct client_request *out)
{
    if (plan->peer != LOAD_PEER_RR) {
        return;
    }
    out->bytes =
        plan->message_bytes < sizeof out->data ? (size_t)plan->message_bytes : sizeof out->data;
    memcpy(out->data, payload_at(payload, 0), out->bytes);
    put_big_endian(out->data, plan->message_bytes);
    put_big_endian(out->data + 4, plan->response_bytes);
}

/* Where in the payload sequence echo request `number` begins. Neighbouring requests and
 * connections have different bytes, so that an answer to another request is noticed; none begins
 * where a source does. */
static uint64_t echo_start(const struct load_client *client, uint64_t number)
{
    return (client->index + 1ull) * 7919 + number * 9973;
}

/* What is left of the request begun last, up to a span. */
static const uint8_t *next_piece(const struct load_client *client, size_t *out_count)
{
    const struct load_thread *thread = client->thread;
    const uint64_t left = thread->plan->message_bytes - client->request_offset;

    *out_count = left < PAYLOAD_SPAN_MAX ? (size_t)left : PAYLOAD_SPAN_MAX;
    if (thread->plan->peer != LOAD_PEER_RR) {
        return payload_at(thread->payload,
                          echo_start(client, client->exchange.begun - 1) + client->request_offset);
    }
    if (client->request_offset < thread->request->bytes) {
        *out_count = thread->request->bytes - client->request_offset;
        return thread->request->data + client->request_offset;
    }
    return payload_at(thread->payload, client->request_offset);
}

static void move_on(struct load_client *client, size_t count)
{
    client->request_offset += count;
    if (client->request_offset == client->thread->plan->message_bytes) {
        client->request_offset = 0;
    }
}

static void write_piece(struct load_client *client)
{
    size_t count;
    const uint8_t *bytes = next_piece(client, &count);

    conn_write(client->conn, bytes, count);
    load_totals_add(&client->thread->totals, LOAD_TOTAL_BYTES_OUT, count);
    move_on(client, count);
}

static void on_connected(struct conn *conn)
{
    struct load_client *client = client_of(conn);
    const uint8_t *bytes;
    size_t count;

    if (exchange_begin_early(client)) {
        bytes = next_piece(client, &count);
        client->early_bytes = conn_write_early(conn, bytes, count);
    }
}

/* The rest of what was begun as early data, or all of it when the server did not take it. */
static void settle_early(struct load_client *client)
{
    move_on(client, exchange_early_taken(client));
    if (client->early_bytes == 0) {
        write_piece(client);
    }
}

static void begin_requests(struct load_client *client)
{
    if (client->is_leaving) {
        return;
    }
    client->is_waiting = false;
    if (client->thread->stage == LOAD_STAGE_RAMP || client->is_ending) {
        return;
    }
    while (client->request_offset > 0 || exchange_begin(client)) {
        write_piece(client);
        if (client->conn->output.bytes >= OUTPUT_BYTES_MAX) {
            client_wait(client);
            return;
        }
    }
    if (exchange_is_over(client)) {
        client_leave(client);
    }
}

static void poll_output(struct load_client *client)
{
    if (client->conn->output.bytes <= CONN_OUTPUT_LOW_BYTES) {
        begin_requests(client);
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

static size_t on_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct load_client *client = client_of(conn);
    struct load_thread *thread = client->thread;
    const uint64_t response_bytes = thread->plan->response_bytes;
    const bool is_echo = thread->plan->peer != LOAD_PEER_RR;

    load_totals_add(&thread->totals, LOAD_TOTAL_BYTES_IN, count);
    for (size_t used = 0; used < count;) {
        const uint64_t left = response_bytes - client->answer_offset;
        const size_t piece = count - used < left ? count - used : (size_t)left;
        const uint64_t start = is_echo ? echo_start(client, client->exchange.answered) : 0;

        if (client->exchange.count == 0) {
            client_fail(client, "the server sent more than was asked for");
            return count;
        }
        if (client->answer_offset == 0) {
            exchange_first_byte(client);
        }
        if (!payload_matches(thread->payload, start + client->answer_offset, bytes + used, piece)) {
            client_fail_corrupt(client);
            return count;
        }
        used += piece;
        client->answer_offset += piece;
        if (client->answer_offset == response_bytes) {
            client->answer_offset = 0;
            exchange_answered(client);
        }
    }
    if (!client->is_waiting) {
        begin_requests(client);
    }
    return count;
}

static void on_closed(struct conn *conn)
{
    struct load_client *client = client_of(conn);
    const enum failure_owed owed = client->answer_offset > 0    ? FAILURE_OWED_REST
                                   : client->exchange.count > 0 ? FAILURE_OWED_ANSWER
                                                                : FAILURE_OWED_NOTHING;

    exchange_forget(client);
    client_closed(client, owed);
}

const struct client_kind rr_client = {
    .service = {.name = "rr",
                .on_connected = on_connected,
                .on_open = on_open,
                .on_data = on_data,
                .on_closed = on_closed},
    .prepare = prepare,
    .start = begin_requests,
    .timer = exchange_timed_out,
    .poll = poll_output,
};
