/* The worker's connections: slots with generations. Slots are made in segments as connections grow,
 * never moved, and reused last-in first-out. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conn/conn.h"

enum { TABLE_SEGMENT_SLOTS = 256 };

struct conn_table {
    struct conn **segments;
    uint32_t segment_count;
    uint32_t slot_max;
    uint32_t slot_count; /* made so far */
    uint32_t used_count; /* not free */
    uint32_t free_head;  /* slot + 1; 0: none */
};

/* Returns false when memory is out. */
bool table_init(struct conn_table *table, uint32_t slot_max);
/* Every connection must have been freed. */
void table_deinit(struct conn_table *table);

/* A zeroed connection with its slot and generation set, or NULL when the table is full or memory is
 * out. */
struct conn *table_take(struct conn_table *table);
void table_put(struct conn_table *table, struct conn *conn);

/* The connection in the slot, free or not; the slot must have been made. */
static inline struct conn *table_at(const struct conn_table *table, uint32_t slot)
{
    return &table->segments[slot / TABLE_SEGMENT_SLOTS][slot % TABLE_SEGMENT_SLOTS];
}

/* The connection that a completion is about, or NULL when the slot has been reused since. */
struct conn *table_find(const struct conn_table *table, uint32_t slot, uint32_t generation);
