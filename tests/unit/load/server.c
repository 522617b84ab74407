#include "server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static void open_stop(struct letter *letter)
{
    struct server *server = (void *)((char *)letter - offsetof(struct server, stop));

    reactor_stop(&server->reactor, CONN_END_LOCAL);
}

static void *serve(void *argument)
{
    struct server *server = argument;
    const struct reactor_options options = {.connections_max = 256};
    const struct reactor_events events = {0};
    const struct tls_config config = {
        .certificates[0] = {.certificate_pem = certificate_chain_pem(server->certificate),
                            .key_pem = certificate_key_pem(server->certificate)},
        .certificate_count = 1,
    };
    struct tls_context *context = NULL;
    struct error error = {0};

    if (!server->plain_tcp) {
        context = tls_context_new(TLS_SERVER, &config, NULL, &error);
        cr_assert_not_null(context, "%s", error.text);
    }
    cr_assert_eq(
        reactor_init(&server->reactor, &options, &events, server, &server->counters, &error), 0,
        "%s", error.text);
    cr_assert(reactor_listen(&server->reactor, server->listener,
                             &(struct reactor_listen_options){.context = context,
                                                              .service = server->service,
                                                              .service_config = &server->config}));
    pthread_barrier_wait(&server->ready);
    reactor_run(&server->reactor);
    reactor_deinit(&server->reactor);
    tls_context_free(context);
    return NULL;
}

struct server *server_start(const struct service *service, bool plain_tcp)
{
    struct server *server = aligned_alloc(_Alignof(struct server), sizeof *server);
    struct socket_address any;
    const struct certificate_options options = {0};
    struct error error = {0};

    cr_assert_not_null(server);
    memset(server, 0, sizeof *server);
    server->service = service;
    server->stop.open = open_stop;
    server->plain_tcp = plain_tcp;
    payload_init(&server->payload);
    server->config.payload = &server->payload;
    server->certificate = certificate_new(&options, NULL, &error);
    cr_assert_not_null(server->certificate, "%s", error.text);
    cr_assert_eq(socket_parse("127.0.0.1:0", &any, &error), 0);
    server->listener = socket_listen(&any, false, 128, &server->address, &error);
    cr_assert_geq(server->listener, 0, "%s", error.text);
    pthread_barrier_init(&server->ready, NULL, 2);
    cr_assert_eq(pthread_create(&server->handle, NULL, serve, server), 0);
    pthread_barrier_wait(&server->ready);
    return server;
}

void server_stop(struct server *server)
{
    mailbox_post(&server->reactor.mailbox, &server->stop);
    pthread_join(server->handle, NULL);
    pthread_barrier_destroy(&server->ready);
    close(server->listener);
    certificate_free(server->certificate);
    free(server);
}

struct load_result *run_against(const struct service *service, struct load_plan plan)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct server *server = server_start(service, plan.plain_tcp);
    struct error error = {0};

    plan.address = server->address;
    plan.tls.insecure = true;
    plan.threads = plan.threads == 0 ? 2 : plan.threads;
    plan.connections = plan.connections == 0 ? 4 : plan.connections;
    strcpy(plan.authority, "localhost");
    cr_assert_eq(load_run(&plan, NULL, result, &error), 0, "%s", error.text);
    for (size_t i = 0; i < result->error_count; i++) {
        cr_expect_fail("%s: %s", load_error_phase_name(result->errors[i].phase),
                       result->errors[i].reason);
    }
    cr_expect_eq(result->messages_corrupt, 0);
    server_stop(server);
    return result;
}
