/* Wire bytes that were received and not yet decrypted: a list of provided buffers, or a heap copy
 * of them where buffers were too scarce to be held. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_buffers;

struct held {
    int32_t head, tail; /* buffers, linked through ring_buffers.next; -1: none */
    uint8_t *spill;     /* heap; comes before the buffers */
    size_t spill_bytes;
    size_t bytes; /* all of it, the front counted whole until it is dropped */
};

static inline void held_init(struct held *held)
{
    *held = (struct held){.head = -1, .tail = -1};
}

static inline bool held_is_empty(const struct held *held)
{
    return held->head < 0 && !held->spill;
}

void held_append(struct held *held, struct ring_buffers *buffers, int32_t index);

/* The oldest bytes, as one span; the list must not be empty. */
const uint8_t *held_front(const struct held *held, const struct ring_buffers *buffers,
                          size_t *out_bytes);
void held_drop_front(struct held *held, struct ring_buffers *buffers);
void held_clear(struct held *held, struct ring_buffers *buffers);

/* Copies everything but the first `consumed` bytes of the front to the heap and gives the buffers
 * back. Returns false, with nothing changed, when memory is out. */
bool held_spill(struct held *held, struct ring_buffers *buffers, size_t consumed);
