/* What a study keeps of a run's report: figures, and what was negotiated. The report comes from
 * another process, so nothing in it is taken for granted. Pure functions. */
#pragma once

#include <jansson.h>

#include "sweep/matrix.h"
#include "sweep/possible.h"

enum sweep_figure {
    SWEEP_HANDSHAKES_PER_SECOND,
    SWEEP_MESSAGES_PER_SECOND,
    SWEEP_GOODPUT,
    SWEEP_HANDSHAKE_SECONDS,
    SWEEP_FIRST_BYTE_SECONDS,
    SWEEP_MESSAGE_SECONDS,
    SWEEP_LATENCY_P99_SECONDS,
    SWEEP_RECORD_BYTES_MEAN,
    SWEEP_OVERHEAD_SHARE,
    SWEEP_SERVER_CPU_PER_BYTE,
    SWEEP_CLIENT_CPU_PER_BYTE,
    SWEEP_SERVER_CPU_PER_HANDSHAKE,
    SWEEP_CLIENT_CPU_PER_HANDSHAKE,
    SWEEP_SERVER_CPU_PER_MESSAGE,
    SWEEP_CLIENT_CPU_PER_MESSAGE,
    SWEEP_SERVER_BUSY_SHARE,
    SWEEP_CLIENT_BUSY_SHARE,
    SWEEP_ERRORS,
    SWEEP_FIGURE_COUNT,
};

const char *sweep_figure_name(enum sweep_figure figure); /* "goodput_bytes_per_second" */

/* All figures of one run; NAN: not measured. */
void sweep_figures_read(const json_t *report, enum load_mode mode, double out[SWEEP_FIGURE_COUNT]);

/* By all connections of a run alike; "": the report does not say. */
struct sweep_negotiated {
    char version[SWEEP_TEXT_BYTES];
    char suite[SWEEP_TEXT_BYTES];
    char group[SWEEP_TEXT_BYTES];
    char signature[SWEEP_TEXT_BYTES];
    char certificate[SWEEP_TEXT_BYTES];
};

/* Reads what was negotiated, and checks that it is what the cell asked for, for every connection,
 * and that no answer was corrupt. Returns 0, or -1 and a sentence. */
int sweep_negotiated_read(const json_t *report, const struct sweep_capabilities *capabilities,
                          const struct sweep_cell *cell, struct sweep_negotiated *out,
                          struct error *error);
