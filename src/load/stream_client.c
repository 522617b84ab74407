/* One direction at a time, as fast as it goes: upload to a discard server, download from a source.
 * A message here is a block of plan->message_bytes of the stream. */
#include "base/payload.h"
#include "load/thread.h"

/* Blocks complete so far are done, beyond those that were before. */
static void count_blocks(struct load_client *client, uint64_t stream_bytes)
{
    struct load_thread *thread = client->thread;
    const uint64_t blocks = stream_bytes / thread->plan->message_bytes;
    const uint64_t more = blocks - client->exchange.answered;

    if (more > 0) {
        client->exchange.answered = blocks;
        client->failures = 0;
        load_totals_add(&thread->totals, LOAD_TOTAL_MESSAGES, more);
        thread_done(client, more);
    }
}

/* What the kernel has taken. How many of the queued bytes are TLS overhead is not known, so all
 * count as plaintext that has not left: an error of under 128 KiB that is gone when the queue is
 * empty. */
static void count_upload(struct load_client *client)
{
    const struct conn *conn = client->conn;
    const uint64_t queued = conn->output.bytes;
    const uint64_t left = conn->plain_bytes_out > queued ? conn->plain_bytes_out - queued : 0;

    if (left > client->left_bytes) {
        load_totals_add(&client->thread->totals, LOAD_TOTAL_BYTES_OUT, left - client->left_bytes);
        client->left_bytes = left;
        count_blocks(client, left);
    }
}

static bool begin_block(struct load_client *client)
{
    if (!thread_may_begin(client->thread)) {
        return false;
    }
    client->thread->under_way++;
    client->exchange.begun++;
    return true;
}

static void fill_output(struct load_client *client)
{
    struct conn *conn = client->conn;
    const struct load_thread *thread = client->thread;
    const uint64_t message_bytes = thread->plan->message_bytes;

    if (thread->stage == LOAD_STAGE_RAMP || client->is_ending) {
        return;
    }
    while (conn_output_room(conn) > 0) {
        uint64_t left = message_bytes - client->request_offset;
        const size_t count = left < PAYLOAD_SPAN_MAX ? (size_t)left : PAYLOAD_SPAN_MAX;

        if (client->request_offset == 0 && !begin_block(client)) {
            client_close(client); /* sends what is queued first */
            return;
        }
        if (conn->state != CONN_OPEN) {
            return;
        }
        conn_write(conn, payload_at(thread->payload, conn->plain_bytes_out), count);
        client->request_offset += count;
        if (client->request_offset == message_bytes) {
            client->request_offset = 0;
        }
    }
}

static void upload_open(struct conn *conn)
{
    struct load_client *client = client_of(conn);

    client_opened(client);
    fill_output(client);
}

static size_t upload_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct load_client *client = client_of(conn);

    (void)bytes;
    load_totals_add(&client->thread->totals, LOAD_TOTAL_BYTES_IN, count);
    return count;
}

static void upload_writable(struct conn *conn)
{
    struct load_client *client = client_of(conn);

    count_upload(client);
    fill_output(client);
}

static void upload_closed(struct conn *conn)
{
    struct load_client *client = client_of(conn);

    count_upload(client);
    client->thread->under_way -= client->exchange.begun - client->exchange.answered;
    client_closed(client, FAILURE_OWED_NOTHING);
}

static void download_open(struct conn *conn)
{
    client_opened(client_of(conn));
}

static size_t download_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct load_client *client = client_of(conn);
    struct load_thread *thread = client->thread;
    uint64_t more;

    load_totals_add(&thread->totals, LOAD_TOTAL_BYTES_IN, count);
    if (!payload_matches(thread->payload, client->answer_offset, bytes, count)) {
        client_fail_corrupt(client);
        return count;
    }
    client->answer_offset += count;
    more = client->answer_offset / thread->plan->message_bytes - client->exchange.answered;
    thread->under_way += more;
    count_blocks(client, client->answer_offset);
    if (thread->stage != LOAD_STAGE_RAMP && !thread_may_begin(thread)) {
        client_close(client);
    }
    return count;
}

static void download_closed(struct conn *conn)
{
    struct load_client *client = client_of(conn);

    if (conn->end == CONN_END_CLEAN && client->answer_offset > 0) {
        client->is_ending = true; /* a source may have an end */
    }
    client_closed(client, client->answer_offset > 0 ? FAILURE_OWED_REST : FAILURE_OWED_ANSWER);
}

const struct client_kind upload_client = {
    .service = {.name = "upload",
                .on_open = upload_open,
                .on_data = upload_data,
                .on_writable = upload_writable,
                .on_closed = upload_closed},
    .start = fill_output,
};

const struct client_kind download_client = {
    .service = {.name = "download",
                .on_open = download_open,
                .on_data = download_data,
                .on_closed = download_closed},
    .is_endless = true,
};
