#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/tally.h"

static struct tls_facts facts_of(const char *suite, enum tls_resumption resumption)
{
    struct tls_facts facts = {.version = "TLSv1.3", .resumption = resumption};

    snprintf(facts.suite, sizeof facts.suite, "%s", suite);
    return facts;
}

static void note(struct load_tally *tally, const char *suite, enum tls_resumption resumption,
                 uint64_t connections)
{
    const struct tls_facts facts = facts_of(suite, resumption);

    load_tally_negotiated(tally, &facts, connections);
}

Test(tally, equal_facts_share_a_row_and_different_ones_do_not)
{
    struct load_tally *tally = calloc(1, sizeof *tally);

    note(tally, "A", TLS_FULL, 1);
    note(tally, "B", TLS_FULL, 1);
    note(tally, "A", TLS_FULL, 2);
    note(tally, "A", TLS_RESUMED_TICKET, 1);
    cr_assert_eq(tally->negotiated_count, 3);
    cr_expect_eq(tally->negotiated[0].connections, 3);
    cr_expect_eq(tally->negotiated[2].facts.resumption, TLS_RESUMED_TICKET);
    free(tally);
}

Test(tally, combinations_beyond_the_table_are_still_counted)
{
    struct load_tally *tally = calloc(1, sizeof *tally);
    char suite[16];

    for (int i = 0; i < LOAD_NEGOTIATED_MAX + 3; i++) {
        snprintf(suite, sizeof suite, "S%d", i);
        note(tally, suite, TLS_FULL, 1);
    }
    note(tally, "S0", TLS_FULL, 1);
    cr_expect_eq(tally->negotiated_count, LOAD_NEGOTIATED_MAX);
    cr_expect_eq(tally->negotiated_other, 3);
    cr_expect_eq(tally->negotiated[0].connections, 2);
    free(tally);
}

Test(tally, errors_are_told_apart_by_phase_and_reason)
{
    struct load_tally *tally = calloc(1, sizeof *tally);

    load_tally_error(tally, LOAD_ERROR_CONNECT, "refused", 1);
    load_tally_error(tally, LOAD_ERROR_TRANSFER, "refused", 1);
    load_tally_error(tally, LOAD_ERROR_CONNECT, "refused", 4);
    cr_assert_eq(tally->error_count, 2);
    cr_expect_eq(tally->errors[0].count, 5);
    cr_expect_eq(tally->errors_total, 6);
    free(tally);
}

Test(tally, a_reason_too_long_for_its_row_still_finds_it)
{
    struct load_tally *tally = calloc(1, sizeof *tally);
    char reason[2 * LOAD_REASON_BYTES] = {0};

    memset(reason, 'x', sizeof reason - 1);
    load_tally_error(tally, LOAD_ERROR_CONNECT, reason, 1);
    load_tally_error(tally, LOAD_ERROR_CONNECT, reason, 1);
    cr_assert_eq(tally->error_count, 1);
    cr_expect_eq(tally->errors[0].count, 2);
    free(tally);
}

Test(tally, the_last_row_collects_reasons_beyond_the_table)
{
    struct load_tally *tally = calloc(1, sizeof *tally);
    char reason[16];

    for (int i = 0; i < LOAD_ERRORS_MAX + 9; i++) {
        snprintf(reason, sizeof reason, "reason %d", i);
        load_tally_error(tally, LOAD_ERROR_CONNECT, reason, 1);
    }
    load_tally_error(tally, LOAD_ERROR_CONNECT, "reason 0", 1);
    cr_assert_eq(tally->error_count, LOAD_ERRORS_MAX);
    cr_expect_eq(tally->errors[LOAD_ERRORS_MAX - 1].phase, LOAD_ERROR_OTHER);
    cr_expect_eq(tally->errors[LOAD_ERRORS_MAX - 1].count, 10);
    cr_expect_eq(tally->errors[0].count, 2);
    cr_expect_eq(tally->errors_total, LOAD_ERRORS_MAX + 10);
    free(tally);
}

Test(tally, merging_adds_and_publishing_sorts)
{
    struct load_tally *one = calloc(1, sizeof *one);
    struct load_tally *two = calloc(1, sizeof *two);
    struct load_result *result = calloc(1, sizeof *result);

    note(one, "A", TLS_FULL, 2);
    note(two, "B", TLS_FULL, 5);
    note(two, "A", TLS_FULL, 2);
    load_tally_error(one, LOAD_ERROR_CONNECT, "refused", 1);
    load_tally_error(two, LOAD_ERROR_HANDSHAKE, "closed", 3);
    load_tally_error(two, LOAD_ERROR_CONNECT, "refused", 1);
    load_tally_publish(two, result);
    load_tally_merge(one, result);
    load_tally_publish(one, result);
    cr_assert_eq(result->negotiated_count, 2);
    cr_expect_str_eq(result->negotiated[0].facts.suite, "B");
    cr_expect_eq(result->negotiated[1].connections, 4);
    cr_assert_eq(result->error_count, 2);
    cr_expect_str_eq(result->errors[0].reason, "closed");
    cr_expect_eq(result->errors[1].count, 2);
    cr_expect_eq(result->errors_total, 5);
    free(one);
    free(two);
    free(result);
}

Test(tally, bytes_of_handshakes_keep_mean_and_extremes_by_kind)
{
    struct load_tally *a = calloc(1, sizeof *a);
    struct load_tally *b = calloc(1, sizeof *b);
    struct load_result *result = calloc(1, sizeof *result);

    load_tally_bytes(a, TLS_FULL, 1000, 500);
    load_tally_bytes(b, TLS_FULL, 3000, 400);
    load_tally_bytes(b, TLS_RESUMED_TICKET, 200, 700);
    load_tally_publish(b, result);
    load_tally_merge(a, result);
    cr_expect_eq(a->handshake_bytes[TLS_FULL].count, 2);
    cr_expect_eq(a->handshake_bytes[TLS_FULL].in.sum, 4000);
    cr_expect_eq(a->handshake_bytes[TLS_FULL].in.min, 1000);
    cr_expect_eq(a->handshake_bytes[TLS_FULL].in.max, 3000);
    cr_expect_eq(a->handshake_bytes[TLS_FULL].out.min, 400);
    cr_expect_eq(a->handshake_bytes[TLS_FULL].out.max, 500);
    cr_expect_eq(a->handshake_bytes[TLS_RESUMED_TICKET].out.min, 700);
    cr_expect_eq(a->handshake_bytes[TLS_RESUMED_ID].count, 0);
    cr_expect_eq(a->handshake_bytes[TLS_RESUMED_ID].in.min, 0);
    free(a);
    free(b);
    free(result);
}
