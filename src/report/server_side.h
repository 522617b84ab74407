/* What a server did between two answers of its /stats endpoint (see server/exposition.h). The
 * answers come from another process, so nothing in them is taken for granted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "stats/counters.h"

struct error;

struct server_times { /* nanoseconds; all zero when count is */
    uint64_t count;
    uint64_t p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
};

struct server_times server_times_of(const struct histogram *histogram);
json_t *server_times_json(const struct server_times *times); /* a new reference; null when empty */

struct server_side {
    const char *version; /* borrowed from the later answer; NULL: not told */
    const char *openssl;
    double seconds;             /* between the answers */
    double process_cpu_seconds; /* spent between them */
    double workers_cpu_seconds;
    double busiest_worker; /* CPU time over wall time, 0-1 */
    unsigned worker_count;
    int64_t counted[COUNTER_COUNT]; /* between them; a gauge: at the end; -1: not told */
    struct server_times handshake_full;
    struct server_times handshake_resumed;
};

/* The growth of the process's memory, RSS, between two answers. */
struct server_memory {
    double before_bytes, after_bytes; /* NAN: not told */
    double connections;               /* more open at the later one */
    double bytes_per_connection;      /* NAN: not told, or no more connections */
};

void server_memory_read(const json_t *before, const json_t *after, struct server_memory *out);

/* Returns 0, or -1 and a sentence when the answers are not what they should be or are not of one
 * server process. */
int server_side_read(const json_t *before, const json_t *after, struct server_side *out,
                     struct error *error);
