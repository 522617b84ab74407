#include <string.h>

#include <criterion/criterion.h>

#include "freed.h"
#include "tls/session_store.h"

static bool put(struct session_store *store, uint32_t id, uint32_t value, uint64_t expires_ns)
{
    return session_store_put(store, (const uint8_t *)&id, sizeof(id), (const uint8_t *)&value,
                             sizeof(value), expires_ns);
}

/* The stored value, or 0. */
static uint32_t get(struct session_store *store, uint32_t id, uint64_t now_ns)
{
    uint32_t value = 0;

    session_store_get(store, (const uint8_t *)&id, sizeof(id), now_ns, (uint8_t *)&value,
                      sizeof(value));
    return value;
}

Test(session_store, hands_out_what_was_put)
{
    struct session_store *store = session_store_new(4);

    cr_assert(put(store, 1, 100, 10));
    cr_assert(put(store, 2, 200, 10));
    cr_assert_eq(get(store, 1, 0), 100);
    cr_assert_eq(get(store, 2, 0), 200);
    cr_assert_eq(get(store, 3, 0), 0);
    cr_assert_eq(session_store_count(store), 2);
    session_store_free(store);
}

Test(session_store, expires_on_the_given_clock)
{
    struct session_store *store = session_store_new(4);

    put(store, 1, 100, 10);
    cr_assert_eq(get(store, 1, 9), 100);
    cr_assert_eq(get(store, 1, 10), 0);
    cr_assert_eq(session_store_count(store), 0);
    session_store_free(store);
}

Test(session_store, the_oldest_makes_room)
{
    struct session_store *store = session_store_new(4);

    for (uint32_t id = 1; id <= 6; id++) {
        cr_assert(put(store, id, id * 100, 10));
    }
    cr_assert_eq(session_store_count(store), 4);
    cr_assert_eq(get(store, 1, 0), 0);
    cr_assert_eq(get(store, 2, 0), 0);
    for (uint32_t id = 3; id <= 6; id++) {
        cr_assert_eq(get(store, id, 0), id * 100);
    }
    session_store_free(store);
}

Test(session_store, the_same_id_is_replaced)
{
    struct session_store *store = session_store_new(4);

    put(store, 1, 100, 10);
    put(store, 1, 101, 10);
    cr_assert_eq(get(store, 1, 0), 101);
    cr_assert_eq(session_store_count(store), 1);
    session_store_free(store);
}

Test(session_store, removes_one_and_keeps_the_others)
{
    struct session_store *store = session_store_new(4);
    uint32_t id = 2;

    put(store, 1, 100, 10);
    put(store, 2, 200, 10);
    session_store_remove(store, (const uint8_t *)&id, sizeof(id));
    session_store_remove(store, (const uint8_t *)&id, sizeof(id));
    cr_assert_eq(get(store, 1, 0), 100);
    cr_assert_eq(get(store, 2, 0), 0);
    cr_assert_eq(session_store_count(store), 1);
    session_store_free(store);
}

Test(session_store, a_churn_beyond_its_size_stays_bounded_and_right)
{
    struct session_store *store = session_store_new(1024);

    for (uint32_t id = 1; id <= 20000; id++) {
        cr_assert(put(store, id, id, 10));
        cr_assert_eq(get(store, id, 0), id);
        if (id % 3 == 0) {
            session_store_remove(store, (const uint8_t *)&id, sizeof(id));
        }
    }
    cr_assert_leq(session_store_count(store), 1024);
    session_store_free(store);
}

Test(session_store, refuses_what_does_not_fit)
{
    struct session_store *store = session_store_new(4);
    uint8_t bytes[SESSION_DATA_BYTES_MAX + 1] = {1};
    uint8_t out[8];

    cr_assert(
        session_store_put(store, bytes, SESSION_ID_BYTES_MAX, bytes, SESSION_DATA_BYTES_MAX, 10));
    cr_assert_not(session_store_put(store, bytes, SESSION_ID_BYTES_MAX + 1, bytes, 1, 10));
    cr_assert_not(session_store_put(store, bytes, 0, bytes, 1, 10));
    cr_assert_not(session_store_put(store, bytes, 1, bytes, SESSION_DATA_BYTES_MAX + 1, 10));
    cr_assert_not(session_store_put(store, bytes, 1, bytes, 0, 10));
    /* Too large for the reader's buffer. */
    cr_assert_eq(session_store_get(store, bytes, SESSION_ID_BYTES_MAX, 0, out, sizeof(out)), 0);
    session_store_free(store);
}

Test(session_store, refuses_a_size_out_of_range)
{
    cr_assert_null(session_store_new(0));
    cr_assert_null(session_store_new((size_t)SESSION_COUNT_MAX + 1));
    session_store_free(NULL);
}

Test(session_store, a_freed_store_has_no_session_in_it)
{
    static const uint8_t id[32] = {1};
    static const uint8_t data[] = "a session with its secret";
    struct session_store *store = session_store_new(4);
    uint8_t out[SESSION_DATA_BYTES_MAX];

    cr_assert(session_store_put(store, id, sizeof(id), data, sizeof(data), 1));
    cr_assert_eq(session_store_get(store, id, sizeof(id), 0, out, sizeof(out)), sizeof(data));
    freed_watch(data, sizeof(data));
    session_store_free(store);
    cr_assert_not(freed_with_secret());
}
