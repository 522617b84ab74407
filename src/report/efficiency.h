/* How near a server came to what `tlsdyno limit` found possible on its machine. */
#pragma once

#include "report/figures.h"

struct error;

struct efficiency {
    double ceiling_per_second; /* operations a second of the server's CPU time; NAN: see obstacle */
    double share;              /* of it, 0-1, or more when the ceiling was measured badly; or NAN */
    const char *obstacle;      /* why there is none; NULL: there is. Static */
};

/* Refuses what is not of schema "tlsdyno-limit/1". Returns 0, or -1 and a sentence without the
 * file's name. */
int efficiency_check(const json_t *limit, struct error *error);

/* Finds the row of input->limit for what the run did and negotiated. */
void efficiency_compute(struct efficiency *out, const struct report_input *input,
                        const struct report_figures *figures);
