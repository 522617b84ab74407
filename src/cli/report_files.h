/* Results of `tlsdyno load -J` and `tlsdyno sweep`, read back. */
#pragma once

#include "report/compare.h"

struct error;

/* Says what is wrong with a document, without the file's name. */
typedef int report_file_check(const json_t *document, struct error *error);

/* One file, which `check` has accepted; a new reference. NULL and a sentence that names the file.
 */
json_t *report_file_read(const char *name, report_file_check *check, struct error *error);

/* Adds a file's report, or those of all files in a directory whose names end in .json, by name.
 * Returns 0, or -1 and a sentence that names the file and what is wrong with it; what was added
 * stays either way. */
int report_files_add(const char *path, struct compare_side *side, struct error *error);

/* The same for names that commas separate. */
int report_files_add_list(const char *paths, struct compare_side *side, struct error *error);

void report_files_release(struct compare_side *side);
