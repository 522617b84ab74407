#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <string.h>

#include "report/verdict.h"

struct row {
    struct verdict_evidence evidence;
    enum verdict_kind kind;
};

ParameterizedTestParameters(verdict, follows_from_the_evidence)
{
    static struct row rows[] = {
        /* succeeded, client, server, machine, rate kept */
        {{false, 0.99, 0.99, 0.99}, VERDICT_FAILED},
        {{true, 0.96, 0.50, NAN}, VERDICT_CLIENT_BOUND},
        {{true, 0.96, NAN, NAN}, VERDICT_CLIENT_BOUND},
        {{true, 0.95, 0.50, NAN}, VERDICT_NEITHER_BOUND}, /* at the limit is not beyond it */
        {{true, 0.50, 0.96, NAN}, VERDICT_SERVER_BOUND},
        {{true, 0.50, 0.95, NAN}, VERDICT_NEITHER_BOUND},
        {{true, 0.96, 0.96, 0.96}, VERDICT_BOTH_BOUND},
        {{true, 0.60, 0.90, 0.96}, VERDICT_MACHINE_BOUND},
        {{true, 0.60, 0.90, 0.75}, VERDICT_NEITHER_BOUND},
        {{true, 0.60, 0.97, 0.98}, VERDICT_SERVER_BOUND}, /* the narrower reason wins */
        {{true, 0.60, NAN, NAN}, VERDICT_UNKNOWN},
        {{true, NAN, 0.60, NAN}, VERDICT_UNKNOWN},
        {{true, 0.60, 0.60, NAN, true}, VERDICT_RATE_KEPT},
        {{true, 0.60, NAN, NAN, true}, VERDICT_RATE_KEPT},
        {{true, 0.96, 0.60, NAN, true}, VERDICT_CLIENT_BOUND}, /* its latencies are suspect */
        {{false, 0.60, 0.60, NAN, true}, VERDICT_FAILED},
    };

    return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *row, verdict, follows_from_the_evidence)
{
    enum verdict_kind kind = verdict_decide(&row->evidence);

    cr_assert_eq(kind, row->kind, "%s instead of %s", verdict_name(kind), verdict_name(row->kind));
}

Test(verdict, names_its_numbers)
{
    struct verdict_evidence evidence = {true, 0.612, 0.983, NAN};
    char text[VERDICT_TEXT_BYTES];

    verdict_explain(VERDICT_SERVER_BOUND, &evidence, text);
    cr_assert_not_null(strstr(text, "server worker was 98.3% busy"), "%s", text);
    cr_assert_not_null(strstr(text, "load thread 61.2%"), "%s", text);
}

Test(verdict, says_not_known_instead_of_a_number)
{
    struct verdict_evidence evidence = {true, 0.97, NAN, NAN};
    char text[VERDICT_TEXT_BYTES];

    verdict_explain(VERDICT_CLIENT_BOUND, &evidence, text);
    cr_assert_not_null(strstr(text, "97.0%"), "%s", text);
    cr_assert_not_null(strstr(text, "server worker not known"), "%s", text);
    cr_assert_null(strstr(text, "nan"), "%s", text);
}

Test(verdict, every_kind_fits_its_text)
{
    struct verdict_evidence evidence = {true, 0.5, NAN, 0.5};
    char text[VERDICT_TEXT_BYTES];

    for (enum verdict_kind kind = VERDICT_FAILED; kind <= VERDICT_UNKNOWN; kind++) {
        verdict_explain(kind, &evidence, text);
        cr_assert_eq(text[strlen(text) - 1], '.', "cut: %s", text);
        cr_assert_not_null(verdict_name(kind));
    }
}

Test(verdict, tells_how_busy_the_machine_was_only_when_it_is_shared)
{
    struct verdict_evidence evidence = {true, 0.44, 0.45, 0.88};
    char text[VERDICT_TEXT_BYTES];

    verdict_explain(VERDICT_NEITHER_BOUND, &evidence, text);
    cr_assert_not_null(strstr(text, "worker 45.0%, all CPUs of the machine 88.0%."), "%s", text);
    evidence.machine_busy = NAN;
    verdict_explain(VERDICT_NEITHER_BOUND, &evidence, text);
    cr_assert_not_null(strstr(text, "worker 45.0%. The run waited"), "%s", text);
}
