/* The library from many threads: server names are answered by threads that are no core of the
 * server, some refused, some after the server has gone, while clients come and go, contexts and
 * keys are replaced and posts arrive. */
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "stress.h"
#include "tls/certificate.h"
#include "tlsdyno.h"

enum { CLIENTS = 8, ROUNDS = 300, REFUSE_EVERY = 7 };

static struct dyno_context *server_context, *client_context;
static struct dyno_server *server, *cores;
static char target[64];
static int asks[2]; /* a pipe of struct dyno_ask * */
static _Atomic int started, over, served, failed, posted, heard;
static sem_t all_over;
static struct dyno_ask *_Atomic late; /* one that is kept until the server has gone */

static void on_server_name(struct dyno_ask *ask, struct dyno_socket *socket, const char *name)
{
    (void)socket;
    (void)name;
    CHECK(write(asks[1], &ask, sizeof ask) == sizeof ask);
}

static const struct dyno_events server_events = {.on_server_name = on_server_name,
                                                 .on_data = dyno_socket_write};

static void *answer(void *unused)
{
    struct dyno_ask *ask;
    unsigned count = 0;

    (void)unused;
    while (read(asks[0], &ask, sizeof ask) == sizeof ask && ask) {
        if (atomic_load(&over) >= ROUNDS) {
            struct dyno_ask *before = atomic_exchange(&late, ask);

            CHECK(before == NULL);
        } else if (++count % REFUSE_EVERY == 0) {
            dyno_refuse(ask);
        } else {
            dyno_answer_context(ask, count % 2 ? server_context : NULL);
        }
    }
    return NULL;
}

/* ---- clients ---- */

static void connect_one(void);

static void count_post(struct dyno_socket *socket, void *unused)
{
    (void)socket;
    (void)unused;
    atomic_fetch_add(&heard, 1);
}

static void on_secure(struct dyno_socket *socket)
{
    atomic_fetch_add(&posted, 1);
    CHECK(dyno_post(dyno_socket_ref(socket), count_post, NULL) == 0);
    dyno_socket_write(socket, "hello", 5);
}

static size_t on_data(struct dyno_socket *socket, const void *bytes, size_t count)
{
    CHECK(memcmp(bytes, "hello", count) == 0);
    dyno_socket_end(socket);
    return count;
}

static void finish(_Atomic int *which)
{
    atomic_fetch_add(which, 1);
    if (atomic_fetch_add(&over, 1) + 1 == ROUNDS) {
        sem_post(&all_over);
    }
    connect_one();
}

static void on_closed(struct dyno_socket *socket, const char *reason)
{
    (void)socket;
    CHECK(reason == NULL);
    finish(&served);
}

static void on_failed(void *unused, const struct dyno_failure *failure)
{
    (void)unused;
    CHECK(strstr(failure->reason, "unrecognized name") != NULL);
    finish(&failed);
}

static const struct dyno_events client_events = {
    .on_secure = on_secure, .on_data = on_data, .on_closed = on_closed, .on_failed = on_failed};

static void connect_one(void)
{
    const struct dyno_connect options = {
        .context = client_context, .address = target, .events = &client_events};

    if (atomic_fetch_add(&started, 1) < ROUNDS) {
        CHECK(dyno_connect(cores, &options, NULL) == 0);
    }
}

/* ---- the rest ---- */

static void *disturb(void *unused)
{
    (void)unused;
    while (atomic_load(&over) < ROUNDS) {
        CHECK(dyno_server_set_context(server, server_context, NULL) == 0);
        CHECK(dyno_server_add_context(server, "a.test", server_context, NULL) == 0);
        CHECK(dyno_context_rotate_ticket_key(server_context, NULL, 0, NULL) == 0);
        (void)dyno_server_connections(server, -1);
        usleep(2000);
    }
    return NULL;
}

static struct dyno_server *start(struct dyno_context *context, const struct dyno_events *events)
{
    struct dyno_server *made = dyno_server_new(context, events, NULL);

    dyno_server_set(made, DYNO_THREADS, 2);
    if (context) {
        dyno_server_listen(made, "127.0.0.1:0");
    }
    CHECK(dyno_server_start(made, NULL) == 0);
    return made;
}

static void make_contexts(void)
{
    struct certificate *certificate = certificate_new(&(struct certificate_options){0}, NULL, NULL);
    struct dyno_config *config = dyno_config_new();

    CHECK(certificate != NULL);
    dyno_config_accept_any_certificate(config);
    client_context = dyno_context_new(DYNO_CLIENT, config, NULL);
    dyno_config_add_certificate_mem(config, certificate_chain_pem(certificate),
                                    certificate_key_pem(certificate));
    server_context = dyno_context_new(DYNO_SERVER, config, NULL);
    CHECK(client_context && server_context);
    dyno_config_free(config);
    certificate_free(certificate);
}

/* A handshake that waits when its server goes: the answer finds nobody, and is freed. */
static void outlive(void)
{
    const struct dyno_connect options = {.context = client_context, .address = target};

    CHECK(dyno_connect(cores, &options, NULL) == 0);
    while (!atomic_load(&late)) {
        usleep(1000);
    }
    dyno_server_free(server);
    dyno_answer_context(atomic_load(&late), server_context);
}

int main(void)
{
    struct dyno_ask *none = NULL;
    struct dyno_address address;
    pthread_t threads[3];

    make_contexts();
    CHECK(pipe(asks) == 0);
    sem_init(&all_over, 0, 0);
    server = start(server_context, &server_events);
    cores = start(NULL, NULL);
    CHECK(dyno_server_address(server, 0, &address));
    snprintf(target, sizeof target, "localhost:%u", address.port);
    CHECK(pthread_create(&threads[0], NULL, answer, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, answer, NULL) == 0);
    CHECK(pthread_create(&threads[2], NULL, disturb, NULL) == 0);
    for (int i = 0; i < CLIENTS; i++) {
        connect_one();
    }
    sem_wait(&all_over);
    pthread_join(threads[2], NULL);
    outlive();
    CHECK(write(asks[1], &none, sizeof none) == sizeof none);
    CHECK(write(asks[1], &none, sizeof none) == sizeof none);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    dyno_server_free(cores);
    CHECK(atomic_load(&served) + atomic_load(&failed) >= ROUNDS);
    CHECK(atomic_load(&failed) > 0);
    CHECK(atomic_load(&posted) == atomic_load(&heard));
    dyno_context_free(server_context);
    dyno_context_free(client_context);
    return 0;
}
