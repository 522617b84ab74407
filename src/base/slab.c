#include "base/slab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct slab) == SLAB_BYTES, "the header of a slab takes 16 bytes");
static_assert(SLAB_BYTES % SLAB_ALIGNMENT == 0, "a slab is whole cache lines");
static_assert(SLAB_BYTES / SLAB_ALIGNMENT % 2 == 1, "an odd number of them");

void slab_pool_init(struct slab_pool *pool, size_t keep_count)
{
    *pool = (struct slab_pool){.keep_count = keep_count};
}

void slab_pool_shrink(struct slab_pool *pool)
{
    struct slab *slab = pool->free;

    if (slab != NULL) {
        pool->free = slab->next;
        pool->free_count--;
        free(slab);
    }
}

void slab_pool_deinit(struct slab_pool *pool)
{
    assert(pool->out_count == 0);
    while (pool->free != NULL) {
        slab_pool_shrink(pool);
    }
}

/* The slab that pool_get() will give, which it still has. */
static struct slab *pool_peek(struct slab_pool *pool)
{
    void *memory;

    if (pool->out_max > 0 && pool->out_count >= pool->out_max) {
        return NULL;
    }
    if (pool->free == NULL) {
        if (posix_memalign(&memory, SLAB_ALIGNMENT, sizeof(struct slab)) != 0) {
            return NULL;
        }
        pool->free = memory;
        pool->free->next = NULL;
        pool->free_count++;
    }
    return pool->free;
}

static struct slab *pool_get(struct slab_pool *pool)
{
    struct slab *slab = pool_peek(pool);

    if (slab == NULL) {
        return NULL;
    }
    pool->free = slab->next;
    pool->free_count--;
    slab->next = NULL;
    slab->start = 0;
    slab->end = 0;
    pool->out_count++;
    return slab;
}

static void pool_put(struct slab_pool *pool, struct slab *slab)
{
    assert(pool->out_count > 0);
    pool->out_count--;
    if (pool->free_count >= pool->keep_count) {
        free(slab);
        return;
    }
    slab->next = pool->free;
    pool->free = slab;
    pool->free_count++;
}

static void pool_put_chain(struct slab_pool *pool, struct slab *first)
{
    while (first != NULL) {
        struct slab *next = first->next;

        pool_put(pool, first);
        first = next;
    }
}

void slab_queue_init(struct slab_queue *queue, struct slab_pool *pool)
{
    *queue = (struct slab_queue){.pool = pool};
}

void slab_queue_clear(struct slab_queue *queue)
{
    pool_put_chain(queue->pool, queue->head);
    slab_queue_init(queue, queue->pool);
}

static size_t slab_room(const struct slab *slab)
{
    return slab == NULL ? 0 : SLAB_DATA_BYTES - slab->end;
}

/* Links empty slabs with room for `count` bytes behind the tail: all of them or none. */
static bool queue_extend(struct slab_queue *queue, size_t count)
{
    struct slab *first = NULL;
    struct slab **link = &first;

    for (size_t room = 0; room < count; room += SLAB_DATA_BYTES) {
        *link = pool_get(queue->pool);
        if (*link == NULL) {
            pool_put_chain(queue->pool, first);
            return false;
        }
        link = &(*link)->next;
    }
    if (queue->tail == NULL) {
        queue->head = first;
        queue->tail = first;
    } else {
        queue->tail->next = first;
    }
    return true;
}

bool slab_queue_append(struct slab_queue *queue, const void *bytes, size_t count)
{
    const uint8_t *next = bytes;
    size_t room = slab_room(queue->tail);

    if (count > room && !queue_extend(queue, count - room)) {
        return false;
    }
    queue->bytes += count;
    while (count > 0) {
        struct slab *tail = queue->tail;
        size_t step = slab_room(tail);

        if (step == 0) {
            /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): queue_extend() made the room. */
            queue->tail = tail->next;
            continue;
        }
        step = count < step ? count : step;
        memcpy(tail->data + tail->end, next, step);
        tail->end += (uint32_t)step;
        next += step;
        count -= step;
    }
    return true;
}

uint8_t *slab_queue_reserve(struct slab_queue *queue, size_t count)
{
    struct slab *slab = queue->tail;

    assert(count > 0 && count <= SLAB_DATA_BYTES);
    if (slab_room(slab) >= count) {
        return slab->data + slab->end;
    }
    slab = pool_peek(queue->pool);
    return slab != NULL ? slab->data : NULL;
}

void slab_queue_commit(struct slab_queue *queue, const uint8_t *reserved, size_t count)
{
    struct slab *tail = queue->tail;

    if (tail == NULL || reserved != tail->data + tail->end) {
        struct slab *slab = pool_get(queue->pool); /* no less than the one that was reserved in */

        assert(reserved == slab->data);
        if (tail == NULL) {
            queue->head = slab;
        } else {
            tail->next = slab;
        }
        queue->tail = slab;
    }
    queue->tail->end += (uint32_t)count;
    queue->bytes += count;
}

void slab_queue_consume(struct slab_queue *queue, size_t count)
{
    assert(count <= queue->bytes);
    queue->bytes -= count;
    while (count > 0) {
        struct slab *head = queue->head;
        size_t left = head->end - head->start;

        if (count < left) {
            head->start += (uint32_t)count;
            return;
        }
        count -= left;
        queue->head = head->next;
        pool_put(queue->pool, head);
    }
    if (queue->head == NULL) {
        queue->tail = NULL;
    }
}
