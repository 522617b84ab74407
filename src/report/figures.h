/* Every number of a report that is computed rather than counted, so that text and JSON cannot
 * differ. NAN: not measured in this run, or not known. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "report/report.h"
#include "report/server_side.h"
#include "report/verdict.h"

/* One side's CPU time, and what it bought. */
struct report_cost {
    double cpu_seconds;
    double busiest; /* thread or worker, CPU time over wall time, 0-1 */
    double cpu_seconds_per_handshake;
    double cpu_seconds_per_message;
    double cpu_seconds_per_gib; /* of plaintext, both directions */
    double handshakes_per_cpu_second;
    double messages_per_cpu_second;
};

struct report_figures {
    bool succeeded;
    bool has_handshakes; /* the mode is about them, or some happened in the measured time */
    bool has_messages;   /* the mode counts answers */
    bool has_bytes;      /* plaintext moved */
    uint64_t handshakes; /* completed; over plain TCP: connections */
    double handshakes_per_second;
    double full_per_second;
    double resumed_per_second;
    double resumed_share; /* really resumed, of those that offered a session */
    double early_share;   /* accepted, of those that sent early data */
    double stapled_share; /* came and were verified as good, of full handshakes that asked */
    double messages_per_second;
    /* Open loop; elsewhere NAN and false. Of a Poisson schedule as many are due as it threw. */
    double achieved_per_second;
    double achieved_share; /* of what was due in the measured time */
    bool rate_missed;      /* by more than 1% of it, and by more than one */
    double bytes_in_per_second;
    double bytes_out_per_second;
    double overhead_in; /* wire bytes over plaintext bytes, less 1 */
    double overhead_out;
    struct report_cost client;
    struct report_cost server; /* all NAN unless server_known */
    bool server_known;
    struct server_side server_side;
    struct server_memory server_memory; /* from before the run to the measured time's end */
    double server_handshakes;           /* as `handshakes`, counted by the server */
    struct error server_error;          /* why not; empty when nobody asked */
    struct verdict_evidence evidence;
    enum verdict_kind verdict;
};

void report_figures_compute(struct report_figures *out, const struct report_input *input);
