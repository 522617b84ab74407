/* Small results, as the page reads them from files. */
#pragma once

#include <jansson.h>

/* New references. */
json_t *results_load(void);
json_t *results_sweep(void);

/* Puts a value, which it takes over, at "a.b.0.c"; NULL takes away what is there. */
void results_set(json_t *document, const char *path, json_t *value);
