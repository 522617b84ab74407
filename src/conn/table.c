#include "conn/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ring/op.h"

bool table_init(struct conn_table *table, uint32_t slot_max)
{
    uint32_t segment_max = (slot_max + TABLE_SEGMENT_SLOTS - 1) / TABLE_SEGMENT_SLOTS;

    memset(table, 0, sizeof *table);
    table->segments = calloc(segment_max ? segment_max : 1, sizeof *table->segments);
    table->slot_max = slot_max;
    return table->segments != NULL;
}

void table_deinit(struct conn_table *table)
{
    assert(table->used_count == 0);
    for (uint32_t i = 0; i < table->segment_count; i++) {
        free(table->segments[i]);
    }
    free(table->segments);
    memset(table, 0, sizeof *table);
}

static bool table_add_segment(struct conn_table *table)
{
    struct conn *segment = calloc(TABLE_SEGMENT_SLOTS, sizeof *segment);

    if (segment) {
        table->segments[table->segment_count++] = segment;
    }
    return segment != NULL;
}

static struct conn *table_take_slot(struct conn_table *table, uint32_t *out_slot)
{
    uint32_t slot = table->free_head;

    if (slot > 0) {
        struct conn *conn = table_at(table, --slot);

        *out_slot = slot;
        table->free_head = conn->free_next;
        return conn;
    }
    if (table->slot_count == table->slot_max) {
        return NULL;
    }
    if (table->slot_count == table->segment_count * TABLE_SEGMENT_SLOTS &&
        !table_add_segment(table)) {
        return NULL;
    }
    *out_slot = table->slot_count++;
    return table_at(table, *out_slot);
}

struct conn *table_take(struct conn_table *table)
{
    uint32_t slot;
    uint32_t generation;
    struct conn *conn = table_take_slot(table, &slot);

    if (!conn) {
        return NULL;
    }
    generation = conn->generation;
    memset(conn, 0, sizeof *conn);
    conn->slot = slot;
    conn->generation = generation;
    table->used_count++;
    return conn;
}

void table_put(struct conn_table *table, struct conn *conn)
{
    assert(table->used_count > 0);
    conn->state = CONN_FREE;
    conn->generation = (conn->generation + 1) & ((1u << OP_GENERATION_BITS) - 1);
    conn->free_next = table->free_head;
    table->free_head = conn->slot + 1;
    table->used_count--;
}

struct conn *table_find(const struct conn_table *table, uint32_t slot, uint32_t generation)
{
    struct conn *conn = slot < table->slot_count ? table_at(table, slot) : NULL;

    return conn && conn->state != CONN_FREE && conn->generation == generation ? conn : NULL;
}
