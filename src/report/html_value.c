#include "report/html_value.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "report/compare_value.h"

double html_number(const json_t *document, const char *path)
{
    double value = compare_number(compare_find(document, path));

    return value >= 0 && value <= HTML_NUMBER_MAX ? value : NAN;
}

const char *html_text(const json_t *document, const char *path)
{
    return json_string_value(compare_find(document, path));
}

const char *html_letter(size_t file, char out[HTML_LETTER_BYTES])
{
    out[0] = (char)('A' + file % 26);
    out[1] = '\0';
    return out;
}

const char *html_phase_title(const char *phase)
{
    static const struct {
        const char *phase;
        const char *title;
    } titles[] = {
        {"connect", "TCP connect"},
        {"hello", "ClientHello to ServerHello"},
        {"finish", "ServerHello to handshake done"},
        {"handshake_full", "handshake, full"},
        {"handshake_resumed", "handshake, resumed"},
        {"handshake_ticket", "handshake, by ticket"},
        {"handshake_id", "handshake, by session ID"},
        {"handshake_early_accepted", "handshake, 0-RTT accepted"},
        {"handshake_early_rejected", "handshake, 0-RTT rejected"},
        {"ticket", "first ticket, after handshake"},
        {"first_byte", "first byte"},
        {"message", "whole message"},
        {"message_corrected", "whole message, corrected"},
        {"set_up", "connection, whole"},
        {"set_up_corrected", "connection, corrected"},
        {"start_delay", "start, after it was due"},
    };

    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (strcmp(titles[i].phase, phase) == 0) {
            return titles[i].title;
        }
    }
    return phase;
}

/* UTF-8 of U+200E, U+200F, U+202A-E and U+2066-9, which turn the direction of writing. */
static bool turns_direction(const unsigned char *text)
{
    return text[0] == 0xe2 && ((text[1] == 0x80 && (text[2] == 0x8e || text[2] == 0x8f ||
                                                    (text[2] >= 0xaa && text[2] <= 0xae))) ||
                               (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
}

void html_escape(FILE *out, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        switch (*at) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            if (*at < ' ' || *at == 0x7f) {
                fputs("&#xfffd;", out);
            } else if (turns_direction(at)) {
                fputs("&#xfffd;", out);
                at += 2;
            } else {
                fputc(*at, out);
            }
        }
    }
}

void html_element(FILE *out, const char *tag, const char *text)
{
    fprintf(out, "<%s>", tag);
    html_escape(out, text != NULL && text[0] != '\0' ? text : "-");
    fprintf(out, "</%.*s>", (int)strcspn(tag, " "), tag);
}

void html_number_cell(FILE *out, double value, text_format *format)
{
    char text[UNITS_TEXT_BYTES];

    html_element(out, "td class=\"n\"", text_format_known(value, format, text));
}

void html_badge(FILE *out, size_t file)
{
    char letter[HTML_LETTER_BYTES];

    fprintf(out, "<span class=\"badge s%zu\">%s</span>", file % 8 + 1, html_letter(file, letter));
}

const char *html_format_bytes(double value, char out[UNITS_TEXT_BYTES])
{
    return units_format_bytes(value, out);
}

const char *html_format_bytes_rate(double value, char out[UNITS_TEXT_BYTES])
{
    char bytes[UNITS_TEXT_BYTES];

    snprintf(out, UNITS_TEXT_BYTES, "%.20s/s", units_format_bytes(value, bytes));
    return out;
}

const char *html_format_ns(double value, char out[UNITS_TEXT_BYTES])
{
    return units_format_duration(value, out);
}

const char *html_format_link(double bits_per_second, char out[UNITS_TEXT_BYTES])
{
    char count[UNITS_TEXT_BYTES];
    size_t length;

    units_format_count(bits_per_second, count);
    length = strlen(count);
    /* "100 M" becomes "100 Mbit/s"; "56" has no prefix to stand before the unit. */
    snprintf(out, UNITS_TEXT_BYTES, "%.20s%sbit/s", count,
             length > 0 && count[length - 1] >= 'A' ? "" : " ");
    return out;
}
