#include "ring/buffers.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "ring/fault.h"
#include "ring/ring.h"

static const size_t shared_bytes = BUFFERS_MAX * sizeof(struct io_uring_buf);
static const size_t memory_bytes = (size_t)BUFFERS_MAX * BUFFER_BYTES;

static void *map_anonymous(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

int buffers_open(struct ring_buffers *buffers, struct ring *ring, struct error *error)
{
    struct io_uring_buf_reg registration = {.ring_entries = BUFFERS_MAX, .bgid = BUFFER_GROUP};
    int result;

    memset(buffers, 0, sizeof *buffers);
    buffers->shared = map_anonymous(shared_bytes);
    buffers->memory = map_anonymous(memory_bytes);
    buffers->next = calloc(BUFFERS_MAX, sizeof *buffers->next);
    buffers->bytes = calloc(BUFFERS_MAX, sizeof *buffers->bytes);
    if (!buffers->shared || !buffers->memory || !buffers->next || !buffers->bytes) {
        error_set(error, "no memory for receive buffers");
        goto fail;
    }
    io_uring_buf_ring_init(buffers->shared);
    registration.ring_addr = (uintptr_t)buffers->shared;
    result = io_uring_register_buf_ring(ring->uring, &registration, 0);
    if (result < 0) {
        error_set(error, "cannot register receive buffers with io_uring: %s", strerror(-result));
        goto fail;
    }
    while (buffers->provided_max < BUFFERS_START) {
        buffers->held_count++;
        buffers_give(buffers, (int32_t)buffers->provided_max++);
    }
    return 0;

fail:
    buffers_close(buffers, NULL);
    return -1;
}

void buffers_close(struct ring_buffers *buffers, struct ring *ring)
{
    if (ring && ring->uring && buffers->shared) {
        io_uring_unregister_buf_ring(ring->uring, BUFFER_GROUP);
    }
    if (buffers->shared) {
        munmap(buffers->shared, shared_bytes);
    }
    if (buffers->memory) {
        munmap(buffers->memory, memory_bytes);
    }
    free(buffers->next);
    free(buffers->bytes);
    memset(buffers, 0, sizeof *buffers);
}

void buffers_take(struct ring_buffers *buffers, int32_t index, uint32_t bytes)
{
    assert(index >= 0 && (uint32_t)index < buffers->provided_max && bytes <= BUFFER_BYTES);
    buffers->held_count++;
    buffers->next[index] = -1;
    buffers->bytes[index] = (uint16_t)bytes;
}

void buffers_give(struct ring_buffers *buffers, int32_t index)
{
    assert(buffers->held_count > 0);
    buffers->held_count--;
    io_uring_buf_ring_add(buffers->shared, buffers_at(buffers, index),
                          fault_buffer((uint16_t)index, BUFFER_BYTES), (unsigned short)index,
                          io_uring_buf_ring_mask(BUFFERS_MAX), 0);
    io_uring_buf_ring_advance(buffers->shared, 1);
}

void buffers_grow(struct ring_buffers *buffers)
{
    uint32_t target = buffers->provided_max * 2;

    while (buffers->provided_max < target && buffers->provided_max < BUFFERS_MAX) {
        buffers->held_count++;
        buffers_give(buffers, (int32_t)buffers->provided_max++);
    }
}
