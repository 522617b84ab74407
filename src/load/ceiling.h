/* What TLS alone costs on this machine: two engines through memory, without sockets or kernel. No
 * server with this OpenSSL can do better, which makes it half of a ceiling; the other half is the
 * same work over plain TCP. One thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tls/engine.h"

struct error;
struct tls_config;

enum ceiling_work {
    CEILING_FULL,   /* full handshakes */
    CEILING_TICKET, /* resumed from tickets */
    CEILING_ID,     /* resumed by session ID, TLS 1.2 */
    CEILING_ECHO,   /* a message there and the same back, on an open connection */
    CEILING_WORK_COUNT,
};

const char *ceiling_work_name(enum ceiling_work work); /* "full", "ticket", "id", "echo" */

struct ceiling_options {
    enum ceiling_work work;
    const struct tls_config *server, *client; /* read by ceiling_new() alone */
    size_t message_bytes;                     /* of CEILING_ECHO; at least 1 */
    /* Of CEILING_ECHO: connections that take turns, so that no cache holds the state of very many;
     * 0 is 1. */
    uint32_t connections;
};

struct ceiling; /* opaque */

/* Makes both contexts and a first connection, which is not measured. NULL and a sentence when the
 * two cannot agree, or do not do what the work is about. */
struct ceiling *ceiling_new(const struct ceiling_options *options, struct error *error);
void ceiling_free(struct ceiling *ceiling); /* NULL: nothing */

/* What both sides used of their thread's CPU time, user and system. */
struct ceiling_cost {
    uint64_t operations;
    uint64_t server_ns, client_ns;
};

/* Goes on until both sides together have used `cpu_ns`. Returns 0, or -1 and a sentence. */
int ceiling_run(struct ceiling *ceiling, uint64_t cpu_ns, struct ceiling_cost *out_cost,
                struct error *error);

/* What the last connection negotiated. */
void ceiling_facts(const struct ceiling *ceiling, struct tls_facts *out);
