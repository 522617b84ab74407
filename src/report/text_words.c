#include "report/text_words.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The text, wrapped at spaces, its further lines indented as far as its first began. A word that is
 * longer than a line stands alone. */
void text_print_wrapped(FILE *out, const char *text, unsigned indent)
{
    unsigned column = indent;
    bool at_start = true;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (!at_start && column + 1 + word > TEXT_COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            at_start = true;
        }
        if (!at_start) {
            fputc(' ', out);
            column++;
        }
        for (size_t i = 0; i < word; i++) {
            fputc(iscntrl((unsigned char)text[i]) ? '?' : text[i], out);
        }
        column += (unsigned)word;
        at_start = false;
        text += word + strspn(text + word, " ");
    }
    fputc('\n', out);
}

void text_print_fact(FILE *out, const char *name, const char *text)
{
    fprintf(out, "  %-*s", TEXT_NAME_COLUMNS, name);
    text_print_wrapped(out, text, 2 + TEXT_NAME_COLUMNS);
}

/* "12,345,678" */
const char *text_format_integer(uint64_t value, char out[UNITS_TEXT_BYTES])
{
    char digits[UNITS_TEXT_BYTES];
    int count = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    size_t length = 0;

    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            out[length++] = ',';
        }
        out[length++] = digits[i];
    }
    out[length] = '\0';
    return out;
}

const char *text_format_seconds(double seconds, char out[UNITS_TEXT_BYTES])
{
    return units_format_duration(seconds * 1e9, out);
}

const char *text_format_percent(double share, char out[UNITS_TEXT_BYTES])
{
    snprintf(out, UNITS_TEXT_BYTES, "%.1f%%", share * 100);
    return out;
}

const char *text_format_whole(double value, char out[UNITS_TEXT_BYTES])
{
    return text_format_integer((uint64_t)(value + 0.5), out);
}

const char *text_format_rate(double value, char out[UNITS_TEXT_BYTES])
{
    return value < 999.5 ? units_format_count(value, out) : text_format_whole(value, out);
}

const char *text_format_known(double value, text_format *format, char out[UNITS_TEXT_BYTES])
{
    return isnan(value) ? strcpy(out, "-") : format(value, out);
}
