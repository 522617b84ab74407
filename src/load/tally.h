/* Tables that every load thread keeps of its connections: what was negotiated, what went wrong, and
 * how many bytes a handshake takes, which staples came. Fixed size; one thread, merged after it has
 * ended. Zeroed memory is an empty tally. */
#pragma once

#include "load/result.h"

struct load_tally {
    struct load_negotiated negotiated[LOAD_NEGOTIATED_MAX];
    size_t negotiated_count;
    size_t negotiated_last; /* the row found last: nearly always the next one, too */
    uint64_t negotiated_other;
    struct load_error
        errors[LOAD_ERRORS_MAX]; /* the last row is kept for reasons beyond the table */
    size_t error_count;
    uint64_t errors_total;
    uint64_t staples[TLS_STAPLE_COUNT];
    struct load_handshake_bytes handshake_bytes[LOAD_RESUMPTION_COUNT];
};

void load_tally_negotiated(struct load_tally *tally, const struct tls_facts *facts,
                           uint64_t connections);

void load_tally_error(struct load_tally *tally, enum load_error_phase phase, const char *reason,
                      uint64_t count);

/* One handshake's. */
void load_tally_bytes(struct load_tally *tally, enum tls_resumption kind, uint64_t in,
                      uint64_t out);

void load_tally_staple(struct load_tally *tally, enum tls_staple staple);

/* Fills the result's tables, the most frequent rows first. */
void load_tally_publish(const struct load_tally *tally, struct load_result *out);

/* Adds what a result's tables hold. */
void load_tally_merge(struct load_tally *into, const struct load_result *from);
