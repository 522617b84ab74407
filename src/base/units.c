#include "base/units.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

struct unit {
    const char *name;
    uint64_t scale;
};

struct unit_family {
    const struct unit *units; /* ends with a NULL name */
    bool any_case;
    const char *smallest;
    const char *help;
};

static const struct unit COUNT_UNITS[] = {
    {"", 1},         {"B", 1},          {"k", 1000},        {"kB", 1000},     {"M", 1000000},
    {"MB", 1000000}, {"G", 1000000000}, {"GB", 1000000000}, {"Ki", 1 << 10},  {"KiB", 1 << 10},
    {"Mi", 1 << 20}, {"MiB", 1 << 20},  {"Gi", 1 << 30},    {"GiB", 1 << 30}, {NULL, 0},
};

static const struct unit DURATION_UNITS[] = {
    {"", 1000000000},  {"ns", 1},          {"us", 1000},         {"ms", 1000000},
    {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}, {NULL, 0},
};

static const struct unit_family COUNT_FAMILY = {
    .units = COUNT_UNITS,
    .any_case = true,
    .smallest = "one",
    .help = "k, M, G (powers of 1000) or Ki, Mi, Gi (powers of 1024)",
};

static const struct unit_family DURATION_FAMILY = {
    .units = DURATION_UNITS,
    .any_case = false,
    .smallest = "a nanosecond",
    .help = "ns, us, ms, s, m (minutes) or h; a bare number is seconds",
};

static const struct unit *unit_find(const struct unit_family *family, const char *name)
{
    for (const struct unit *unit = family->units; unit->name != NULL; unit++) {
        if ((family->any_case ? strcasecmp : strcmp)(unit->name, name) == 0) {
            return unit;
        }
    }
    return NULL;
}

/* A decimal as typed: whole + fraction / divisor. */
struct decimal {
    uint64_t whole;
    uint64_t fraction;
    uint64_t divisor; /* a power of ten */
    bool too_large;   /* for `whole` */
    bool too_fine;    /* for `fraction` */
};

/* The digits after the point. Zeros at their end say nothing, so "1.500" is no finer than "1.5". */
static void decimal_read_fraction(const char *digits, size_t count, struct decimal *out)
{
    enum { DIGITS_MAX = 19 }; /* 10^19 is the largest power of ten in 64 bits */

    while (count > 0 && digits[count - 1] == '0') {
        count--;
    }
    out->too_fine = count > DIGITS_MAX;
    for (size_t i = 0; i < count && !out->too_fine; i++) {
        out->fraction = out->fraction * 10 + (unsigned)(digits[i] - '0');
        out->divisor *= 10;
    }
}

/* Returns what follows the number: `text` itself when there is no number. */
static const char *decimal_read(const char *text, struct decimal *out)
{
    static const char DIGITS[] = "0123456789";
    size_t whole_digits = strspn(text, DIGITS);
    const char *rest = text + whole_digits;
    size_t fraction_digits = 0;

    *out = (struct decimal){.divisor = 1};
    for (size_t i = 0; i < whole_digits && !out->too_large; i++) {
        out->too_large = __builtin_mul_overflow(out->whole, 10, &out->whole) ||
                         __builtin_add_overflow(out->whole, text[i] - '0', &out->whole);
    }
    if (*rest == '.') {
        fraction_digits = strspn(rest + 1, DIGITS);
        decimal_read_fraction(rest + 1, fraction_digits, out);
        rest += 1 + fraction_digits;
    }
    return whole_digits + fraction_digits > 0 ? rest : text;
}

/* Whether the decimal times the scale is a whole number that fits. */
static int decimal_scale(const struct decimal *decimal, uint64_t scale, const char *text,
                         const struct unit_family *family, uint64_t *out, struct error *error)
{
    unsigned __int128 fraction = (unsigned __int128)decimal->fraction * scale;
    uint64_t value;

    if (decimal->too_fine || fraction % decimal->divisor != 0) {
        return error_set(error, "'%s' has a fraction of %s; the units are %s", text,
                         family->smallest, family->help);
    }
    /* Below `scale`, since the fraction is below 1. */
    fraction /= decimal->divisor;
    if (decimal->too_large || __builtin_mul_overflow(decimal->whole, scale, &value) ||
        __builtin_add_overflow(value, (uint64_t)fraction, &value)) {
        return error_set(error, "'%s' is too large; the units are %s", text, family->help);
    }
    *out = value;
    return 0;
}

static int parse(const char *text, const struct unit_family *family, uint64_t *out,
                 struct error *error)
{
    struct decimal decimal;
    const char *rest = decimal_read(text, &decimal);
    const struct unit *unit;

    if (*text == '-') {
        return error_set(error,
                         "'%s' is negative; write a number from 0 up, with one of the units %s",
                         text, family->help);
    }
    if (rest == text) {
        return error_set(error, "'%s' is not a number; write digits and one of the units %s", text,
                         family->help);
    }
    unit = unit_find(family, rest);
    if (unit == NULL) {
        return error_set(error, "'%s' has the unknown unit '%s'; the units are %s", text, rest,
                         family->help);
    }
    return decimal_scale(&decimal, unit->scale, text, family, out, error);
}

int units_parse_count(const char *text, uint64_t *out_count, struct error *error)
{
    return parse(text, &COUNT_FAMILY, out_count, error);
}

int units_parse_duration(const char *text, uint64_t *out_ns, struct error *error)
{
    return parse(text, &DURATION_FAMILY, out_ns, error);
}

/* In steps of 1000, so only the names differ. */
static const char *const COUNT_NAMES[] = {"", " k", " M", " G", " T", " P", " E", NULL};
static const char *const BYTES_NAMES[] = {" B", " kB", " MB", " GB", " TB", " PB", " EB", NULL};
static const char *const DURATION_NAMES[] = {" ns", " us", " ms", " s", NULL};

/* Prints through integers, because printf would take the decimal point from the locale. */
static const char *format(double value, const char *const *names, char out[UNITS_TEXT_BYTES])
{
    static const double DIGITS_MAX = 1e15; /* beyond, a double is no longer exact to the unit */
    const char *sign = value < 0 ? "-" : "";
    bool whole = value == floor(value);

    if (!isfinite(value)) {
        snprintf(out, UNITS_TEXT_BYTES, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return out;
    }
    value = fabs(value);
    /* 999.5 would round to 1000, which is 1.00 of the next unit. */
    while (value >= 999.5 && names[1] != NULL) {
        value /= 1000;
        names++;
        whole = false;
    }
    if (value > DIGITS_MAX) {
        snprintf(out, UNITS_TEXT_BYTES, "%sover 1e15%s", sign, *names);
    } else if (whole || value >= 99.95) {
        snprintf(out, UNITS_TEXT_BYTES, "%s%lld%s", sign, llround(value), *names);
    } else if (value >= 9.995) {
        long long tenths = llround(value * 10);

        snprintf(out, UNITS_TEXT_BYTES, "%s%lld.%lld%s", sign, tenths / 10, tenths % 10, *names);
    } else {
        long long hundredths = llround(value * 100);

        snprintf(out, UNITS_TEXT_BYTES, "%s%lld.%02lld%s", sign, hundredths / 100, hundredths % 100,
                 *names);
    }
    return out;
}

const char *units_format_bytes(double bytes, char out[UNITS_TEXT_BYTES])
{
    return format(bytes, BYTES_NAMES, out);
}

const char *units_format_count(double count, char out[UNITS_TEXT_BYTES])
{
    return format(count, COUNT_NAMES, out);
}

const char *units_format_duration(double ns, char out[UNITS_TEXT_BYTES])
{
    return format(ns, DURATION_NAMES, out);
}
