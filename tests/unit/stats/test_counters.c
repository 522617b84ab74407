#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "stats/counters.h"

static bool is_snake_case(const char *text)
{
    if (!islower((unsigned char)text[0])) {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (!islower((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '_') {
            return false;
        }
    }
    return true;
}

Test(counters, every_counter_has_a_row_with_name_and_help)
{
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        cr_assert_not_null(counter_infos[i].name, "counter %u has no row", i);
        cr_assert(is_snake_case(counter_infos[i].name), "%s", counter_infos[i].name);
        cr_assert_not_null(counter_infos[i].help, "%s", counter_infos[i].name);
        /* Prometheus' text format would need them escaped; exposition adds the full stop. */
        cr_assert_null(strpbrk(counter_infos[i].help, "\\\n\""), "%s", counter_infos[i].help);
        cr_assert(strlen(counter_infos[i].help) > 0 &&
                  counter_infos[i].help[strlen(counter_infos[i].help) - 1] != '.');
    }
}

Test(counters, label_and_label_value_come_together)
{
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        cr_assert_eq(counter_infos[i].label == NULL, counter_infos[i].label_value == NULL, "%s",
                     counter_infos[i].name);
        if (counter_infos[i].label != NULL) {
            cr_assert(is_snake_case(counter_infos[i].label));
            cr_assert(is_snake_case(counter_infos[i].label_value));
        }
    }
}

Test(counters, names_do_not_end_as_prometheus_suffixes_do)
{
    static const char *const suffixes[] = {"_total", "_sum", "_count", "_bucket"};

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        size_t length = strlen(counter_infos[i].name);

        for (size_t j = 0; j < sizeof(suffixes) / sizeof(suffixes[0]); j++) {
            size_t suffix = strlen(suffixes[j]);

            cr_assert(length < suffix ||
                      strcmp(counter_infos[i].name + length - suffix, suffixes[j]) != 0);
        }
    }
}

Test(counters, rows_of_one_name_are_neighbours_and_told_apart)
{
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        for (unsigned j = i + 1; j < COUNTER_COUNT; j++) {
            if (strcmp(counter_infos[i].name, counter_infos[j].name) != 0) {
                continue;
            }
            cr_assert_str_eq(counter_infos[j - 1].name, counter_infos[j].name, "%s is split",
                             counter_infos[j].name);
            cr_assert_not_null(counter_infos[i].label, "%s twice", counter_infos[i].name);
            cr_assert_str_eq(counter_infos[i].label, counter_infos[j].label);
            cr_assert_str_neq(counter_infos[i].label_value, counter_infos[j].label_value);
            cr_assert_eq(counter_infos[i].kind, counter_infos[j].kind);
        }
    }
}

Test(counters, add_increment_and_decrement_move_one_counter_alone)
{
    static struct counters counters;

    counters_add(&counters, COUNTER_PLAIN_BYTES_IN, 1000);
    counters_increment(&counters, COUNTER_CONNECTIONS_OPEN);
    counters_increment(&counters, COUNTER_CONNECTIONS_OPEN);
    counters_decrement(&counters, COUNTER_CONNECTIONS_OPEN);
    cr_assert_eq(counters_get(&counters, COUNTER_PLAIN_BYTES_IN), 1000);
    cr_assert_eq(counters_get(&counters, COUNTER_CONNECTIONS_OPEN), 1);
    cr_assert_eq(counters_get(&counters, COUNTER_PLAIN_BYTES_OUT), 0);
    cr_assert_eq((uintptr_t)&counters % 64, 0, "a block starts on a cache line of its own");
}
