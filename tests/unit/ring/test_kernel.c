#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "ring/kernel.h"

struct row {
    char release[32];
    bool warns;
};

ParameterizedTestParameters(kernel, holes_are_known_by_the_release)
{
    static struct row rows[] = {
        {"6.1.0-18-amd64", false},  {"6.3.13", false}, {"6.4.0", true},   {"6.4", true},
        {"6.5.0-41-generic", true}, {"6.5.13", true},  {"6.6.0", true},   {"6.6.4-arch1-1", true},
        {"6.6.5", false},           {"6.6.40", false}, {"6.7.0", false},  {"6.18.44", false},
        {"5.15.0", false},          {"7.0.1", false},  {"16.5.0", false}, {"", false},
        {"unknown", false},         {"6", false},
    };

    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, kernel, holes_are_known_by_the_release)
{
    cr_assert_eq(kernel_warning(row->release) != NULL, row->warns, "%s", row->release);
}
