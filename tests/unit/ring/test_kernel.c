#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/error.h"
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

struct refusal_row {
    int code;
    struct kernel_rules rules;
    char cause[48];
    char remedy[48];
};

ParameterizedTestParameters(kernel, a_refusal_names_its_cause_and_the_remedy)
{
    static const uint64_t none = UINT64_MAX;
    static struct refusal_row rows[] = {
        {EPERM, {2, false, true, none}, "kernel.io_uring_disabled is 2", "io_uring_disabled=0"},
        {EPERM, {2, true, false, none}, "kernel.io_uring_disabled is 2", "io_uring_disabled=0"},
        {EPERM, {1, false, false, none}, "kernel.io_uring_disabled is 1", "io_uring_group"},
        {EPERM, {1, true, true, none}, "seccomp filter", "SystemCallFilter="},
        {EPERM, {0, true, false, none}, "seccomp filter", "--security-opt"},
        {ENOSYS, {0, true, false, none}, "seccomp filter", "io_uring_setup"},
        {ENOSYS, {0, false, false, none}, "no io_uring", "Linux 6.1"},
        {EACCES, {0, false, true, none}, "security module", "ausearch"},
        {ENOMEM, {0, false, false, 65536}, "may lock 64 KiB", "ulimit -l"},
        {ENOMEM, {0, false, true, 65536}, "takes at least 10", "--threads"},
        {ENOMEM, {0, false, false, none}, "no memory", "free some"},
        {EMFILE, {0, false, false, none}, "no file descriptor", "ulimit -n"},
        {EINVAL, {0, false, false, none}, "Invalid argument", "io_uring"},
    };

    return cr_make_param_array(struct refusal_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct refusal_row *row, kernel, a_refusal_names_its_cause_and_the_remedy)
{
    struct error error = {0};

    cr_assert_eq(kernel_refusal(row->code, &row->rules, 10 * 1024, &error), -1);
    cr_assert_not_null(strstr(error.text, row->cause), "%s", error.text);
    cr_assert_not_null(strstr(error.text, row->remedy), "%s", error.text);
}

Test(kernel, rules_are_read)
{
    struct kernel_rules rules;

    kernel_rules_read(&rules);
    cr_assert_geq(rules.disabled, 0);
    cr_assert_leq(rules.disabled, 2);
    cr_assert_eq(rules.is_root, geteuid() == 0);
}
