#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/serve_options.h"

enum { ARGUMENTS_MAX = 24 };

struct parsed {
    struct serve_options options;
    struct option_files files;
    struct error error;
    enum options_result result;
};

static void release(struct parsed *parsed)
{
    option_files_free(&parsed->files);
    free(parsed);
}

#define PARSE(...) parse((char *[ARGUMENTS_MAX]){"serve", __VA_ARGS__})

static struct parsed *parse(char **argv)
{
    struct parsed *parsed = calloc(1, sizeof(*parsed));
    int argc = 0;

    while (argv[argc] != NULL) {
        argc++;
    }
    parsed->result = options_parse(&serve_command.table, argc, argv, &parsed->options,
                                   &parsed->files, &parsed->error);
    return parsed;
}

static struct parsed *settle(struct parsed *parsed)
{
    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert_eq(serve_options_settle(&parsed->options, &parsed->error), 0, "%s",
                 parsed->error.text);
    return parsed;
}

static void assert_not_settled(struct parsed *parsed, const char *named)
{
    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert_eq(serve_options_settle(&parsed->options, &parsed->error), -1, "%s", named);
    cr_assert_not_null(strstr(parsed->error.text, named), "%s", parsed->error.text);
    release(parsed);
}

static void assert_refused(struct parsed *parsed)
{
    cr_assert_eq(parsed->result, OPTIONS_WRONG);
    cr_assert_neq(parsed->error.text[0], '\0');
    release(parsed);
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
    release(parsed);
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
    release(parsed);
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
    release(parsed);
    parsed = PARSE("--server-preference");
    cr_assert_not(parsed->options.server.tls.client_preference);
    cr_assert_not(parsed->options.server.tls.no_tickets);
    cr_assert_not(parsed->options.admin_given);
    release(parsed);
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
    release(parsed);
}

Test(serve_options, old_protocols_and_odd_fragments_are_refused)
{
    assert_refused(PARSE("--min-version", "SSLv3"));
    assert_refused(PARSE("--max-version", "1.4"));
    assert_refused(PARSE("--max-send-fragment", "511"));
    assert_refused(PARSE("--service", "gopher"));
}

Test(serve_options, inherited_descriptors_listen_too)
{
    struct parsed *parsed = PARSE("--listen", "fd:3", "--listen", "fd:12,http,plain");
    const struct server_listener *listeners = parsed->options.server.listeners;

    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert(listeners[0].is_inherited);
    cr_assert_eq(listeners[0].descriptor, 3);
    cr_assert_eq(listeners[1].descriptor, 12);
    cr_assert_eq(listeners[1].service, &http_service);
    release(parsed);
}

Test(serve_options, other_words_are_no_descriptor)
{
    assert_refused(PARSE("--listen", "fd:"));
    assert_refused(PARSE("--listen", "fd:three"));
    assert_refused(PARSE("--listen", "fd:-1"));
    assert_refused(PARSE("--listen", "fd:99999999"));
}

Test(serve_options, certificates_have_keys_and_stand_apart_from_a_pkcs12)
{
    release(settle(PARSE("--cert", "a.pem", "--key", "a.key", "--ca", "ca.pem", "--request-cert")));
    release(settle(PARSE("--pfx", "a.p12")));
    assert_not_settled(PARSE("--cert", "a.pem"), "1 --cert but 0 --key");
    assert_not_settled(PARSE("--key", "a.key"), "0 --cert but 1 --key");
    assert_not_settled(PARSE("--pfx", "a.p12", "--cert", "a.pem", "--key", "a.key"), "--cert");
    assert_not_settled(PARSE("--pfx", "a.p12", "--ca", "ca.pem", "--request-cert"), "--ca");
}

Test(serve_options, asking_for_certificates_insists_on_good_ones_unless_told_otherwise)
{
    struct parsed *parsed = settle(PARSE("--request-cert"));

    cr_assert(parsed->options.server.tls.request_certificate);
    cr_assert(parsed->options.server.tls.require_certificate);
    release(parsed);
    parsed = settle(PARSE("--reject-unauthorized"));
    cr_assert(parsed->options.server.tls.request_certificate);
    cr_assert(parsed->options.server.tls.require_certificate);
    release(parsed);
    parsed = settle(PARSE("--request-cert", "--no-reject-unauthorized"));
    cr_assert(parsed->options.server.tls.request_certificate);
    cr_assert_not(parsed->options.server.tls.require_certificate);
    release(parsed);
    parsed = settle(PARSE("--threads", "1"));
    cr_assert_not(parsed->options.server.tls.request_certificate);
    cr_assert_not(parsed->options.server.tls.require_certificate);
    release(parsed);
}

Test(serve_options, checks_of_clients_that_would_not_take_place_are_refused)
{
    assert_not_settled(PARSE("--ca", "ca.pem"), "--ca");
    assert_not_settled(PARSE("--crl", "crl.pem"), "--crl");
    assert_not_settled(PARSE("--no-reject-unauthorized"), "--no-reject-unauthorized");
}

Test(serve_options, names_have_three_parts)
{
    release(settle(PARSE("--sni", "a.example:a.pem:a.key", "--sni=*.b.example:b.pem:b.key")));
    assert_not_settled(PARSE("--sni", "a.example"), "'a.example'");
    assert_not_settled(PARSE("--sni", "a.example:a.pem"), "HOST:CERT:KEY");
    assert_not_settled(PARSE("--sni", "a.example:a.pem:"), "HOST:CERT:KEY");
    assert_not_settled(PARSE("--sni", ":a.pem:a.key"), "HOST:CERT:KEY");
    assert_not_settled(PARSE("--sni", "a::a.key"), "HOST:CERT:KEY");
    assert_not_settled(PARSE("--sni", "a:a.pem:a.key:x"), "HOST:CERT:KEY");
}

Test(serve_options, what_needs_tickets_excludes_no_tickets)
{
    release(settle(PARSE("--early-data", "16Ki", "--ticket-key-file", "t")));
    release(settle(PARSE("--no-tickets", "--early-data", "0")));
    assert_not_settled(PARSE("--no-tickets", "--early-data", "1"), "--early-data");
    assert_not_settled(PARSE("--no-tickets", "--ticket-key-file", "t"), "--ticket-key-file");
}

Test(serve_options, renegotiations_are_limited_down_to_none)
{
    struct parsed *parsed = PARSE("--reneg-limit", "5", "--reneg-window", "1m");

    cr_assert_eq(parsed->options.server.tls.renegotiation_limit, 5);
    cr_assert_eq(parsed->options.server.tls.renegotiation_window_s, 60);
    cr_assert_not(parsed->options.server.tls.no_renegotiation);
    release(parsed);
    parsed = PARSE("--reneg-limit", "0");
    cr_assert(parsed->options.server.tls.no_renegotiation);
    release(parsed);
    parsed = PARSE("--threads", "1");
    cr_assert_eq(parsed->options.server.tls.renegotiation_limit, 3);
    cr_assert_eq(parsed->options.server.tls.renegotiation_window_s, 600);
    release(parsed);
    assert_refused(PARSE("--reneg-limit", "-1"));
    assert_refused(PARSE("--reneg-limit", "5G"));
    assert_refused(PARSE("--reneg-window", "500ms"));
}

Test(serve_options, empty_records_are_limited_down_to_none)
{
    struct parsed *parsed = PARSE("--max-empty-records", "32");

    cr_assert_eq(parsed->options.server.tls.empty_record_limit, 32);
    cr_assert_not(parsed->options.server.tls.no_empty_records);
    release(parsed);
    parsed = PARSE("--max-empty-records", "0");
    cr_assert(parsed->options.server.tls.no_empty_records);
    release(parsed);
    assert_refused(PARSE("--max-empty-records", "33"));
    assert_refused(PARSE("--max-empty-records", "-1"));
    assert_refused(PARSE("--max-empty-records", "few"));
}
