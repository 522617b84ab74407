/* A whole server in this process, and a reactor of our own as its client. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "conn/reactor.h"
#include "server/server.h"
#include "tls/certificate.h"

static struct server_config config;
static struct server *server;
static struct certificate *first;
static struct certificate *second;
static char directory[] = "/tmp/tlsdyno-test-XXXXXX";
static char certificate_file[64];
static char key_file[64];

static struct reactor reactor;
static struct counters counters;
static char seen[CERTIFICATE_FINGERPRINT_TEXT_BYTES];
static enum conn_end ended;

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static struct certificate *make_certificate(const char *name)
{
    const char *names[] = {name, NULL};
    struct error error = {0};
    struct certificate *certificate = certificate_new(
        &(struct certificate_options){.common_name = name, .names = names}, NULL, &error);

    cr_assert_not_null(certificate, "%s", error.text);
    return certificate;
}

static void write_identity(const struct certificate *certificate)
{
    write_file(certificate_file, certificate_chain_pem(certificate));
    write_file(key_file, certificate_key_pem(certificate));
}

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(certificate_file, sizeof certificate_file, "%s/cert.pem", directory);
    snprintf(key_file, sizeof key_file, "%s/key.pem", directory);
    first = make_certificate("first.example.org");
    second = make_certificate("second.example.org");
    write_identity(first);
    config = (struct server_config){.listener_count = 1, .threads = 2, .no_pin = true};
    config.listeners[0].service = &echo_service;
    cr_assert_eq(socket_parse("127.0.0.1:0", &config.listeners[0].address, NULL), 0);
    config.tls.certificate_count = 1;
    config.tls.certificates[0].certificate_file = certificate_file;
    config.tls.certificates[0].key_file = key_file;
}

static void start(void)
{
    struct error error = {0};

    server = server_start(&config, &error);
    cr_assert_not_null(server, "%s", error.text);
}

static void tear_down(void)
{
    if (server) {
        server_stop(server);
    }
    server_free(server);
    certificate_free(first);
    certificate_free(second);
    unlink(certificate_file);
    unlink(key_file);
    rmdir(directory);
}

TestSuite(server, .init = set_up, .fini = tear_down, .timeout = 60);

static void client_open(struct conn *conn)
{
    struct tls_peer_certificate peer;

    cr_assert(tls_engine_peer_certificate(&conn->engine, 0, &peer));
    strcpy(seen, peer.fingerprint_sha256);
    conn_close(conn);
}

static void client_closed(struct conn *conn)
{
    ended = conn->end;
    reactor_leave_when_empty(&reactor);
}

static const struct service client = {
    .name = "client", .on_open = client_open, .on_closed = client_closed};

/* Whose certificate a client that asks for `name` is shown. */
static void expect_served(const char *name, const struct certificate *expected)
{
    const struct reactor_events no_events = {0};
    const struct reactor_options options = {.connections_max = 4};
    const struct tls_config insecure = {.insecure = true};
    struct error error = {0};
    struct tls_context *context = tls_context_new(TLS_CLIENT, &insecure, NULL, &error);
    char fingerprint[CERTIFICATE_FINGERPRINT_TEXT_BYTES];
    struct reactor_connect_options connect = {
        .context = context, .service = &client, .engine.server_name = name};

    cr_assert_eq(reactor_init(&reactor, &options, &no_events, NULL, &counters, &error), 0);
    cr_assert_not_null(reactor_connect(&reactor, server_address(server, 0), &connect));
    reactor_run(&reactor);
    reactor_deinit(&reactor);
    tls_context_free(context);
    certificate_fingerprint(expected, fingerprint);
    cr_assert_eq(ended, CONN_END_CLEAN);
    cr_assert_str_eq(seen, fingerprint, "%s was shown another certificate", name);
}

Test(server, a_reload_serves_the_new_certificate)
{
    struct error error = {0};

    start();
    expect_served(NULL, first);
    write_identity(second);
    expect_served(NULL, first);
    cr_assert_eq(server_reload(server, &config, &error), 0, "%s", error.text);
    expect_served(NULL, second);
}

Test(server, a_reload_with_a_bad_file_keeps_the_old_certificate_and_says_why)
{
    struct error error = {0};

    start();
    write_file(key_file, "no key\n");
    cr_assert_eq(server_reload(server, &config, &error), -1);
    cr_assert_not_null(strstr(error.text, key_file), "%s", error.text);
    expect_served(NULL, first);
}

Test(server, names_are_served_their_own_certificate)
{
    struct error error = {0};
    struct tls_config tls = {.certificate_count = 1};

    start();
    tls.certificates[0].certificate_pem = certificate_chain_pem(second);
    tls.certificates[0].key_pem = certificate_key_pem(second);
    expect_served("second.example.org", first);
    cr_assert_eq(server_add_name(server, "*.example.org", &tls, &error), 0, "%s", error.text);
    expect_served("second.example.org", second);
    expect_served("other.invalid", first);
    expect_served(NULL, first);
}

Test(server, what_is_no_name_is_refused)
{
    struct error error = {0};

    start();
    cr_assert_eq(server_add_name(server, "two words", &config.tls, &error), -1);
    cr_assert_not_null(strstr(error.text, "two words"), "%s", error.text);
}

Test(server, a_pool_without_listeners_starts_and_ends)
{
    config.listener_count = 0;
    start();
    cr_assert_eq(server_worker_count(server), 2);
    cr_assert_not_null(server_reactor(server, 1));
}

Test(server, an_address_in_use_is_refused_by_name)
{
    struct error error = {0};
    struct server_config again;
    char address[SOCKET_TEXT_BYTES];

    start();
    again = config;
    again.listeners[0].address = *server_address(server, 0);
    cr_assert_null(server_start(&again, &error));
    cr_assert_not_null(strstr(error.text, socket_format(server_address(server, 0), address)), "%s",
                       error.text);
}
