#include "stage.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct stage stage;

const struct dyno_events echo_events = {.on_data = dyno_socket_write};

void stage_wait(sem_t *semaphore)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 30;
    cr_assert_eq(sem_timedwait(semaphore, &deadline), 0, "nothing happened in 30 s");
}

static struct certificate *certificate_of(const char *name, bool client)
{
    const char *names[] = {name, NULL};
    struct certificate *certificate = certificate_new(
        &(struct certificate_options){
            .common_name = name, .names = client ? NULL : names, .client = client},
        stage.ca, NULL);

    cr_assert_not_null(certificate);
    return certificate;
}

void stage_set_up(void)
{
    stage.ca = certificate_new(&(struct certificate_options){.authority = true}, NULL, NULL);
    cr_assert_not_null(stage.ca);
    stage.server_certificate = certificate_of("localhost", false);
    stage.other_certificate = certificate_of("other.example", false);
    stage.client_certificate = certificate_of("a client", true);
    stage.server_config = dyno_config_new();
    stage.client_config = dyno_config_new();
    dyno_config_add_certificate_mem(stage.server_config,
                                    certificate_chain_pem(stage.server_certificate),
                                    certificate_key_pem(stage.server_certificate));
    dyno_config_set_ca_mem(stage.server_config, certificate_pem(stage.ca));
    dyno_config_set_ca_mem(stage.client_config, certificate_pem(stage.ca));
}

void stage_open(const struct dyno_events *events)
{
    struct dyno_error error = {0};

    stage.server_context = dyno_context_new(DYNO_SERVER, stage.server_config, &error);
    cr_assert_not_null(stage.server_context, "%s", error.text);
    stage.client_context = dyno_context_new(DYNO_CLIENT, stage.client_config, &error);
    cr_assert_not_null(stage.client_context, "%s", error.text);
    stage.server = dyno_server_new(stage.server_context, events ? events : &echo_events, NULL);
    dyno_server_set(stage.server, DYNO_THREADS, 2);
    dyno_server_set(stage.server, DYNO_CLOSE_TIMEOUT_MS, 100);
    for (int i = 0; i < DYNO_SETTING_COUNT; i++) {
        if (stage.settings[i]) {
            dyno_server_set(stage.server, i, stage.settings[i]);
        }
    }
    dyno_server_listen(stage.server, "127.0.0.1:0");
    cr_assert_eq(dyno_server_start(stage.server, &error), 0, "%s", error.text);
    stage.cores = dyno_server_new(NULL, NULL, NULL);
    dyno_server_set(stage.cores, DYNO_THREADS, 1);
    cr_assert_eq(dyno_server_start(stage.cores, &error), 0, "%s", error.text);
    cr_assert(dyno_server_address(stage.server, 0, &stage.address));
    snprintf(stage.target, sizeof stage.target, "localhost:%u", stage.address.port);
}

void stage_tear_down(void)
{
    dyno_server_free(stage.cores);
    dyno_server_free(stage.server);
    dyno_context_free(stage.server_context);
    dyno_context_free(stage.client_context);
    dyno_config_free(stage.server_config);
    dyno_config_free(stage.client_config);
    certificate_free(stage.ca);
    certificate_free(stage.server_certificate);
    certificate_free(stage.other_certificate);
    certificate_free(stage.client_certificate);
    stage = (struct stage){0};
}

/* ---- pairs ---- */

void stage_pairs_open(enum dyno_clients clients)
{
    struct dyno_error error = {0};

    stage_open(NULL);
    stage.pairs[0] = dyno_pair_new(
        &(struct dyno_pair_options){.context = stage.client_context, .verify_host = "localhost"},
        &error);
    stage.pairs[1] = dyno_pair_new(
        &(struct dyno_pair_options){.context = stage.server_context, .clients = clients}, &error);
    cr_assert(stage.pairs[0] && stage.pairs[1], "%s", error.text);
}

void stage_pairs_settle(size_t piece)
{
    uint8_t bytes[4096];
    size_t moved;

    do {
        moved = 0;
        for (int i = 0; i < 2; i++) {
            size_t count = dyno_pair_take(stage.pairs[i], bytes, piece);

            dyno_pair_feed(stage.pairs[1 - i], bytes, count);
            moved += count;
        }
    } while (moved > 0);
}

void stage_pairs_close(void)
{
    dyno_pair_free(stage.pairs[0]);
    dyno_pair_free(stage.pairs[1]);
}

/* ---- the client ---- */

static void hello_secure(struct dyno_socket *socket)
{
    struct seen *seen = dyno_socket_user(socket);

    seen->is_secure = true;
    dyno_tls_facts(dyno_socket_tls(socket), &seen->facts);
    seen->is_authorized = dyno_tls_authorized(dyno_socket_tls(socket), NULL);
    dyno_tls_peer_certificate(dyno_socket_tls(socket), 0, &seen->peer);
    dyno_socket_write(socket, "hello", 5);
}

static size_t hello_data(struct dyno_socket *socket, const void *bytes, size_t count)
{
    struct seen *seen = dyno_socket_user(socket);

    cr_assert_leq(seen->heard_bytes + count, sizeof seen->heard);
    memcpy(seen->heard + seen->heard_bytes, bytes, count);
    seen->heard_bytes += count;
    if (seen->heard_bytes >= 5 && memcmp(seen->heard + seen->heard_bytes - 5, "hello", 5) == 0) {
        dyno_socket_end(socket);
    }
    return count;
}

static void hello_closed(struct dyno_socket *socket, const char *reason)
{
    struct seen *seen = dyno_socket_user(socket);

    snprintf(seen->reason, sizeof seen->reason, "%s", reason ? reason : "");
    seen->session_bytes =
        dyno_tls_session(dyno_socket_tls(socket), seen->session, sizeof seen->session);
    dyno_socket_bytes(socket, &seen->bytes);
    sem_post(&seen->done);
}

static void hello_failed(void *user, const struct dyno_failure *failure)
{
    struct seen *seen = user;

    snprintf(seen->reason, sizeof seen->reason, "%s", failure->reason);
    snprintf(seen->phase, sizeof seen->phase, "%s", failure->phase);
    snprintf(seen->kind, sizeof seen->kind, "%s", failure->kind);
    sem_post(&seen->done);
}

const struct dyno_events hello_events = {
    .on_secure = hello_secure,
    .on_data = hello_data,
    .on_closed = hello_closed,
    .on_failed = hello_failed,
};

struct seen stage_meet(const struct dyno_connect *options)
{
    struct dyno_connect complete = *options;
    struct dyno_error error = {0};
    struct seen seen = {0};

    sem_init(&seen.done, 0, 0);
    complete.address = complete.address ? complete.address : stage.target;
    complete.context = complete.context ? complete.context : stage.client_context;
    complete.events = complete.events ? complete.events : &hello_events;
    complete.user = &seen;
    cr_assert_eq(dyno_connect(stage.cores, &complete, &error), 0, "%s", error.text);
    stage_wait(&seen.done);
    return seen;
}
