/* The text report's table of times. */
#pragma once

#include "report/figures.h"

void text_print_latency(FILE *out, const struct report_input *input,
                        const struct report_figures *figures);
