#include "service/http_line.h"

#include <string.h>
#include <strings.h>

/* RFC 9110 5.6.2: the characters of methods and field names. */
static const bool token_characters[256] = {
    ['!'] = true,         ['#'] = true,         ['$'] = true,         ['%'] = true, ['&'] = true,
    ['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true, ['.'] = true,
    ['^'] = true,         ['_'] = true,         ['`'] = true,         ['|'] = true, ['~'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", HTTP_GET},
    {"HEAD", HTTP_HEAD},
    {"POST", HTTP_POST},
    {"PUT", HTTP_PUT},
    {"DELETE", HTTP_METHOD_OTHER},
    {"OPTIONS", HTTP_METHOD_OTHER},
    {"PATCH", HTTP_METHOD_OTHER},
    {"TRACE", HTTP_METHOD_OTHER},
    {"CONNECT", HTTP_METHOD_OTHER},
};

/* RFC 9112 2.3: a request line ends in a space and eight characters, "HTTP/1.1". */
enum { VERSION_BYTES = 8 };

static bool span_is(struct span span, const char *text)
{
    return span.count == strlen(text) && memcmp(span.bytes, text, span.count) == 0;
}

static bool span_is_any_case(struct span span, const char *text)
{
    return span.count == strlen(text) &&
           strncasecmp((const char *)span.bytes, text, span.count) == 0;
}

static bool span_starts_any_case(struct span span, const char *text)
{
    size_t count = strlen(text);

    return span.count >= count && strncasecmp((const char *)span.bytes, text, count) == 0;
}

/* What comes before the first `character`, or all. */
static struct span span_before(struct span span, char character)
{
    const uint8_t *found = memchr(span.bytes, character, span.count);

    return found == NULL ? span : (struct span){span.bytes, (size_t)(found - span.bytes)};
}

static bool is_digit(uint8_t character)
{
    return character >= '0' && character <= '9';
}

static bool is_blank(uint8_t character)
{
    return character == ' ' || character == '\t';
}

/* Without the optional white space around it (RFC 9110 5.6.3). */
static struct span span_trim(struct span span)
{
    while (span.count > 0 && is_blank(span.bytes[0])) {
        span = span_skip(span, 1);
    }
    while (span.count > 0 && is_blank(span.bytes[span.count - 1])) {
        span.count--;
    }
    return span;
}

static size_t token_length(struct span span)
{
    size_t count = 0;

    while (count < span.count && token_characters[span.bytes[count]]) {
        count++;
    }
    return count;
}

/* RFC 9110 5.5: no control character but the tab. One pass without a branch, so that the compiler
 * can look at many bytes at once. */
static bool value_is_valid(struct span value)
{
    bool bad = false;

    for (size_t i = 0; i < value.count; i++) {
        uint8_t character = value.bytes[i];

        bad |= (character < ' ' && character != '\t') || character == 0x7f;
    }
    return !bad;
}

/* Neither controls nor spaces, and ASCII. */
static bool is_visible(struct span span)
{
    bool bad = false;

    for (size_t i = 0; i < span.count; i++) {
        bad |= span.bytes[i] <= ' ' || span.bytes[i] >= 0x7f;
    }
    return !bad;
}

/* Digits only; false when there are none, something else is among them, or the number is above
 * `max`, which is not a small one. */
static bool parse_decimal(struct span span, uint64_t max, uint64_t *out_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < span.count; i++) {
        uint64_t digit = (uint64_t)span.bytes[i] - '0';

        if (digit > 9 || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out_value = value;
    return span.count > 0;
}

/* Takes a unit off the end, the units of the command line: k is 1,000, ki 1,024. */
static uint64_t take_unit(struct span *number)
{
    bool binary = number->count > 1 && (number->bytes[number->count - 1] | 0x20) == 'i';
    uint64_t base = binary ? 1024 : 1000;
    struct span rest = {.bytes = number->bytes, .count = number->count - binary};
    uint64_t unit;

    if (rest.count == 0) {
        return 1;
    }
    switch (rest.bytes[rest.count - 1] | 0x20) {
    case 'k':
        unit = base;
        break;
    case 'm':
        unit = base * base;
        break;
    default:
        return 1;
    }
    number->count = rest.count - 1;
    return unit;
}

/* "/" and "/N", with or without a query, which means nothing here. */
static void parse_path(struct http_request *request, struct span path)
{
    struct span digits;
    uint64_t unit;

    path = span_before(path, '?');
    if (path.count <= 1) {
        request->target = HTTP_TARGET_ROOT;
        return;
    }
    digits = span_skip(path, 1);
    unit = take_unit(&digits);
    request->target = HTTP_TARGET_OTHER;
    if (parse_decimal(digits, HTTP_SIZE_MAX / unit, &request->size)) {
        request->size *= unit;
        request->target = HTTP_TARGET_SIZE;
    }
}

/* RFC 9112 3.2: a path, or a whole URI as proxies send it. The other two forms, "*" and
 * "host:port", belong to methods that are not offered. */
static uint16_t parse_target(struct http_request *request, struct span target)
{
    if (target.count == 0 || !is_visible(target)) {
        return HTTP_STATUS_BAD_REQUEST;
    }
    if (target.bytes[0] == '/') {
        parse_path(request, target);
        return 0;
    }
    if (span_starts_any_case(target, "http://") || span_starts_any_case(target, "https://")) {
        struct span rest = span_skip(target, span_before(target, '/').count + 2);
        size_t authority_count = span_before(rest, '/').count;

        parse_path(request, span_skip(rest, authority_count));
        return authority_count > 0 ? 0 : HTTP_STATUS_BAD_REQUEST;
    }
    request->target = HTTP_TARGET_OTHER;
    return request->method >= HTTP_METHOD_OTHER ? 0 : HTTP_STATUS_BAD_REQUEST;
}

static enum http_method parse_method(struct span name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (span_is(name, methods[i].name)) {
            return methods[i].method;
        }
    }
    return HTTP_METHOD_UNKNOWN;
}

static uint16_t parse_version(struct http_request *request, struct span version)
{
    if (version.count != VERSION_BYTES || memcmp(version.bytes, "HTTP/", 5) != 0 ||
        !is_digit(version.bytes[5]) || version.bytes[6] != '.' || !is_digit(version.bytes[7])) {
        return HTTP_STATUS_BAD_REQUEST;
    }
    if (version.bytes[5] != '1') {
        return HTTP_STATUS_VERSION_NOT_SUPPORTED;
    }
    request->version_minor = version.bytes[7] == '0' ? 0 : 1;
    return 0;
}

uint16_t http_line_parse_request(struct http_request *request, struct span line)
{
    struct span method = {line.bytes, token_length(line)};
    struct span target;
    uint16_t status;

    if (method.count == 0 || method.count == line.count || line.bytes[method.count] != ' ') {
        return HTTP_STATUS_BAD_REQUEST;
    }
    target = span_skip(line, method.count + 1);
    if (target.count <= VERSION_BYTES || target.bytes[target.count - VERSION_BYTES - 1] != ' ') {
        return HTTP_STATUS_BAD_REQUEST;
    }
    target.count -= VERSION_BYTES + 1;
    request->method = (uint8_t)parse_method(method);
    status = parse_target(request, target);
    if (status != 0) {
        return status;
    }
    return parse_version(request, span_skip(line, line.count - VERSION_BYTES));
}

static uint16_t read_connection(struct http_request *request, struct span value)
{
    while (value.count > 0) {
        struct span part = span_before(value, ',');
        struct span option = span_trim(part);

        request->says_close |= span_is_any_case(option, "close");
        request->says_keep_alive |= span_is_any_case(option, "keep-alive");
        value = span_skip(value, part.count < value.count ? part.count + 1 : part.count);
    }
    return 0;
}

/* RFC 9112 6.3: two lengths that differ make it unclear where the next request begins. */
static uint16_t read_content_length(struct http_request *request, struct span value)
{
    uint64_t length;

    if (!parse_decimal(value, UINT64_MAX, &length) ||
        (request->has_length && length != request->content_length)) {
        return HTTP_STATUS_BAD_REQUEST;
    }
    request->has_length = true;
    request->content_length = length;
    return 0;
}

/* RFC 9112 6.1: chunked must be the last coding, else the length is unknown; a coding below it is
 * one that this server does not have. */
static uint16_t read_transfer_encoding(struct http_request *request, struct span value)
{
    struct span last = value;

    if (request->is_chunked) {
        return HTTP_STATUS_BAD_REQUEST;
    }
    for (struct span part = span_before(last, ','); part.count < last.count;
         part = span_before(last, ',')) {
        last = span_skip(last, part.count + 1);
    }
    if (!span_is_any_case(span_trim(last), "chunked")) {
        return HTTP_STATUS_BAD_REQUEST;
    }
    request->is_chunked = true;
    return last.count == value.count ? 0 : HTTP_STATUS_NOT_IMPLEMENTED;
}

/* RFC 9112 3.2: one at most; it may be empty. */
static uint16_t read_host(struct http_request *request, struct span value)
{
    if (request->has_host || !is_visible(value)) {
        return HTTP_STATUS_BAD_REQUEST;
    }
    request->has_host = true;
    return 0;
}

static uint16_t read_expect(struct http_request *request, struct span value)
{
    if (!span_is_any_case(value, "100-continue")) {
        return HTTP_STATUS_EXPECTATION_FAILED;
    }
    request->expects_continue = true;
    return 0;
}

/* The fields that matter here. */
static const struct {
    const char *name;
    uint16_t (*read)(struct http_request *request, struct span value);
} fields[] = {
    {"Host", read_host},
    {"Expect", read_expect},
    {"Connection", read_connection},
    {"Content-Length", read_content_length},
    {"Transfer-Encoding", read_transfer_encoding},
};

/* RFC 9112 5: a name, a colon that touches it, a value. A folded line, a space before the colon and
 * an empty name all fail here, because the name ends before a colon does. */
uint16_t http_line_parse_field(struct http_request *request, struct span line)
{
    struct span name = {line.bytes, token_length(line)};
    struct span value;

    if (name.count == 0 || name.count == line.count || line.bytes[name.count] != ':') {
        return HTTP_STATUS_BAD_REQUEST;
    }
    value = span_trim(span_skip(line, name.count + 1));
    if (!value_is_valid(value)) {
        return HTTP_STATUS_BAD_REQUEST;
    }
    if (request->phase == HTTP_PHASE_TRAILERS) {
        return 0; /* too late to mean anything (RFC 9110 6.5.1) */
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (span_is_any_case(name, fields[i].name)) {
            return fields[i].read(request, value);
        }
    }
    return 0;
}

/* 16 for anything else. */
static unsigned hex_digit(uint8_t character)
{
    uint8_t lower = character | 0x20;

    if (is_digit(character)) {
        return character - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10u : 16;
}

/* RFC 9112 7.1: hexadecimal digits, then nothing or extensions, which are ignored. */
uint16_t http_line_parse_chunk(struct http_request *request, struct span line)
{
    uint64_t size = 0;
    size_t digit_count = 0;
    struct span rest;

    for (; digit_count < line.count && hex_digit(line.bytes[digit_count]) < 16; digit_count++) {
        if (size >> 60 != 0) {
            return HTTP_STATUS_BAD_REQUEST;
        }
        size = size << 4 | hex_digit(line.bytes[digit_count]);
    }
    rest = span_skip(line, digit_count);
    if (digit_count == 0 || !value_is_valid(rest)) {
        return HTTP_STATUS_BAD_REQUEST;
    }
    if (rest.count > 0) {
        struct span extensions = span_trim(rest);

        if (extensions.count == 0 || extensions.bytes[0] != ';') {
            return HTTP_STATUS_BAD_REQUEST;
        }
    }
    request->body_left = size;
    return 0;
}
