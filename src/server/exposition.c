#include "server/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "stats/snapshot.h"
#include "tls/context.h"

/* ---- JSON ---- */

/* Seconds to the nanosecond for the first eleven days of a clock, to the microsecond for ever, and
 * without the noise of a double's last digits. */
enum { NS_DIGITS = 15 };

/* jansson's _new functions take over the reference given, also when they fail, and a NULL given
 * makes them fail: so one check of the outermost object is enough where every step passes its
 * result on. */

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

/* {"name": value, "name of a labelled row": {"label value": value}} */
static json_t *counters_json(const uint64_t values[COUNTER_COUNT])
{
    json_t *object = json_object();

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = &counter_infos[i];
        json_t *value = json_integer((json_int_t)values[i]);
        json_t *parent = object;
        const char *key = info->name;

        if (info->label != NULL) {
            parent = json_object_get(object, info->name);
            if (parent == NULL) {
                json_object_set_new(object, info->name, json_object());
                parent = json_object_get(object, info->name);
            }
            key = info->label_value;
        }
        if (json_object_set_new(parent, key, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *buckets_json(const struct histogram *histogram)
{
    json_t *buckets = json_array();

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] == 0) {
            continue;
        }
        json_t *pair = json_pack("[I,I]", (json_int_t)histogram_bucket_high(i),
                                 (json_int_t)histogram->buckets[i]);
        if (json_array_append_new(buckets, pair) != 0) {
            json_decref(buckets);
            return NULL;
        }
    }
    return buckets;
}

static json_t *histogram_json(const struct histogram *histogram)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "count",
                     (json_int_t)histogram->count, "sum_ns", (json_int_t)histogram->sum_ns,
                     "min_ns", (json_int_t)histogram->min_ns, "p50_ns",
                     (json_int_t)histogram_percentile(histogram, 50), "p90_ns",
                     (json_int_t)histogram_percentile(histogram, 90), "p99_ns",
                     (json_int_t)histogram_percentile(histogram, 99), "p999_ns",
                     (json_int_t)histogram_percentile(histogram, 99.9), "max_ns",
                     (json_int_t)histogram->max_ns, "buckets", buckets_json(histogram));
}

static json_t *workers_json(const struct snapshot *snapshot)
{
    json_t *workers = json_array();

    for (unsigned i = 0; i < snapshot->worker_count; i++) {
        const struct snapshot_worker *worker = &snapshot->workers[i];
        json_t *cpu = worker->cpu >= 0 ? json_integer(worker->cpu) : json_null();
        json_t *object =
            json_pack("{s:i, s:o, s:f, s:o}", "index", (int)i, "cpu", cpu, "cpu_seconds",
                      seconds(worker->cpu_ns), "counters", counters_json(worker->values));

        if (json_array_append_new(workers, object) != 0) {
            json_decref(workers);
            return NULL;
        }
    }
    return workers;
}

static json_t *ratio_json(uint64_t numerator, uint64_t denominator)
{
    return denominator == 0 ? json_null() : json_real((double)numerator / (double)denominator);
}

char *exposition_json(const struct snapshot *snapshot)
{
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:f, s:f, s:I, s:f, s:o, s:{s:o}, s:o, s:{s:o, s:o}}", "schema",
        "tlsdyno-stats/1", "version", TLSDYNO_VERSION, "openssl", tls_library_version(),
        "monotonic_seconds", seconds(snapshot->taken_ns), "process_cpu_seconds",
        seconds(snapshot->process_cpu_ns), "process_resident_bytes",
        (json_int_t)snapshot->resident_bytes, "workers_cpu_seconds", seconds(snapshot->cpu_ns),
        "totals", counters_json(snapshot->values), "derived", "completions_per_enter",
        ratio_json(snapshot->values[COUNTER_COMPLETIONS], snapshot->values[COUNTER_ENTERS]),
        "workers", workers_json(snapshot), "handshake_time", "full",
        histogram_json(&snapshot->handshake_full), "resumed",
        histogram_json(&snapshot->handshake_resumed));

    if (root == NULL) {
        return NULL;
    }
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(NS_DIGITS));

    json_decref(root);
    return text;
}

/* ---- Prometheus ---- */

/* Fixed bounds, so that series of different servers and times can be added up: from a resumption's
 * tens of microseconds to the default handshake timeout. */
static const double handshake_bounds_s[] = {
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
    0.1,     0.25,   0.5,     1,      2.5,   5,      10,    30,   60,    120,
};
enum { HANDSHAKE_BOUND_COUNT = sizeof(handshake_bounds_s) / sizeof(handshake_bounds_s[0]) };

static void write_header(FILE *out, const char *name, const char *suffix, const char *help,
                         const char *type)
{
    fprintf(out, "# HELP tlsdyno_%s%s %s.\n# TYPE tlsdyno_%s%s %s\n", name, suffix, help, name,
            suffix, type);
}

static void write_counter(FILE *out, const struct snapshot *snapshot, enum counter which)
{
    const struct counter_info *info = &counter_infos[which];
    bool is_gauge = info->kind == COUNTER_KIND_GAUGE;
    const char *suffix = is_gauge ? "" : "_total";

    /* The rows of one name stand together in the table; the first of them writes the header. */
    if (which == 0 || strcmp(counter_infos[which - 1].name, info->name) != 0) {
        write_header(out, info->name, suffix, info->help, is_gauge ? "gauge" : "counter");
    }
    for (unsigned i = 0; i < snapshot->worker_count; i++) {
        fprintf(out, "tlsdyno_%s%s{worker=\"%u\"", info->name, suffix, i);
        if (info->label != NULL) {
            fprintf(out, ",%s=\"%s\"", info->label, info->label_value);
        }
        fprintf(out, "} %" PRIu64 "\n", snapshot->workers[i].values[which]);
    }
}

/* A bucket of ours that straddles a bound counts as above it: at most 1/128 of the bound off, and
 * never a handshake reported faster than it was. */
static void write_histogram(FILE *out, const char *kind, const struct histogram *histogram)
{
    uint64_t cumulative = 0;
    unsigned index = 0;

    for (unsigned i = 0; i < HANDSHAKE_BOUND_COUNT; i++) {
        double bound_ns = handshake_bounds_s[i] * 1e9;

        while (index < HISTOGRAM_BUCKETS && (double)histogram_bucket_high(index) <= bound_ns) {
            cumulative += histogram->buckets[index++];
        }
        fprintf(out, "tlsdyno_handshake_seconds_bucket{kind=\"%s\",le=\"%g\"} %" PRIu64 "\n", kind,
                handshake_bounds_s[i], cumulative);
    }
    /* The count comes from the buckets too: the worker may be counting meanwhile, and a reader
     * insists that the +Inf bucket equals the count. */
    while (index < HISTOGRAM_BUCKETS) {
        cumulative += histogram->buckets[index++];
    }
    fprintf(out,
            "tlsdyno_handshake_seconds_bucket{kind=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
            "tlsdyno_handshake_seconds_sum{kind=\"%s\"} %.9f\n"
            "tlsdyno_handshake_seconds_count{kind=\"%s\"} %" PRIu64 "\n",
            kind, cumulative, kind, seconds(histogram->sum_ns), kind, cumulative);
}

static void write_metrics(FILE *out, const struct snapshot *snapshot)
{
    write_header(out, "build_info", "", "Always 1; the labels say what runs", "gauge");
    fprintf(out, "tlsdyno_build_info{version=\"%s\",openssl=\"%s\"} 1\n", TLSDYNO_VERSION,
            tls_library_version());

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        write_counter(out, snapshot, i);
    }

    write_header(out, "worker_cpu_seconds", "_total", "User and system CPU time of the worker",
                 "counter");
    for (unsigned i = 0; i < snapshot->worker_count; i++) {
        fprintf(out, "tlsdyno_worker_cpu_seconds_total{worker=\"%u\"} %.9f\n", i,
                seconds(snapshot->workers[i].cpu_ns));
    }
    /* Without the prefix: the name that Prometheus clients share for it. */
    fprintf(out,
            "# HELP process_cpu_seconds_total User and system CPU time of the whole process.\n"
            "# TYPE process_cpu_seconds_total counter\n"
            "process_cpu_seconds_total %.9f\n"
            "# HELP process_resident_memory_bytes Memory of the process that is in RAM.\n"
            "# TYPE process_resident_memory_bytes gauge\n"
            "process_resident_memory_bytes %" PRIu64 "\n",
            seconds(snapshot->process_cpu_ns), snapshot->resident_bytes);

    write_header(out, "handshake_seconds", "", "Time from accept to handshake complete",
                 "histogram");
    write_histogram(out, "full", &snapshot->handshake_full);
    write_histogram(out, "resumed", &snapshot->handshake_resumed);
}

char *exposition_prometheus(const struct snapshot *snapshot)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL) {
        return NULL;
    }
    write_metrics(out, snapshot);

    bool failed = ferror(out) != 0;

    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
