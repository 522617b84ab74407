#include "conn/held.h"

#include <stdlib.h>
#include <string.h>

#include "ring/buffers.h"

void held_append(struct held *held, struct ring_buffers *buffers, int32_t index)
{
    if (held->tail >= 0) {
        buffers->next[held->tail] = index;
    } else {
        held->head = index;
    }
    held->tail = index;
    held->bytes += buffers->bytes[index];
}

const uint8_t *held_front(const struct held *held, const struct ring_buffers *buffers,
                          size_t *out_bytes)
{
    if (held->spill) {
        *out_bytes = held->spill_bytes;
        return held->spill;
    }
    *out_bytes = buffers->bytes[held->head];
    return buffers_at(buffers, held->head);
}

void held_drop_front(struct held *held, struct ring_buffers *buffers)
{
    int32_t index = held->head;

    if (held->spill) {
        held->bytes -= held->spill_bytes;
        buffers->spilled_bytes -= held->spill_bytes;
        free(held->spill);
        held->spill = NULL;
        return;
    }
    held->bytes -= buffers->bytes[index];
    held->head = buffers->next[index];
    if (held->head < 0) {
        held->tail = -1;
    }
    buffers_give(buffers, index);
}

void held_clear(struct held *held, struct ring_buffers *buffers)
{
    while (!held_is_empty(held)) {
        held_drop_front(held, buffers);
    }
}

bool held_spill(struct held *held, struct ring_buffers *buffers, size_t consumed)
{
    size_t filled = 0;
    size_t bytes;
    uint8_t *spill = malloc(held->bytes - consumed);

    if (!spill) {
        return false;
    }
    while (!held_is_empty(held)) {
        const uint8_t *front = held_front(held, buffers, &bytes);

        memcpy(spill + filled, front + consumed, bytes - consumed);
        filled += bytes - consumed;
        consumed = 0;
        held_drop_front(held, buffers);
    }
    held->spill = spill;
    held->spill_bytes = held->bytes = filled;
    buffers->spilled_bytes += filled;
    return true;
}
