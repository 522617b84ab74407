/* HTTP/1.x requests (RFC 9112), read incrementally: bytes come in any fragmentation, one at a time
 * included. Each line is parsed as soon as it is complete, in place when one span holds it; only a
 * line that is cut by the end of a span is copied, into a heap buffer of at most
 * HTTP_HEAD_BYTES_MAX that stays with the connection.
 *
 * Strict where leniency helps request smuggling: lines end in CRLF and nothing else, no folded
 * fields, no space before a colon, no control characters, one body length.
 *
 * Zeroed memory is a parser that waits for the first request. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_HEAD_BYTES_MAX = 8192,      /* request line and fields together; trailers, alike */
    HTTP_CHUNK_LINE_BYTES_MAX = 256, /* a chunk's size and extensions */
};

/* The largest size that a target may ask for: 1 TiB. */
static const uint64_t HTTP_SIZE_MAX = (uint64_t)1 << 40;

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_METHOD_OTHER,   /* in RFC 9110 or RFC 5789, but not offered here: 405 */
    HTTP_METHOD_UNKNOWN, /* 501 */
};

enum http_target {
    HTTP_TARGET_ROOT, /* "/" */
    HTTP_TARGET_SIZE, /* "/16", "/16k" = 16,000, "/16ki" = 16,384: see http_request.size */
    HTTP_TARGET_OTHER,
};

/* All that can be wrong. */
enum http_status {
    HTTP_STATUS_BAD_REQUEST = 400,
    HTTP_STATUS_NOT_FOUND = 404,
    HTTP_STATUS_METHOD_NOT_ALLOWED = 405,
    HTTP_STATUS_URI_TOO_LONG = 414,
    HTTP_STATUS_EXPECTATION_FAILED = 417,
    HTTP_STATUS_FIELDS_TOO_LARGE = 431,
    HTTP_STATUS_NOT_IMPLEMENTED = 501,
    HTTP_STATUS_UNAVAILABLE = 503,
    HTTP_STATUS_VERSION_NOT_SUPPORTED = 505,
};

enum http_event {
    HTTP_MORE,     /* all bytes taken, the request goes on */
    HTTP_CONTINUE, /* the client waits for "100 Continue" before it sends the body */
    HTTP_COMPLETE, /* a whole request: its fields below are valid until the next feed */
    HTTP_REFUSED,  /* answer with `status` and close: where the next request starts is unknown */
};

enum http_phase {
    HTTP_PHASE_REQUEST_LINE,
    HTTP_PHASE_FIELDS,
    HTTP_PHASE_BODY,
    HTTP_PHASE_CHUNK_LINE,
    HTTP_PHASE_CHUNK_DATA,
    HTTP_PHASE_CHUNK_END, /* the CRLF after a chunk's data */
    HTTP_PHASE_TRAILERS,
    HTTP_PHASE_DONE,
    HTTP_PHASE_REFUSED,
};

struct http_request {
    uint8_t *partial; /* heap: the beginning of a line that is not complete yet */
    uint32_t partial_count;
    uint32_t partial_bytes; /* allocated */
    uint32_t head_bytes;    /* complete lines so far of the head or of the trailers */
    uint16_t status;        /* enum http_status; of a refused request */
    uint8_t phase;          /* enum http_phase */

    uint8_t method;        /* enum http_method */
    uint8_t target;        /* enum http_target */
    uint8_t version_minor; /* HTTP/1.0 or, for all later minors, HTTP/1.1 */
    bool keep_alive;       /* in a complete request: another one may follow */
    bool has_host, has_length, is_chunked, says_close, says_keep_alive, expects_continue;
    uint64_t size; /* of HTTP_TARGET_SIZE */
    uint64_t content_length;
    uint64_t body_left;  /* of the body, or of the chunk under way */
    uint64_t body_bytes; /* of the body so far, chunk framing not counted */
};

/* Takes bytes up to the end of the request at most, and says in `out_taken` how many. Not to be
 * called again after HTTP_REFUSED. */
enum http_event http_request_feed(struct http_request *request, const uint8_t *bytes, size_t count,
                                  size_t *out_taken);

/* Whether the connection is between two requests. */
bool http_request_is_idle(const struct http_request *request);

/* Frees the buffer. */
void http_request_deinit(struct http_request *request);
