#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/error.h"
#include "fixture.h"
#include "report/find_max.h"

struct objective_row {
    char text[48];
    char word[48]; /* of the refusal; "": taken */
};

ParameterizedTestParameters(find_max, an_objective_bounds_a_corrected_latency)
{
    static struct objective_row rows[] = {
        {"p99<5ms", ""},
        {"p50<1ms,max<1s,resumed>90%", ""},
        {"p99>5ms", "stay below"},
        {"p99<5ms,p50>1ms", "stay below"},
        {"resumed>90%", "no latency"},
        {"errors<1,p99<5ms", "errors are never kept"},
        {"rate>100,p99<5ms", "what is searched for"},
        {"message.p99<5ms", "without the phase"},
        {"p99", "no condition"},
    };

    return cr_make_param_array(struct objective_row, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct objective_row *row, find_max, an_objective_bounds_a_corrected_latency)
{
    struct thresholds thresholds = {0};
    struct error error = {0};
    const int status = find_max_parse(&thresholds, row->text, &error);

    cr_assert_eq(status, row->word[0] == '\0' ? 0 : -1, "%s: %s", row->text, error.text);
    cr_expect_not_null(strstr(error.text, row->word), "%s: %s", row->text, error.text);
}

static struct find_max_run judge(const char *objective, void (*change)(struct load_result *))
{
    struct fixture fixture;
    struct thresholds thresholds = {0};
    struct error error = {0};
    struct find_max_run run;

    cr_assert_eq(find_max_parse(&thresholds, objective, &error), 0, "%s", error.text);
    fixture_init_open_loop(&fixture);
    fixture.result->due = fixture.result->messages;
    fixture.result->dropped = 0;
    change(fixture.result);
    find_max_judge(&run, &thresholds, &fixture.plan, fixture.result);
    fixture_deinit(&fixture);
    return run;
}

static void nothing(struct load_result *result)
{
    (void)result;
}

static void one_error(struct load_result *result)
{
    result->errors_total = 1;
}

static void too_few(struct load_result *result)
{
    result->due = result->messages * 102 / 100;
}

static void one_dropped(struct load_result *result)
{
    result->dropped = 1;
}

static void one_other_status(struct load_result *result)
{
    result->http_status_other = 1;
}

static void an_interruption(struct load_result *result)
{
    result->interrupted = true;
}

Test(find_max, a_run_is_kept_when_all_is_well)
{
    const struct find_max_run run = judge("p99<10s", nothing);

    cr_expect(run.is_kept, "%s", run.reason);
    cr_expect_str_eq(run.reason, "");
    cr_expect_gt(run.p99_ns, 0);
}

Test(find_max, a_run_is_not_kept_for_any_fault_and_says_which)
{
    static const struct {
        void (*change)(struct load_result *);
        const char *objective, *word;
    } rows[] = {
        {nothing, "p99<1ns", "the p99 latency is"},
        {one_error, "p99<10s", "1 error"},
        {too_few, "p99<10s", "rate missed"},
        {one_dropped, "p99<10s", "rate missed"},
        {one_other_status, "p99<10s", "not what they should be"},
        {an_interruption, "p99<10s", "interrupted"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct find_max_run run = judge(rows[i].objective, rows[i].change);

        cr_expect_not(run.is_kept, "%s", rows[i].word);
        cr_expect_not_null(strstr(run.reason, rows[i].word), "%s: %s", rows[i].word, run.reason);
    }
}
