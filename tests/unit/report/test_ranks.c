#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "report/ranks.h"

static struct fixture fixture;
static struct report_rank rows[2];

/* Two halves of the fixture's run; the second one could not connect. */
static void init_ranks(void)
{
    for (int i = 0; i < 2; i++) {
        report_rank_read(&rows[i], &fixture.plan, fixture.result);
        rows[i].environment = fixture.input.environment;
        strcpy(rows[i].host, i == 0 ? "alpha" : "beta");
        strcpy(rows[i].openssl, "OpenSSL 3.0.22 25 Aug 2026");
    }
    rows[1].operations = 0;
    rows[1].latency.count = 0;
    rows[1].errors = 1234;
    rows[1].most_frequent =
        (struct load_error){.phase = LOAD_ERROR_CONNECT, .reason = "No route to host"};
    fixture.plan.rank.count = 2;
    fixture.input.ranks = rows;
    fixture.input.rank_count = 2;
}

static const json_t *row_at(const json_t *report, size_t index)
{
    return json_array_get(json_object_get(report, "ranks"), index);
}

Test(ranks, json_has_each_apart)
{
    fixture_init_messages(&fixture);
    init_ranks();
    json_t *report = report_json(&fixture.input);
    const json_t *second = row_at(report, 1);
    const char *reason = NULL;
    int count = 0;

    cr_assert_eq(json_array_size(json_object_get(report, "ranks")), 2);
    cr_expect_str_eq(json_string_value(json_object_get(row_at(report, 0), "host")), "alpha");
    cr_expect_eq(json_integer_value(json_object_get(row_at(report, 0), "operations")),
                 (json_int_t)fixture.result->messages);
    cr_expect(json_is_object(json_object_get(row_at(report, 0), "latency")));
    cr_expect(json_is_null(json_object_get(second, "latency")));
    cr_expect(json_is_object(json_object_get(second, "environment")));
    cr_assert_eq(json_unpack((json_t *)second, "{s:{s:i, s:{s:s}}}", "errors", "count", &count,
                             "most_frequent", "reason", &reason),
                 0);
    cr_expect_eq(count, 1234);
    cr_expect_str_eq(reason, "No route to host");
    json_decref(report);
    fixture_deinit(&fixture);
}

Test(ranks, text_has_a_row_for_each_and_why_one_failed)
{
    fixture_init_messages(&fixture);
    init_ranks();
    char *text = fixture_text(&fixture);

    cr_expect_not_null(strstr(text, "2 ranks, "), "%s", text);
    cr_expect_not_null(strstr(text, "\n  0   alpha "), "%s", text);
    cr_expect_not_null(strstr(text, "\n  1   beta "), "%s", text);
    cr_expect_not_null(strstr(text, "1,234         -         -"), "%s", text);
    cr_expect_not_null(strstr(text, "\n      connect: No route to host\n"), "%s", text);
    cr_expect_null(strstr(text, "different versions"), "%s", text);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cr_expect_leq(strlen(line), 96, "%s", line);
    }
    free(text);
    fixture_deinit(&fixture);
}

Test(ranks, different_libraries_are_told)
{
    fixture_init_handshakes(&fixture);
    init_ranks();
    strcpy(rows[1].openssl, "OpenSSL 3.5.0");
    char *text = fixture_text(&fixture);

    cr_expect_not_null(strstr(text, "handshakes/s"), "%s", text);
    cr_expect_not_null(strstr(text, "They run different versions of OpenSSL."), "%s", text);
    free(text);
    fixture_deinit(&fixture);
}

Test(ranks, a_stream_has_bytes_and_no_operations)
{
    fixture_init_messages(&fixture);
    fixture.plan.mode = LOAD_DOWNLOAD;
    init_ranks();
    json_t *report = report_json(&fixture.input);

    cr_expect(json_is_null(json_object_get(row_at(report, 0), "operations")));
    cr_expect(json_is_null(json_object_get(row_at(report, 0), "operations_per_second")));
    cr_expect_eq(json_integer_value(json_object_get(row_at(report, 0), "plain_bytes")),
                 (json_int_t)(fixture.result->bytes_in + fixture.result->bytes_out));
    json_decref(report);
    fixture_deinit(&fixture);
}

Test(ranks, one_process_alone_has_none)
{
    fixture_init_messages(&fixture);
    init_ranks();
    fixture.input.rank_count = 1;
    fixture.plan.rank.count = 1;
    json_t *report = report_json(&fixture.input);
    char *text = fixture_text(&fixture);

    cr_expect(json_is_null(json_object_get(report, "ranks")));
    cr_expect_null(strstr(text, "ranks"), "%s", text);
    cr_expect_null(strstr(text, "Ranks"), "%s", text);
    json_decref(report);
    free(text);
    fixture_deinit(&fixture);
}
