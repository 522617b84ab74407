/* A server in the same process, of the data path's own reactor and services, and runs against it.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/payload.h"
#include "conn/reactor.h"
#include "load/load.h"
#include "service/services.h"
#include "tls/certificate.h"

struct server {
    struct reactor reactor;
    struct letter stop;
    struct counters counters;
    struct payload payload;
    struct service_config config;
    const struct service *service;
    struct socket_address address;
    bool plain_tcp;
    int listener;
    pthread_t handle;
    pthread_barrier_t ready;
    struct certificate *certificate;
};

struct server *server_start(const struct service *service, bool plain_tcp);
void server_stop(struct server *server);

/* Runs the plan against the service; the caller frees the result. */
struct load_result *run_against(const struct service *service, struct load_plan plan);
