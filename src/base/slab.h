/* Wire bytes on their way out: fixed-size slabs from a last-in-first-out pool, so that the slab
 * taken next is the one still warm in the cache, and a queue of them per connection.
 *
 * The unsent bytes of queue->head are head->data[start .. end); those of the slabs after it follow.
 * The queue never holds an empty slab: head is NULL exactly when `bytes` is 0.
 *
 * Not thread-safe: one pool a thread, and its queues with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Two full TLS records (16,384 bytes and 256 of overhead allowed, RFC 8446 5.2) and a header,
     * an odd number of cache lines so that neighbouring slabs do not compete for the same cache
     * sets. */
    SLAB_BYTES = 33344,
    SLAB_ALIGNMENT = 64, /* a cache line */
    SLAB_DATA_BYTES = SLAB_BYTES - 16,
};

struct slab {
    struct slab *next;
    uint32_t start; /* first byte not yet sent */
    uint32_t end;   /* first free byte */
    uint8_t data[SLAB_DATA_BYTES];
};

struct slab_pool {
    struct slab *free;
    size_t free_count;
    size_t keep_count; /* slabs put back beyond this many are freed */
    size_t out_count;  /* slabs in queues now */
    size_t out_max;    /* of them; 0, at first: any number */
};

struct slab_queue {
    struct slab_pool *pool;
    struct slab *head;
    struct slab *tail;
    size_t bytes; /* not yet consumed */
};

void slab_pool_init(struct slab_pool *pool, size_t keep_count);
/* Every slab must have been put back. */
void slab_pool_deinit(struct slab_pool *pool);

/* Frees one of the slabs that are kept, if there is one. */
void slab_pool_shrink(struct slab_pool *pool);

void slab_queue_init(struct slab_queue *queue, struct slab_pool *pool);
/* Gives all slabs back; the queue is empty and usable again. */
void slab_queue_clear(struct slab_queue *queue);

/* Copies the bytes to the end of the queue, over as many slabs as they need. Returns false, with
 * nothing appended, when there is no memory for all of it, or not as many slabs. Never moves bytes
 * already queued: a send in flight may point at them. */
bool slab_queue_append(struct slab_queue *queue, const void *bytes, size_t count)
    __attribute__((warn_unused_result));

/* Where to write the queue's next `count` bytes (1 to SLAB_DATA_BYTES) in place, for a commit that
 * comes before anything else happens to the queue or its pool; NULL when there is no memory. What
 * the last slab has left is given up if that is too little. Without a commit nothing has changed.
 */
uint8_t *slab_queue_reserve(struct slab_queue *queue, size_t count)
    __attribute__((warn_unused_result));
void slab_queue_commit(struct slab_queue *queue, const uint8_t *reserved, size_t count);

/* Takes `count` bytes (at most queue->bytes) from the front, giving emptied slabs back. */
void slab_queue_consume(struct slab_queue *queue, size_t count);
