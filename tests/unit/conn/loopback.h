/* One reactor that talks to itself over loopback: both roles of the data path, real kernel. */
#pragma once

#include <criterion/criterion.h>

#include "base/payload.h"
#include "conn/reactor.h"

struct loopback {
    struct reactor reactor;
    struct counters counters;
    struct payload payload;
    struct tls_context *server_context;
    struct tls_context *client_context;
    int listener;
    struct socket_address address;
};

extern struct loopback loopback;

/* For TestSuite(): makes contexts and a listening socket; checks that nothing was lost. */
void loopback_set_up(void);
void loopback_tear_down(void);

void loopback_start(const struct reactor_options *options, const struct reactor_events *events);
void loopback_listen(const struct reactor_listen_options *options);
struct conn *loopback_connect(const struct service *service, struct tls_context *context);
