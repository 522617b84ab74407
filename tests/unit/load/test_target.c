#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/error.h"
#include "load/plan.h"

struct understood {
    char target[64];
    char address[64]; /* as socket_format() writes it */
    char host[32];
    char authority[48];
    char path[48];
    enum load_peer peer;
    bool plain_tcp;
};

ParameterizedTestParameters(target, understands)
{
    static struct understood rows[] = {
        {"127.0.0.1:4433", "127.0.0.1:4433", "127.0.0.1", "127.0.0.1:4433", "/", LOAD_PEER_ECHO},
        {"[::1]:4433", "[::1]:4433", "::1", "[::1]:4433", "/", LOAD_PEER_ECHO},
        {"4433", "127.0.0.1:4433", "127.0.0.1", "127.0.0.1:4433", "/", LOAD_PEER_ECHO},
        {"unix:/run/x", "unix:/run/x", "", "localhost", "/", LOAD_PEER_ECHO},
        {"https://127.0.0.1", "127.0.0.1:443", "127.0.0.1", "127.0.0.1", "/", LOAD_PEER_HTTP},
        {"https://127.0.0.1/", "127.0.0.1:443", "127.0.0.1", "127.0.0.1", "/", LOAD_PEER_HTTP},
        {"HTTPS://127.0.0.1:8443/1k?a=b&c", "127.0.0.1:8443", "127.0.0.1", "127.0.0.1:8443",
         "/1k?a=b&c", LOAD_PEER_HTTP},
        {"https://[::1]:8443/a/b#part", "[::1]:8443", "::1", "[::1]:8443", "/a/b", LOAD_PEER_HTTP},
        {"https://[::1]/x", "[::1]:443", "::1", "[::1]", "/x", LOAD_PEER_HTTP},
        {"http://127.0.0.1/x", "127.0.0.1:80", "127.0.0.1", "127.0.0.1", "/x", LOAD_PEER_HTTP,
         true},
    };

    return cr_make_param_array(struct understood, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct understood *row, target, understands)
{
    struct load_plan plan = {.peer = LOAD_PEER_RR, .plain_tcp = true, .path = "/left/over"};
    struct error error = {0};
    char address[SOCKET_TEXT_BYTES];

    cr_assert_eq(load_plan_target(&plan, row->target, &error), 0, "%s: %s", row->target,
                 error.text);
    cr_expect_str_eq(socket_format(&plan.address, address), row->address);
    cr_expect_str_eq(plan.host, row->host);
    cr_expect_str_eq(plan.authority, row->authority);
    cr_expect_str_eq(plan.path, row->path);
    cr_expect_eq(plan.peer, row->peer);
    cr_expect_eq(plan.plain_tcp, row->plain_tcp);
}

struct refused {
    char target[64];
};

ParameterizedTestParameters(target, refuses)
{
    static struct refused rows[] = {
        {""},
        {"127.0.0.1"},
        {"127.0.0.1:"},
        {"127.0.0.1:99999"},
        {":4433"},
        {"*:4433"},
        {"ftp://127.0.0.1/"},
        {"https://"},
        {"https:///x"},
        {"https://:8443/"},
        {"https://user@127.0.0.1/"},
        {"https://127.0.0.1?x"},
        {"https://127.0.0.1:port/"},
        {"https://127.0.0.1/a b"},
        {"https://127.0.0.1/a\r\nX: y"},
        {"unix:"},
    };

    return cr_make_param_array(struct refused, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct refused *row, target, refuses)
{
    struct load_plan plan = {0};
    struct error error = {0};

    cr_expect_eq(load_plan_target(&plan, row->target, &error), -1, "%s", row->target);
    cr_expect_neq(error.text[0], '\0', "%s", row->target);
}

Test(target, refuses_what_does_not_fit)
{
    char target[LOAD_PATH_BYTES + 64] = "https://127.0.0.1:8443/";
    struct load_plan plan = {0};
    struct error error = {0};
    const size_t start = strlen(target);

    memset(target + start, 'x', LOAD_PATH_BYTES - 2);
    cr_expect_eq(load_plan_target(&plan, target, &error), 0, "%s", error.text);
    target[start + LOAD_PATH_BYTES - 2] = 'x';
    cr_expect_eq(load_plan_target(&plan, target, &error), -1);
    cr_expect_not_null(strstr(error.text, "path"), "%s", error.text);
}
