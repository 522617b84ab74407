#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/http_request.h"

/* Feeds a text in spans of `span_bytes`, each a heap copy of exactly its size, up to the first
 * event that is not HTTP_MORE. `out_left` gets what was not taken. */
static enum http_event feed(struct http_request *request, const char *text, size_t span_bytes,
                            const char **out_left)
{
    enum http_event event = HTTP_MORE;
    size_t left = strlen(text);

    while (left > 0 && event == HTTP_MORE) {
        size_t count = left < span_bytes ? left : span_bytes;
        size_t taken;
        uint8_t *span = malloc(count);

        memcpy(span, text, count);
        event = http_request_feed(request, span, count, &taken);
        free(span);
        cr_assert(taken <= count);
        cr_assert(event != HTTP_MORE || taken == count);
        text += taken;
        left -= taken;
    }
    *out_left = text;
    return event;
}

enum { WHOLE = 1 << 20 };

/* "pre" + `count` times `fill` + "post"; the caller frees it. */
static char *text_of(const char *pre, size_t count, char fill, const char *post)
{
    size_t pre_count = strlen(pre);
    char *text = malloc(pre_count + count + strlen(post) + 1);

    memcpy(text, pre, pre_count);
    memset(text + pre_count, fill, count);
    strcpy(text + pre_count + count, post);
    return text;
}

#define HEAD_1_1 "GET /16 HTTP/1.1\r\nHost: a\r\n"
#define POST_1_1 "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED  POST_1_1 "Transfer-Encoding: chunked\r\n\r\n"

/* A request that is good, and its twin that is not: in one span and byte by byte. */
static void expect_twins(const char *good, const char *bad, unsigned status)
{
    static const size_t span_bytes[] = {WHOLE, 1, 7};

    for (size_t i = 0; i < sizeof span_bytes / sizeof span_bytes[0]; i++) {
        struct http_request request = {.partial = NULL};
        const char *left;

        cr_expect_eq(feed(&request, good, span_bytes[i], &left), HTTP_COMPLETE, "%s", good);
        cr_expect_str_empty(left, "%s", good);
        cr_expect(http_request_is_idle(&request));
        cr_expect_eq(feed(&request, bad, span_bytes[i], &left), HTTP_REFUSED, "%s", bad);
        cr_expect_eq(request.status, status, "%u for %s", request.status, bad);
        http_request_deinit(&request);
    }
}

Test(http_request, request_line)
{
    static const struct {
        const char *good, *bad;
        unsigned status;
    } twins[] = {
        {"GET / HTTP/1.1", "GET  / HTTP/1.1", 400},
        {"GET / HTTP/1.1", " GET / HTTP/1.1", 400},
        {"GET / HTTP/1.1", "GET\t/ HTTP/1.1", 400},
        {"GET / HTTP/1.1", "GET / HTTP/1.1 ", 400},
        {"GET / HTTP/1.1", "GET /", 400},
        {"GET / HTTP/1.1", "GET HTTP/1.1", 400},
        {"GET / HTTP/1.1", "GET", 400},
        {"GET / HTTP/1.1", "GET  HTTP/1.1", 400},
        {"GET / HTTP/1.1", "G(T / HTTP/1.1", 400},
        {"GET / HTTP/1.1", "GET / HTTP/1.x", 400},
        {"GET / HTTP/1.1", "GET / http/1.1", 400},
        {"GET / HTTP/1.1", "GET / HTTP/11", 400},
        {"GET / HTTP/1.1", "GET / HTTP/2.0", 505},
        {"GET / HTTP/1.9", "GET / HTTP/0.9", 505},
        {"GET /a%20b HTTP/1.1", "GET /a b HTTP/1.1", 400},
        {"GET /a HTTP/1.1", "GET /\xc3\xa4 HTTP/1.1", 400},
        {"GET /a HTTP/1.1", "GET /\ra HTTP/1.1", 400},
        {"GET http://a/16 HTTP/1.1", "GET http:///16 HTTP/1.1", 400},
        {"GET https://a HTTP/1.1", "GET ftp://a HTTP/1.1", 400},
        {"OPTIONS * HTTP/1.1", "GET * HTTP/1.1", 400},
        {"CONNECT a:1 HTTP/1.1", "GET a:1 HTTP/1.1", 400},
    };

    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        char good[128];
        char bad[128];

        snprintf(good, sizeof good, "%s\r\nHost: a\r\n\r\n", twins[i].good);
        snprintf(bad, sizeof bad, "%s\r\nHost: a\r\n\r\n", twins[i].bad);
        expect_twins(good, bad, twins[i].status);
    }
}

Test(http_request, fields)
{
    static const struct {
        const char *good, *bad;
        unsigned status;
    } twins[] = {
        {HEAD_1_1 "A: b\r\n\r\n", HEAD_1_1 "A : b\r\n\r\n", 400}, /* space before colon */
        {HEAD_1_1 "A: b\r\nC: d\r\n\r\n", HEAD_1_1 "A: b\r\n C: d\r\n\r\n", 400}, /* obs-fold */
        {HEAD_1_1 "A: b\r\nC: d\r\n\r\n", HEAD_1_1 "A: b\r\n\tC: d\r\n\r\n", 400},
        {HEAD_1_1 "A: b c\r\n\r\n", HEAD_1_1 "A: b\rc\r\n\r\n", 400}, /* bare CR */
        {HEAD_1_1 "A: b\r\n\r\n", HEAD_1_1 "A: b\n\r\n", 400},        /* bare LF */
        {HEAD_1_1 "A: b\r\n\r\n", HEAD_1_1 "A: b\r\n\n", 400},
        {HEAD_1_1 "A: b\r\n\r\n", HEAD_1_1 "A: b\r\r\n\r\n", 400},
        {HEAD_1_1 "A:b\r\n\r\n", HEAD_1_1 ":b\r\n\r\n", 400},
        {HEAD_1_1 "A:\r\n\r\n", HEAD_1_1 "A\r\n\r\n", 400},
        {HEAD_1_1 "A-b: c\r\n\r\n", HEAD_1_1 "A(b: c\r\n\r\n", 400},
        {HEAD_1_1 "A: \tb \t\r\n\r\n", HEAD_1_1 "A: b\x01\r\n\r\n", 400},
        {HEAD_1_1 "A: \xe4\r\n\r\n", HEAD_1_1 "A: \x7f\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHosts: a\r\n\r\n", 400},
        {HEAD_1_1 "\r\n", HEAD_1_1 "Host: a\r\n\r\n", 400},
        {"\r\n\r\n" HEAD_1_1 "\r\n", "\n" HEAD_1_1 "\r\n", 400},
    };

    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        expect_twins(twins[i].good, twins[i].bad, twins[i].status);
    }
}

Test(http_request, body_length)
{
    static const struct {
        const char *good, *bad;
        unsigned status;
    } twins[] = {
        {POST_1_1 "Content-Length: 1\r\n\r\nx", POST_1_1 "Content-Length: -1\r\n\r\nx", 400},
        {POST_1_1 "Content-Length: 1\r\n\r\nx", POST_1_1 "Content-Length: +1\r\n\r\nx", 400},
        {POST_1_1 "Content-Length: 01\r\n\r\nx", POST_1_1 "Content-Length: 0x1\r\n\r\nx", 400},
        {POST_1_1 "Content-Length: 0\r\n\r\n", POST_1_1 "Content-Length:\r\n\r\n", 400},
        {POST_1_1 "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
         POST_1_1 "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400},
        {POST_1_1 "Content-Length: 1\r\n\r\nx", POST_1_1 "Content-Length: 1, 1\r\n\r\nx", 400},
        {POST_1_1 "Content-Length: 1\r\n\r\nx", POST_1_1 "Content-Length: 1 1\r\n\r\nx", 400},
        {POST_1_1 "Content-Length: 1\r\n\r\nx",
         POST_1_1 "Content-Length: 18446744073709551616\r\n\r\nx", 400},
        {CHUNKED "0\r\n\r\n",
         POST_1_1 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
        {CHUNKED "0\r\n\r\n",
         POST_1_1 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {CHUNKED "0\r\n\r\n",
         POST_1_1 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {POST_1_1 "transfer-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n",
         POST_1_1 "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
        {CHUNKED "0\r\n\r\n", POST_1_1 "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
        {CHUNKED "0\r\n\r\n", POST_1_1 "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {CHUNKED "0\r\n\r\n", POST_1_1 "Transfer-Encoding: identity\r\n\r\n", 400},
        {CHUNKED "0\r\n\r\n", POST_1_1 "Transfer-Encoding:\r\n\r\n", 400},
        {CHUNKED "0\r\n\r\n", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {POST_1_1 "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n",
         POST_1_1 "Content-Length: 0\r\nExpect: 200-ok\r\n\r\n", 417},
    };

    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        expect_twins(twins[i].good, twins[i].bad, twins[i].status);
    }
}

Test(http_request, chunks)
{
    static const struct {
        const char *good, *bad;
    } twins[] = {
        {"3\r\nabc\r\n0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n"},
        {"3\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n"},
        {"3\r\nabc\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n"},
        {"3\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n"},
        {"3\r\nabc\r\n0\r\n\r\n", "\r\nabc\r\n0\r\n\r\n"},
        {"3\r\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n"},
        {"3\r\nabc\r\n0\r\n\r\n", " 3\r\nabc\r\n0\r\n\r\n"},
        {"3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n"},
        {"3;a=b\r\nabc\r\n0\r\n\r\n", "3 a=b\r\nabc\r\n0\r\n\r\n"},
        {"3 ; a=\"b\"\r\nabc\r\n0;z\r\n\r\n", "3;a\rb\r\nabc\r\n0\r\n\r\n"},
        {"0000000000000000003\r\nabc\r\n0\r\n\r\n", "10000000000000003\r\nabc\r\n0\r\n\r\n"},
        {"A\r\n0123456789\r\n00\r\n\r\n", "g\r\n0123456789\r\n0\r\n\r\n"},
        {"0\r\nA: b\r\n\r\n", "0\r\nA : b\r\n\r\n"},
        {"0\r\nContent-Length: 7\r\n\r\n", "0\r\n folded\r\n\r\n"},
    };

    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        char good[256];
        char bad[256];

        snprintf(good, sizeof good, CHUNKED "%s", twins[i].good);
        snprintf(bad, sizeof bad, CHUNKED "%s", twins[i].bad);
        expect_twins(good, bad, 400);
    }
}

/* For each limit, the largest that passes and the smallest that does not. */
Test(http_request, limits)
{
    static const struct {
        const char *pre, *post;
        size_t limit_bytes; /* of the line that grows and what was before it in its section */
        size_t fixed_bytes; /* of these, the bytes that are not filled */
        unsigned status;
    } rows[] = {
        {"GET /", " HTTP/1.0\r\n", HTTP_HEAD_BYTES_MAX, 16, 414},
        {HEAD_1_1 "A: ", "\r\n", HTTP_HEAD_BYTES_MAX, 32, 431},
        {CHUNKED "0\r\nA: ", "\r\n", HTTP_HEAD_BYTES_MAX, 5, 431},
        {CHUNKED "0;", "\r\n", HTTP_CHUNK_LINE_BYTES_MAX, 4, 400},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t fill = rows[i].limit_bytes - rows[i].fixed_bytes;
        char *good = text_of(rows[i].pre, fill, 'x', rows[i].post);
        char *bad = text_of(rows[i].pre, fill + 1, 'x', rows[i].post);

        for (size_t span_bytes = 1; span_bytes <= WHOLE; span_bytes *= 32) {
            struct http_request one = {.partial = NULL};
            struct http_request other = {.partial = NULL};
            const char *left;

            cr_expect_eq(feed(&one, good, span_bytes, &left), HTTP_MORE, "row %zu", i);
            cr_expect_eq(feed(&other, bad, span_bytes, &left), HTTP_REFUSED, "row %zu", i);
            cr_expect_eq(other.status, rows[i].status);
            cr_expect(one.partial_bytes <= HTTP_HEAD_BYTES_MAX);
            http_request_deinit(&one);
            http_request_deinit(&other);
        }
        free(good);
        free(bad);
    }
}

Test(http_request, endless_line_is_refused_before_its_end)
{
    struct http_request request = {.partial = NULL};
    char *text = text_of("GET /", HTTP_HEAD_BYTES_MAX, 'x', "");
    const char *left;

    cr_expect_eq(feed(&request, text, 100, &left), HTTP_REFUSED);
    cr_expect_eq(request.status, 414);
    http_request_deinit(&request);
    free(text);
}

Test(http_request, many_small_chunks_and_no_limit_on_their_number)
{
    struct http_request request = {.partial = NULL};
    const char *left;

    cr_expect_eq(feed(&request, CHUNKED, WHOLE, &left), HTTP_MORE);
    for (int i = 0; i < 20000; i++) {
        cr_assert_eq(feed(&request, "1\r\nx\r\n", 4, &left), HTTP_MORE);
    }
    cr_expect_eq(feed(&request, "0\r\n\r\n", WHOLE, &left), HTTP_COMPLETE);
    cr_expect_eq(request.body_bytes, 20000);
    http_request_deinit(&request);
}

Test(http_request, targets)
{
    static const struct {
        const char *target;
        enum http_target kind;
        uint64_t size;
    } rows[] = {
        {"/", HTTP_TARGET_ROOT, 0},
        {"/?x=1", HTTP_TARGET_ROOT, 0},
        {"http://a", HTTP_TARGET_ROOT, 0},
        {"/0", HTTP_TARGET_SIZE, 0},
        {"/16", HTTP_TARGET_SIZE, 16},
        {"/16?x", HTTP_TARGET_SIZE, 16},
        {"HTTPS://a:4433/16", HTTP_TARGET_SIZE, 16},
        {"/16k", HTTP_TARGET_SIZE, 16000},
        {"/16Ki", HTTP_TARGET_SIZE, 16384},
        {"/1m", HTTP_TARGET_SIZE, 1000000},
        {"/1mi", HTTP_TARGET_SIZE, 1048576},
        {"/1048576mi", HTTP_TARGET_SIZE, (uint64_t)1 << 40},
        {"/1099511627776", HTTP_TARGET_SIZE, (uint64_t)1 << 40},
        {"/1048577mi", HTTP_TARGET_OTHER, 0},
        {"/1099511627777", HTTP_TARGET_OTHER, 0},
        {"/99999999999999999999999", HTTP_TARGET_OTHER, 0},
        {"/k", HTTP_TARGET_OTHER, 0},
        {"/i", HTTP_TARGET_OTHER, 0},
        {"/ki", HTTP_TARGET_OTHER, 0},
        {"/16i", HTTP_TARGET_OTHER, 0},
        {"/16kk", HTTP_TARGET_OTHER, 0},
        {"/16g", HTTP_TARGET_OTHER, 0},
        {"/-1", HTTP_TARGET_OTHER, 0},
        {"/16/", HTTP_TARGET_OTHER, 0},
        {"//16", HTTP_TARGET_OTHER, 0},
        {"/index.html", HTTP_TARGET_OTHER, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = {.partial = NULL};
        char text[128];
        const char *left;

        snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n\r\n", rows[i].target);
        cr_assert_eq(feed(&request, text, WHOLE, &left), HTTP_COMPLETE);
        cr_expect_eq(request.target, rows[i].kind, "%s", rows[i].target);
        if (rows[i].kind == HTTP_TARGET_SIZE) {
            cr_expect_eq(request.size, rows[i].size, "%s", rows[i].target);
        }
    }
}

Test(http_request, methods)
{
    static const struct {
        const char *name;
        enum http_method method;
    } rows[] = {
        {"GET", HTTP_GET},
        {"HEAD", HTTP_HEAD},
        {"POST", HTTP_POST},
        {"PUT", HTTP_PUT},
        {"DELETE", HTTP_METHOD_OTHER},
        {"PATCH", HTTP_METHOD_OTHER},
        {"get", HTTP_METHOD_UNKNOWN},
        {"GETS", HTTP_METHOD_UNKNOWN},
        {"BREW", HTTP_METHOD_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = {.partial = NULL};
        char text[128];
        const char *left;

        snprintf(text, sizeof text, "%s / HTTP/1.0\r\n\r\n", rows[i].name);
        cr_assert_eq(feed(&request, text, WHOLE, &left), HTTP_COMPLETE);
        cr_expect_eq(request.method, rows[i].method, "%s", rows[i].name);
    }
}

Test(http_request, keep_alive)
{
    static const struct {
        const char *head;
        bool keep_alive;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade , CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed,,\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = {.partial = NULL};
        const char *left;

        cr_assert_eq(feed(&request, rows[i].head, WHOLE, &left), HTTP_COMPLETE);
        cr_expect_eq(request.keep_alive, rows[i].keep_alive, "%s", rows[i].head);
    }
}

Test(http_request, continue_is_asked_for_only_when_a_body_will_come)
{
    static const struct {
        const char *head;
        enum http_event event;
    } rows[] = {
        {POST_1_1 "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", HTTP_CONTINUE},
        {POST_1_1 "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_CONTINUE},
        {POST_1_1 "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", HTTP_COMPLETE},
        {POST_1_1 "Expect: 100-continue\r\n\r\n", HTTP_COMPLETE},
        {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", HTTP_MORE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_request request = {.partial = NULL};
        const char *left;

        cr_expect_eq(feed(&request, rows[i].head, WHOLE, &left), rows[i].event, "row %zu", i);
    }
}

Test(http_request, takes_one_request_and_leaves_the_next)
{
    struct http_request request = {.partial = NULL};
    const char *left;

    cr_expect_eq(feed(&request, POST_1_1 "Content-Length: 2\r\n\r\nxyGET / HTTP", WHOLE, &left),
                 HTTP_COMPLETE);
    cr_expect_str_eq(left, "GET / HTTP");
    cr_expect_eq(request.body_bytes, 2);
    cr_expect(http_request_is_idle(&request));
    cr_expect_eq(feed(&request, left, WHOLE, &left), HTTP_MORE);
    cr_expect_not(http_request_is_idle(&request));
    http_request_deinit(&request);
}

Test(http_request, a_whole_request_in_one_span_takes_no_memory)
{
    struct http_request request = {.partial = NULL};
    const char *left;

    cr_expect_eq(feed(&request, HEAD_1_1 "A: b\r\n\r\n", WHOLE, &left), HTTP_COMPLETE);
    cr_expect_null(request.partial);
}
