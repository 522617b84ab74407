#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/payload.h"

static struct payload *payload_new(void)
{
    struct payload *payload = malloc(sizeof(*payload));

    cr_assert_not_null(payload);
    payload_init(payload);
    return payload;
}

/* `count` bytes of the sequence from `offset` on, taken one by one. */
static uint8_t *stream_new(const struct payload *payload, uint64_t offset, size_t count)
{
    uint8_t *bytes = malloc(count + 1);

    cr_assert_not_null(bytes);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = *payload_at(payload, offset + i);
    }
    return bytes;
}

Test(payload, is_the_same_in_every_process)
{
    struct payload *a = payload_new();
    struct payload *b = payload_new();

    /* The two ends of a connection may be of different builds: these bytes must never change. */
    static const uint8_t FIRST[] = {0x8e, 0xc3, 0x6a, 0xc3, 0x00, 0x83, 0x20, 0xb4};

    cr_assert_arr_eq(a->bytes, FIRST, sizeof(FIRST));
    cr_assert_arr_eq(a->bytes, b->bytes, sizeof(a->bytes));
    free(a);
    free(b);
}

Test(payload, a_record_can_be_read_from_any_offset)
{
    static const uint64_t OFFSETS[] = {0,
                                       1,
                                       PAYLOAD_PERIOD - 1,
                                       PAYLOAD_PERIOD,
                                       3 * (uint64_t)PAYLOAD_PERIOD - 5,
                                       UINT64_MAX - 20000};
    struct payload *payload = payload_new();

    for (size_t i = 0; i < sizeof(OFFSETS) / sizeof(*OFFSETS); i++) {
        uint8_t *bytes = stream_new(payload, OFFSETS[i], PAYLOAD_SPAN_MAX);

        cr_assert_arr_eq(payload_at(payload, OFFSETS[i]), bytes, PAYLOAD_SPAN_MAX);
        free(bytes);
    }
    free(payload);
}

Test(payload, matches_what_was_taken_from_the_same_offset)
{
    static const size_t COUNTS[] = {
        0, 1, 100, PAYLOAD_SPAN_MAX, PAYLOAD_SPAN_MAX + 1, 3 * PAYLOAD_PERIOD + 7};
    struct payload *payload = payload_new();

    for (size_t i = 0; i < sizeof(COUNTS) / sizeof(*COUNTS); i++) {
        uint8_t *bytes = stream_new(payload, 65530, COUNTS[i]);

        cr_assert(payload_matches(payload, 65530, bytes, COUNTS[i]), "%zu bytes", COUNTS[i]);
        cr_assert(payload_matches(payload, 65530 + (uint64_t)PAYLOAD_PERIOD, bytes, COUNTS[i]));
        free(bytes);
    }
    free(payload);
}

Test(payload, one_wrong_byte_anywhere_does_not_match)
{
    static const size_t WRONG[] = {0, 1, PAYLOAD_SPAN_MAX - 1, PAYLOAD_SPAN_MAX, 99999};
    enum { COUNT = 100000 };
    struct payload *payload = payload_new();

    for (size_t i = 0; i < sizeof(WRONG) / sizeof(*WRONG); i++) {
        uint8_t *bytes = stream_new(payload, 5, COUNT);

        bytes[WRONG[i]] ^= 1;
        cr_assert_not(payload_matches(payload, 5, bytes, COUNT), "byte %zu", WRONG[i]);
        free(bytes);
    }
    free(payload);
}

Test(payload, bytes_moved_by_one_do_not_match)
{
    struct payload *payload = payload_new();
    uint8_t *bytes = stream_new(payload, 8, 64);

    cr_assert_not(payload_matches(payload, 9, bytes, 64));
    free(bytes);
    free(payload);
}
