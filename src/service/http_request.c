#include "service/http_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "service/http_line.h"

/* A new section of the request, with a new allowance of bytes for its lines. */
static void enter(struct http_request *request, enum http_phase phase)
{
    request->phase = (uint8_t)phase;
    request->head_bytes = 0;
}

static enum http_event refuse(struct http_request *request, uint16_t status)
{
    request->status = status;
    request->phase = HTTP_PHASE_REFUSED;
    return HTTP_REFUSED;
}

static enum http_event complete(struct http_request *request)
{
    enter(request, HTTP_PHASE_DONE);
    return HTTP_COMPLETE;
}

/* The empty line after the fields: what they say together. */
static enum http_event finish_head(struct http_request *request)
{
    bool is_1_0 = request->version_minor == 0;

    if ((!is_1_0 && !request->has_host) ||
        (request->is_chunked && (request->has_length || is_1_0))) {
        return refuse(request, HTTP_STATUS_BAD_REQUEST);
    }
    request->keep_alive = !request->says_close && (!is_1_0 || request->says_keep_alive);
    request->body_left = request->content_length;
    if (request->is_chunked) {
        enter(request, HTTP_PHASE_CHUNK_LINE);
    } else if (request->body_left > 0) {
        enter(request, HTTP_PHASE_BODY);
    } else {
        return complete(request);
    }
    return request->expects_continue && !is_1_0 ? HTTP_CONTINUE : HTTP_MORE;
}

static enum http_event read_line(struct http_request *request, struct span line)
{
    uint16_t status = 0;

    switch (request->phase) {
    case HTTP_PHASE_REQUEST_LINE:
        if (line.count == 0) {
            return HTTP_MORE; /* RFC 9112 2.2: some clients end a body with a spare CRLF */
        }
        status = http_line_parse_request(request, line);
        request->phase = HTTP_PHASE_FIELDS;
        break;
    case HTTP_PHASE_FIELDS:
        if (line.count == 0) {
            return finish_head(request);
        }
        status = http_line_parse_field(request, line);
        break;
    case HTTP_PHASE_CHUNK_LINE:
        status = http_line_parse_chunk(request, line);
        enter(request, request->body_left > 0 ? HTTP_PHASE_CHUNK_DATA : HTTP_PHASE_TRAILERS);
        break;
    case HTTP_PHASE_CHUNK_END:
        status = line.count == 0 ? 0 : HTTP_STATUS_BAD_REQUEST;
        enter(request, HTTP_PHASE_CHUNK_LINE);
        break;
    default:
        assert(request->phase == HTTP_PHASE_TRAILERS);
        if (line.count == 0) {
            return complete(request);
        }
        status = http_line_parse_field(request, line);
    }
    return status == 0 ? HTTP_MORE : refuse(request, status);
}

/* How long, CRLF included, the next line may be, and what to say when it is longer. */
static size_t line_bytes_max(const struct http_request *request, uint16_t *out_status)
{
    switch (request->phase) {
    case HTTP_PHASE_CHUNK_LINE:
        *out_status = HTTP_STATUS_BAD_REQUEST;
        return HTTP_CHUNK_LINE_BYTES_MAX;
    case HTTP_PHASE_CHUNK_END:
        *out_status = HTTP_STATUS_BAD_REQUEST;
        return 2;
    case HTTP_PHASE_REQUEST_LINE:
        *out_status = HTTP_STATUS_URI_TOO_LONG;
        return HTTP_HEAD_BYTES_MAX - request->head_bytes;
    default:
        *out_status = HTTP_STATUS_FIELDS_TOO_LARGE;
        return HTTP_HEAD_BYTES_MAX - request->head_bytes;
    }
}

/* Returns false when memory is out. */
static bool keep_partial(struct http_request *request, struct span piece)
{
    size_t needed = request->partial_count + piece.count;

    if (needed > request->partial_bytes) {
        size_t bytes = 256;
        uint8_t *grown;

        while (bytes < needed) {
            bytes *= 2;
        }
        grown = realloc(request->partial, bytes);
        if (grown == NULL) {
            return false;
        }
        request->partial = grown;
        request->partial_bytes = (uint32_t)bytes;
    }
    memcpy(request->partial + request->partial_count, piece.bytes, piece.count);
    request->partial_count = (uint32_t)needed;
    return true;
}

/* Takes bytes up to the end of the line at most, and reads the line when that end has come. */
static enum http_event take_line(struct http_request *request, struct span *left)
{
    const uint8_t *newline = memchr(left->bytes, '\n', left->count);
    size_t count = newline == NULL ? left->count : (size_t)(newline - left->bytes) + 1;
    struct span line = {left->bytes, count};
    uint16_t status;

    if (request->partial_count + count > line_bytes_max(request, &status)) {
        return refuse(request, status);
    }
    *left = span_skip(*left, count);
    if (newline == NULL || request->partial_count > 0) {
        if (!keep_partial(request, line)) {
            return refuse(request, HTTP_STATUS_UNAVAILABLE);
        }
        if (newline == NULL) {
            return HTTP_MORE;
        }
        line = (struct span){request->partial, request->partial_count};
        request->partial_count = 0;
    }
    if (line.count < 2 || line.bytes[line.count - 2] != '\r') {
        return refuse(request, HTTP_STATUS_BAD_REQUEST);
    }
    request->head_bytes += (uint32_t)line.count;
    line.count -= 2;
    return read_line(request, line);
}

static enum http_event take_body(struct http_request *request, struct span *left)
{
    size_t count = left->count < request->body_left ? left->count : (size_t)request->body_left;

    *left = span_skip(*left, count);
    request->body_left -= count;
    request->body_bytes += count;
    if (request->body_left > 0) {
        return HTTP_MORE;
    }
    if (request->phase == HTTP_PHASE_BODY) {
        return complete(request);
    }
    enter(request, HTTP_PHASE_CHUNK_END);
    return HTTP_MORE;
}

enum http_event http_request_feed(struct http_request *request, const uint8_t *bytes, size_t count,
                                  size_t *out_taken)
{
    struct span left = {bytes, count};
    enum http_event event = HTTP_MORE;

    assert(request->phase != HTTP_PHASE_REFUSED);
    if (request->phase == HTTP_PHASE_DONE) {
        *request = (struct http_request){
            .partial = request->partial,
            .partial_bytes = request->partial_bytes,
        };
    }
    while (left.count > 0 && event == HTTP_MORE) {
        event = request->phase == HTTP_PHASE_BODY || request->phase == HTTP_PHASE_CHUNK_DATA
                    ? take_body(request, &left)
                    : take_line(request, &left);
    }
    *out_taken = count - left.count;
    return event;
}

bool http_request_is_idle(const struct http_request *request)
{
    return request->phase == HTTP_PHASE_DONE ||
           (request->phase == HTTP_PHASE_REQUEST_LINE && request->partial_count == 0);
}

void http_request_deinit(struct http_request *request)
{
    free(request->partial);
    *request = (struct http_request){.partial = NULL};
}
