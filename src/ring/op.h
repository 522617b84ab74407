/* What a completion is about, packed into io_uring's 64-bit user_data: the operation, the slot of
 * the connection and the generation of that slot. A completion whose generation is not the slot's
 * is a stale one and is recognised as such. */
#pragma once

#include <stdint.h>

enum op_kind {
    OP_IGNORE, /* nobody waits for the result */
    OP_ACCEPT, /* slot: listener */
    OP_CONNECT,
    OP_RECV,
    OP_SEND,
    OP_MAIL, /* letters are in the mailbox */
};

enum { OP_GENERATION_BITS = 24 };

struct op {
    enum op_kind kind;
    uint32_t slot;
    uint32_t generation; /* OP_GENERATION_BITS wide */
};

static inline uint64_t op_encode(enum op_kind kind, uint32_t slot, uint32_t generation)
{
    return (uint64_t)kind << 56 | (uint64_t)(generation & 0xffffff) << 32 | slot;
}

static inline struct op op_decode(uint64_t user_data)
{
    return (struct op){
        .kind = (enum op_kind)(user_data >> 56),
        .generation = (uint32_t)(user_data >> 32) & 0xffffff,
        .slot = (uint32_t)user_data,
    };
}
