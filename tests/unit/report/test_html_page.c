#include "report/html.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "results.h"

static char *page_of(struct html_input input)
{
    struct plot_list *plots = html_plots(&input);
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    input.title = "Title";
    cr_assert_not_null(plots);
    html_write(out, &input, plots);
    fclose(out);
    plot_list_free(plots);
    return text;
}

static void assert_has(const char *page, const char *words)
{
    cr_assert_not_null(strstr(page, words), "the page lacks '%s'", words);
}

Test(html_page, warnings_stand_above_the_figures)
{
    json_t *run = results_load();
    char *page = page_of((struct html_input){.files = {{"run.json", run}}, .count = 1});
    char *warnings = strstr(page, "class=\"warnings\"");

    cr_assert_not_null(warnings);
    cr_assert_lt(warnings, strstr(page, "<h2>Figures</h2>"));
    assert_has(page, "Insecure: certificates were not verified");
    assert_has(page, "The load generator was the limit");
    assert_has(page, "side is not known");
    assert_has(page, "governor powersave");
    assert_has(page, ">EC P-256</td>");
    assert_has(page, ">Abacus</td>");
    assert_has(page, "whole message, corrected");
    free(page);
    json_decref(run);
}

Test(html_page, a_run_without_blemish_has_no_warnings)
{
    json_t *run = results_load();
    char *page;

    results_set(run, "insecure", json_false());
    results_set(run, "verdict.kind", json_string("server-bound"));
    results_set(run, "server", json_object());
    results_set(run, "environment.governor", json_string("performance"));
    page = page_of((struct html_input){.files = {{"run.json", run}}, .count = 1});
    assert_has(page, "No warnings.");
    free(page);
    json_decref(run);
}

Test(html_page, runs_that_differ_are_said_to)
{
    json_t *a = results_load();
    json_t *b = results_load();
    char *page;

    results_set(b, "negotiated.combinations.0.group", json_string("P-521"));
    results_set(b, "plan.message_bytes", json_integer(1));
    page = page_of((struct html_input){.files = {{"a.json", a}, {"b.json", b}}, .count = 2});
    assert_has(page, "negotiated different things");
    assert_has(page, "The runs differ in: the size of messages.");
    free(page);
    json_decref(a);
    json_decref(b);
}

Test(html_page, what_makes_a_sweep_less_than_it_seems_is_said)
{
    json_t *sweep = results_sweep();
    char *page;

    results_set(sweep, "rounds", json_integer(2));
    results_set(sweep, "partial", json_true());
    results_set(sweep, "cells.0.figures.client_busy_share",
                json_pack("{s:f, s:n, s:n}", "median", 0.99, "low", "high"));
    results_set(sweep, "cells.0.figures.errors",
                json_pack("{s:f, s:f, s:f}", "median", 0.0, "low", 0.0, "high", 2.0));
    results_set(sweep, "cells.1.figures.client_busy_share",
                json_pack("{s:f, s:n, s:n}", "median", 0.1, "low", "high"));
    results_set(sweep, "cells.1.figures.server_busy_share",
                json_pack("{s:f, s:n, s:n}", "median", 0.2, "low", "high"));
    results_set(sweep, "cells.2.status", json_string("failed"));
    page = page_of((struct html_input){.files = {{"sweep.json", sweep}}, .count = 1});
    assert_has(page, "The load generator was busy in 1 of 6 cells");
    assert_has(page, "Connections went wrong in 1 of 6 cells");
    assert_has(page, "In 1 of 6 cells neither side was busy");
    assert_has(page, "2 rounds of each cell");
    assert_has(page, "Partial: 1 of 6 cells failed");
    assert_has(page, "Partial: some of the runs");
    free(page);
    json_decref(sweep);
}

/* Every text of the document becomes an attack. */
static void poison(json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;

    json_array_foreach(value, i, item)
    {
        poison(item);
    }
    json_object_foreach(value, key, item)
    {
        if (json_is_string(item) && strcmp(key, "schema") != 0) {
            json_string_set(item, "</title></style><script>alert(1)</script>\" onload='x' &");
        }
        poison(item);
    }
}

static void assert_harmless(json_t *document)
{
    struct error error = {0};
    char *page;

    poison(document);
    cr_assert_eq(html_check(document, &error), 0, "%s", error.text);
    page = page_of((struct html_input){.files = {{"<script>name</script>", document}},
                                       .count = 1,
                                       .no_pictures = "<script>why</script>"});
    cr_assert_null(strstr(page, "<script"));
    cr_assert_null(strstr(page, "onload='"));
    cr_assert_null(strstr(page, "\" onload"));
    assert_has(page, "&lt;script&gt;alert(1)");
    assert_has(page, "&lt;script&gt;name");
    free(page);
    json_decref(document);
}

Test(html_page, a_hostile_file_injects_nothing)
{
    json_t *load = results_load();
    json_t *sweep = results_sweep();

    json_object_set_new(
        json_object_get(load, "latency"), "<script>phase</script>",
        json_deep_copy(json_object_get(json_object_get(load, "latency"), "message")));
    json_object_set_new(
        json_object_get(json_array_get(json_object_get(sweep, "cells"), 0), "parameters"),
        "<script>axis</script>", json_string("x"));
    assert_harmless(load);
    assert_harmless(sweep);
}

Test(html_page, needs_nothing_from_elsewhere)
{
    json_t *sweep = results_sweep();
    json_t *load = results_load();
    char *page =
        page_of((struct html_input){.files = {{"a.json", load}, {"b.json", sweep}}, .count = 2});

    cr_assert_null(strstr(page, "http://"));
    cr_assert_null(strstr(page, "https://"));
    cr_assert_null(strstr(page, "url("));
    cr_assert_null(strstr(page, "@import"));
    assert_has(page, "default-src 'none'");
    assert_has(page, "</main></body></html>");
    free(page);
    json_decref(load);
    json_decref(sweep);
}
