/* The bytes that services send and load generators verify: a fixed pseudo-random sequence that
 * repeats every PAYLOAD_PERIOD bytes, the same in every process and on every machine, so that both
 * ends know byte n of any stream. Read-only after payload_init(): threads may share one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PAYLOAD_PERIOD = 65536,
    PAYLOAD_SPAN_MAX = 16384, /* contiguous bytes that can be had from any offset: one TLS record */
};

struct payload {
    uint8_t bytes[PAYLOAD_PERIOD + PAYLOAD_SPAN_MAX]; /* the beginning again after the end */
};

void payload_init(struct payload *payload);

/* Bytes offset, offset + 1, ... of the sequence; PAYLOAD_SPAN_MAX of them may be read. */
static inline const uint8_t *payload_at(const struct payload *payload, uint64_t offset)
{
    return payload->bytes + offset % PAYLOAD_PERIOD;
}

/* Whether `count` bytes equal the sequence from `offset` on; any count. */
bool payload_matches(const struct payload *payload, uint64_t offset, const uint8_t *bytes,
                     size_t count);
