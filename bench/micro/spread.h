/* The middle of what repeated rounds found, and how far they lie apart. */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static inline int spread_compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Prints median and quartiles; puts the values in order. */
static inline void spread_print(const char *what, double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), spread_compare);
    printf("%-34s %10.3f  (%.3f to %.3f)\n", what, values[count / 2], values[count / 4],
           values[count * 3 / 4]);
}
