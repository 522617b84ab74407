/* A snapshot as text that programs read. Pure functions; any thread.
 *
 * JSON (RFC 8259), schema "tlsdyno-stats/1":
 *
 *     schema, version           "tlsdyno-stats/1", the program's version
 *     openssl                   the OpenSSL that runs, as it names itself
 *     monotonic_seconds         when, CLOCK_MONOTONIC: for differences only
 *     process_cpu_seconds       user and system time of the whole process
 *     workers_cpu_seconds       of the workers' threads alone
 *     totals                    every counter, summed; rows of one name are an object by label:
 *                               {"accepts": 7, "handshakes": {"full": 5, "ticket": 2, "id": 0},
 * ...} derived                   completions_per_enter; null while nothing was counted workers
 * [{"index", "cpu" (null: not pinned), "cpu_seconds", "counters"}] handshake_time {"full": {...},
 * "resumed": {...}}, each with count, sum_ns, min_ns, p50_ns, p90_ns, p99_ns, p999_ns, max_ns, and
 * buckets:
 *                               [[highest ns, count], ...] of the buckets that are not empty,
 * ascending
 *
 * Totals and buckets only grow, so a reader subtracts two answers to get what happened in between.
 * The names of the counters are in stats/counters.c. */
#pragma once

struct snapshot;

/* Heap, freed with free(3); NULL when memory is out. */
char *exposition_json(const struct snapshot *snapshot);

/* Prometheus text exposition format 0.0.4, likewise. */
char *exposition_prometheus(const struct snapshot *snapshot);
