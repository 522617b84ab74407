#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "load/merge.h"
#include "load/tally.h"

static struct load_result *result_new(void)
{
    struct load_result *result = calloc(1, sizeof *result);

    cr_assert_not_null(result);
    return result;
}

/* Different in every field that is not a table. */
static void fill_counts(struct load_result *result, uint8_t byte)
{
    memset(result, byte, offsetof(struct load_result, phases));
    memset(result->handshake_bytes, 0, sizeof result->handshake_bytes);
    result->errors_total = 0;
    result->seconds = byte;
    result->cpu_seconds = byte;
    result->busiest_thread = byte / 100.0;
}

static void fill_tables(struct load_result *result, const char *suite, uint64_t amount)
{
    struct load_tally *tally = calloc(1, sizeof *tally);
    struct tls_facts facts = {.version = "TLSv1.3"};

    cr_assert_not_null(tally);
    strcpy(facts.suite, suite);
    load_tally_negotiated(tally, &facts, amount);
    load_tally_error(tally, LOAD_ERROR_CONNECT, "refused", amount);
    load_tally_error(tally, LOAD_ERROR_HANDSHAKE, suite, 1);
    load_tally_bytes(tally, TLS_FULL, 1000 * amount, 500);
    load_tally_staple(tally, TLS_STAPLE_GOOD);
    tally->negotiated_other = amount;
    load_tally_publish(tally, result);
    for (int phase = 0; phase < LOAD_PHASE_COUNT; phase++) {
        histogram_record(&result->phases[phase], 1000 * amount + (uint64_t)phase);
    }
    result->series[0] = (struct load_interval){
        .seconds = 1, .handshakes = amount, .messages = amount, .bytes_in = 1, .errors = amount};
    result->series_count = 1;
    free(tally);
}

/* Bytes between the fields of the structure are nobody's. */
static bool is_padding(size_t offset)
{
    return offset >= offsetof(struct load_result, idle_verified) + sizeof(uint32_t) &&
           offset < offsetof(struct load_result, connects);
}

/* A field that merge.c forgets is still zero. */
Test(merge, into_nothing_gives_every_field_back)
{
    struct load_result *from = result_new();
    struct load_result *into = result_new();

    fill_counts(from, 0x11);
    fill_tables(from, "A", 3);
    from->interrupted = true;
    load_result_merge(into, from);
    for (size_t i = 0; i < sizeof *from; i++) {
        cr_assert(is_padding(i) || ((uint8_t *)into)[i] == ((uint8_t *)from)[i],
                  "byte %zu of the result was not merged", i);
    }
    free(from);
    free(into);
}

Test(merge, counts_are_added_and_what_is_no_count_is_not)
{
    struct load_result *from = result_new();
    struct load_result *into = result_new();

    fill_counts(into, 0x11);
    fill_counts(from, 0x22);
    load_result_merge(into, from);
    cr_expect_eq(into->messages, 0x3333333333333333);
    cr_expect_eq(into->unstarted, 0x3333333333333333);
    cr_expect_eq(into->threads, 0x33333333);
    cr_expect_eq(into->cpu_seconds, 0x33);
    cr_expect_eq(into->seconds, 0x22);
    cr_expect_eq(into->busiest_thread, 0.34);
    cr_expect_not(into->interrupted);
    load_result_merge(into, &(struct load_result){.interrupted = true});
    cr_expect(into->interrupted);
    cr_expect_eq(into->seconds, 0x22);
    free(from);
    free(into);
}

Test(merge, tables_join_equal_rows_and_sort_again)
{
    struct load_result *from = result_new();
    struct load_result *into = result_new();

    fill_tables(into, "A", 2);
    fill_tables(from, "B", 7);
    load_result_merge(into, from);
    cr_assert_eq(into->negotiated_count, 2);
    cr_expect_str_eq(into->negotiated[0].facts.suite, "B");
    cr_expect_eq(into->negotiated_other, 9);
    cr_assert_eq(into->error_count, 3);
    cr_expect_str_eq(into->errors[0].reason, "refused");
    cr_expect_eq(into->errors[0].count, 9);
    cr_expect_eq(into->errors_total, 11);
    cr_expect_eq(into->handshake_bytes[TLS_FULL].in.sum, 9000);
    cr_expect_eq(into->handshake_bytes[TLS_FULL].in.min, 2000);
    cr_expect_eq(into->staples[TLS_STAPLE_GOOD], 2);
    cr_expect_eq(into->phases[LOAD_PHASE_MESSAGE].count, 2);
    cr_expect_eq(into->phases[LOAD_PHASE_MESSAGE].max_ns, 7000 + LOAD_PHASE_MESSAGE);
    cr_expect_eq(into->series_count, 1);
    cr_expect_eq(into->series[0].messages, 9);
    free(from);
    free(into);
}
