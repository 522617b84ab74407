/* What the command line of `tlsdyno limit` says, and the rows that put it there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "sweep/matrix.h"

/* Connections: both ends' OpenSSL state in one process. */
enum { LIMIT_ROUNDS_MAX = 100, LIMIT_CONNECTIONS_MAX = 10 * 1000 };

struct limit_options {
    const char *works;
    const char *axes[SWEEP_AXIS_COUNT]; /* lists, as of sweep; only some have an option here */
    uint32_t connections;               /* of the plain TCP half */
    uint32_t rounds;
    uint64_t duration_ns;
    bool memory_only;
    const char *json_file;
};

/* Rows over struct limit_options. */
enum { LIMIT_OPTION_COUNT = 11 };

extern const struct option_info limit_option_rows[LIMIT_OPTION_COUNT];
