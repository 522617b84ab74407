#include "top_stats.h"

static json_t *counters(void)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = &counter_infos[i];

        if (info->label == NULL) {
            json_object_set_new(object, info->name, json_integer(0));
        } else {
            if (json_object_get(object, info->name) == NULL) {
                json_object_set_new(object, info->name, json_object());
            }
            json_object_set_new(json_object_get(object, info->name), info->label_value,
                                json_integer(0));
        }
    }
    return object;
}

json_t *top_stats(double monotonic_seconds)
{
    return json_pack("{s:s, s:s, s:s, s:f, s:f, s:o, s:[{s:i, s:f, s:o}, {s:i, s:f, s:o}]}",
                     "schema", "tlsdyno-stats/1", "version", "0.1.0", "openssl", "OpenSSL 3\x1b",
                     "monotonic_seconds", monotonic_seconds, "process_cpu_seconds",
                     monotonic_seconds / 2, "totals", counters(), "workers", "cpu", 0,
                     "cpu_seconds", monotonic_seconds * 0.25, "counters", counters(), "cpu", 1,
                     "cpu_seconds", monotonic_seconds * 0.5, "counters", counters());
}

void top_stats_set(json_t *stats, int worker, enum counter which, int64_t value)
{
    const struct counter_info *info = &counter_infos[which];
    json_t *at =
        worker < 0
            ? json_object_get(stats, "totals")
            : json_object_get(json_array_get(json_object_get(stats, "workers"), (size_t)worker),
                              "counters");

    if (info->label != NULL) {
        json_object_set_new(json_object_get(at, info->name), info->label_value,
                            json_integer(value));
    } else {
        json_object_set_new(at, info->name, json_integer(value));
    }
}
