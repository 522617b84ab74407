/* http: HTTP/1.1 and 1.0 with keep-alive and pipelining, for curl, wrk, h2load and ab.
 *
 * GET / is a short text, GET /16ki 16,384 payload bytes, POST and PUT read a body and say its size,
 * HEAD answers the same heads without bodies.
 *
 * Answers are composed in records of up to 16 KiB: head and small body share one, and so do the
 * answers to pipelined requests that came in one. */
#include <stdlib.h>
#include <string.h>

#include "base/payload.h"
#include "conn/conn.h"
#include "service/http_request.h"
#include "service/services.h"

struct http_state {
    struct http_request request;
    uint64_t body_offset; /* payload bytes of the answer under way: sent so far ... */
    uint64_t body_end;    /* ... and in all */
    bool last;            /* close after the answer under way */
    bool draining;        /* close after the request or the answer under way */
    bool asked;           /* a first request has come: until then one is owed an answer */
};

_Static_assert(sizeof(struct http_state) <= CONN_SERVICE_BYTES, "state must fit its room");

static struct http_state *state_of(struct conn *conn)
{
    return (struct http_state *)conn->service_state;
}

/* Plaintext on its way to conn_write(), gathered into whole records. Lives for one callback. */
struct http_writer {
    struct conn *conn;
    size_t count;
    uint8_t bytes[PAYLOAD_SPAN_MAX];
};

static void writer_flush(struct http_writer *writer)
{
    if (writer->count > 0) {
        conn_write(writer->conn, writer->bytes, writer->count);
        writer->count = 0;
    }
}

static void writer_append(struct http_writer *writer, const void *bytes, size_t count)
{
    const uint8_t *next = bytes;

    while (count > 0) {
        size_t room = sizeof writer->bytes - writer->count;
        size_t part = count < room ? count : room;

        if (part == sizeof writer->bytes) {
            conn_write(writer->conn, next, part); /* a whole record needs no copy */
        } else {
            memcpy(writer->bytes + writer->count, next, part);
            writer->count += part;
            if (part == room) {
                writer_flush(writer);
            }
        }
        next += part;
        count -= part;
    }
}

static void writer_append_text(struct http_writer *writer, const char *text)
{
    writer_append(writer, text, strlen(text));
}

enum { DECIMAL_BYTES = 20 };

/* Writes the number at the end of `digits` and returns where it starts: snprintf would take longer
 * than all the rest of a small answer. */
static const char *decimal(uint64_t value, char digits[DECIMAL_BYTES + 1])
{
    char *start = digits + DECIMAL_BYTES;

    *start = '\0';
    do {
        *--start = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return start;
}

/* Whether more may be written. What the writer holds counts as queued, so that once it is flushed
 * conn_output_room() tells the same. A failed write ends the connection and drops its output, which
 * looks like room: hence the state. */
static bool writer_has_room(const struct http_writer *writer)
{
    return writer->conn->state == CONN_OPEN && conn_output_room(writer->conn) > writer->count;
}

/* The statuses that are told with their own name for a body. */
static const struct {
    enum http_status status;
    const char *text;
} status_texts[] = {
    {HTTP_STATUS_BAD_REQUEST, "400 Bad Request"},
    {HTTP_STATUS_NOT_FOUND, "404 Not Found"},
    {HTTP_STATUS_METHOD_NOT_ALLOWED, "405 Method Not Allowed"},
    {HTTP_STATUS_URI_TOO_LONG, "414 URI Too Long"},
    {HTTP_STATUS_EXPECTATION_FAILED, "417 Expectation Failed"},
    {HTTP_STATUS_FIELDS_TOO_LARGE, "431 Request Header Fields Too Large"},
    {HTTP_STATUS_NOT_IMPLEMENTED, "501 Not Implemented"},
    {HTTP_STATUS_UNAVAILABLE, "503 Service Unavailable"},
    {HTTP_STATUS_VERSION_NOT_SUPPORTED, "505 HTTP Version Not Supported"},
};

static const char *status_text(enum http_status status)
{
    for (size_t i = 0; i < sizeof status_texts / sizeof status_texts[0]; i++) {
        if (status_texts[i].status == status) {
            return status_texts[i].text;
        }
    }
    abort(); /* a status without a row */
}

/* Everything before the body. */
static void write_head(struct http_writer *writer, const struct http_state *state,
                       const char *status, const char *type, uint64_t body_bytes)
{
    char digits[DECIMAL_BYTES + 1];

    writer_append_text(writer, "HTTP/1.1 ");
    writer_append_text(writer, status);
    writer_append_text(writer, "\r\nServer: tlsdyno\r\nContent-Type: ");
    writer_append_text(writer, type);
    writer_append_text(writer, "\r\nContent-Length: ");
    writer_append_text(writer, decimal(body_bytes, digits));
    if (state->last) {
        writer_append_text(writer, "\r\nConnection: close");
    } else if (state->request.version_minor == 0) {
        writer_append_text(writer, "\r\nConnection: keep-alive"); /* ab -k looks for it */
    }
    writer_append_text(writer, "\r\n\r\n");
}

static void answer_text(struct http_writer *writer, const struct http_state *state,
                        const char *status, const char *type, const char *body)
{
    write_head(writer, state, status, type, strlen(body));
    if (state->request.method != HTTP_HEAD) {
        writer_append_text(writer, body);
    }
}

static void answer_status(struct http_writer *writer, const struct http_state *state,
                          enum http_status status)
{
    const char *text = status_text(status);
    char body[64] = "";
    char allowed[64] = "";

    strcat(strcat(body, text), "\n");
    if (status == HTTP_STATUS_METHOD_NOT_ALLOWED) {
        text = strcat(strcat(allowed, text), "\r\nAllow: GET, HEAD, POST, PUT");
    }
    answer_text(writer, state, text, "text/plain", body);
}

/* How many bytes came. */
static void answer_upload(struct http_writer *writer, const struct http_state *state)
{
    char digits[DECIMAL_BYTES + 1];
    char body[64] = "{\"bytes\": ";

    strcat(strcat(body, decimal(state->request.body_bytes, digits)), "}\n");
    answer_text(writer, state, "200 OK", "application/json", body);
}

/* The head of the answer, and a body that is not payload; payload is left to send_body(). */
static void answer(struct http_writer *writer, struct http_state *state)
{
    const struct http_request *request = &state->request;

    switch (request->method) {
    case HTTP_METHOD_UNKNOWN:
        answer_status(writer, state, HTTP_STATUS_NOT_IMPLEMENTED);
        return;
    case HTTP_METHOD_OTHER:
        answer_status(writer, state, HTTP_STATUS_METHOD_NOT_ALLOWED);
        return;
    case HTTP_POST:
    case HTTP_PUT:
        answer_upload(writer, state);
        return;
    }
    switch (request->target) {
    case HTTP_TARGET_ROOT:
        answer_text(writer, state, "200 OK", "text/plain", "tlsdyno: hello!\n");
        return;
    case HTTP_TARGET_OTHER:
        answer_status(writer, state, HTTP_STATUS_NOT_FOUND);
        return;
    }
    write_head(writer, state, "200 OK", "application/octet-stream", request->size);
    state->body_offset = 0;
    state->body_end = request->method == HTTP_HEAD ? 0 : request->size;
}

/* Sends what there is room for of the answer under way. */
static void send_body(struct http_writer *writer, struct http_state *state)
{
    const struct service_config *config = writer->conn->service_config;

    while (state->body_offset < state->body_end && writer_has_room(writer)) {
        uint64_t left = state->body_end - state->body_offset;
        size_t room = sizeof writer->bytes - writer->count;
        size_t part = left < room ? (size_t)left : room;

        writer_append(writer, payload_at(config->payload, state->body_offset), part);
        state->body_offset += part;
    }
}

static bool body_is_sent(const struct http_state *state)
{
    return state->body_offset == state->body_end;
}

/* At the end of each callback: what was gathered goes out, and after the last answer the end. */
static void settle(struct http_writer *writer, struct http_state *state)
{
    bool at_rest = state->draining && state->asked && http_request_is_idle(&state->request);

    writer_flush(writer);
    if ((state->last || at_rest) && body_is_sent(state) && writer->conn->state == CONN_OPEN) {
        conn_close(writer->conn);
    }
}

/* Starts the answer to a request that is complete, or refused. */
static void begin_answer(struct http_writer *writer, struct http_state *state,
                         enum http_event event)
{
    state->asked = true;
    state->last = event == HTTP_REFUSED || !state->request.keep_alive || state->draining;
    if (event == HTTP_REFUSED) {
        answer_status(writer, state, state->request.status);
    } else {
        answer(writer, state);
    }
    conn_count_message(writer->conn, 1);
}

static size_t http_on_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    struct http_state *state = state_of(conn);
    struct http_writer writer;
    size_t taken = 0;

    writer.conn = conn;
    writer.count = 0;
    send_body(&writer, state);
    while (taken < count && !state->last && writer_has_room(&writer)) {
        size_t part;
        enum http_event event =
            http_request_feed(&state->request, bytes + taken, count - taken, &part);

        taken += part;
        if (event == HTTP_CONTINUE) {
            writer_append_text(&writer, "HTTP/1.1 100 Continue\r\n\r\n");
        } else if (event != HTTP_MORE) {
            begin_answer(&writer, state, event);
            send_body(&writer, state);
        }
    }
    settle(&writer, state);
    return conn->state == CONN_OPEN ? taken : count;
}

static void http_on_writable(struct conn *conn)
{
    struct http_writer writer;

    writer.conn = conn;
    writer.count = 0;
    send_body(&writer, state_of(conn));
    settle(&writer, state_of(conn));
}

/* The peer says no more: a request cut short will never be whole, but an answer is still owed. */
static void http_on_end(struct conn *conn)
{
    struct http_state *state = state_of(conn);

    state->last = true;
    http_on_writable(conn);
}

static void http_on_drain(struct conn *conn)
{
    struct http_state *state = state_of(conn);

    state->draining = true;
    http_on_writable(conn);
}

static void http_on_closed(struct conn *conn)
{
    http_request_deinit(&state_of(conn)->request);
}

const struct service http_service = {
    .name = "http",
    .help = "HTTP/1.1: GET /N answers N bytes, POST is read and answered",
    .on_data = http_on_data,
    .on_writable = http_on_writable,
    .on_end = http_on_end,
    .on_drain = http_on_drain,
    .on_closed = http_on_closed,
};
