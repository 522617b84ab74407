#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/slab.h"

/* Stands in for libc's (the linker's --wrap), so that a test can make memory run out. */
static int allocations_left = INT32_MAX;

int __real_posix_memalign(void **out, size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **out, size_t alignment, size_t bytes);

int __wrap_posix_memalign(void **out, size_t alignment, size_t bytes)
{
    if (allocations_left == 0) {
        return ENOMEM;
    }
    allocations_left--;
    return __real_posix_memalign(out, alignment, bytes);
}

static void append(struct slab_queue *queue, const void *bytes, size_t count)
{
    cr_assert(slab_queue_append(queue, bytes, count));
}

/* Takes `count` bytes out of the queue into `out`. */
static void take(struct slab_queue *queue, uint8_t *out, size_t count)
{
    while (count > 0) {
        const struct slab *head = queue->head;
        size_t step;

        cr_assert_not_null(head);
        step = head->end - head->start;
        cr_assert_gt(step, 0);
        step = count < step ? count : step;
        memcpy(out, head->data + head->start, step);
        slab_queue_consume(queue, step);
        out += step;
        count -= step;
    }
}

Test(slab, bytes_come_out_as_they_went_in)
{
    struct slab_pool pool;
    struct slab_queue queue;
    uint8_t out[6];

    slab_pool_init(&pool, 4);
    slab_queue_init(&queue, &pool);
    append(&queue, "abc", 3);
    append(&queue, "def", 3);
    cr_assert_eq(queue.bytes, 6);
    cr_assert_eq(pool.out_count, 1);
    take(&queue, out, 6);
    cr_assert_arr_eq(out, "abcdef", 6);
    cr_assert_eq(queue.bytes, 0);
    cr_assert_null(queue.head);
    cr_assert_null(queue.tail);
    cr_assert_eq(pool.out_count, 0);
    slab_pool_deinit(&pool);
}

Test(slab, nothing_appended_takes_no_slab)
{
    struct slab_pool pool;
    struct slab_queue queue;

    slab_pool_init(&pool, 4);
    slab_queue_init(&queue, &pool);
    append(&queue, NULL, 0);
    cr_assert_null(queue.head);
    cr_assert_eq(pool.out_count, 0);
    slab_pool_deinit(&pool);
}

Test(slab, a_pool_gives_out_no_more_than_it_may)
{
    static const uint8_t ZEROS[2 * SLAB_DATA_BYTES];
    struct slab_pool pool;
    struct slab_queue queue;

    slab_pool_init(&pool, 4);
    pool.out_max = 2;
    slab_queue_init(&queue, &pool);
    append(&queue, ZEROS, SLAB_DATA_BYTES);
    cr_assert_not(slab_queue_append(&queue, ZEROS, SLAB_DATA_BYTES + 1));
    cr_assert_eq(queue.bytes, SLAB_DATA_BYTES, "nothing was appended");
    append(&queue, ZEROS, SLAB_DATA_BYTES);
    slab_queue_consume(&queue, SLAB_DATA_BYTES);
    append(&queue, ZEROS, 1); /* what came back can go out again */
    cr_assert_eq(pool.out_count, 2);
    slab_queue_clear(&queue);
    slab_pool_deinit(&pool);
}

Test(slab, many_bytes_are_split_over_slabs)
{
    enum { COUNT = 3 * SLAB_DATA_BYTES + 1 };
    struct slab_pool pool;
    struct slab_queue queue;
    uint8_t *in = malloc(COUNT);
    uint8_t *out = malloc(COUNT);

    random_fill(&(struct random){.state = 1}, in, COUNT);
    slab_pool_init(&pool, 0);
    slab_queue_init(&queue, &pool);
    append(&queue, in, 10);
    append(&queue, in + 10, COUNT - 10);
    cr_assert_eq(pool.out_count, 4);
    take(&queue, out, COUNT);
    cr_assert_arr_eq(out, in, COUNT);
    cr_assert_eq(pool.out_count, 0);
    free(in);
    free(out);
    slab_pool_deinit(&pool);
}

Test(slab, exactly_full_slabs_leave_no_empty_one)
{
    static const uint8_t ZEROS[SLAB_DATA_BYTES];
    struct slab_pool pool;
    struct slab_queue queue;

    slab_pool_init(&pool, 4);
    slab_queue_init(&queue, &pool);
    append(&queue, ZEROS, SLAB_DATA_BYTES);
    cr_assert_eq(pool.out_count, 1);
    append(&queue, ZEROS, SLAB_DATA_BYTES);
    cr_assert_eq(pool.out_count, 2);
    slab_queue_consume(&queue, SLAB_DATA_BYTES);
    cr_assert_eq(pool.out_count, 1);
    slab_queue_consume(&queue, SLAB_DATA_BYTES);
    cr_assert_null(queue.tail);
    slab_pool_deinit(&pool);
}

Test(slab, queued_bytes_never_move)
{
    static const uint8_t ZEROS[SLAB_DATA_BYTES];
    struct slab_pool pool;
    struct slab_queue queue;
    const uint8_t *in_flight;

    slab_pool_init(&pool, 4);
    slab_queue_init(&queue, &pool);
    append(&queue, "xyz", 3);
    in_flight = queue.head->data + queue.head->start;
    append(&queue, ZEROS, SLAB_DATA_BYTES);
    cr_assert_eq(queue.head->data + queue.head->start, in_flight);
    cr_assert_arr_eq(in_flight, "xyz", 3);
    slab_queue_consume(&queue, 1);
    append(&queue, ZEROS, SLAB_DATA_BYTES);
    cr_assert_arr_eq(in_flight + 1, "yz", 2);
    slab_queue_clear(&queue);
    slab_pool_deinit(&pool);
}

Test(slab, slabs_are_aligned_to_cache_lines)
{
    struct slab_pool pool;
    struct slab_queue queues[5];

    slab_pool_init(&pool, 0);
    for (size_t i = 0; i < 5; i++) {
        slab_queue_init(&queues[i], &pool);
        append(&queues[i], "a", 1);
        cr_assert_eq((uintptr_t)queues[i].head % SLAB_ALIGNMENT, 0);
    }
    for (size_t i = 0; i < 5; i++) {
        slab_queue_clear(&queues[i]);
    }
    slab_pool_deinit(&pool);
}

Test(slab, the_slab_put_back_last_is_taken_first)
{
    struct slab_pool pool;
    struct slab_queue a;
    struct slab_queue b;
    const struct slab *last;

    slab_pool_init(&pool, 4);
    slab_queue_init(&a, &pool);
    slab_queue_init(&b, &pool);
    append(&a, "a", 1);
    append(&b, "b", 1);
    last = b.head;
    slab_queue_clear(&a);
    slab_queue_clear(&b);
    append(&a, "c", 1);
    cr_assert_eq(a.head, last);
    cr_assert_eq(pool.free_count, 1);
    slab_queue_clear(&a);
    slab_pool_deinit(&pool);
}

Test(slab, the_pool_keeps_no_more_than_told)
{
    static const uint8_t ZEROS[5 * SLAB_DATA_BYTES];
    struct slab_pool pool;
    struct slab_queue queue;

    slab_pool_init(&pool, 2);
    slab_queue_init(&queue, &pool);
    append(&queue, ZEROS, sizeof(ZEROS));
    cr_assert_eq(pool.out_count, 5);
    slab_queue_clear(&queue);
    cr_assert_eq(pool.out_count, 0);
    cr_assert_eq(pool.free_count, 2);
    cr_assert_eq(queue.bytes, 0);
    append(&queue, "usable again", 12);
    slab_queue_clear(&queue);
    slab_pool_deinit(&pool);
}

Test(slab, the_pool_shrinks_by_one_at_a_time_down_to_nothing)
{
    static const uint8_t ZEROS[2 * SLAB_DATA_BYTES];
    struct slab_pool pool;
    struct slab_queue queue;

    slab_pool_init(&pool, 2);
    slab_queue_init(&queue, &pool);
    append(&queue, ZEROS, sizeof(ZEROS));
    slab_pool_shrink(&pool);
    cr_assert_eq(pool.out_count, 2, "those in use stay");
    slab_queue_clear(&queue);
    slab_pool_shrink(&pool);
    cr_assert_eq(pool.free_count, 1);
    slab_pool_shrink(&pool);
    slab_pool_shrink(&pool);
    cr_assert_eq(pool.free_count, 0);
    slab_pool_deinit(&pool);
}

Test(slab, without_memory_nothing_is_appended)
{
    static const uint8_t ZEROS[3 * SLAB_DATA_BYTES];
    struct slab_pool pool;
    struct slab_queue queue;

    slab_pool_init(&pool, 8);
    slab_queue_init(&queue, &pool);
    append(&queue, "abc", 3);
    for (allocations_left = 0; allocations_left < 2; allocations_left++) {
        int before = allocations_left;

        cr_assert_not(slab_queue_append(&queue, ZEROS, sizeof(ZEROS)));
        cr_assert_eq(queue.bytes, 3);
        cr_assert_eq(queue.head, queue.tail);
        cr_assert_null(queue.tail->next);
        cr_assert_eq(pool.out_count, 1);
        allocations_left = before;
    }
    allocations_left = 0;
    append(&queue, "there is room for this", 22);
    slab_queue_clear(&queue);
    slab_pool_deinit(&pool);
}

Test(slab, what_is_written_in_place_is_queued_by_the_commit)
{
    struct slab_pool pool;
    struct slab_queue queue;
    uint8_t out[7];
    uint8_t *place;

    slab_pool_init(&pool, 4);
    slab_queue_init(&queue, &pool);
    place = slab_queue_reserve(&queue, 100);
    memcpy(place, "abc", 3);
    slab_queue_commit(&queue, place, 3);
    append(&queue, "d", 1);
    place = slab_queue_reserve(&queue, 3);
    memcpy(place, "efg", 3);
    slab_queue_commit(&queue, place, 3);
    cr_assert_eq(queue.bytes, 7);
    cr_assert_eq(pool.out_count, 1);
    take(&queue, out, 7);
    cr_assert_arr_eq(out, "abcdefg", 7);
    slab_pool_deinit(&pool);
}

Test(slab, a_reservation_without_a_commit_changes_nothing)
{
    struct slab_pool pool;
    struct slab_queue queue;

    slab_pool_init(&pool, 0);
    slab_queue_init(&queue, &pool);
    cr_assert_not_null(slab_queue_reserve(&queue, 1));
    cr_assert_null(queue.head);
    cr_assert_eq(pool.out_count, 0);
    append(&queue, "a", 1);
    cr_assert_eq(slab_queue_reserve(&queue, 5), queue.head->data + 1);
    cr_assert_not_null(slab_queue_reserve(&queue, SLAB_DATA_BYTES));
    cr_assert_eq(queue.bytes, 1);
    cr_assert_eq(queue.tail, queue.head);
    slab_queue_clear(&queue);
    slab_pool_deinit(&pool);
}

Test(slab, what_does_not_fit_begins_a_slab_of_its_own)
{
    struct slab_pool pool;
    struct slab_queue queue;
    uint8_t *place;

    slab_pool_init(&pool, 4);
    slab_queue_init(&queue, &pool);
    place = slab_queue_reserve(&queue, SLAB_DATA_BYTES - 1);
    slab_queue_commit(&queue, place, SLAB_DATA_BYTES - 1);
    place = slab_queue_reserve(&queue, 2);
    slab_queue_commit(&queue, place, 2);
    cr_assert_eq(pool.out_count, 2);
    cr_assert_eq(queue.head->end, SLAB_DATA_BYTES - 1);
    cr_assert_eq(queue.tail, queue.head->next);
    cr_assert_eq(queue.tail->end, 2);
    slab_queue_consume(&queue, SLAB_DATA_BYTES + 1);
    cr_assert_null(queue.head);
    slab_pool_deinit(&pool);
}

Test(slab, without_memory_nothing_is_reserved)
{
    struct slab_pool pool;
    struct slab_queue queue;

    slab_pool_init(&pool, 4);
    slab_queue_init(&queue, &pool);
    append(&queue, "abc", 3);
    allocations_left = 0;
    cr_assert_not_null(slab_queue_reserve(&queue, 100));
    cr_assert_null(slab_queue_reserve(&queue, SLAB_DATA_BYTES));
    allocations_left = INT32_MAX;
    cr_assert_eq(queue.bytes, 3);
    slab_queue_clear(&queue);
    slab_pool_deinit(&pool);
}

Test(slab, random_appends_and_takes_keep_the_stream)
{
    enum { STEPS = 5000, STREAM_BYTES = 1 << 20, PIECE_MAX = 40000 };
    struct random random = {.state = 42};
    struct slab_pool pool;
    struct slab_queue queue;
    uint8_t *stream = malloc(STREAM_BYTES);
    uint8_t out[PIECE_MAX];
    size_t in_at = 0;
    size_t out_at = 0;

    random_fill(&random, stream, STREAM_BYTES);
    slab_pool_init(&pool, 3);
    slab_queue_init(&queue, &pool);
    for (int step = 0; step < STEPS; step++) {
        size_t piece = random_below(&random, PIECE_MAX);

        if (random_below(&random, 2) == 0) {
            piece = piece < STREAM_BYTES - in_at ? piece : STREAM_BYTES - in_at;
            append(&queue, stream + in_at, piece);
            in_at += piece;
        } else {
            piece = piece < queue.bytes ? piece : queue.bytes;
            take(&queue, out, piece);
            cr_assert_arr_eq(out, stream + out_at, piece);
            out_at += piece;
        }
        cr_assert_eq(queue.bytes, in_at - out_at);
        if (in_at == STREAM_BYTES && queue.bytes == 0) {
            in_at = 0;
            out_at = 0;
        }
    }
    slab_queue_clear(&queue);
    cr_assert_eq(pool.out_count, 0);
    slab_pool_deinit(&pool);
    free(stream);
}
