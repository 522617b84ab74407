/* A row of values as a row of little bars. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One bar a value, from zero to the largest of them, in Unicode's block elements or, with `ascii`,
 * in punctuation. Negative values and NAN count as zero, which is drawn as an empty baseline. */
void sparkline_write(FILE *out, const double *values, size_t count, bool ascii);
