#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "load/http_response.h"

/* What came of a whole stream of answers. */
struct outcome {
    unsigned answers;
    unsigned last_status;
    size_t body_bytes;
    char body[256];
    bool is_bad;
    bool keep_alive;
    bool is_tlsdyno;
    bool is_octets;
    struct http_response response;
};

/* Offers the stream in pieces of `cut` bytes. */
static struct outcome read_stream(const char *stream, size_t stream_bytes, size_t cut)
{
    struct outcome out = {0};

    for (size_t offset = 0; offset < stream_bytes && !out.is_bad; offset += cut) {
        const uint8_t *bytes = (const uint8_t *)stream + offset;
        size_t count = stream_bytes - offset < cut ? stream_bytes - offset : cut;
        enum http_event event;

        do {
            size_t used;
            size_t body_bytes;

            event = http_response_next(&out.response, bytes, count, &used, &body_bytes);
            cr_assert_leq(used, count);
            bytes += used;
            count -= used;
            if (event == HTTP_BODY) {
                cr_assert_leq(out.body_bytes + body_bytes, sizeof out.body - 1);
                memcpy(out.body + out.body_bytes, bytes - body_bytes, body_bytes);
                out.body_bytes += body_bytes;
                cr_expect_leq(body_bytes, out.response.body_bytes);
            } else if (event == HTTP_DONE) {
                out.answers++;
                out.last_status = out.response.status;
                out.keep_alive = out.response.keep_alive;
                out.is_tlsdyno = out.response.is_tlsdyno;
                out.is_octets = out.response.is_octets;
                memset(&out.response, 0, sizeof out.response);
            }
        } while (event == HTTP_BODY || (event == HTTP_DONE && count > 0));
        out.is_bad = event == HTTP_BAD;
    }
    return out;
}

struct good {
    char stream[400];
    unsigned answers;
    unsigned last_status;
    char body[64];
    bool keep_alive;
    bool is_tlsdyno;
    bool is_octets;
};

ParameterizedTestParameters(http_response, reads_in_any_cut)
{
    static struct good rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 1, 200, "hello", true},
        {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 1, 200, "hello", true},
        {"HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", 1, 200, "hello", true},
        {"HTTP/1.1 200 OK\r\nServer: tlsdyno\r\nContent-Length: 0\r\n\r\n", 1, 200, "", true, true},
        {"HTTP/1.1 200 OK\r\nServer: tlsdyno/1.0\r\nContent-Length: 2 \r\n\r\nab", 1, 200, "ab",
         true, true},
        {"HTTP/1.1 200 OK\r\nServer: tlsdyno\r\nContent-Type: application/octet-stream\r\n"
         "Content-Length: 1\r\n\r\na",
         1, 200, "a", true, true, true},
        {"HTTP/1.1 200 OK\r\nServer: tlsdyno\r\nContent-Type: text/plain\r\n"
         "Content-Length: 1\r\n\r\na",
         1, 200, "a", true, true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 404 No\r\nContent-Length: "
         "1\r\n\r\nb",
         2, 404, "ab", true},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", 1, 200, "a", false},
        {"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\na", 1, 200, "a",
         false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 1, 200, "a", false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", 1, 200, "a",
         true},
        {"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n", 2, 304,
         "", true},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 1\r\n\r\na", 1, 201,
         "a", true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 1, 200, "a", true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nB;x=y\r\n, and so "
         "on\r\n0\r\n\r\n",
         1, 200, "hello, and so on", true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 3\r\n\r\n1\r\na"
         "\r\n0\r\nTrailer: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
         2, 200, "a", true},
    };

    return cr_make_param_array(struct good, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct good *row, http_response, reads_in_any_cut)
{
    const size_t bytes = strlen(row->stream);

    for (size_t cut = 1; cut <= bytes; cut++) {
        const struct outcome out = read_stream(row->stream, bytes, cut);

        cr_assert(!out.is_bad, "cut %zu of %s", cut, row->stream);
        cr_expect_eq(out.answers, row->answers, "cut %zu of %s", cut, row->stream);
        cr_expect_eq(out.last_status, row->last_status);
        cr_expect_str_eq(out.body, row->body);
        cr_expect_eq(out.keep_alive, row->keep_alive);
        cr_expect_eq(out.is_tlsdyno, row->is_tlsdyno);
        cr_expect_eq(out.is_octets, row->is_octets);
        cr_expect(!out.response.begun);
    }
}

struct bad {
    char stream[160];
};

ParameterizedTestParameters(http_response, refuses_in_any_cut)
{
    static struct bad rows[] = {
        {"SSH-2.0-OpenSSH_9.2\r\n"},
        {"HTTP/2 200\r\n\r\n"},
        {"HTTP/1.1 2x0 OK\r\n\r\n"},
        {"HTTP/1.1 099 OK\r\n\r\n"},
        {"HTTP/1.1 2000 OK\r\n\r\n"},
        {"HTTP/1.1 101 Switching\r\n\r\n"},
        {"\r\nHTTP/1.1 200 OK\r\n"},
        {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\n: no name\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n"},
    };

    return cr_make_param_array(struct bad, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct bad *row, http_response, refuses_in_any_cut)
{
    const size_t bytes = strlen(row->stream);

    for (size_t cut = 1; cut <= bytes; cut++) {
        cr_expect(read_stream(row->stream, bytes, cut).is_bad, "cut %zu of %s", cut, row->stream);
    }
}

Test(http_response, the_end_of_the_stream_ends_only_a_body_without_a_size)
{
    const char open[] = "HTTP/1.1 200 OK\r\n\r\nsome";
    const char sized[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsome";
    const char head[] = "HTTP/1.1 200 OK\r\n";
    struct outcome out = read_stream(open, sizeof open - 1, 7);

    cr_expect_str_eq(out.body, "some");
    cr_expect(!out.response.keep_alive);
    cr_expect_eq(http_response_end(&out.response), HTTP_DONE);
    out = read_stream(sized, sizeof sized - 1, 7);
    cr_expect_eq(http_response_end(&out.response), HTTP_BAD);
    out = read_stream(head, sizeof head - 1, 7);
    cr_expect_eq(http_response_end(&out.response), HTTP_BAD);
}

Test(http_response, a_long_line_is_skipped_and_an_endless_head_refused)
{
    static char stream[HTTP_HEAD_BYTES_MAX + 4096];
    const char start[] = "HTTP/1.1 200 OK\r\nX: ";
    const char end[] = "\r\nContent-Length: 2\r\n\r\nok";
    size_t bytes = sizeof start - 1;
    struct outcome out;

    memcpy(stream, start, bytes);
    memset(stream + bytes, 'x', 8 * HTTP_LINE_BYTES);
    bytes += 8 * HTTP_LINE_BYTES;
    memcpy(stream + bytes, end, sizeof end - 1);
    out = read_stream(stream, bytes + sizeof end - 1, 100);
    cr_expect_str_eq(out.body, "ok");

    memset(stream + bytes, 'x', sizeof stream - bytes);
    cr_expect(read_stream(stream, sizeof stream, 100).is_bad);
    cr_expect(read_stream(stream, sizeof stream, sizeof stream).is_bad);
}
