#include "load/cpus.h"

#include <sched.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"

Test(cpus, lists_and_ranges_are_read)
{
    struct load_cpus cpus = {0};

    cr_assert_eq(load_cpus_parse("0,2-4,9", &cpus, NULL), 0);
    cr_expect_eq(cpus.count, 5);
    cr_expect_eq(cpus.items[0], 0);
    cr_expect_eq(cpus.items[1], 2);
    cr_expect_eq(cpus.items[3], 4);
    cr_expect_eq(cpus.items[4], 9);
}

Test(cpus, what_is_no_list_is_refused)
{
    static const char *const bad[] = {"",   "a",  "1-",  "-1",    "3-2",
                                      "1,", ",1", "1.5", "99999", "0-300"};
    struct load_cpus cpus = {0};
    struct error error = {0};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_eq(load_cpus_parse(bad[i], &cpus, &error), -1, "%s", bad[i]);
        cr_expect_neq(error.text[0], '\0');
    }
}

Test(cpus, a_thread_is_held_to_one_in_turn)
{
    cpu_set_t allowed;
    cpu_set_t set;
    unsigned first = 0;
    struct load_cpus cpus = {0};
    struct error error = {0};

    cr_expect_eq(load_cpus_pin(&cpus, 7, &error), 0, "none asked for");
    cr_assert_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    while (!CPU_ISSET(first, &allowed)) {
        first++;
    }
    cpus = (struct load_cpus){.items = {(uint16_t)first}, .count = 1};
    cr_assert_eq(load_cpus_pin(&cpus, 7, &error), 0, "%s", error.text);
    cr_assert_eq(sched_getaffinity(0, sizeof set, &set), 0);
    cr_expect_eq(CPU_COUNT(&set), 1);
    cr_expect(CPU_ISSET(first, &set));
}

Test(cpus, one_that_is_not_there_is_told)
{
    const struct load_cpus cpus = {.items = {CPU_SETSIZE - 1}, .count = 1};
    struct error error = {0};

    cr_expect_eq(load_cpus_pin(&cpus, 0, &error), -1);
    cr_expect_not_null(strstr(error.text, "CPU 1023"));
}
