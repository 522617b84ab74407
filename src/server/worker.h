/* One worker: a thread, pinned to a CPU, that runs a reactor. Private to this folder. */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "conn/reactor.h"
#include "server/identity.h"
#include "server/server.h"
#include "stats/counters.h"

struct ticket_ring;

/* One listener as one worker sees it. */
struct worker_listener {
    int descriptor;
    const struct service *service;
    const void *service_config;
    bool plain_tcp;
    enum reactor_farewell farewell;
};

struct worker {
    struct counters *counters;   /* own cache lines; writer: the worker */
    struct tls_library *library; /* of its contexts; NULL: OpenSSL's default instance */
    struct identity *identity;   /* NULL: plain TCP only; the worker's alone once it runs */
    struct worker_listener listeners[SERVER_LISTENERS_MAX];
    size_t listener_count;
    unsigned asks; /* as in struct server_config, with the next two */
    void (*on_want)(void *user, struct conn *conn, enum tls_want want);
    void (*on_failed)(void *user, const char *peer, const char *reason);
    void (*on_ended)(void *user);
    void *user;
    unsigned index;
    bool dynamic_records;
    struct reactor_options reactor_options;
    uint64_t drain_timeout_ns;
    struct ticket_ring *tickets; /* only in the worker that rotates them; NULL in the others */
    uint64_t ticket_rotate_ns;
    int cpu; /* -1: not pinned */

    pthread_t thread;
    bool started;
    sem_t ready; /* posted once the reactor is set up, or has failed to be */
    bool failed; /* then `error` says why; read after `ready` */
    struct error error;
    struct letter drain, stop, rotate, answer; /* what others may ask of it, by worker_ask() */
    _Atomic bool ended;                        /* writer: the worker */
    _Atomic uint64_t cpu_ns;                   /* writer: the worker, when it ends */
    struct reactor reactor;
    struct wheel_timer drain_timer;
    struct wheel_timer rotate_timer;
};

/* Starts the thread and waits until it listens. Returns 0, or -1 and a sentence. */
int worker_start(struct worker *worker, struct error *error);
/* Gives the worker another identity, or one more name, which is then its own. Any thread. */
void worker_identify(struct worker *worker, struct identity *identity);
void worker_name(struct worker *worker, struct identity_name *name);
/* Posts a letter to the worker; returns false, with nothing posted, when it has ended. Any thread.
 */
bool worker_ask(struct worker *worker, struct letter *letter);
/* CPU time of its thread, ended or not. Any thread. */
uint64_t worker_cpu_ns(const struct worker *worker);
/* Waits for the thread. */
void worker_join(struct worker *worker);
