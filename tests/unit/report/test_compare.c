#include "report/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "fixture.h"

static json_t *make_report(void)
{
    struct fixture fixture;
    json_t *report;

    fixture_init_messages(&fixture);
    report = report_json(&fixture.input);
    fixture_deinit(&fixture);
    cr_assert_not_null(report);
    return report;
}

static void set(json_t *report, const char *object, const char *key, json_t *value)
{
    cr_assert_eq(json_object_set_new(json_object_get(report, object), key, value), 0);
}

static void set_p99(json_t *report, int ns)
{
    set(json_object_get(report, "latency"), "message", "p99_ns", json_integer(ns));
}

/* Ten intervals of a second. */
static void set_series(json_t *report, int messages)
{
    json_t *series = json_array();

    for (int i = 0; i < 10; i++) {
        json_array_append_new(series,
                              json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "start_seconds", i,
                                        "seconds", 1, "handshakes", 0, "messages", messages + i,
                                        "plain_in_bytes", 0, "plain_out_bytes", 0, "errors", 0));
    }
    json_object_set_new(report, "series", series);
}

/* A run whose rate and p99 are those, give or take a little that `index` decides. */
static json_t *make_run(double per_second, int p99_ns, int index)
{
    json_t *report = make_report();

    set(report, "messages", "per_second", json_real(per_second + index));
    set_p99(report, p99_ns + index);
    set_series(report, (int)per_second);
    return report;
}

struct comparison {
    struct compare_input input;
    struct compare_result result;
};

struct shape {
    size_t runs;
    double base_rate, rate;
    int base_p99_ns, p99_ns;
};

static struct comparison *prepare(struct shape shape)
{
    struct comparison *comparison = calloc(1, sizeof(*comparison));

    comparison->input.tolerance = 0.05;
    comparison->input.base.count = comparison->input.changed.count = shape.runs;
    for (int i = 0; i < (int)shape.runs; i++) {
        comparison->input.base.reports[i] = make_run(shape.base_rate, shape.base_p99_ns, 2 * i);
        comparison->input.changed.reports[i] = make_run(shape.rate, shape.p99_ns, 2 * i + 1);
    }
    return comparison;
}

static void release_side(const struct compare_side *side)
{
    for (size_t i = 0; i < side->count; i++) {
        json_decref(side->reports[i]);
    }
}

static void release(struct comparison *comparison)
{
    release_side(&comparison->input.base);
    release_side(&comparison->input.changed);
    free(comparison);
}

static const struct compare_figure *figure(const struct comparison *comparison, const char *key)
{
    for (size_t i = 0; i < comparison->result.figure_count; i++) {
        if (strcmp(comparison->result.figures[i].key, key) == 0) {
            return &comparison->result.figures[i];
        }
    }
    cr_assert(false, "no figure %s", key);
    return NULL;
}

static const struct compare_difference *difference(const struct comparison *comparison,
                                                   const char *key)
{
    for (size_t i = 0; i < comparison->result.difference_count; i++) {
        if (strcmp(comparison->result.differences[i].key, key) == 0) {
            return &comparison->result.differences[i];
        }
    }
    return NULL;
}

static struct comparison *compare(struct shape shape)
{
    struct comparison *comparison = prepare(shape);

    compare_reports(&comparison->input, &comparison->result);
    return comparison;
}

Test(compare, a_clear_loss_beyond_the_tolerance_is_a_regression)
{
    struct comparison *comparison = compare((struct shape){
        .runs = 5, .base_rate = 50000, .rate = 45000, .base_p99_ns = 1000000, .p99_ns = 1200000});

    cr_assert(comparison->result.comparable);
    cr_assert_eq(comparison->result.regressions, 2);
    cr_assert_eq(figure(comparison, "messages.per_second")->verdict, COMPARE_REGRESSION);
    cr_assert_float_eq(figure(comparison, "messages.per_second")->ratio, 0.9, 0.001);
    cr_assert_float_eq(figure(comparison, "messages.per_second")->p, 2.0 / 252, 1e-9);
    cr_assert_eq(figure(comparison, "latency.message.p99_ns")->verdict, COMPARE_REGRESSION);
    cr_assert_float_eq(figure(comparison, "latency.message.p99_ns")->base_median, 0.001, 1e-6);
    cr_assert_gt(figure(comparison, "latency.message.p99_ns")->ratio_low, 1.19);
    release(comparison);
}

Test(compare, a_clear_loss_within_the_tolerance_is_only_worse)
{
    struct comparison *comparison = compare((struct shape){
        .runs = 5, .base_rate = 50000, .rate = 48000, .base_p99_ns = 1000000, .p99_ns = 1030000});

    cr_assert_eq(comparison->result.regressions, 0);
    cr_assert_eq(figure(comparison, "messages.per_second")->verdict, COMPARE_WORSE);
    cr_assert_eq(figure(comparison, "latency.message.p99_ns")->verdict, COMPARE_WORSE);
    release(comparison);
}

Test(compare, gains_are_better_and_noise_is_named)
{
    struct comparison *comparison = compare((struct shape){
        .runs = 5, .base_rate = 50000, .rate = 60000, .base_p99_ns = 1000000, .p99_ns = 1000000});

    cr_assert_eq(comparison->result.regressions, 0);
    cr_assert_eq(figure(comparison, "messages.per_second")->verdict, COMPARE_BETTER);
    cr_assert_eq(figure(comparison, "latency.message.p99_ns")->verdict, COMPARE_NOISE);
    release(comparison);
}

Test(compare, too_few_runs_decide_nothing)
{
    struct comparison *comparison = compare((struct shape){
        .runs = 3, .base_rate = 50000, .rate = 10000, .base_p99_ns = 1000000, .p99_ns = 9000000});

    cr_assert_eq(comparison->result.regressions, 0);
    cr_assert_eq(figure(comparison, "messages.per_second")->verdict, COMPARE_UNDECIDED);
    cr_assert_eq(figure(comparison, "messages.per_second")->source, COMPARE_FROM_RUNS);
    release(comparison);
}

Test(compare, of_single_runs_the_intervals_decide_about_rates_alone)
{
    struct comparison *comparison = compare((struct shape){
        .runs = 1, .base_rate = 50000, .rate = 40000, .base_p99_ns = 1000000, .p99_ns = 9000000});
    const struct compare_figure *rate = figure(comparison, "messages.per_second");
    const struct compare_figure *p99 = figure(comparison, "latency.message.p99_ns");

    cr_assert_eq(rate->source, COMPARE_FROM_INTERVALS);
    cr_assert_eq(rate->base_count, 10);
    cr_assert_eq(rate->verdict, COMPARE_REGRESSION);
    cr_assert_eq(p99->verdict, COMPARE_UNDECIDED);
    cr_assert(isnan(p99->ratio_low));
    cr_assert(isnan(p99->p));
    cr_assert_float_eq(p99->ratio, 9, 0.01);
    release(comparison);
}

static const struct shape equal_runs = {
    .runs = 4, .base_rate = 50000, .rate = 50000, .base_p99_ns = 1000000, .p99_ns = 1000000};

static json_t *changed_report(struct comparison *comparison)
{
    return comparison->input.changed.reports[1];
}

static json_t *combination(struct comparison *comparison)
{
    json_t *negotiated = json_object_get(changed_report(comparison), "negotiated");

    return json_array_get(json_object_get(negotiated, "combinations"), 0);
}

Test(compare, another_suite_is_refused_unless_anyway)
{
    struct comparison *comparison = prepare(equal_runs);

    json_object_set_new(combination(comparison), "suite", json_string("TLS_AES_128_GCM_SHA256"));
    compare_reports(&comparison->input, &comparison->result);
    cr_assert_not(comparison->result.comparable);
    cr_assert_eq(comparison->result.figure_count, 0);
    cr_assert_eq(comparison->result.differences[0].matter, COMPARE_NEGOTIATED);
    cr_assert_str_eq(comparison->result.differences[0].base, "100.0%");
    cr_assert_str_eq(comparison->result.differences[0].changed, "0.0 to 100.0%");
    comparison->input.anyway = true;
    compare_reports(&comparison->input, &comparison->result);
    cr_assert_not(comparison->result.comparable);
    cr_assert_gt(comparison->result.figure_count, 0);
    release(comparison);
}

Test(compare, another_message_size_is_other_work)
{
    struct comparison *comparison = prepare(equal_runs);

    set(changed_report(comparison), "plan", "message_bytes", json_integer(64));
    compare_reports(&comparison->input, &comparison->result);
    cr_assert_not(comparison->result.comparable);
    cr_assert_eq(difference(comparison, "plan.message_bytes")->matter, COMPARE_WORK);
    release(comparison);
}

Test(compare, another_kernel_is_told_and_not_refused)
{
    struct comparison *comparison = prepare(equal_runs);

    set(changed_report(comparison), "environment", "kernel", json_string("Linux 7\x1b[2J"));
    compare_reports(&comparison->input, &comparison->result);
    cr_assert(comparison->result.comparable);
    cr_assert_eq(comparison->result.difference_count, 1);
    cr_assert_str_eq(difference(comparison, "environment.kernel")->base, "Linux 6.1.0");
    cr_assert_str_eq(difference(comparison, "environment.kernel")->changed,
                     "Linux 6.1.0 | Linux 7?[2J", "no escape sequences");
    cr_assert_null(difference(comparison, "environment.cpu_model"));
    release(comparison);
}

Test(compare, errors_are_told)
{
    struct comparison *comparison = prepare(equal_runs);

    set(changed_report(comparison), "errors", "count", json_integer(7));
    compare_reports(&comparison->input, &comparison->result);
    cr_assert(comparison->result.comparable);
    cr_assert_str_eq(difference(comparison, "errors.count")->base, "0");
    cr_assert_str_eq(difference(comparison, "errors.count")->changed, "0 | 7");
    release(comparison);
}

Test(compare, a_figure_that_one_side_lacks_is_missing)
{
    struct comparison *comparison = prepare(equal_runs);

    for (size_t i = 0; i < comparison->input.changed.count; i++) {
        json_t *latency = json_object_get(comparison->input.changed.reports[i], "latency");

        json_object_set_new(latency, "message", json_null());
    }
    compare_reports(&comparison->input, &comparison->result);
    cr_assert_eq(figure(comparison, "latency.message.p99_ns")->verdict, COMPARE_MISSING);
    cr_assert_eq(comparison->result.regressions, 0);
    release(comparison);
}

static char *text_of(const struct compare_result *result)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    compare_text(out, result);
    fclose(out);
    return text;
}

Test(compare, latencies_of_few_operations_are_left_out)
{
    static const int counts[] = {COMPARE_OPERATIONS_MIN - 1, COMPARE_OPERATIONS_MIN};

    for (size_t c = 0; c < 2; c++) {
        struct comparison *comparison = prepare(equal_runs);
        const size_t runs = comparison->input.base.count;

        for (size_t i = 0; i < runs; i++) {
            set(json_object_get(comparison->input.base.reports[i], "latency"), "message", "count",
                json_integer(counts[c]));
        }
        compare_reports(&comparison->input, &comparison->result);
        if (c == 0) {
            char *text = text_of(&comparison->result);

            cr_assert_eq(figure(comparison, "latency.message.p99_ns")->base_count, 0);
            cr_assert_eq(comparison->result.left_out, 3 * runs, "p50, p99 and p99.9 of each");
            cr_assert_not_null(strstr(text, "fewer than 20 operations"), "%s", text);
            free(text);
        } else {
            cr_assert_eq(figure(comparison, "latency.message.p99_ns")->base_count, runs);
            cr_assert_eq(comparison->result.left_out, 0);
        }
        release(comparison);
    }
}

Test(compare, text_keeps_to_its_columns)
{
    struct comparison *comparison = compare((struct shape){
        .runs = 1, .base_rate = 1, .rate = 100000000, .base_p99_ns = 1, .p99_ns = 2000000000});
    char *text = text_of(&comparison->result);

    cr_assert_not_null(strstr(text, "undecided"), "%s", text);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        cr_assert_leq(end - line, 96, "%s", text);
    }
    free(text);
    release(comparison);
}

Test(compare, json_has_every_figure)
{
    struct comparison *comparison = compare(equal_runs);
    json_t *document = compare_json(&comparison->result);

    cr_assert_not_null(document);
    cr_assert_eq(json_array_size(json_object_get(document, "figures")),
                 comparison->result.figure_count);
    cr_assert(json_is_true(json_object_get(document, "comparable")));
    json_decref(document);
    release(comparison);
}

/* ---- Files ---- */

static void assert_refused(json_t *report, const char *word)
{
    struct error error = {0};

    cr_assert_eq(compare_check(report, &error), -1, "%s", word);
    cr_assert_not_null(strstr(error.text, word), "'%s' does not say '%s'", error.text, word);
    json_decref(report);
}

Test(compare, a_report_is_accepted)
{
    json_t *report = make_report();
    struct error error = {0};

    cr_assert_eq(compare_check(report, &error), 0, "%s", error.text);
    json_decref(report);
}

Test(compare, what_is_no_report_is_refused)
{
    json_t *report;

    assert_refused(json_array(), "schema");
    assert_refused(json_object(), "schema");
    assert_refused(json_pack("{s:i}", "schema", 1), "schema");
    assert_refused(json_pack("{s:s}", "schema", "tlsdyno-load/2"), "tlsdyno-load/2");
    assert_refused(json_pack("{s:s}", "schema", "tlsdyno-load/1"), "succeed");
    report = make_report();
    json_object_set_new(report, "succeeded", json_false());
    assert_refused(report, "succeed");
    report = make_report();
    json_object_del(report, "plan");
    assert_refused(report, "plan");
}

Test(compare, a_report_with_a_wrong_shape_is_refused_by_name)
{
    json_t *report = make_report();

    set(report, "messages", "per_second", json_string("fast"));
    assert_refused(report, "messages.per_second");
    report = make_report();
    set_p99(report, -1);
    assert_refused(report, "latency.message.p99_ns");
    report = make_report();
    json_object_set_new(report, "series", json_pack("[n]"));
    assert_refused(report, "series[0].seconds");
    report = make_report();
    json_object_set_new(report, "series", json_integer(3));
    assert_refused(report, "series");
    report = make_report();
    json_object_set_new(report, "negotiated", json_null());
    assert_refused(report, "negotiated.combinations");
    report = make_report();
    set(report, "negotiated", "combinations", json_pack("[{s:i}]", "connections", 1));
    assert_refused(report, "combinations[0].version");
}
