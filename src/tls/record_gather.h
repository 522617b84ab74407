/* A record that comes in pieces, from the wire or from OpenSSL, put together again; one that comes
 * whole is not copied. Room-internal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/record_cipher.h"

/* Zeroed is empty. */
struct record_gather {
    uint8_t header[RECORD_HEADER_BYTES];
    uint8_t *record; /* owned, with its header; NULL: not even that is complete */
    size_t count;    /* bytes that are there */
};

struct record_span {
    const uint8_t *bytes;
    size_t count;
};

static inline struct record_span record_span_take(struct record_span *span, size_t count)
{
    struct record_span taken = {span->bytes, count};

    span->bytes += count;
    span->count -= count;
    return taken;
}

/* The next record's header, wherever it is; NULL: all of `span` has been taken, and more is needed
 * for it. */
const uint8_t *record_gather_header(struct record_gather *gather, struct record_span *span);

/* The next record, header first; good until the gather is used again or emptied. After its header
 * is there. */
enum record_gathered { RECORD_WHOLE, RECORD_MORE, RECORD_MEMORY };
enum record_gathered record_gather_take(struct record_gather *gather, struct record_span *span,
                                        struct record_span *out_record);

/* Forgets what has been put together; the next byte begins another record. */
void record_gather_empty(struct record_gather *gather);
