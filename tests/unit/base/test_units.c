#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/units.h"

struct parsed {
    char text[48];
    uint64_t value;
};

struct refused {
    char text[80];
    char because[32]; /* must be part of the sentence */
};

Test(units, counts_are_parsed)
{
    static const struct parsed ROWS[] = {
        {"0", 0},
        {"10", 10},
        {"007", 7},
        {"10B", 10},
        {"10k", 10000},
        {"10K", 10000},
        {"10kB", 10000},
        {"1.5Ki", 1536},
        {"16ki", 16384},
        {"16KiB", 16384},
        {"2.5M", 2500000},
        {"2.5m", 2500000},
        {"1Mi", 1048576},
        {"3G", 3000000000},
        {"3gb", 3000000000},
        {"1Gi", 1073741824},
        {".5k", 500},
        {"5.k", 5000},
        {"1.0", 1},
        {"1.000000000000000000000000000000", 1},
        {"0.000001M", 1},
        {"0.0009765625Ki", 1},
        {"18446744073709551615", UINT64_MAX},
        {"18446744073709551.615k", UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        struct error error = {0};
        uint64_t value = 99;

        cr_assert_eq(units_parse_count(ROWS[i].text, &value, &error), 0, "%s", error.text);
        cr_assert_eq(value, ROWS[i].value, "%s gave %ju", ROWS[i].text, (uintmax_t)value);
    }
}

Test(units, wrong_counts_are_refused_with_the_reason)
{
    static const struct refused ROWS[] = {
        {"", "not a number"},
        {"k", "not a number"},
        {".", "not a number"},
        {".k", "not a number"},
        {" 1", "not a number"},
        {"+1", "not a number"},
        {"inf", "not a number"},
        {"-1", "negative"},
        {"-1k", "negative"},
        {"0.5", "fraction of one"},
        {"1.0005k", "fraction of one"},
        {"0.1Ki", "fraction of one"},
        {"0.00000000000000000001G", "fraction of one"},
        {"10x", "unknown unit 'x'"},
        {"10 k", "unknown unit ' k'"},
        {"1e3", "unknown unit 'e3'"},
        {"0x10", "unknown unit 'x10'"},
        {"1,5k", "unknown unit ',5k'"},
        {"1.2.3", "unknown unit '.3'"},
        {"10ms", "unknown unit 'ms'"},
        {"10kk", "unknown unit 'kk'"},
        {"18446744073709551616", "too large"},
        {"18446744073709551.616k", "too large"},
        {"99999999999999999999999999999999", "too large"},
        {"17179869184Gi", "too large"},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        struct error error = {0};
        uint64_t value = 99;

        cr_assert_eq(units_parse_count(ROWS[i].text, &value, &error), -1, "%s", ROWS[i].text);
        cr_assert_eq(value, 99, "%s wrote a value", ROWS[i].text);
        cr_assert_not_null(strstr(error.text, ROWS[i].because), "%s: %s", ROWS[i].text, error.text);
        cr_assert_not_null(strstr(error.text, "Ki"), "no units named: %s", error.text);
    }
}

Test(units, durations_are_parsed)
{
    static const struct parsed ROWS[] = {
        {"0", 0},
        {"5", 5000000000},
        {"0.25", 250000000},
        {"80ns", 80},
        {"250us", 250000},
        {"10ms", 10000000},
        {"1.5s", 1500000000},
        {"2m", 120000000000},
        {"1h", 3600000000000},
        {"0.5h", 1800000000000},
        {"1.000000001s", 1000000001},
        {"18446744073709551615ns", UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        struct error error = {0};
        uint64_t value = 99;

        cr_assert_eq(units_parse_duration(ROWS[i].text, &value, &error), 0, "%s", error.text);
        cr_assert_eq(value, ROWS[i].value, "%s gave %ju", ROWS[i].text, (uintmax_t)value);
    }
}

Test(units, wrong_durations_are_refused_with_the_reason)
{
    static const struct refused ROWS[] = {
        {"", "not a number"},
        {"ms", "not a number"},
        {"-1s", "negative"},
        {"0.5ns", "fraction of a nanosecond"},
        {"1.0000000001s", "fraction of a nanosecond"},
        {"5k", "unknown unit 'k'"},
        {"5S", "unknown unit 'S'"},
        {"5M", "unknown unit 'M'"},
        {"5 s", "unknown unit ' s'"},
        {"18446744073710s", "too large"},
        {"5124096h", "too large"},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        struct error error = {0};
        uint64_t value = 99;

        cr_assert_eq(units_parse_duration(ROWS[i].text, &value, &error), -1, "%s", ROWS[i].text);
        cr_assert_eq(value, 99, "%s wrote a value", ROWS[i].text);
        cr_assert_not_null(strstr(error.text, ROWS[i].because), "%s: %s", ROWS[i].text, error.text);
        cr_assert_not_null(strstr(error.text, "ms"), "no units named: %s", error.text);
    }
}

struct formatted {
    double value;
    char text[UNITS_TEXT_BYTES];
};

Test(units, bytes_have_three_digits)
{
    static const struct formatted ROWS[] = {
        {0, "0 B"},
        {64, "64 B"},
        {999, "999 B"},
        {0.25, "0.25 B"},
        {999.4, "999 B"},
        {999.5, "1.00 kB"},
        {1000, "1.00 kB"},
        {1023, "1.02 kB"},
        {9994, "9.99 kB"},
        {9996, "10.0 kB"},
        {99940, "99.9 kB"},
        {99960, "100 kB"},
        {999499, "999 kB"},
        {999500, "1.00 MB"},
        {1.25e9, "1.25 GB"},
        {18446744073709551615.0, "18.4 EB"},
        {-1500, "-1.50 kB"},
        {INFINITY, "inf"},
        {1e300, "over 1e15 EB"},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        char out[UNITS_TEXT_BYTES];

        cr_assert_str_eq(units_format_bytes(ROWS[i].value, out), ROWS[i].text);
    }
}

Test(units, counts_have_three_digits)
{
    static const struct formatted ROWS[] = {
        {0, "0"},          {7, "7"},           {7.5, "7.50"},    {12.34, "12.3"},
        {83400, "83.4 k"}, {1.27e6, "1.27 M"}, {2e12, "2.00 T"}, {NAN, "nan"},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        char out[UNITS_TEXT_BYTES];

        cr_assert_str_eq(units_format_count(ROWS[i].value, out), ROWS[i].text);
    }
}

Test(units, durations_end_at_seconds)
{
    static const struct formatted ROWS[] = {
        {0, "0 ns"},       {80, "80 ns"},    {1270000, "1.27 ms"}, {83400, "83.4 us"},
        {1.5e9, "1.50 s"}, {90e9, "90.0 s"}, {43200e9, "43200 s"}, {-80, "-80 ns"},
    };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        char out[UNITS_TEXT_BYTES];

        cr_assert_str_eq(units_format_duration(ROWS[i].value, out), ROWS[i].text);
    }
}

Test(units, a_locale_with_a_decimal_comma_changes_nothing)
{
    char out[UNITS_TEXT_BYTES];
    uint64_t value;

    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        cr_skip("the machine has no German locale");
    }
    cr_assert_str_eq(units_format_bytes(1.25e9, out), "1.25 GB");
    cr_assert_eq(units_parse_duration("1.5s", &value, NULL), 0);
    cr_assert_eq(value, 1500000000);
    cr_assert_eq(units_parse_duration("1,5s", &value, NULL), -1);
}
