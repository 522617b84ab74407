#include "report/server_side.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "report/json_words.h"

static const char stats_schema[] = "tlsdyno-stats/1";

/* NAN when it is not there or no number. */
static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double number_between(const json_t *before, const json_t *after, const char *key)
{
    return number(after, key) - number(before, key);
}

/* -1 when it is not told. */
static int64_t counter_value(const json_t *totals, const struct counter_info *info)
{
    const json_t *value = json_object_get(totals, info->name);

    if (info->label != NULL) {
        value = json_object_get(value, info->label_value);
    }
    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value)
                                                                    : -1;
}

static int read_counters(const json_t *before, const json_t *after, struct server_side *out,
                         struct error *error)
{
    const json_t *totals_before = json_object_get(before, "totals");
    const json_t *totals_after = json_object_get(after, "totals");

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = &counter_infos[i];
        int64_t earlier = counter_value(totals_before, info);
        int64_t later = counter_value(totals_after, info);

        if (info->kind == COUNTER_KIND_GAUGE || later < 0 || earlier < 0) {
            out->counted[i] = info->kind == COUNTER_KIND_GAUGE ? later : -1;
            continue;
        }
        if (later < earlier) {
            return error_set(error,
                             "the server's counter '%s' went backwards: it was restarted during "
                             "the run, or another one answered",
                             info->name);
        }
        out->counted[i] = later - earlier;
    }
    return 0;
}

static int read_workers(const json_t *before, const json_t *after, struct server_side *out,
                        struct error *error)
{
    const json_t *workers_before = json_object_get(before, "workers");
    const json_t *workers_after = json_object_get(after, "workers");
    size_t count = json_array_size(workers_after);

    if (count == 0 || json_array_size(workers_before) != count) {
        return error_set(error, "the server's list of workers is missing or has changed");
    }
    out->worker_count = (unsigned)count;
    for (size_t i = 0; i < count; i++) {
        double share = number_between(json_array_get(workers_before, i),
                                      json_array_get(workers_after, i), "cpu_seconds") /
                       out->seconds;

        if (isnan(share) || share < 0) {
            return error_set(error, "the server's CPU seconds of worker %zu cannot be read", i);
        }
        out->busiest_worker = fmax(out->busiest_worker, share);
    }
    return 0;
}

/* What the bucket [high, count] at `index` counts beyond the earlier answer's. Both lists ascend,
 * so one cursor walks the earlier one. */
static uint64_t bucket_between(const json_t *earlier, size_t *cursor, const json_t *pair)
{
    json_int_t high = json_integer_value(json_array_get(pair, 0));
    json_int_t count = json_integer_value(json_array_get(pair, 1));

    while (*cursor < json_array_size(earlier)) {
        const json_t *old = json_array_get(earlier, *cursor);
        json_int_t old_high = json_integer_value(json_array_get(old, 0));

        if (old_high >= high) {
            if (old_high == high) {
                count -= json_integer_value(json_array_get(old, 1));
            }
            break;
        }
        (*cursor)++;
    }
    return count > 0 ? (uint64_t)count : 0;
}

/* Percentiles need the total first and the ranks in a second walk. */
static void read_times(const json_t *before, const json_t *after, const char *kind,
                       struct server_times *out)
{
    const json_t *earlier = json_object_get(
        json_object_get(json_object_get(before, "handshake_time"), kind), "buckets");
    const json_t *later =
        json_object_get(json_object_get(json_object_get(after, "handshake_time"), kind), "buckets");
    size_t cursor = 0;

    for (size_t i = 0; i < json_array_size(later); i++) {
        out->count += bucket_between(earlier, &cursor, json_array_get(later, i));
    }

    const struct {
        double percent;
        uint64_t *value_ns;
    } ranks[] = {{50, &out->p50_ns},
                 {90, &out->p90_ns},
                 {99, &out->p99_ns},
                 {99.9, &out->p999_ns},
                 {100, &out->max_ns}};
    size_t rank = 0;
    uint64_t seen = 0;

    cursor = 0;
    for (size_t i = 0; i < json_array_size(later); i++) {
        const json_t *pair = json_array_get(later, i);

        seen += bucket_between(earlier, &cursor, pair);
        while (seen > 0 && rank < sizeof(ranks) / sizeof(ranks[0]) &&
               (double)seen >= ceil((double)out->count * ranks[rank].percent / 100)) {
            *ranks[rank++].value_ns = (uint64_t)json_integer_value(json_array_get(pair, 0));
        }
    }
}

static bool has_schema(const json_t *stats)
{
    const char *schema = json_string_value(json_object_get(stats, "schema"));

    return schema != NULL && strcmp(schema, stats_schema) == 0;
}

int server_side_read(const json_t *before, const json_t *after, struct server_side *out,
                     struct error *error)
{
    *out = (struct server_side){0};
    if (!has_schema(before) || !has_schema(after)) {
        return error_set(error, "the server's answer is not of schema %s", stats_schema);
    }
    out->version = json_string_value(json_object_get(after, "version"));
    out->openssl = json_string_value(json_object_get(after, "openssl"));
    out->seconds = number_between(before, after, "monotonic_seconds");
    out->process_cpu_seconds = number_between(before, after, "process_cpu_seconds");
    out->workers_cpu_seconds = number_between(before, after, "workers_cpu_seconds");
    if (!(out->seconds > 0) || !(out->process_cpu_seconds >= 0) ||
        !(out->workers_cpu_seconds >= 0)) {
        return error_set(error, "the server's times are missing or went backwards: it was "
                                "restarted during the run, or another one answered");
    }
    if (read_counters(before, after, out, error) != 0 ||
        read_workers(before, after, out, error) != 0) {
        return -1;
    }
    read_times(before, after, "full", &out->handshake_full);
    read_times(before, after, "resumed", &out->handshake_resumed);
    return 0;
}

void server_memory_read(const json_t *before, const json_t *after, struct server_memory *out)
{
    out->before_bytes = number(before, "process_resident_bytes");
    out->after_bytes = number(after, "process_resident_bytes");
    out->connections = number_between(json_object_get(before, "totals"),
                                      json_object_get(after, "totals"), "connections_open");
    out->bytes_per_connection =
        out->connections > 0 ? (out->after_bytes - out->before_bytes) / out->connections : NAN;
}

struct server_times server_times_of(const struct histogram *histogram)
{
    return (struct server_times){
        .count = histogram->count,
        .p50_ns = histogram_percentile(histogram, 50),
        .p90_ns = histogram_percentile(histogram, 90),
        .p99_ns = histogram_percentile(histogram, 99),
        .p999_ns = histogram_percentile(histogram, 99.9),
        .max_ns = histogram->max_ns,
    };
}

json_t *server_times_json(const struct server_times *times)
{
    if (times->count == 0) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "count", json_count(times->count), "p50_ns",
                     json_count(times->p50_ns), "p90_ns", json_count(times->p90_ns), "p99_ns",
                     json_count(times->p99_ns), "p999_ns", json_count(times->p999_ns), "max_ns",
                     json_count(times->max_ns));
}
