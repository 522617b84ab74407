#include "loopback.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "conn/sources.h"

enum { CLIENTS = 4 };

static unsigned opened, closed;

static void client_opened(struct conn *conn)
{
    (void)conn;
    opened++;
}

/* Once all that are to be refused have been, the others may go too. */
static void client_closed(struct conn *conn)
{
    if (++closed == CLIENTS - 1 && !conn->reactor->stopping) {
        reactor_stop(conn->reactor, CONN_END_LOCAL);
    }
}

static const struct service silent = {.name = "silent"};
static const struct service client = {
    .name = "client", .on_open = client_opened, .on_closed = client_closed};

TestSuite(accept, .init = loopback_set_up, .fini = loopback_tear_down, .timeout = 60);

/* CLIENTS connections where one is allowed. */
static void run(const struct reactor_options *options, struct tls_context *server,
                struct tls_context *context, enum counter refused)
{
    loopback_start(options, NULL);
    loopback_listen(&(struct reactor_listen_options){.context = server, .service = &silent});
    for (int i = 0; i < CLIENTS; i++) {
        loopback_connect(&client, context);
    }
    reactor_run(&loopback.reactor);
    cr_expect_eq(counters_get(&loopback.counters, refused), CLIENTS - 1);
    cr_expect_eq(counters_get(&loopback.counters, COUNTER_ACCEPTS), CLIENTS);
}

static struct sources *sources_with(const struct sources_options *options)
{
    struct error error = {0};
    struct sources *sources = sources_new(options, &error);

    cr_assert_not_null(sources, "%s", error.text);
    return sources;
}

Test(accept, connections_of_one_address_are_limited)
{
    struct sources *sources = sources_with(&(struct sources_options){.connections_max = 1});

    run(&(struct reactor_options){.connections_max = 64, .sources = sources},
        loopback.server_context, loopback.client_context, COUNTER_REFUSED_ADDRESS_CONNECTIONS);
    sources_free(sources);
}

Test(accept, handshakes_of_one_address_are_limited)
{
    struct sources *sources = sources_with(&(struct sources_options){.handshakes_max = 1});

    while (clock_now_ns() % NS_PER_S > NS_PER_S / 4) { /* they are counted by the second */
        usleep(1000);
    }
    run(&(struct reactor_options){.connections_max = 64, .sources = sources},
        loopback.server_context, loopback.client_context, COUNTER_REFUSED_ADDRESS_HANDSHAKES);
    sources_free(sources);
}

Test(accept, handshakes_under_way_are_limited)
{
    /* Plain clients, which never begin theirs. */
    run(&(struct reactor_options){.connections_max = 64, .handshakes_max = 1},
        loopback.server_context, NULL, COUNTER_REFUSED_HANDSHAKES);
}

static void all_opened(struct conn *conn)
{
    if (++opened == CLIENTS) {
        reactor_stop(conn->reactor, CONN_END_LOCAL);
    }
}

Test(accept, plain_connections_have_no_handshakes_to_limit)
{
    static const struct service serving = {.name = "serving", .on_open = all_opened};
    struct sources *sources = sources_with(&(struct sources_options){.handshakes_max = 1});

    loopback_start(&(struct reactor_options){.connections_max = 64, .sources = sources}, NULL);
    loopback_listen(&(struct reactor_listen_options){.service = &serving});
    for (int i = 0; i < CLIENTS; i++) {
        loopback_connect(&silent, NULL);
    }
    reactor_run(&loopback.reactor);
    cr_expect_eq(opened, CLIENTS);
    sources_free(sources);
}
