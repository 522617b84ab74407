/* Reads HTTP/1 answers (RFC 9112) as their bytes come, in any cut: status, framing and body. Holds
 * no body bytes, and header bytes only where a line is split. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_LINE_BYTES = 256,          /* kept of a split line; the lines that matter are shorter */
    HTTP_HEAD_BYTES_MAX = 64 * 1024 /* status line, headers and trailers of one answer */
};

enum http_event {
    HTTP_MORE, /* every byte was used; more are needed */
    HTTP_BODY, /* a piece of the body */
    HTTP_DONE, /* the answer is complete; bytes beyond it belong to the next */
    HTTP_BAD,  /* not HTTP/1, or framed in a way that cannot be trusted */
};

enum http_response_state {
    HTTP_STATE_STATUS,
    HTTP_STATE_HEADERS,
    HTTP_STATE_LENGTH, /* body of known size */
    HTTP_STATE_CLOSE,  /* body until the peer closes */
    HTTP_STATE_CHUNK_SIZE,
    HTTP_STATE_CHUNK,
    HTTP_STATE_CHUNK_END,
    HTTP_STATE_TRAILERS,
};

struct http_response { /* zeroed: before the first byte of an answer */
    enum http_response_state state;
    unsigned status;
    uint64_t remaining;  /* of the body, or of the chunk */
    uint64_t body_bytes; /* handed out so far */
    uint32_t head_bytes;
    bool begun;      /* at least one byte has come */
    bool keep_alive; /* the connection stays open after this answer */
    bool is_chunked;
    bool has_length;
    bool is_tlsdyno; /* "Server: tlsdyno" ... */
    bool is_octets;  /* ... and "Content-Type: application/octet-stream": the payload sequence */
    uint16_t line_bytes;
    char line[HTTP_LINE_BYTES];
};

/* One step. *out_used bytes were taken, of which the last *out_body_bytes are body when HTTP_BODY
 * is returned. After HTTP_DONE zero the response before the next answer. */
enum http_event http_response_next(struct http_response *response, const uint8_t *bytes,
                                   size_t count, size_t *out_used, size_t *out_body_bytes);

/* The peer has closed: HTTP_DONE when that completes the answer, else HTTP_BAD. */
enum http_event http_response_end(const struct http_response *response);
