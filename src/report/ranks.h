/* The ranks of a run apart: what each process, perhaps on a machine of its own, had in the whole.
 */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "load/result.h"
#include "report/report.h"
#include "report/server_side.h"

enum { REPORT_HOST_BYTES = 65 }; /* HOST_NAME_MAX and its end */

/* Nothing in it points anywhere: it travels between processes as it is. */
struct report_rank {
    char host[REPORT_HOST_BYTES];
    char openssl[REPORT_ENVIRONMENT_BYTES];
    struct report_environment environment;
    unsigned threads;
    uint32_t connections_asked;
    uint32_t connections_peak;
    double seconds;
    double cpu_seconds;
    double busiest_thread;
    uint64_t operations; /* handshakes or answers; streams: none */
    uint64_t bytes;      /* plaintext, both directions */
    uint64_t errors;
    struct load_error most_frequent; /* of those errors */
    struct server_times latency;     /* of the phases that the plan is about */
};

/* All but host, openssl and environment. */
void report_rank_read(struct report_rank *out, const struct load_plan *plan,
                      const struct load_result *result);

/* A new reference; null where there are not several. */
json_t *report_ranks_json(const struct report_input *input);

/* A table of them, with a line below each that had errors; nothing where there are not several. */
void report_ranks_print(FILE *out, const struct report_input *input);
