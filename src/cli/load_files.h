/* What a load run writes besides its report: --csv and --percentiles. */
#pragma once

#include "cli/output_file.h"
#include "load/result.h"

struct error;

/* Zeroed: neither was asked for. */
struct load_files {
    struct output_file csv;
    const char *percentiles_name; /* borrowed */
};

/* Opens, before the run, what can be opened then. Either name may be NULL. Returns 0 or -1. */
int load_files_open(struct load_files *files, const char *csv_name, const char *percentiles_name,
                    struct error *error);

/* Percentiles go to one file for each phase that was seen: of "lat.hgrm" to "lat.message.hgrm",
 * since a plotter wants one table a file. Returns 0 or -1. */
int load_files_write(struct load_files *files, const struct load_result *result,
                     struct error *error);

void load_files_close(struct load_files *files);
