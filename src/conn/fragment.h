/* The size of records, which trades the time to the first byte against overhead: a record can be
 * decrypted only when all of it has arrived. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct conn;

struct fragment_policy {
    uint64_t sent_bytes; /* of plaintext since the connection opened or we were last silent */
    uint64_t written_ns; /* the last write; a peer that asks again does not end our silence */
    uint16_t bytes_max;  /* the full size; 0: as the context says */
    bool is_dynamic;
    bool is_small; /* small records are in force */
};

/* Before each write: chooses the size. */
void fragment_choose(struct conn *conn, uint64_t count);
