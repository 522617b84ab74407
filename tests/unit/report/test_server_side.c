#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "fixture.h"
#include "report/server_side.h"

static struct fixture fixture;

static void set_up(void)
{
    fixture_init_handshakes(&fixture);
    fixture_add_server(&fixture, 0.75);
}

static void tear_down(void)
{
    fixture_deinit(&fixture);
}

static void assert_refused(const json_t *before, const json_t *after, const char *part)
{
    struct server_side side;
    struct error error = {0};

    cr_assert_eq(server_side_read(before, after, &side, &error), -1);
    cr_assert_not_null(strstr(error.text, part), "no '%s' in: %s", part, error.text);
}

TestSuite(server_side, .init = set_up, .fini = tear_down);

Test(server_side, subtracts_what_was_there_before)
{
    struct server_side side;
    struct error error = {0};

    cr_assert_eq(server_side_read(fixture.before, fixture.after, &side, &error), 0, "%s",
                 error.text);
    cr_assert_float_eq(side.seconds, 10.1, 1e-6);
    cr_assert_float_eq(side.workers_cpu_seconds, 10.1 * 1.15, 1e-6);
    cr_assert_float_eq(side.busiest_worker, 0.75, 1e-6);
    cr_assert_eq(side.worker_count, 2);
    cr_assert_eq(side.counted[COUNTER_HANDSHAKES_FULL], 51006);
    cr_assert_eq(side.counted[COUNTER_ACCEPTS], 0);
    cr_assert_str_eq(side.version, "0.1.0");
}

Test(server_side, takes_percentiles_of_what_was_added)
{
    struct server_side side;

    cr_assert_eq(server_side_read(fixture.before, fixture.after, &side, NULL), 0);
    cr_assert_eq(side.handshake_full.count, 100);
    cr_assert_eq(side.handshake_full.p50_ns, 2000);
    cr_assert_eq(side.handshake_full.p90_ns, 2000);
    cr_assert_eq(side.handshake_full.p99_ns, 3000);
    cr_assert_eq(side.handshake_full.p999_ns, 9000);
    cr_assert_eq(side.handshake_full.max_ns, 9000);
    cr_assert_eq(side.handshake_resumed.count, 0);
    cr_assert_eq(side.handshake_resumed.max_ns, 0);
}

Test(server_side, a_counter_that_is_not_told_is_unknown)
{
    struct server_side side;

    json_object_del(json_object_get(fixture.after, "totals"), "sends");
    cr_assert_eq(server_side_read(fixture.before, fixture.after, &side, NULL), 0);
    cr_assert_eq(side.counted[COUNTER_SENDS], -1);
    cr_assert_eq(side.counted[COUNTER_RECVS], 0);
}

Test(server_side, refuses_a_server_that_was_restarted)
{
    assert_refused(fixture.after, fixture.before, "restarted");
    json_object_set_new(json_object_get(fixture.before, "totals"), "accepts", json_integer(1));
    assert_refused(fixture.before, fixture.after, "'accepts' went backwards");
}

Test(server_side, refuses_what_is_not_its_schema)
{
    json_t *list = json_array();
    json_t *other = json_pack("{s:s}", "schema", "something/9");

    assert_refused(list, fixture.after, "tlsdyno-stats/1");
    assert_refused(fixture.before, other, "tlsdyno-stats/1");
    json_decref(list);
    json_decref(other);
}

Test(server_side, refuses_answers_with_parts_missing)
{
    json_object_del(fixture.after, "workers");
    assert_refused(fixture.before, fixture.after, "workers");
    json_object_del(fixture.after, "monotonic_seconds");
    assert_refused(fixture.before, fixture.after, "times");
}
