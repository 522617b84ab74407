/* The upper part of the text report: what ran against what, and what the two agreed on. */
#pragma once

#include <stdio.h>

#include "report/figures.h"

void text_print_head(FILE *out, const struct report_input *input,
                     const struct report_figures *figures);
void text_print_negotiated(FILE *out, const struct load_result *result);
