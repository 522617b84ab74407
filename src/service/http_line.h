/* The lines of an HTTP/1.x request (RFC 9112), one at a time: what http_request.c calls with each
 * complete line, its CRLF taken off. Nothing is copied. Each returns 0, or the enum http_status
 * with which the request is to be refused. */
#pragma once

#include "service/http_request.h"

/* Bytes that belong to someone else. */
struct span {
    const uint8_t *bytes;
    size_t count;
};

static inline struct span span_skip(struct span span, size_t count)
{
    return (struct span){span.bytes + count, span.count - count};
}

/* "GET /16 HTTP/1.1": method, target and version. */
uint16_t http_line_parse_request(struct http_request *request, struct span line);

/* "Host: localhost", in the head or in the trailers (by request->phase), where it is checked and
 * otherwise ignored. */
uint16_t http_line_parse_field(struct http_request *request, struct span line);

/* "1f;extension": sets body_left to the size of the chunk. */
uint16_t http_line_parse_chunk(struct http_request *request, struct span line);
