#include "report/html.h"

#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "results.h"

Test(html_check, good_results_are_accepted)
{
    json_t *load = results_load();
    json_t *sweep = results_sweep();
    struct error error = {0};

    cr_assert_eq(html_check(load, &error), 0, "%s", error.text);
    cr_assert_eq(html_check(sweep, &error), 0, "%s", error.text);
    json_decref(load);
    json_decref(sweep);
}

/* Takes the document and the value over. */
static void assert_refused(json_t *document, const char *path, json_t *value, const char *words)
{
    struct error error = {0};

    results_set(document, path, value);
    cr_assert_eq(html_check(document, &error), -1, "%s", path);
    cr_assert_not_null(strstr(error.text, words), "%s: %s", path, error.text);
    json_decref(document);
}

Test(html_check, what_could_lead_the_page_astray_is_refused_by_its_key)
{
    assert_refused(results_load(), "schema", NULL, "there is no schema");
    assert_refused(results_load(), "schema", json_string("tlsdyno-load/2"), "'tlsdyno-load/2'");
    assert_refused(results_load(), "plan", json_integer(1), "plan or environment");
    assert_refused(results_load(), "latency", json_array(), "latency is missing");
    assert_refused(results_load(), "latency.message.count", json_integer(0),
                   "latency.message.count");
    assert_refused(results_load(), "latency.message.p99_ns", json_real(-1),
                   "latency.message.p99_ns");
    assert_refused(results_load(), "latency.message.buckets.1.0", json_integer(7),
                   "latency.message.buckets[1]");
    assert_refused(results_load(), "latency.message.buckets.0.1", json_string("many"),
                   "latency.message.buckets[0]");
    assert_refused(results_load(), "latency.message.buckets.0", json_integer(3),
                   "latency.message.buckets[0]");
    assert_refused(results_load(), "series.1.messages", json_real(-2), "series[1].messages");
    assert_refused(results_load(), "series", json_object(), "series is missing");
    assert_refused(results_load(), "negotiated.combinations.0.connections", json_null(),
                   "negotiated.combinations[0].connections");
    assert_refused(results_load(), "messages.per_second", json_real(1e300),
                   "messages.per_second is beyond all measure");
    assert_refused(results_sweep(), "cells", json_null(), "cells is missing");
    assert_refused(results_sweep(), "cells.0.status", json_integer(1), "cells[0].status");
    assert_refused(results_sweep(), "cells.2.parameters.suite", json_array(),
                   "cells[2].parameters.suite");
    assert_refused(results_sweep(), "cells.1.figures.goodput_bytes_per_second.low",
                   json_string("x"), "cells[1].figures.goodput_bytes_per_second.low");
}

Test(html_check, depth_and_lengths_have_limits)
{
    json_t *deep = json_array();
    json_t *many = json_array();
    char *text = calloc(1, 70000);

    for (int i = 0; i < 20; i++) {
        deep = json_pack("[o]", deep);
    }
    assert_refused(results_load(), "extra", deep, "lies too deep");
    memset(text, 'a', 69999);
    assert_refused(results_load(), "target", json_string(text), "target is longer than");
    free(text);
    for (int i = 0; i < 5000; i++) {
        json_array_append_new(many, json_null());
    }
    assert_refused(results_load(), "series", json_incref(many), "at most 3600");
    assert_refused(results_sweep(), "cells", many, "at most 4096");
}
