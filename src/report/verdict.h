/* What held the run back: pure functions of a few numbers. */
#pragma once

#include <stdbool.h>

enum verdict_kind {
    VERDICT_FAILED,        /* nothing succeeded, so nothing was measured */
    VERDICT_CLIENT_BOUND,  /* the load generator was at its limit: the server may be faster */
    VERDICT_SERVER_BOUND,  /* the server was, and the load generator was not */
    VERDICT_BOTH_BOUND,    /* each was */
    VERDICT_MACHINE_BOUND, /* neither alone, but together they used all CPUs that they share */
    VERDICT_RATE_KEPT,     /* an open loop's schedule was: the rate is the one asked for */
    VERDICT_NEITHER_BOUND, /* the run waited: for the network, for too few connections */
    VERDICT_UNKNOWN,       /* not the client; the server's counters are not known */
};

/* Shares are 0-1 of the time, NAN when not known. */
struct verdict_evidence {
    bool succeeded;
    double client_busiest; /* CPU time of the busiest load thread over wall time */
    double server_busiest; /* of the busiest server worker */
    double machine_busy;   /* both processes over all CPUs; NAN unless they share the machine */
    bool rate_kept;        /* open loop, and the rate was not missed */
};

/* A share above this counts as the whole: a saturated thread loses a little to the kernel's
 * interrupts and to its neighbours. */
static const double VERDICT_BUSY_SHARE = 0.95;

enum { VERDICT_TEXT_BYTES = 400 };

enum verdict_kind verdict_decide(const struct verdict_evidence *evidence);

/* "client-bound", "neither" ...; static. */
const char *verdict_name(enum verdict_kind kind);

/* A sentence or two that name the numbers behind the verdict; returns out. */
const char *verdict_explain(enum verdict_kind kind, const struct verdict_evidence *evidence,
                            char out[VERDICT_TEXT_BYTES]);
