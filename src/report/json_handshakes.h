/* "handshakes" of the JSON report. */
#pragma once

#include <jansson.h>

#include "report/figures.h"

/* null over plain TCP. */
json_t *json_handshakes(const struct load_plan *plan, const struct load_result *result,
                        const struct report_figures *figures);
