#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/serve_options.h"

enum { ARGUMENTS_MAX = 24 };

struct parsed {
    struct serve_options options;
    struct error error;
    enum options_result result;
};

#define PARSE(...) parse((char *[ARGUMENTS_MAX]){"serve", __VA_ARGS__})

static struct parsed *parse(char **argv)
{
    struct parsed *parsed = calloc(1, sizeof(*parsed));
    int argc = 0;

    while (argv[argc] != NULL) {
        argc++;
    }
    parsed->result =
        options_parse(&serve_command.table, argc, argv, &parsed->options, &parsed->error);
    return parsed;
}

static void assert_refused(struct parsed *parsed)
{
    cr_assert_eq(parsed->result, OPTIONS_WRONG);
    cr_assert_neq(parsed->error.text[0], '\0');
    free(parsed);
}

Test(serve_options, listeners_take_a_service_and_plain)
{
    struct parsed *parsed = PARSE("--listen", "127.0.0.1:0", "--listen=[::1]:8443,http", "-l",
                                  "127.0.0.1:1,discard,plain", "-l", "127.0.0.1:2,plain");
    const struct server_config *server = &parsed->options.server;

    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert_eq(server->listener_count, 4);
    cr_assert_null(server->listeners[0].service);
    cr_assert_not(server->listeners[0].plain_tcp);
    cr_assert_eq(server->listeners[1].service, &http_service);
    cr_assert_eq(server->listeners[2].service, &discard_service);
    cr_assert(server->listeners[2].plain_tcp);
    cr_assert_null(server->listeners[3].service);
    cr_assert(server->listeners[3].plain_tcp);
    free(parsed);
}

Test(serve_options, listeners_of_no_address_or_service_are_refused)
{
    assert_refused(PARSE("--listen", "127.0.0.1:99999"));
    assert_refused(PARSE("--listen", "127.0.0.1:1,gopher"));
    assert_refused(PARSE("--listen", "127.0.0.1:1,"));
}

Test(serve_options, timeouts_from_ten_milliseconds_are_allowed)
{
    struct parsed *parsed = PARSE("--handshake-timeout", "10ms");

    cr_assert_eq(parsed->result, OPTIONS_PARSED);
    cr_assert_eq(parsed->options.server.handshake_timeout_ns, 10000000);
    free(parsed);
    assert_refused(PARSE("--handshake-timeout", "9ms"));
}

Test(serve_options, switches_map_to_what_the_server_knows)
{
    struct parsed *parsed =
        PARSE("--no-tickets", "--no-pin", "--no-server-preference", "--admin", "unix:/tmp/a");

    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert(parsed->options.server.tls.no_tickets);
    cr_assert(parsed->options.server.tls.client_preference);
    cr_assert(parsed->options.server.no_pin);
    cr_assert(parsed->options.admin_given);
    free(parsed);
    parsed = PARSE("--server-preference");
    cr_assert_not(parsed->options.server.tls.client_preference);
    cr_assert_not(parsed->options.server.tls.no_tickets);
    cr_assert_not(parsed->options.admin_given);
    free(parsed);
}

Test(serve_options, versions_and_fragments_reach_the_tls_configuration)
{
    struct parsed *parsed = PARSE("--min-version", "1.2", "--max-version=1.3",
                                  "--max-send-fragment", "512", "--session-timeout", "5m");

    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert_eq(parsed->options.server.tls.version_min, TLS_VERSION_1_2);
    cr_assert_eq(parsed->options.server.tls.version_max, TLS_VERSION_1_3);
    cr_assert_eq(parsed->options.server.tls.max_send_fragment, 512);
    cr_assert_eq(parsed->options.server.tls.session_timeout_s, 300);
    free(parsed);
}

Test(serve_options, old_protocols_and_odd_fragments_are_refused)
{
    assert_refused(PARSE("--min-version", "SSLv3"));
    assert_refused(PARSE("--max-version", "1.4"));
    assert_refused(PARSE("--max-send-fragment", "511"));
    assert_refused(PARSE("--service", "gopher"));
}
