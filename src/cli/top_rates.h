/* What a server did between two answers of its /stats, core by core, ready to be shown. The answers
 * come from another process, so nothing in them is taken for granted. Pure functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "stats/snapshot.h"

struct error;

enum top_order { TOP_BY_CORE, TOP_BY_CPU, TOP_BY_HANDSHAKES, TOP_BY_MESSAGES, TOP_BY_ERRORS };
enum { TOP_ORDER_COUNT = 5, TOP_REASONS_MAX = 32, TOP_TEXT_BYTES = 96 };

const char *top_order_name(enum top_order order); /* "core"; static */

/* One worker, or all of them. Rates are a second; NAN: not told. */
struct top_row {
    int index;   /* of the worker; -1: all */
    int cpu;     /* that it is pinned to; -1: none */
    double busy; /* CPU time over wall time, 0-1; all: their sum */
    double full, resumed;
    double messages;
    double bytes_in, bytes_out; /* plaintext */
    double errors;
    double open, handshaking; /* now */
};

struct top_reason {
    const char *name;  /* "handshake not_tls"; static */
    const char *label; /* "" when the name says it all */
    double per_second;
    double total; /* since the server began */
};

/* Too large for the stack where there are many workers: the caller's. */
struct top_rates {
    char version[TOP_TEXT_BYTES], openssl[TOP_TEXT_BYTES]; /* printable ASCII */
    double seconds;                                        /* between the answers */
    double peak; /* connections open at once since the server began, an upper bound */
    double process_busy;
    struct top_row all;
    struct top_row rows[SNAPSHOT_WORKERS_MAX];
    size_t row_count;
    struct top_reason reasons[TOP_REASONS_MAX]; /* that have happened, most a second first */
    size_t reason_count;
};

/* Returns 0, or -1 and a sentence when the answers are not what they should be or not of one server
 * process. */
int top_rates_compute(const json_t *before, const json_t *after, struct top_rates *out,
                      struct error *error);

/* Largest first, but for TOP_BY_CORE; equals stay in their order. */
void top_rates_sort(struct top_rates *rates, enum top_order order);
