/* Values of a report that was read from a file. */
#pragma once

#include <jansson.h>

/* What "a.b.c" leads to; NULL when a step is missing or not an object. */
const json_t *compare_find(const json_t *report, const char *path);

/* NAN for what is not a number. */
double compare_number(const json_t *value);
