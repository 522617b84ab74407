#include <string.h>

#include <criterion/criterion.h>

#include "tls/engine.h"

/* A pass-through engine: the same calls without TLS. What TLS does is in tests/pair. */
struct fixture {
    struct slab_pool pool;
    struct slab_queue queue;
    struct tls_engine engine;
    struct tls_failure_detail failure;
};

static void open_engine(struct fixture *fixture)
{
    slab_pool_init(&fixture->pool, 1);
    slab_queue_init(&fixture->queue, &fixture->pool);
    cr_assert(tls_engine_init(&fixture->engine, NULL, &fixture->queue, NULL));
}

static void close_engine(struct fixture *fixture)
{
    tls_engine_deinit(&fixture->engine);
    slab_queue_clear(&fixture->queue);
    slab_pool_deinit(&fixture->pool);
}

Test(engine, pass_through_reads_what_was_fed)
{
    struct fixture fixture;
    uint8_t out[8];
    size_t count;

    open_engine(&fixture);
    cr_assert_eq(tls_engine_handshake(&fixture.engine, &fixture.failure), TLS_OK);
    cr_assert_eq(tls_engine_read(&fixture.engine, out, sizeof(out), &count, &fixture.failure),
                 TLS_AGAIN);
    cr_assert_eq(count, 0);
    tls_engine_feed(&fixture.engine, (const uint8_t *)"hello world", 11);
    cr_assert_eq(tls_engine_read(&fixture.engine, out, sizeof(out), &count, &fixture.failure),
                 TLS_OK);
    cr_assert_eq(count, 8);
    cr_assert_arr_eq(out, "hello wo", 8);
    cr_assert_eq(tls_engine_read(&fixture.engine, out, sizeof(out), &count, &fixture.failure),
                 TLS_OK);
    cr_assert_eq(count, 3);
    cr_assert_eq(fixture.engine.input_bytes, 0);
    close_engine(&fixture);
}

Test(engine, pass_through_reads_at_most_a_record)
{
    static uint8_t in[40000];
    static uint8_t out[40000];
    struct fixture fixture;
    size_t count;

    open_engine(&fixture);
    tls_engine_feed(&fixture.engine, in, sizeof(in));
    cr_assert_eq(tls_engine_read(&fixture.engine, out, sizeof(out), &count, &fixture.failure),
                 TLS_OK);
    cr_assert_eq(count, 16384);
    close_engine(&fixture);
}

Test(engine, pass_through_writes_unchanged_and_closes_silently)
{
    struct fixture fixture;

    open_engine(&fixture);
    cr_assert_eq(tls_engine_write(&fixture.engine, (const uint8_t *)"text", 4, &fixture.failure),
                 TLS_OK);
    cr_assert_eq(fixture.queue.bytes, 4);
    cr_assert_arr_eq(fixture.queue.head->data + fixture.queue.head->start, "text", 4);
    tls_engine_close(&fixture.engine);
    tls_engine_idle(&fixture.engine);
    cr_assert_eq(fixture.queue.bytes, 4);
    close_engine(&fixture);
}

Test(engine, pass_through_has_no_facts)
{
    struct fixture fixture;
    struct tls_facts facts;
    enum tls_resumption kind;

    open_engine(&fixture);
    tls_engine_facts(&fixture.engine, &facts);
    cr_assert_str_empty(facts.version);
    cr_assert_not(tls_engine_resumed(&fixture.engine, &kind));
    cr_assert_null(tls_engine_take_session(&fixture.engine));
    cr_assert(tls_engine_set_max_send_fragment(&fixture.engine, 512));
    cr_assert_not(tls_engine_set_max_send_fragment(&fixture.engine, 511));
    close_engine(&fixture);
}
