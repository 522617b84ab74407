#include "cli/top_rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "top_stats.h"

static json_t *before, *after;
static struct top_rates *rates;

static void init(void)
{
    before = top_stats(10);
    after = top_stats(12);
    rates = calloc(1, sizeof(*rates));
}

static void deinit(void)
{
    json_decref(before);
    json_decref(after);
    free(rates);
}

TestSuite(top_rates, .init = init, .fini = deinit);

static void compute(void)
{
    struct error error = {0};

    cr_assert_eq(top_rates_compute(before, after, rates, &error), 0, "%s", error.text);
}

Test(top_rates, are_growth_a_second_of_each_core_and_of_all)
{
    top_stats_set(before, 1, COUNTER_HANDSHAKES_FULL, 100);
    top_stats_set(after, 1, COUNTER_HANDSHAKES_FULL, 300);
    top_stats_set(after, 1, COUNTER_HANDSHAKES_TICKET, 20);
    top_stats_set(after, 1, COUNTER_HANDSHAKES_ID, 10);
    top_stats_set(after, 1, COUNTER_CONNECTIONS_OPEN, 7);
    top_stats_set(after, -1, COUNTER_MESSAGES, 5000);
    compute();
    cr_assert_eq(rates->row_count, 2);
    cr_assert_eq(rates->rows[1].full, 100);
    cr_assert_eq(rates->rows[1].resumed, 15);
    cr_assert_eq(rates->rows[1].open, 7, "a gauge is as it is");
    cr_assert_eq(rates->rows[0].full, 0);
    cr_assert_eq(rates->all.messages, 2500);
    cr_assert_float_eq(rates->rows[0].busy, 0.25, 1e-9);
    cr_assert_float_eq(rates->all.busy, 0.75, 1e-9);
    cr_assert_eq(rates->rows[1].cpu, 1);
    cr_assert_str_eq(rates->openssl, "OpenSSL 3?", "nothing that a terminal would obey");
}

Test(top_rates, errors_have_reasons_and_count_once)
{
    top_stats_set(before, -1, COUNTER_HANDSHAKE_FAILED_ALERT, 1000);
    top_stats_set(after, -1, COUNTER_HANDSHAKE_FAILED_ALERT, 1000);
    top_stats_set(after, -1, COUNTER_HANDSHAKE_FAILED_CLOSED, 8);
    top_stats_set(after, -1, COUNTER_CLOSED_RESET, 8); /* the same connections */
    compute();
    cr_assert_eq(rates->all.errors, 4);
    cr_assert_eq(rates->reason_count, 3);
    cr_assert_str_eq(rates->reasons[0].name, "handshake");
    cr_assert_str_eq(rates->reasons[0].label, "closed");
    cr_assert_eq(rates->reasons[0].per_second, 4);
    cr_assert_str_eq(rates->reasons[2].label, "alert", "what is over comes last");
    cr_assert_eq(rates->reasons[2].total, 1000);
}

Test(top_rates, cores_are_sorted_by_what_is_asked_for)
{
    top_stats_set(after, 1, COUNTER_MESSAGES, 4);
    compute();
    top_rates_sort(rates, TOP_BY_MESSAGES);
    cr_assert_eq(rates->rows[0].index, 1);
    top_rates_sort(rates, TOP_BY_ERRORS);
    cr_assert_eq(rates->rows[0].index, 0, "equals by their number");
    top_rates_sort(rates, TOP_BY_CPU);
    cr_assert_eq(rates->rows[0].index, 1);
    top_rates_sort(rates, TOP_BY_CORE);
    cr_assert_eq(rates->rows[0].index, 0);
}

static void assert_refused(const char *words)
{
    struct error error = {0};

    cr_assert_eq(top_rates_compute(before, after, rates, &error), -1);
    cr_assert_not_null(strstr(error.text, words), "%s", error.text);
}

Test(top_rates, of_another_process_are_refused)
{
    top_stats_set(before, -1, COUNTER_ACCEPTS, 1);
    assert_refused("started anew");
}

Test(top_rates, of_another_moment_or_schema_are_refused)
{
    json_object_set_new(after, "monotonic_seconds", json_real(10));
    assert_refused("started anew");
    json_object_set_new(after, "schema", json_string("other"));
    assert_refused("tlsdyno-stats/1");
}

Test(top_rates, of_other_workers_are_refused)
{
    json_array_remove(json_object_get(after, "workers"), 1);
    assert_refused("list of workers");
    json_object_del(after, "workers");
    assert_refused("list of workers");
}

Test(top_rates, what_is_not_told_is_not_known)
{
    json_object_del(json_object_get(after, "totals"), "messages");
    json_object_set_new(json_array_get(json_object_get(after, "workers"), 0), "counters",
                        json_string("none"));
    json_object_set_new(json_array_get(json_object_get(after, "workers"), 1), "cpu", json_null());
    compute();
    cr_assert(isnan(rates->all.messages));
    cr_assert(isnan(rates->rows[0].full));
    cr_assert_eq(rates->rows[1].cpu, -1);
}
