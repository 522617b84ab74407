/* Numbers with units, as people type and read them. The decimal point is '.', whatever the
 * locale. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct error;

/* Parses "10", "10k", "2.5M", "16Ki", "1GB": k, M, G are powers of 1000, Ki, Mi, Gi of 1024, in
 * either case, and a trailing B is allowed. A negative number, a fraction of one, an overflow or an
 * unknown unit is an error that says which units there are. Returns 0 or -1. */
int units_parse_count(const char *text, uint64_t *out_count, struct error *error);

/* Parses "10ms", "1.5s", "2m" (minutes), "1h", "250us", "80ns" into nanoseconds; a bare number is
 * seconds. Errors as above. Returns 0 or -1. */
int units_parse_duration(const char *text, uint64_t *out_ns, struct error *error);

enum { UNITS_TEXT_BYTES = 32 };

/* Each writes a short text such as "1.25 GB", "83.4 k", "1.27 ms" into `out` and returns it: three
 * significant digits, powers of 1000; whole numbers below 1000 have no fraction ("64 B", "7"). */
const char *units_format_bytes(double bytes, char out[UNITS_TEXT_BYTES]);
const char *units_format_count(double count, char out[UNITS_TEXT_BYTES]);
const char *units_format_duration(double ns, char out[UNITS_TEXT_BYTES]);
