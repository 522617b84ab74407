#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/random.h"
#include "tls/record_gather.h"

enum { STREAM_BYTES = 60000 };

Test(record_gather, a_whole_record_is_not_copied)
{
    static const uint8_t wire[] = {23, 3, 3, 0, 2, 'a', 'b', 23, 3};
    struct record_gather gather = {0};
    struct record_span span = {wire, sizeof(wire)};
    struct record_span record;

    cr_assert_eq(record_gather_header(&gather, &span), wire);
    cr_assert_eq(record_gather_take(&gather, &span, &record), RECORD_WHOLE);
    cr_assert_eq(record.bytes, wire);
    cr_assert_eq(record.count, 7);
    cr_assert_eq(span.count, 2);
    cr_assert_eq(gather.count, 0);
    cr_assert_null(record_gather_header(&gather, &span)); /* half a header is kept */
    cr_assert_eq(span.count, 0);
    cr_assert_eq(gather.count, 2);
    record_gather_empty(&gather);
}

Test(record_gather, a_record_without_content_is_one)
{
    static const uint8_t wire[] = {23, 3, 3, 0, 0};
    struct record_gather gather = {0};
    struct record_span record;

    for (size_t i = 0; i < sizeof(wire); i++) {
        struct record_span span = {wire + i, 1};

        cr_assert_eq(record_gather_header(&gather, &span) != NULL, i == 4);
        if (i == 4) {
            cr_assert_eq(record_gather_take(&gather, &span, &record), RECORD_WHOLE);
            cr_assert_arr_eq(record.bytes, wire, 5);
            cr_assert_eq(record.count, 5);
        }
    }
    record_gather_empty(&gather);
    cr_assert_null(gather.record);
}

/* Records of random sizes end to end; returns the bytes. */
static size_t stream_make(struct random *random, uint8_t *out)
{
    size_t end = 0;

    for (;;) {
        size_t length = random_below(random, 3000);

        if (end + RECORD_HEADER_BYTES + length > STREAM_BYTES) {
            return end;
        }
        random_fill(random, out + end, RECORD_HEADER_BYTES + length);
        out[end + 3] = (uint8_t)(length >> 8);
        out[end + 4] = (uint8_t)length;
        end += RECORD_HEADER_BYTES + length;
    }
}

Test(record_gather, pieces_of_any_size_make_the_same_records)
{
    static uint8_t wire[STREAM_BYTES];
    struct random random = {5};
    size_t total = stream_make(&random, wire);

    for (size_t most = 1; most < 20000; most = most * 3 + 1) {
        struct record_gather gather = {0};
        struct record_span span = {wire, 0};
        size_t fed = 0;
        size_t at = 0;

        while (at < total) {
            struct record_span record;

            if (span.count == 0) {
                size_t piece = 1 + random_below(&random, most);

                piece = piece < total - fed ? piece : total - fed;
                span = (struct record_span){wire + fed, piece};
                fed += piece;
            }
            if (record_gather_header(&gather, &span) == NULL ||
                record_gather_take(&gather, &span, &record) == RECORD_MORE) {
                cr_assert_eq(span.count, 0);
                continue;
            }
            cr_assert_eq(record.count, RECORD_HEADER_BYTES + record_length(wire + at));
            cr_assert_arr_eq(record.bytes, wire + at, record.count);
            at += record.count;
            record_gather_empty(&gather);
        }
        cr_assert_eq(at, total);
    }
}
