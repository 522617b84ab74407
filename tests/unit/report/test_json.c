#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static struct fixture fixture;

/* Through text and back, as a reader gets it. */
static json_t *round_trip(void)
{
    json_t *root = report_json(&fixture.input);
    json_error_t error;

    cr_assert_not_null(root);
    char *text = json_dumps(root, JSON_INDENT(2));

    cr_assert_not_null(text);
    json_t *parsed = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    cr_assert_not_null(parsed, "%s", error.text);
    cr_assert(json_equal(root, parsed));
    json_decref(root);
    free(text);
    return parsed;
}

/* The value at a path of keys, which must exist. */
static const json_t *at(const json_t *value, const char *path)
{
    char keys[128];
    char *rest = keys;
    const char *key;

    cr_assert_lt(strlen(path), sizeof(keys));
    strcpy(keys, path);
    while ((key = strsep(&rest, ".")) != NULL) {
        value = json_object_get(value, key);
        cr_assert_not_null(value, "no '%s' of %s", key, path);
    }
    return value;
}

static void assert_number(const json_t *root, const char *path, double expected)
{
    cr_assert(json_is_number(at(root, path)), "%s is no number", path);
    cr_assert_float_eq(json_number_value(at(root, path)), expected, 1e-6 + expected * 1e-9,
                       "%s is %g", path, json_number_value(at(root, path)));
}

static void assert_null(const json_t *root, const char *path)
{
    cr_assert(json_is_null(at(root, path)), "%s is not null", path);
}

Test(json, handshakes_survive_the_round_trip)
{
    fixture_init_handshakes(&fixture);
    json_t *root = round_trip();

    cr_assert_str_eq(json_string_value(at(root, "schema")), "tlsdyno-load/1");
    cr_assert_str_eq(json_string_value(at(root, "plan.mode")), "handshake");
    cr_assert_str_eq(json_string_value(at(root, "plan.resume")), "ticket");
    cr_assert(json_is_true(at(root, "succeeded")));
    cr_assert(json_is_false(at(root, "interrupted")));
    assert_number(root, "measured_seconds", 10);
    assert_number(root, "handshakes.count", 100000);
    assert_number(root, "handshakes.per_second", 10000);
    assert_number(root, "handshakes.resumed_share_of_offered", 0.98);
    assert_number(root, "client.cost.cpu_seconds_per_handshake", 0.00015);
    assert_number(root, "handshakes.wire_bytes.full.in.mean_bytes", 834);
    assert_number(root, "handshakes.wire_bytes.full.in.max_bytes", 835);
    assert_number(root, "handshakes.wire_bytes.ticket.out.min_bytes", 676);
    assert_null(root, "handshakes.wire_bytes.id");
    assert_number(root, "latency.handshake_ticket.count", 1000);
    assert_null(root, "latency.handshake_id");
    assert_number(root, "errors.count", 7);
    cr_assert_eq(json_array_size(at(root, "negotiated.combinations")), 2);
    cr_assert_eq(json_array_size(at(root, "series")), 10);
    cr_assert_eq(json_array_size(at(root, "errors.by_reason")), 1);
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, what_was_not_measured_is_null)
{
    fixture_init_handshakes(&fixture);
    json_t *root = round_trip();

    assert_null(root, "messages");
    assert_null(root, "server");
    assert_null(root, "server_error");
    assert_null(root, "latency.message");
    assert_null(root, "bytes.overhead_in_share");
    assert_null(root, "bytes.plain_in_bytes_per_second");
    assert_null(root, "client.cost.cpu_seconds_per_message");
    assert_null(root, "client.cost.cpu_seconds_per_gib");
    assert_null(root, "plan.count");
    assert_null(root, "plan.message_bytes");
    assert_null(root, "verdict.server_busiest_share");
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, messages_have_rates_and_cost)
{
    fixture_init_messages(&fixture);
    json_t *root = round_trip();

    assert_number(root, "messages.per_second", 50000);
    assert_number(root, "bytes.plain_in_bytes_per_second", 50e6);
    assert_number(root, "bytes.overhead_out_share", 0.022);
    assert_number(root, "client.cost.cpu_seconds_per_message", 0.00002);
    assert_number(root, "client.cost.cpu_seconds_per_gib", 10 * 1073741824.0 / 1e9);
    assert_null(root, "client.cost.cpu_seconds_per_handshake");
    assert_null(root, "messages.http_status_other");
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, an_open_loop_tells_what_it_wanted_and_got)
{
    fixture_init_open_loop(&fixture);
    json_t *root = round_trip();

    assert_number(root, "plan.rate_per_second", 60000);
    cr_expect_str_eq(json_string_value(at(root, "plan.arrivals")), "poisson");
    cr_expect_str_eq(json_string_value(at(root, "latency.model")), "open-loop");
    cr_expect(json_is_true(at(root, "latency.corrected")));
    cr_expect(json_is_true(at(root, "open_loop.rate_missed")));
    assert_number(root, "open_loop.target_per_second", 60000);
    assert_number(root, "open_loop.achieved_per_second", 50000);
    assert_number(root, "open_loop.achieved_share", 5.0 / 6);
    assert_number(root, "open_loop.due", 600000);
    assert_number(root, "open_loop.dropped", 7);
    assert_number(root, "open_loop.unstarted", 99943);
    assert_number(root, "latency.message_corrected.count", 1000);
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, a_closed_loop_has_no_open_one)
{
    fixture_init_messages(&fixture);
    json_t *root = round_trip();

    assert_null(root, "open_loop");
    assert_null(root, "plan.rate_per_second");
    assert_null(root, "plan.arrivals");
    assert_null(root, "latency.message_corrected");
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, buckets_hold_the_whole_histogram)
{
    fixture_init_handshakes(&fixture);
    json_t *root = round_trip();
    const json_t *buckets = at(root, "latency.handshake_full.buckets");
    json_int_t sum = 0;

    for (size_t i = 0; i < json_array_size(buckets); i++) {
        sum += json_integer_value(json_array_get(json_array_get(buckets, i), 1));
    }
    cr_assert_eq(sum, 1000);
    assert_number(root, "latency.handshake_full.count", 1000);
    assert_number(root, "latency.handshake_full.max_ns", 2000999);
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, has_the_servers_side)
{
    fixture_init_handshakes(&fixture);
    fixture_add_server(&fixture, 0.98);
    json_t *root = round_trip();

    assert_number(root, "server.seconds", 10.1);
    assert_number(root, "server.workers", 2);
    assert_number(root, "server.counted.handshakes.full", 51006);
    assert_number(root, "server.handshake_time.full.p99_ns", 3000);
    assert_number(root, "server.cost.handshakes_per_cpu_second", 100010 / (10.1 * 1.38));
    assert_null(root, "server.handshake_time.resumed");
    cr_assert_str_eq(json_string_value(at(root, "verdict.kind")), "server-bound");
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, says_why_the_servers_side_is_missing)
{
    fixture_init_handshakes(&fixture);
    fixture_add_server(&fixture, 0.5);
    json_object_set_new(fixture.after, "schema", json_string("other"));
    json_t *root = round_trip();

    assert_null(root, "server");
    cr_assert_not_null(strstr(json_string_value(at(root, "server_error")), "schema"));
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, of_nothing_is_still_whole)
{
    fixture_init_refused(&fixture);
    memset(fixture.result, 0, sizeof(*fixture.result));
    fixture.input.target = NULL;
    fixture.input.command_line = NULL;
    fixture.input.openssl_version = NULL;
    fixture.input.environment = (struct report_environment){0};
    json_t *root = round_trip();

    cr_assert(json_is_false(at(root, "succeeded")));
    assert_null(root, "handshakes.per_second");
    assert_null(root, "environment.cpu_model");
    assert_null(root, "environment.cpu_count");
    assert_null(root, "environment.governor");
    assert_null(root, "environment.smt");
    assert_null(root, "environment.cpu_quota");
    assert_null(root, "environment.open_files_max");
    assert_null(root, "command_line");
    assert_null(root, "verdict.client_busiest_share");
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, survives_text_that_is_not_utf8)
{
    fixture_init_refused(&fixture);
    strcpy(fixture.result->errors[0].reason, "bad \xff byte");
    json_t *root = round_trip();

    cr_assert_str_eq(
        json_string_value(at(json_array_get(at(root, "errors.by_reason"), 0), "reason")),
        "bad ? byte");
    json_decref(root);
    fixture_deinit(&fixture);
}

Test(json, succeeds_by_what_the_mode_is_about)
{
    static const struct {
        enum load_mode mode;
        bool handshakes, messages, in, out, expected;
    } rows[] = {
        {LOAD_HANDSHAKE, true, false, false, false, true},
        {LOAD_HANDSHAKE, false, true, true, true, false},
        {LOAD_RR, false, true, false, false, true},
        {LOAD_RR, true, false, true, true, false}, /* connected, but no answer came whole */
        {LOAD_UPLOAD, false, false, false, true, true},
        {LOAD_UPLOAD, true, false, true, false, false},
        {LOAD_DOWNLOAD, false, false, true, false, true},
        {LOAD_DOWNLOAD, true, false, false, true, false},
    };

    fixture_init_refused(&fixture);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture.plan.mode = rows[i].mode;
        fixture.result->handshakes = rows[i].handshakes;
        fixture.result->messages = rows[i].messages;
        fixture.result->bytes_in = rows[i].in;
        fixture.result->bytes_out = rows[i].out;
        cr_assert_eq(report_succeeded(&fixture.plan, fixture.result), rows[i].expected, "row %zu",
                     i);
    }
    fixture_deinit(&fixture);
}
