/* What `tlsdyno limit` found, for a person and for a program. */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "cli/limit_rows.h"

/* At most 96 columns. */
void limit_text(FILE *out, const struct limit *limit);

/* Schema "tlsdyno-limit/1" (docs/schema), but for what the caller knows: a new reference; NULL when
 * memory is out. */
json_t *limit_json(const struct limit *limit);
