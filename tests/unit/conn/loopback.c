#include "loopback.h"

#include <unistd.h>

#include "base/error.h"
#include "tls/certificate.h"

struct loopback loopback;

void loopback_set_up(void)
{
    struct error error = {0};
    struct certificate *certificate =
        certificate_new(&(struct certificate_options){0}, NULL, &error);
    struct tls_config config = {.certificate_count = 1};

    cr_assert_not_null(certificate, "%s", error.text);
    config.certificates[0].certificate_pem = certificate_chain_pem(certificate);
    config.certificates[0].key_pem = certificate_key_pem(certificate);
    loopback.server_context = tls_context_new(TLS_SERVER, &config, NULL, &error);
    config = (struct tls_config){.insecure = true};
    loopback.client_context = tls_context_new(TLS_CLIENT, &config, NULL, &error);
    cr_assert(loopback.server_context && loopback.client_context, "%s", error.text);
    certificate_free(certificate);
    payload_init(&loopback.payload);
    cr_assert_eq(socket_parse("127.0.0.1:0", &loopback.address, &error), 0);
    loopback.listener = socket_listen(&loopback.address, false, 16, &loopback.address, &error);
    cr_assert_geq(loopback.listener, 0, "%s", error.text);
}

void loopback_tear_down(void)
{
    cr_expect_eq(counters_get(&loopback.counters, COUNTER_CONNECTIONS_OPEN), 0);
    cr_expect_eq(counters_get(&loopback.counters, COUNTER_HANDSHAKES_IN_PROGRESS), 0);
    cr_expect_eq(loopback.reactor.buffers.held_count, 0, "a receive buffer was lost");
    cr_expect_eq(loopback.reactor.slabs.out_count, 0, "a slab was lost");
    reactor_deinit(&loopback.reactor);
    tls_context_free(loopback.server_context);
    tls_context_free(loopback.client_context);
    close(loopback.listener);
}

void loopback_start(const struct reactor_options *options, const struct reactor_events *events)
{
    static const struct reactor_options no_timeouts = {.connections_max = 64};
    static const struct reactor_events no_events;
    struct error error = {0};

    cr_assert_eq(reactor_init(&loopback.reactor, options ? options : &no_timeouts,
                              events ? events : &no_events, NULL, &loopback.counters, &error),
                 0, "%s", error.text);
}

void loopback_listen(const struct reactor_listen_options *options)
{
    cr_assert(reactor_listen(&loopback.reactor, loopback.listener, options));
}

struct conn *loopback_connect(const struct service *service, struct tls_context *context)
{
    struct conn *conn =
        reactor_connect(&loopback.reactor, &loopback.address,
                        &(struct reactor_connect_options){.context = context, .service = service});

    cr_assert_not_null(conn);
    return conn;
}
