/* Values of the JSON report. jansson's "o" takes over the reference given, also when packing fails,
 * and a NULL given makes it fail: so each function passes its result on and report_json() alone
 * sees the failure. */
#pragma once

#include <stdint.h>

#include <jansson.h>

json_t *json_number(double value); /* null for what is not finite */
json_t *json_count(uint64_t value);
json_t *json_count_filled(uint64_t value); /* null for 0, which stands for "not known" */

/* null for NULL. What is not UTF-8 (jansson insists on it) keeps its ASCII characters. */
json_t *json_text(const char *text);
json_t *json_text_filled(const char *text); /* null also for "": "not known" or "there was none" */

/* Appends what it takes over; frees the array when that fails and returns NULL, which later calls
 * accept. */
json_t *json_append(json_t *array, json_t *item);
