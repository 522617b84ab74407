#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/error.h"
#include "fixture.h"
#include "report/threshold.h"

enum { LIST_BYTES = 80, WORD_BYTES = 48 };

struct list_row {
    char list[LIST_BYTES];
    char word[WORD_BYTES]; /* of the refusal, or of the sentence; "": kept */
};

static struct thresholds parse(const char *list)
{
    struct thresholds thresholds = {0};
    struct error error = {0};

    cr_assert_eq(thresholds_parse(&thresholds, list, &error), 0, "%s: %s", list, error.text);
    return thresholds;
}

ParameterizedTestParameters(threshold, what_is_no_condition_is_refused)
{
    static struct list_row rows[] = {
        {"", "no condition"},
        {"p99", "no condition"},
        {"p99>2ms,", "no condition"},
        {"p98>2ms", "\"p98\" is not measured"},
        {">2ms", "not measured"},
        {"p99>", "p99>"},
        {"p99>=2ms", "p99>=2ms"},
        {"p99>two", "p99>two"},
        {"errors>1.5", "errors>1.5"},
        {"resumed<101%", "percentage"},
        {"resumed<-1%", "percentage"},
        {"resumed<%", "percentage"},
        {"resumed<99%%", "percentage"},
        {"p99>111111111111111111111111111111111111111111111111111111111111ms", "too long"},
    };

    return cr_make_param_array(struct list_row, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct list_row *row, threshold, what_is_no_condition_is_refused)
{
    struct thresholds thresholds = {0};
    struct error error = {0};

    cr_assert_eq(thresholds_parse(&thresholds, row->list, &error), -1, "%s", row->list);
    cr_expect_not_null(strstr(error.text, row->word), "%s: %s", row->list, error.text);
}

/* The fixture: 1,000 messages of 1.0 ms, 50,000 a second, no errors. */
ParameterizedTestParameters(threshold, messages_keep_to_it_or_not)
{
    static struct list_row rows[] = {
        {"p50>2ms", ""},
        {"p50>500us", "the p50 latency is 1.0"},
        {"p90>500us", "the p90 latency"},
        {"p99>1.1ms", ""},
        {"p99.9>999us", "the p99.9 latency"},
        {"max>0.0005", "the highest latency"},
        {"max<1s", "below the 1.00 s"},
        {"errors>0", ""},
        {"errors<1", "the number of errors is 0, below the 1"},
        {"rate<50000", ""},
        {"rate>50000", ""},
        {"rate<50001", "the rate a second is 50000, below the 50001"},
        {"rate>49k", "above the 49000"},
    };

    return cr_make_param_array(struct list_row, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct list_row *row, threshold, messages_keep_to_it_or_not)
{
    const struct thresholds thresholds = parse(row->list);
    struct fixture fixture;
    char text[THRESHOLD_TEXT_BYTES] = "";
    bool is_violated;

    fixture_init_messages(&fixture);
    cr_assert_eq(thresholds.count, 1);
    is_violated = threshold_is_violated(&thresholds.rows[0], &fixture.plan, fixture.result, text);
    cr_expect_eq(is_violated, row->word[0] != '\0', "%s: %s", row->list, text);
    cr_expect_not_null(strstr(text, row->word), "%s: %s", row->list, text);
    fixture_deinit(&fixture);
}

Test(threshold, a_list_is_as_many_conditions)
{
    const struct thresholds thresholds = parse("p99>2ms,errors>0,rate<10");

    cr_expect_eq(thresholds.count, 3);
}

Test(threshold, there_are_only_so_many)
{
    struct thresholds thresholds = {.count = THRESHOLDS_MAX};

    cr_expect_eq(thresholds_parse(&thresholds, "errors>0", NULL), -1);
    cr_expect_eq(thresholds_expect_resumed(&thresholds, "9", NULL), -1);
}

/* The fixture: 49,000 of 50,000 sessions offered were resumed. */
Test(threshold, a_resumed_share_is_expected)
{
    struct thresholds thresholds = {0};
    struct fixture fixture;
    char text[THRESHOLD_TEXT_BYTES];

    fixture_init_handshakes(&fixture);
    cr_assert_eq(thresholds_expect_resumed(&thresholds, "98%", NULL), 0);
    cr_assert_eq(thresholds_expect_resumed(&thresholds, "98.5", NULL), 0);
    cr_expect_not(threshold_is_violated(&thresholds.rows[0], &fixture.plan, fixture.result, text));
    cr_expect(threshold_is_violated(&thresholds.rows[1], &fixture.plan, fixture.result, text));
    cr_expect_str_eq(text, "the resumed share of the sessions offered is 98%, below the 98.5% that "
                           "was asked for");
    fixture.result->resumes_offered = 0; /* a server that gave no sessions */
    cr_expect(threshold_is_violated(&thresholds.rows[0], &fixture.plan, fixture.result, text));
    cr_expect_not_null(strstr(text, "could not be measured"));
    fixture_deinit(&fixture);
}

Test(threshold, an_open_loop_is_judged_by_its_corrected_latency)
{
    const struct thresholds thresholds = parse("p99>500ms");
    struct fixture fixture;
    char text[THRESHOLD_TEXT_BYTES];

    fixture_init_messages(&fixture);
    fixture.plan.rate = 50000;
    histogram_record(&fixture.result->phases[LOAD_PHASE_MESSAGE_CORRECTED], 1000000000);
    cr_expect(threshold_is_violated(&thresholds.rows[0], &fixture.plan, fixture.result, text));
    fixture_deinit(&fixture);
}

Test(threshold, what_the_plan_cannot_measure_is_refused)
{
    struct load_plan plan = {.mode = LOAD_RR};
    struct thresholds resumed = parse("resumed<99%");
    struct thresholds latency = parse("p50>1s");
    struct thresholds rate = parse("rate<1");
    struct thresholds errors = parse("errors>0");
    struct error error = {0};

    cr_expect_eq(thresholds_check(&resumed, &plan, &error), -1);
    cr_expect_not_null(strstr(error.text, "--resume"));
    cr_expect_eq(thresholds_check(&latency, &plan, &error), 0);
    plan.resume = LOAD_RESUME_TICKET;
    cr_expect_eq(thresholds_check(&resumed, &plan, &error), 0);
    plan.mode = LOAD_UPLOAD;
    cr_expect_eq(thresholds_check(&latency, &plan, &error), -1);
    cr_expect_eq(thresholds_check(&rate, &plan, &error), -1);
    cr_expect_eq(thresholds_check(&errors, &plan, &error), 0);
}

Test(threshold, a_phase_may_be_named)
{
    const struct thresholds thresholds =
        parse("handshake_resumed.p99>100us,handshake_full.max>1s,hello.p99.9>1s");
    struct fixture fixture;
    char text[THRESHOLD_TEXT_BYTES];

    fixture_init_handshakes(&fixture);
    cr_expect(threshold_is_violated(&thresholds.rows[0], &fixture.plan, fixture.result, text));
    cr_expect_not_null(strstr(text, "the p99 latency of handshake_resumed is 90"), "%s", text);
    cr_expect_not(threshold_is_violated(&thresholds.rows[1], &fixture.plan, fixture.result, text));
    cr_expect(threshold_is_violated(&thresholds.rows[2], &fixture.plan, fixture.result, text));
    cr_expect_str_eq(text, "the p99.9 latency of hello could not be measured: there was nothing to "
                           "measure");
    fixture_deinit(&fixture);
}

Test(threshold, what_is_no_phase_or_no_time_of_one_is_refused)
{
    static const char *const bad[] = {"helo.p99>1ms", "hello.p95>1ms", "hello.errors>0",
                                      "hello.>1ms",   ".p99>1ms",      "hello>1ms"};
    struct thresholds thresholds = {0};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_eq(thresholds_parse(&thresholds, bad[i], NULL), -1, "%s", bad[i]);
    }
    cr_expect_eq(thresholds.count, 0);
}
