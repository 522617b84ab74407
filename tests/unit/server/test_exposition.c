#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "server/exposition.h"
#include "stats/snapshot.h"

/* Two workers that have done some work; the caller frees it. */
static struct snapshot *make_snapshot(void)
{
    static struct counters blocks[2];
    struct snapshot *snapshot = snapshot_new(2);

    cr_assert_not_null(snapshot);
    memset(blocks, 0, sizeof(blocks));
    counters_add(&blocks[0], COUNTER_ACCEPTS, 5);
    counters_add(&blocks[1], COUNTER_ACCEPTS, 2);
    counters_add(&blocks[0], COUNTER_HANDSHAKES_FULL, 3);
    counters_add(&blocks[0], COUNTER_HANDSHAKES_TICKET, 1);
    counters_add(&blocks[1], COUNTER_HANDSHAKE_FAILED_NOT_TLS, 2);
    counters_add(&blocks[1], COUNTER_CONNECTIONS_OPEN, 4);
    counters_add(&blocks[0], COUNTER_ENTERS, 10);
    counters_add(&blocks[0], COUNTER_COMPLETIONS, 25);
    histogram_record(&blocks[0].handshake_full, 40 * 1000);
    histogram_record(&blocks[0].handshake_full, 700 * 1000);
    histogram_record(&blocks[0].handshake_full, 3 * 1000 * 1000);
    histogram_record(&blocks[0].handshake_resumed, 90 * 1000);
    snapshot_add_worker(snapshot, 0, &blocks[0], 1500000000, 0);
    snapshot_add_worker(snapshot, 1, &blocks[1], 500000000, -1);
    snapshot->process_cpu_ns = 2250000000;
    snapshot->taken_ns = 123456789012;
    return snapshot;
}

static json_t *parse(char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    cr_assert_not_null(root, "%s", error.text);
    free(text);
    return root;
}

static json_int_t integer_at(const json_t *root, const char *key, const char *subkey)
{
    const json_t *value = json_object_get(root, key);

    if (subkey != NULL) {
        value = json_object_get(value, subkey);
    }
    cr_assert(json_is_integer(value), "%s is no integer", key);
    return json_integer_value(value);
}

Test(exposition, json_has_totals_and_every_worker)
{
    struct snapshot *snapshot = make_snapshot();
    json_t *root = parse(exposition_json(snapshot));
    const json_t *totals = json_object_get(root, "totals");
    const json_t *workers = json_object_get(root, "workers");

    cr_assert_str_eq(json_string_value(json_object_get(root, "schema")), "tlsdyno-stats/1");
    cr_assert_str_eq(json_string_value(json_object_get(root, "version")), TLSDYNO_VERSION);
    cr_assert_float_eq(json_number_value(json_object_get(root, "process_cpu_seconds")), 2.25, 1e-9);
    cr_assert_float_eq(json_number_value(json_object_get(root, "workers_cpu_seconds")), 2, 1e-9);
    cr_assert_float_eq(json_number_value(json_object_get(root, "monotonic_seconds")), 123.456789012,
                       1e-9);
    cr_assert_eq(integer_at(totals, "accepts", NULL), 7);
    cr_assert_eq(integer_at(totals, "handshakes", "full"), 3);
    cr_assert_eq(integer_at(totals, "handshakes", "ticket"), 1);
    cr_assert_eq(integer_at(totals, "handshakes", "id"), 0);
    cr_assert_eq(integer_at(totals, "handshakes_failed", "not_tls"), 2);
    cr_assert_eq(json_array_size(workers), 2);
    cr_assert_eq(
        integer_at(json_object_get(json_array_get(workers, 1), "counters"), "accepts", NULL), 2);
    cr_assert_eq(integer_at(json_array_get(workers, 0), "cpu", NULL), 0);
    cr_assert(json_is_null(json_object_get(json_array_get(workers, 1), "cpu")));
    json_decref(root);
    snapshot_free(snapshot);
}

Test(exposition, json_names_every_counter)
{
    struct snapshot *snapshot = make_snapshot();
    json_t *root = parse(exposition_json(snapshot));
    const json_t *totals = json_object_get(root, "totals");

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        cr_assert_eq(integer_at(totals, counter_infos[i].name, counter_infos[i].label_value),
                     (json_int_t)snapshot->values[i]);
    }
    json_decref(root);
    snapshot_free(snapshot);
}

Test(exposition, json_buckets_add_up_to_the_count)
{
    struct snapshot *snapshot = make_snapshot();
    json_t *root = parse(exposition_json(snapshot));
    const json_t *full = json_object_get(json_object_get(root, "handshake_time"), "full");
    const json_t *buckets = json_object_get(full, "buckets");
    json_int_t sum = 0;
    json_int_t previous = 0;

    for (size_t i = 0; i < json_array_size(buckets); i++) {
        const json_t *pair = json_array_get(buckets, i);

        cr_assert(json_integer_value(json_array_get(pair, 0)) > previous);
        previous = json_integer_value(json_array_get(pair, 0));
        sum += json_integer_value(json_array_get(pair, 1));
    }
    cr_assert_eq(json_array_size(buckets), 3);
    cr_assert_eq(sum, 3);
    cr_assert_eq(integer_at(full, "count", NULL), 3);
    cr_assert_eq(integer_at(full, "max_ns", NULL), 3000000);
    json_decref(root);
    snapshot_free(snapshot);
}

Test(exposition, json_ratio_is_null_while_nothing_was_counted)
{
    struct snapshot *idle = snapshot_new(1);
    struct snapshot *busy = make_snapshot();
    json_t *idle_root = parse(exposition_json(idle));
    json_t *busy_root = parse(exposition_json(busy));

    cr_assert(json_is_null(
        json_object_get(json_object_get(idle_root, "derived"), "completions_per_enter")));
    cr_assert_float_eq(json_real_value(json_object_get(json_object_get(busy_root, "derived"),
                                                       "completions_per_enter")),
                       2.5, 1e-9);
    json_decref(idle_root);
    json_decref(busy_root);
    snapshot_free(idle);
    snapshot_free(busy);
}

Test(exposition, prometheus_labels_workers_and_kinds)
{
    struct snapshot *snapshot = make_snapshot();
    char *text = exposition_prometheus(snapshot);
    static const char *const lines[] = {
        "\n# TYPE tlsdyno_accepts_total counter\n",
        "\ntlsdyno_accepts_total{worker=\"0\"} 5\n",
        "\ntlsdyno_accepts_total{worker=\"1\"} 2\n",
        "\ntlsdyno_handshakes_total{worker=\"0\",kind=\"ticket\"} 1\n",
        "\ntlsdyno_handshakes_failed_total{worker=\"1\",reason=\"not_tls\"} 2\n",
        "\n# TYPE tlsdyno_connections_open gauge\n",
        "\ntlsdyno_connections_open{worker=\"1\"} 4\n",
        "\ntlsdyno_worker_cpu_seconds_total{worker=\"0\"} 1.500000000\n",
        "\nprocess_cpu_seconds_total 2.250000000\n",
        "tlsdyno_build_info{version=\"" TLSDYNO_VERSION "\",openssl=\"",
    };

    cr_assert_not_null(text);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cr_assert_not_null(strstr(text, lines[i]), "missing: %s", lines[i]);
    }
    cr_assert_null(strstr(text, "connections_open_total"), "a gauge is no total");
    free(text);
    snapshot_free(snapshot);
}

Test(exposition, prometheus_histogram_is_cumulative)
{
    struct snapshot *snapshot = make_snapshot();
    char *text = exposition_prometheus(snapshot);
    static const char *const lines[] = {
        "\n# TYPE tlsdyno_handshake_seconds histogram\n",
        "\ntlsdyno_handshake_seconds_bucket{kind=\"full\",le=\"5e-05\"} 1\n",
        "\ntlsdyno_handshake_seconds_bucket{kind=\"full\",le=\"0.001\"} 2\n",
        "\ntlsdyno_handshake_seconds_bucket{kind=\"full\",le=\"0.005\"} 3\n",
        "\ntlsdyno_handshake_seconds_bucket{kind=\"full\",le=\"+Inf\"} 3\n",
        "\ntlsdyno_handshake_seconds_sum{kind=\"full\"} 0.003740000\n",
        "\ntlsdyno_handshake_seconds_count{kind=\"full\"} 3\n",
        "\ntlsdyno_handshake_seconds_count{kind=\"resumed\"} 1\n",
    };

    cr_assert_not_null(text);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cr_assert_not_null(strstr(text, lines[i]), "missing: %s", lines[i]);
    }
    free(text);
    snapshot_free(snapshot);
}

Test(exposition, prometheus_writes_each_header_once_and_ends_with_a_line)
{
    struct snapshot *snapshot = make_snapshot();
    char *text = exposition_prometheus(snapshot);
    const char *first = strstr(text, "# TYPE tlsdyno_handshakes_failed_total ");

    cr_assert_not_null(first);
    cr_assert_null(strstr(first + 1, "# TYPE tlsdyno_handshakes_failed_total "));
    cr_assert_eq(text[strlen(text) - 1], '\n');
    free(text);
    snapshot_free(snapshot);
}
