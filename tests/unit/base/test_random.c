#include <criterion/criterion.h>
#include <string.h>

#include "base/random.h"

/* The first values that the published splitmix64 gives for seed 1234567. */
Test(random, follows_splitmix64)
{
    static const uint64_t EXPECTED[] = {6457827717110365317u, 3203168211198807973u,
                                        9817491932198370423u, 4593380528125082431u,
                                        16408922859458223821u};
    struct random random = {.state = 1234567};

    for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(*EXPECTED); i++) {
        cr_assert_eq(random_next(&random), EXPECTED[i], "value %zu", i);
    }
}

Test(random, another_seed_gives_another_sequence)
{
    struct random a = {.state = 1};
    struct random b = {.state = 2};

    cr_assert_neq(random_next(&a), random_next(&b));
}

Test(random, below_stays_below_and_reaches_every_value)
{
    enum { BOUND = 10, DRAWS = 10000 };
    struct random random = {.state = 3};
    int drawn[BOUND] = {0};

    for (int i = 0; i < DRAWS; i++) {
        uint64_t value = random_below(&random, BOUND);

        cr_assert_lt(value, BOUND);
        drawn[value]++;
    }
    /* 1,000 each is expected; 200 away would be more than six standard deviations. */
    for (int i = 0; i < BOUND; i++) {
        cr_assert(drawn[i] > 800 && drawn[i] < 1200, "%d was drawn %d times", i, drawn[i]);
    }
    cr_assert_eq(random_below(&random, 1), 0);
}

Test(random, fill_writes_low_bytes_first_and_exactly_as_many_as_asked)
{
    static const uint64_t FIRST = 6457827717110365317u;
    static const uint64_t SECOND = 3203168211198807973u;

    for (size_t count = 0; count <= 16; count++) {
        struct random random = {.state = 1234567};
        uint8_t bytes[17];

        memset(bytes, 0xee, sizeof(bytes));
        random_fill(&random, bytes, count);
        for (size_t i = 0; i < count; i++) {
            uint64_t word = i < 8 ? FIRST : SECOND;

            cr_assert_eq(bytes[i], (uint8_t)(word >> (i % 8 * 8)), "byte %zu of %zu", i, count);
        }
        cr_assert_eq(bytes[count], 0xee, "wrote beyond %zu bytes", count);
    }
}
