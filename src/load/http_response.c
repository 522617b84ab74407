#include "load/http_response.h"

#include <string.h>
#include <strings.h>

struct text {
    const char *start;
    size_t bytes;
};

/* The next line without its end. Returns false, with all bytes taken, when it is not complete. */
static bool take_line(struct http_response *response, const uint8_t *bytes, size_t count,
                      size_t *out_used, struct text *out_line)
{
    const uint8_t *newline = memchr(bytes, '\n', count);
    const size_t used = newline != NULL ? (size_t)(newline - bytes) + 1 : count;
    const size_t room = sizeof response->line - response->line_bytes;

    *out_used = used;
    response->head_bytes += (uint32_t)used;
    if (newline != NULL && response->line_bytes == 0) {
        *out_line = (struct text){(const char *)bytes, used - 1};
    } else {
        const size_t kept = used < room ? used : room;

        memcpy(response->line + response->line_bytes, bytes, kept);
        response->line_bytes = (uint16_t)(response->line_bytes + kept);
        if (newline == NULL) {
            return false;
        }
        *out_line = (struct text){response->line, response->line_bytes};
        if (out_line->start[out_line->bytes - 1] == '\n') {
            out_line->bytes--;
        }
        response->line_bytes = 0;
    }
    if (out_line->bytes > 0 && out_line->start[out_line->bytes - 1] == '\r') {
        out_line->bytes--;
    }
    return true;
}

static bool parse_number(struct text text, unsigned base, uint64_t *out_number)
{
    uint64_t number = 0;

    if (text.bytes == 0) {
        return false;
    }
    for (size_t i = 0; i < text.bytes; i++) {
        const char c = text.start[i];
        unsigned digit = base;

        if (c >= '0' && c <= '9') {
            digit = (unsigned)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (unsigned)((c | 0x20) - 'a') + 10;
        }
        if (digit >= base || number > (UINT64_MAX - digit) / base) {
            return false;
        }
        number = number * base + digit;
    }
    *out_number = number;
    return true;
}

static bool parse_status(struct http_response *response, struct text line)
{
    uint64_t status;

    /* "HTTP/1.x 200", and a reason that may be missing (RFC 9112 4). */
    if (line.bytes < 12 || memcmp(line.start, "HTTP/1.", 7) != 0 ||
        (line.start[7] != '0' && line.start[7] != '1') || line.start[8] != ' ' ||
        (line.bytes > 12 && line.start[12] != ' ') ||
        !parse_number((struct text){line.start + 9, 3}, 10, &status) || status < 100) {
        return false;
    }
    response->status = (unsigned)status;
    response->keep_alive = line.start[7] == '1';
    return true;
}

static bool name_is(struct text name, const char *wanted)
{
    return name.bytes == strlen(wanted) && strncasecmp(name.start, wanted, name.bytes) == 0;
}

static struct text trim(struct text text)
{
    while (text.bytes > 0 && (text.start[0] == ' ' || text.start[0] == '\t')) {
        text.start++;
        text.bytes--;
    }
    while (text.bytes > 0 &&
           (text.start[text.bytes - 1] == ' ' || text.start[text.bytes - 1] == '\t')) {
        text.bytes--;
    }
    return text;
}

/* Whether a comma-separated list has the word. */
static bool list_has(struct text list, const char *word)
{
    while (list.bytes > 0) {
        const char *comma = memchr(list.start, ',', list.bytes);
        const size_t bytes = comma != NULL ? (size_t)(comma - list.start) : list.bytes;
        const size_t step = comma != NULL ? bytes + 1 : bytes;

        if (name_is(trim((struct text){list.start, bytes}), word)) {
            return true;
        }
        list.start += step;
        list.bytes -= step;
    }
    return false;
}

static bool parse_header(struct http_response *response, struct text line)
{
    const char *colon = memchr(line.start, ':', line.bytes);
    uint64_t length;

    if (colon == NULL || colon == line.start) {
        return false;
    }
    const struct text name = {line.start, (size_t)(colon - line.start)};
    const struct text value =
        trim((struct text){colon + 1, line.bytes - (size_t)(colon + 1 - line.start)});

    if (name_is(name, "content-length")) {
        /* Two that differ are the mark of an answer smuggled behind another (RFC 9112 6.3). */
        if (!parse_number(value, 10, &length) ||
            (response->has_length && response->remaining != length)) {
            return false;
        }
        response->has_length = true;
        response->remaining = length;
    } else if (name_is(name, "transfer-encoding")) {
        response->is_chunked = list_has(value, "chunked");
    } else if (name_is(name, "connection")) {
        if (list_has(value, "close")) {
            response->keep_alive = false;
        } else if (list_has(value, "keep-alive")) {
            response->keep_alive = true;
        }
    } else if (name_is(name, "server")) {
        response->is_tlsdyno = value.bytes >= 7 && memcmp(value.start, "tlsdyno", 7) == 0;
    } else if (name_is(name, "content-type")) {
        response->is_octets = name_is(value, "application/octet-stream");
    }
    return true;
}

/* The empty line has come: how the body is framed (RFC 9112 6.3). */
static enum http_event end_headers(struct http_response *response)
{
    if (response->status < 200) { /* an interim answer: the real one follows */
        if (response->status == 101) {
            return HTTP_BAD; /* nobody asked for another protocol */
        }
        *response = (struct http_response){.begun = true, .head_bytes = response->head_bytes};
        return HTTP_MORE;
    }
    if (response->status == 204 || response->status == 304) {
        return HTTP_DONE;
    }
    if (response->is_chunked) {
        response->state = HTTP_STATE_CHUNK_SIZE;
        return HTTP_MORE;
    }
    if (response->has_length) {
        response->state = HTTP_STATE_LENGTH;
        return response->remaining == 0 ? HTTP_DONE : HTTP_MORE;
    }
    response->state = HTTP_STATE_CLOSE;
    response->keep_alive = false;
    return HTTP_MORE;
}

static enum http_event use_line(struct http_response *response, struct text line)
{
    switch (response->state) {
    case HTTP_STATE_STATUS:
        response->state = HTTP_STATE_HEADERS;
        return parse_status(response, line) ? HTTP_MORE : HTTP_BAD;
    case HTTP_STATE_HEADERS:
        if (line.bytes == 0) {
            return end_headers(response);
        }
        return parse_header(response, line) ? HTTP_MORE : HTTP_BAD;
    case HTTP_STATE_CHUNK_SIZE: {
        const char *extension = memchr(line.start, ';', line.bytes);

        if (extension != NULL) {
            line.bytes = (size_t)(extension - line.start);
        }
        if (!parse_number(trim(line), 16, &response->remaining)) {
            return HTTP_BAD;
        }
        response->state = response->remaining == 0 ? HTTP_STATE_TRAILERS : HTTP_STATE_CHUNK;
        return HTTP_MORE;
    }
    case HTTP_STATE_CHUNK_END:
        response->state = HTTP_STATE_CHUNK_SIZE;
        response->head_bytes = 0; /* the limit is for heads, not for the number of chunks */
        return line.bytes == 0 ? HTTP_MORE : HTTP_BAD;
    case HTTP_STATE_TRAILERS:
        return line.bytes == 0 ? HTTP_DONE : HTTP_MORE;
    default:
        return HTTP_BAD;
    }
}

/* Hands out the next piece of the body. */
static enum http_event use_body(struct http_response *response, size_t count, size_t *out_used,
                                size_t *out_body_bytes)
{
    size_t piece = count;

    if (response->state != HTTP_STATE_CLOSE) {
        piece = count < response->remaining ? count : (size_t)response->remaining;
        response->remaining -= piece;
    }
    response->body_bytes += piece;
    *out_used += piece;
    *out_body_bytes = piece;
    if (response->state == HTTP_STATE_CHUNK && response->remaining == 0) {
        response->state = HTTP_STATE_CHUNK_END;
    }
    return HTTP_BODY;
}

enum http_event http_response_next(struct http_response *response, const uint8_t *bytes,
                                   size_t count, size_t *out_used, size_t *out_body_bytes)
{
    *out_used = 0;
    *out_body_bytes = 0;
    if (response->state == HTTP_STATE_LENGTH && response->remaining == 0) {
        return HTTP_DONE; /* its last piece was handed out by the call before */
    }
    while (*out_used < count) {
        const uint8_t *next = bytes + *out_used;
        const size_t left = count - *out_used;
        enum http_event event;
        struct text line;
        size_t used;

        response->begun = true;
        if (response->state == HTTP_STATE_LENGTH || response->state == HTTP_STATE_CLOSE ||
            response->state == HTTP_STATE_CHUNK) {
            return use_body(response, left, out_used, out_body_bytes);
        }
        event =
            take_line(response, next, left, &used, &line) ? use_line(response, line) : HTTP_MORE;
        *out_used += used;
        if (response->head_bytes > HTTP_HEAD_BYTES_MAX) {
            return HTTP_BAD;
        }
        if (event != HTTP_MORE) {
            return event;
        }
    }
    return HTTP_MORE;
}

enum http_event http_response_end(const struct http_response *response)
{
    return response->state == HTTP_STATE_CLOSE ? HTTP_DONE : HTTP_BAD;
}
