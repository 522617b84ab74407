#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/ssl.h>

#include "base/error.h"
#include "tls/config.h"

struct good_row {
    char text[48];
    uint64_t bits;
};

ParameterizedTestParameters(options, names_and_numbers_become_bits)
{
    static struct good_row rows[] = {
        {"no-ticket", SSL_OP_NO_TICKET},
        {"no-ticket,prioritize-chacha", SSL_OP_NO_TICKET | SSL_OP_PRIORITIZE_CHACHA},
        {"no-tlsv1-3", SSL_OP_NO_TLSv1_3},
        {"0x4000", SSL_OP_NO_TICKET},
        {"16384", SSL_OP_NO_TICKET},
        {"0", 0},
        {"0xffffffffffffffff", UINT64_MAX},
    };

    return cr_make_param_array(struct good_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct good_row *row, options, names_and_numbers_become_bits)
{
    uint64_t bits = 1;
    struct error error = {0};

    cr_assert_eq(tls_options_parse(row->text, &bits, &error), 0, "%s", error.text);
    cr_assert_eq(bits, row->bits);
}

struct bad_row {
    char text[48];
    char word[32];
};

ParameterizedTestParameters(options, anything_else_is_refused)
{
    static struct bad_row rows[] = {
        {"no-tickets", "'no-tickets' is unknown"},
        {"no-ticket,", "'' is unknown"},
        {"", "'' is unknown"},
        {"no-ticket,0x4000", "'0x4000' is unknown"},
        {"NO-TICKET", "'NO-TICKET' is unknown"},
        {"-1", "'-1' is unknown"},
        {"0x", "'0x' is no number"},
        {"12k", "'12k' is no number"},
        {"0x10000000000000000", "no number of 64 bits"},
    };

    return cr_make_param_array(struct bad_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct bad_row *row, options, anything_else_is_refused)
{
    uint64_t bits = 7;
    struct error error = {0};

    cr_assert_eq(tls_options_parse(row->text, &bits, &error), -1);
    cr_assert_not_null(strstr(error.text, row->word), "%s", error.text);
    cr_assert_eq(bits, 7);
}

Test(options, an_unknown_name_is_told_all_that_there_are)
{
    uint64_t bits;
    struct error error = {0};

    cr_assert_eq(tls_options_parse("a-name-that-is-much-too-long-for-an-option", &bits, &error),
                 -1);
    cr_assert_not_null(strstr(error.text, "there are all, "), "%s", error.text);
    cr_assert_str_eq(error.text + strlen(error.text) - 14, "tlsext-padding", "%s", error.text);
}
