#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"

Test(error, set_writes_the_sentence_and_returns_minus_one)
{
    struct error error = {0};

    cr_assert_eq(error_set(&error, "no key in '%s', line %d", "a.pem", 3), -1);
    cr_assert_str_eq(error.text, "no key in 'a.pem', line 3");
}

Test(error, prefix_goes_before_the_sentence)
{
    struct error error = {0};

    error_set(&error, "no such file");
    cr_assert_eq(error_prefix(&error, "--%s", "cert"), -1);
    cr_assert_str_eq(error.text, "--cert: no such file");
}

Test(error, no_error_to_write_to_is_accepted)
{
    cr_assert_eq(error_set(NULL, "nobody reads this"), -1);
    cr_assert_eq(error_prefix(NULL, "nor this"), -1);
}

Test(error, its_own_text_may_be_an_argument)
{
    struct error error = {0};

    error_set(&error, "inner");
    error_set(&error, "outer (%s)", error.text);
    cr_assert_str_eq(error.text, "outer (inner)");
}

Test(error, long_sentences_are_cut_and_terminated)
{
    struct error error;
    char name[2 * ERROR_TEXT_BYTES];

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    error_set(&error, "%s", name);
    cr_assert_eq(strlen(error.text), ERROR_TEXT_BYTES - 1);
    error_prefix(&error, "%s", name);
    cr_assert_eq(strlen(error.text), ERROR_TEXT_BYTES - 1);
    error_set(&error, "short again");
    error_prefix(&error, "and");
    cr_assert_str_eq(error.text, "and: short again");
}
