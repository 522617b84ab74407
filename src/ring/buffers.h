/* Provided receive buffers (io_uring_register_buf_ring(3)): the kernel takes one when bytes arrive,
 * so waiting connections own none. Few circulate at first, so that they stay in the cache; the
 * number doubles when the kernel ran out (-ENOBUFS), up to a limit. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct io_uring_buf_ring;
struct ring;

enum {
    /* A whole TLS record of 16,384 bytes with header and tag, and an odd number of cache lines so
     * that neighbouring buffers do not compete for the same cache sets. */
    BUFFER_BYTES = 16704,
    BUFFERS_START = 64,
    BUFFERS_MAX = 1024, /* 16 MiB: beyond that waiting a turn costs less than cold memory */
    BUFFER_GROUP = 1,
};

struct ring_buffers {
    struct io_uring_buf_ring *shared; /* what the kernel reads */
    uint8_t *memory;                  /* BUFFERS_MAX * BUFFER_BYTES reserved, touched as used */
    uint32_t provided_max;            /* how many circulate now */
    uint32_t held_count;              /* handed out by the kernel and not given back yet */
    uint64_t spilled_bytes;           /* in the holders' copies of them */
    int32_t *next;                    /* links of the holders' lists */
    uint16_t *bytes;                  /* received into each */
};

int buffers_open(struct ring_buffers *buffers, struct ring *ring, struct error *error);
/* Nothing may be receiving any more. `ring` NULL: was never registered. */
void buffers_close(struct ring_buffers *buffers, struct ring *ring);

static inline uint8_t *buffers_at(const struct ring_buffers *buffers, int32_t index)
{
    return buffers->memory + (size_t)index * BUFFER_BYTES;
}

/* The kernel handed this one out with so many bytes in it. */
void buffers_take(struct ring_buffers *buffers, int32_t index, uint32_t bytes);
/* Back to the kernel. */
void buffers_give(struct ring_buffers *buffers, int32_t index);
/* After -ENOBUFS: lets more circulate, if the limit allows. */
void buffers_grow(struct ring_buffers *buffers);

/* More than half of what circulates is held: who holds one for long should copy it and give it
 * back. */
static inline bool buffers_scarce(const struct ring_buffers *buffers)
{
    return buffers->held_count * 2 > buffers->provided_max;
}
