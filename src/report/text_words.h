/* Words and numbers of the text report. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/units.h"

enum {
    TEXT_COLUMNS = 96,      /* no line is longer, unless a single word is */
    TEXT_NAME_COLUMNS = 12, /* of the facts at the top; their text stands behind */
};

/* The text, wrapped at spaces; further lines are indented by `indent`, where its first one began. A
 * word that is longer than a line stands alone. Control characters, which may come from the peer,
 * are printed as '?'. */
void text_print_wrapped(FILE *out, const char *text, unsigned indent);

/* "  name        text" */
void text_print_fact(FILE *out, const char *name, const char *text);

/* Each writes into `out` and returns it. */
typedef const char *text_format(double value, char out[UNITS_TEXT_BYTES]);

const char *text_format_integer(uint64_t value, char out[UNITS_TEXT_BYTES]); /* "12,345" */
const char *text_format_whole(double value, char out[UNITS_TEXT_BYTES]);     /* likewise */
const char *text_format_rate(double value, char out[UNITS_TEXT_BYTES]);      /* from 1,000 up */
const char *text_format_seconds(double seconds, char out[UNITS_TEXT_BYTES]); /* "1.27 ms" */
const char *text_format_percent(double share, char out[UNITS_TEXT_BYTES]);   /* "97.0%" of 0.97 */

/* "-" for NAN, which stands for what is not known. */
const char *text_format_known(double value, text_format *format, char out[UNITS_TEXT_BYTES]);
