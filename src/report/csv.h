/* A load run for a spreadsheet. */
#pragma once

#include <stdio.h>

#include "load/result.h"

/* A header, a row for each phase that was seen, with its latencies, and one for each interval, with
 * its counts; RFC 4180, '.' as the decimal point, empty where a row has no such value. */
void csv_write(FILE *out, const struct load_result *result);
