#include <criterion/criterion.h>
#include <string.h>

#include "conn/held.h"
#include "ring/buffers.h"
#include "ring/ring.h"

static struct ring ring;
static struct ring_buffers buffers;
static struct held held;

static void set_up(void)
{
    cr_assert_eq(ring_open(&ring, 0, NULL), 0);
    cr_assert_eq(buffers_open(&buffers, &ring, NULL), 0);
    held_init(&held);
}

static void tear_down(void)
{
    held_clear(&held, &buffers);
    cr_assert_eq(buffers.held_count, 0, "a buffer was lost");
    buffers_close(&buffers, &ring);
    ring_close(&ring);
}

TestSuite(held, .init = set_up, .fini = tear_down);

/* As if the kernel had received `text` into buffer `index`. */
static void receive(int32_t index, const char *text)
{
    memcpy(buffers_at(&buffers, index), text, strlen(text));
    buffers_take(&buffers, index, (uint32_t)strlen(text));
    held_append(&held, &buffers, index);
}

static void expect_front(const char *text)
{
    size_t count;
    const uint8_t *front = held_front(&held, &buffers, &count);

    cr_assert_eq(count, strlen(text));
    cr_assert_arr_eq(front, text, count);
}

Test(held, keeps_order)
{
    receive(5, "first");
    receive(2, "second");
    cr_assert_eq(held.bytes, 11);
    expect_front("first");
    held_drop_front(&held, &buffers);
    expect_front("second");
    held_drop_front(&held, &buffers);
    cr_assert(held_is_empty(&held));
    cr_assert_eq(held.bytes, 0);
}

Test(held, spills_what_is_left_and_gives_buffers_back)
{
    receive(1, "abcdef");
    receive(2, "ghi");
    cr_assert(held_spill(&held, &buffers, 4));
    cr_assert_eq(buffers.held_count, 0);
    cr_assert_eq(held.bytes, 5);
    expect_front("efghi");
}

Test(held, spills_again_behind_an_earlier_spill)
{
    receive(1, "abc");
    cr_assert(held_spill(&held, &buffers, 0));
    receive(1, "def");
    receive(2, "ghi");
    expect_front("abc");
    cr_assert(held_spill(&held, &buffers, 2));
    expect_front("cdefghi");
    held_drop_front(&held, &buffers);
    cr_assert(held_is_empty(&held));
}

Test(held, buffers_are_scarce_beyond_half)
{
    for (int32_t i = 0; i <= BUFFERS_START / 2; i++) {
        cr_assert_not(buffers_scarce(&buffers));
        receive(i, "x");
    }
    cr_assert(buffers_scarce(&buffers));
    buffers_grow(&buffers);
    cr_assert_not(buffers_scarce(&buffers));
}
