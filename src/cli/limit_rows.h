/* The rows of `tlsdyno limit`: each a work between two engines in memory, and what the same work
 * costs over plain TCP. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "cli/limit_options.h"
#include "load/ceiling.h"
#include "sweep/matrix.h"

struct certificate;

enum { LIMIT_ROWS_MAX = 256, LIMIT_PLAINS_MAX = 1 + SWEEP_VALUES_MAX };

/* Seconds of server CPU time an operation, one value a round. */
struct limit_times {
    double values[LIMIT_ROUNDS_MAX];
    size_t count;
};

/* The work over plain TCP, which the rows share that differ in TLS alone. */
struct limit_plain {
    uint64_t message_bytes; /* 0: connect, accept, close */
    struct limit_times times;
};

struct limit_row {
    enum ceiling_work work;
    struct sweep_cell cell;  /* what was asked for */
    uint64_t message_bytes;  /* 0 unless the work is echo */
    struct ceiling *ceiling; /* NULL: it cannot be, see `reason` */
    struct error reason;
    struct limit_times server, client;
    size_t plain; /* index */
};

struct limit {
    const struct limit_options *options; /* borrowed */
    struct certificate *certificates[SWEEP_CERTIFICATE_COUNT];
    struct limit_row *rows; /* LIMIT_ROWS_MAX */
    size_t row_count;
    struct limit_plain plains[LIMIT_PLAINS_MAX];
    size_t plain_count;
};

/* Works it out and makes what each row needs. Returns 0, or -1 and a sentence about the options; a
 * row that this OpenSSL cannot do is no error. limit_close() in either case. */
int limit_open(struct limit *limit, const struct limit_options *options, struct error *error);
void limit_close(struct limit *limit);

/* One round of the row's TLS half. Returns 0, or -1 and a sentence. */
int limit_measure_memory(struct limit *limit, struct limit_row *row, struct error *error);

/* NAN: not measured. */
struct limit_spread {
    double median, low, high;
};
struct limit_spread limit_spread(const struct limit_times *times);
/* Operations a second of the server's CPU time that TLS and TCP together allow; NAN: not known. */
double limit_ceiling(const struct limit *limit, const struct limit_row *row);
