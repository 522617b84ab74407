/* One run of one cell: a server and a load generator as children, and the load's report. Main
 * thread; blocks for as long as the run takes. */
#pragma once

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "sweep/matrix.h"

struct error;

enum { SWEEP_REQUEST_BYTES = 64 }; /* in mode rr, whose answers are the messages */

/* What all runs have in common; strings borrowed. */
struct sweep_settings {
    const char *directory; /* for certificates and sockets, ours alone */
    const char *target;    /* NULL: a server of our own for each run */
    const char *admin;     /* of a given server; NULL: its side is not known */
    const char *ca;        /* trusted for a given server; NULL: the system's */
    bool insecure;         /* any certificate of a given server */
    bool no_pin;           /* children may run everywhere */
    cpu_set_t server_cpus;
    cpu_set_t load_cpus;
    const char *listen;           /* address of our own servers, without port: "127.0.0.1" */
    const char *server_namespace; /* files of network namespaces, or NULL */
    const char *load_namespace;
    uint64_t duration_ns;
    uint64_t warmup_ns;
    const atomic_bool *stop; /* set from elsewhere */
};

/* "0-1,4", as the kernel writes it; returns out. */
enum { SWEEP_CPUS_BYTES = 512 };
const char *sweep_cpus_format(const cpu_set_t *cpus, char out[SWEEP_CPUS_BYTES]);

/* Makes the certificates and authority of this kind in the directory, once for all runs. Returns 0,
 * or -1 and why this OpenSSL cannot. */
int sweep_run_make_certificate(const struct sweep_settings *settings,
                               const struct sweep_certificate *certificate, struct error *error);

/* The load's report, a new reference; NULL and a sentence when the run went wrong or was stopped.
 * Whatever happens, no child is left. */
json_t *sweep_run(const struct sweep_settings *settings, const struct sweep_cell *cell,
                  struct error *error);
