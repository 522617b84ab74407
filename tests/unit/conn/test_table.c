#include <criterion/criterion.h>

#include "conn/table.h"
#include "ring/op.h"

Test(table, hands_out_zeroed_connections_up_to_its_limit)
{
    struct conn_table table;
    struct conn *conns[3];

    cr_assert(table_init(&table, 3));
    for (int i = 0; i < 3; i++) {
        conns[i] = table_take(&table);
        cr_assert_not_null(conns[i]);
        cr_assert_eq(conns[i]->slot, (uint32_t)i);
        cr_assert_eq(conns[i]->wire_bytes_in, 0);
        conns[i]->state = CONN_OPEN;
        conns[i]->wire_bytes_in = 7;
    }
    cr_assert_null(table_take(&table), "a full table must refuse");
    table_put(&table, conns[1]);
    cr_assert_eq(table_take(&table), conns[1], "the freed slot is used again");
    cr_assert_eq(conns[1]->wire_bytes_in, 0);
    for (int i = 0; i < 3; i++) {
        table_put(&table, conns[i]);
    }
    table_deinit(&table);
}

Test(table, finds_by_slot_and_generation)
{
    struct conn_table table;
    struct conn *conn;

    cr_assert(table_init(&table, 10));
    conn = table_take(&table);
    conn->state = CONN_OPEN;
    cr_assert_eq(table_find(&table, conn->slot, conn->generation), conn);
    table_put(&table, conn);
    table_deinit(&table);
}

Test(table, recognises_a_stale_completion)
{
    struct conn_table table;
    struct conn *conn;
    uint32_t slot;
    uint32_t old;

    cr_assert(table_init(&table, 10));
    conn = table_take(&table);
    conn->state = CONN_OPEN;
    slot = conn->slot;
    old = conn->generation;
    table_put(&table, conn);
    cr_assert_null(table_find(&table, slot, old), "a free slot is nobody's");
    conn = table_take(&table);
    conn->state = CONN_OPEN;
    cr_assert_eq(conn->slot, slot);
    cr_assert_null(table_find(&table, slot, old), "the slot has a new owner");
    cr_assert_null(table_find(&table, 9, 0), "a slot that was never made");
    table_put(&table, conn);
    table_deinit(&table);
}

Test(table, generation_wraps_within_what_a_completion_can_carry)
{
    struct conn_table table;
    struct conn *conn;

    cr_assert(table_init(&table, 1));
    conn = table_take(&table);
    conn->generation = (1u << OP_GENERATION_BITS) - 1;
    table_put(&table, conn);
    conn = table_take(&table);
    cr_assert_eq(conn->generation, 0);
    table_put(&table, conn);
    table_deinit(&table);
}
