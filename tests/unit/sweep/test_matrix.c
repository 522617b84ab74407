#include "sweep/matrix.h"

#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "sweep/plan.h"

static struct sweep_matrix matrix_of(enum load_mode mode)
{
    return (struct sweep_matrix){.mode = mode};
}

static void set(struct sweep_matrix *matrix, enum sweep_axis axis, const char *list)
{
    struct error error = {0};

    cr_assert_eq(sweep_values_parse(axis, list, &matrix->axes[axis], &error), 0, "%s", error.text);
}

static void assert_refused(enum sweep_axis axis, const char *list, const char *because)
{
    struct sweep_values values;
    struct error error = {0};

    cr_assert_eq(sweep_values_parse(axis, list, &values, &error), -1, "%s", list);
    cr_assert_not_null(strstr(error.text, because), "%s", error.text);
}

Test(matrix, values_are_read_in_the_words_of_reports)
{
    struct sweep_values values;

    cr_assert_eq(sweep_values_parse(SWEEP_VERSION, "1.2,TLSv1.3", &values, NULL), 0);
    cr_assert_str_eq(values.items[0].text, "TLSv1.2");
    cr_assert_str_eq(values.items[1].text, "TLSv1.3");
    cr_assert_eq(sweep_values_parse(SWEEP_MESSAGE, "64,16Ki", &values, NULL), 0);
    cr_assert_eq(values.items[1].number, 16384);
    cr_assert_str_eq(values.items[1].text, "16384");
    cr_assert_eq(sweep_values_parse(SWEEP_LINK, "none,10M", &values, NULL), 0);
    cr_assert(values.items[0].is_null);
    cr_assert_eq(values.items[1].number, 10000000);
    cr_assert_eq(sweep_values_parse(SWEEP_FRAGMENT, "dynamic,1400", &values, NULL), 0);
    cr_assert_eq(values.items[0].number, 0);
}

Test(matrix, values_that_cannot_be_are_refused)
{
    assert_refused(SWEEP_VERSION, "1.4", "neither 1.2 nor 1.3");
    assert_refused(SWEEP_CERTIFICATE, "dsa", "ecdsa-p256, ecdsa-p384");
    assert_refused(SWEEP_FRAGMENT, "511", "512 to 16384");
    assert_refused(SWEEP_MESSAGE, "0", "not from 1");
    assert_refused(SWEEP_LINK, "10", "not from 8000");
    assert_refused(SWEEP_CONNECTIONS, "many", "many");
    assert_refused(SWEEP_SUITE, "A,,B", "no value");
    assert_refused(SWEEP_MESSAGE, "1Ki,1024", "twice");
}

Test(matrix, cells_are_all_combinations_the_last_axis_fastest)
{
    struct sweep_matrix matrix = matrix_of(LOAD_RR);
    struct sweep_cell cell;

    set(&matrix, SWEEP_GROUP, "X25519,P-256");
    set(&matrix, SWEEP_MESSAGE, "64,1024,4096");
    cr_assert_eq(sweep_matrix_complete(&matrix, SWEEP_SERVER_OWN, NULL), 0);
    cr_assert_eq(sweep_matrix_count(&matrix), 6);
    sweep_matrix_cell(&matrix, 4, &cell);
    cr_assert_str_eq(cell.values[SWEEP_GROUP].text, "P-256");
    cr_assert_eq(cell.values[SWEEP_MESSAGE].number, 1024);
    cr_assert_str_eq(cell.values[SWEEP_VERSION].text, "TLSv1.3");
    cr_assert_str_eq(cell.values[SWEEP_CERTIFICATE].text, "ecdsa-p256");
    cr_assert(cell.values[SWEEP_LINK].is_null);
}

Test(matrix, suite_says_the_version_that_was_left_open)
{
    struct sweep_matrix matrix = matrix_of(LOAD_RR);
    struct sweep_cell cell;

    set(&matrix, SWEEP_SUITE,
        "TLS_AES_128_GCM_SHA256,ECDHE-RSA-AES128-GCM-SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    cr_assert_eq(sweep_matrix_complete(&matrix, SWEEP_SERVER_OWN, NULL), 0);
    sweep_matrix_cell(&matrix, 0, &cell);
    cr_assert_str_eq(cell.values[SWEEP_VERSION].text, "TLSv1.3");
    sweep_matrix_cell(&matrix, 1, &cell);
    cr_assert_str_eq(cell.values[SWEEP_VERSION].text, "TLSv1.2");
    sweep_matrix_cell(&matrix, 2, &cell);
    cr_assert_str_eq(cell.values[SWEEP_VERSION].text, "TLSv1.2");
}

Test(matrix, what_would_be_ignored_is_refused)
{
    struct sweep_matrix handshakes = matrix_of(LOAD_HANDSHAKE);
    struct sweep_matrix elsewhere = matrix_of(LOAD_RR);
    struct error error = {0};

    set(&handshakes, SWEEP_MESSAGE, "64");
    cr_assert_eq(sweep_matrix_complete(&handshakes, SWEEP_SERVER_OWN, &error), -1);
    cr_assert_not_null(strstr(error.text, "--messages means nothing"), "%s", error.text);
    set(&elsewhere, SWEEP_FRAGMENT, "1400");
    cr_assert_eq(sweep_matrix_complete(&elsewhere, SWEEP_SERVER_GIVEN, &error), -1);
    cr_assert_not_null(strstr(error.text, "--fragments cannot be told"), "%s", error.text);
}

Test(matrix, sizes_of_answers_are_the_urls_affair)
{
    struct sweep_matrix open = matrix_of(LOAD_RR);
    struct sweep_matrix given = matrix_of(LOAD_RR);
    struct error error = {0};

    cr_assert_eq(sweep_matrix_complete(&open, SWEEP_SERVER_GIVEN_HTTP, &error), 0);
    cr_assert(open.axes[SWEEP_MESSAGE].items[0].is_null);
    set(&given, SWEEP_MESSAGE, "64");
    cr_assert_eq(sweep_matrix_complete(&given, SWEEP_SERVER_GIVEN_HTTP, &error), -1);
    cr_assert_not_null(strstr(error.text, "--messages cannot be told"), "%s", error.text);
}

Test(matrix, too_many_cells_are_refused)
{
    struct sweep_matrix matrix = matrix_of(LOAD_RR);
    struct error error = {0};
    static const enum sweep_axis axes[] = {SWEEP_MESSAGE, SWEEP_CONNECTIONS, SWEEP_SUITE};

    for (size_t i = 0; i < 3; i++) {
        set(&matrix, axes[i], "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20");
    }
    cr_assert_eq(sweep_matrix_complete(&matrix, SWEEP_SERVER_OWN, &error), -1);
    cr_assert_not_null(strstr(error.text, "4096 cells"), "%s", error.text);
}

Test(matrix, built_in_plans_can_be_read)
{
    for (size_t i = 0; i < SWEEP_PLAN_COUNT; i++) {
        const struct sweep_plan *plan = &sweep_plans[i];
        struct sweep_matrix matrix = matrix_of(plan->mode);
        struct error error = {0};

        for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
            if (plan->axes[axis] != NULL) {
                set(&matrix, axis, plan->axes[axis]);
            }
        }
        cr_assert_eq(sweep_matrix_complete(&matrix, SWEEP_SERVER_OWN, &error), 0, "%s", error.text);
        cr_assert_eq(sweep_plan_find(plan->name), plan);
    }
    cr_assert_null(sweep_plan_find("slow"));
}
