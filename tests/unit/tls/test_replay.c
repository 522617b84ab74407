#include <string.h>

#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/error.h"
#include "tls/replay.h"

static const uint64_t now_ns = 1000 * 1000 * 1000;

static struct replay_guard *guard_new(size_t ticket_max)
{
    struct replay_guard *guard = replay_guard_new(ticket_max, NULL);

    cr_assert_not_null(guard);
    return guard;
}

/* Spread like a digest, and different for each number. */
static bool admit(struct replay_guard *guard, uint32_t number, uint64_t at_ns)
{
    uint8_t digest[REPLAY_DIGEST_BYTES];

    for (size_t i = 0; i < sizeof(digest); i++) {
        number = number * 1664525 + 1013904223;
        digest[i] = (uint8_t)(number >> 24);
    }
    return replay_guard_admit(guard, digest, at_ns);
}

Test(replay, a_ticket_is_admitted_once)
{
    struct replay_guard *guard = guard_new(0);

    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert(admit(guard, i, now_ns));
    }
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_not(admit(guard, i, now_ns));
    }
    replay_guard_free(guard);
}

/* Wherever in a window it came, it is remembered for the length of one. */
Test(replay, a_ticket_is_remembered_for_a_window)
{
    for (uint64_t s = 0; s < REPLAY_WINDOW_S; s++) {
        struct replay_guard *guard = guard_new(16);
        uint64_t at_ns = now_ns + s * NS_PER_S;

        cr_assert(admit(guard, 1, now_ns - 1));
        cr_assert(admit(guard, 2, at_ns));
        for (uint64_t later = 0; later <= REPLAY_WINDOW_S; later++) {
            cr_assert_not(admit(guard, 2, at_ns + later * NS_PER_S));
        }
        replay_guard_free(guard);
    }
}

Test(replay, a_ticket_is_forgotten_after_two)
{
    struct replay_guard *guard = guard_new(16);

    cr_assert(admit(guard, 1, now_ns));
    cr_assert_not(admit(guard, 1, now_ns + REPLAY_WINDOW_S * NS_PER_S));
    cr_assert(admit(guard, 1, now_ns + 2 * REPLAY_WINDOW_S * NS_PER_S));
    replay_guard_free(guard);
}

Test(replay, a_full_guard_refuses_rather_than_forget)
{
    struct replay_guard *guard = guard_new(16);
    unsigned admitted = 0;

    for (uint32_t i = 0; i < 1000; i++) {
        admitted += admit(guard, i, now_ns);
    }
    cr_assert_leq(admitted, 16);
    cr_assert_gt(admitted, 8);
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_not(admit(guard, i, now_ns));
    }
    /* The next window has room again. */
    cr_assert(admit(guard, 2000, now_ns + REPLAY_WINDOW_S * NS_PER_S));
    replay_guard_free(guard);
}

Test(replay, each_guard_has_an_origin_of_its_own)
{
    struct replay_guard *guard = guard_new(16);
    struct replay_guard *other = guard_new(16);

    cr_assert_arr_neq(replay_guard_origin(guard), replay_guard_origin(other), REPLAY_ORIGIN_BYTES);
    cr_assert_arr_eq(replay_guard_origin(guard), replay_guard_origin(guard), REPLAY_ORIGIN_BYTES);
    replay_guard_free(guard);
    replay_guard_free(other);
}

Test(replay, too_large_a_guard_is_refused_by_its_number)
{
    struct error error = {0};

    cr_assert_null(replay_guard_new(REPLAY_TICKETS_MAX + 1, &error));
    cr_assert_not_null(strstr(error.text, "16777217"));
    replay_guard_free(NULL);
}
