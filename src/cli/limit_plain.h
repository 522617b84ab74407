/* The plain TCP half of `tlsdyno limit`: the same reactor and service without TLS, in a server of
 * its own on one CPU, driven by a load generator on another. */
#pragma once

#include "cli/limit_rows.h"
#include "sweep/child.h"

struct error;

struct limit_plain_server {
    struct child child;
    char directory[64]; /* of its admin socket; "": there is none */
    char target[128];
    cpu_set_t server_cpus, load_cpus;
};

/* Starts it. Returns 0, or -1 and a sentence; limit_plain_close() in either case. */
int limit_plain_open(struct limit_plain_server *server, const atomic_bool *stop,
                     struct error *error);
void limit_plain_close(struct limit_plain_server *server);

/* One round. Returns 0, or -1 and a sentence. */
int limit_plain_measure(struct limit_plain_server *server, const struct limit_options *options,
                        struct limit_plain *plain, struct error *error);
