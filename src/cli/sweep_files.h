/* Where a study lives: its results in a file that is whole at any time, its certificates and
 * sockets in a directory of its own. */
#pragma once

#include <stdbool.h>

#include "sweep/study.h"

struct error;

/* Before the first run: reads the file when it is to be resumed (none yet is a fresh start), and
 * else refuses to write over an interrupted study. NULL: no file. Returns 0 or -1. */
int sweep_files_open(struct sweep_study *study, const char *json_file, bool resume,
                     struct error *error);

/* Writes the study beside the file and puts that in its place. Returns 0 or -1. */
int sweep_files_save(const struct sweep_study *study, const char *json_file, struct error *error);

int sweep_files_write_csv(const struct sweep_study *study, const char *csv_file,
                          struct error *error);

/* A new directory for us alone; its name is in `out`, short enough for Unix sockets in it. */
enum { SWEEP_DIRECTORY_BYTES = 80 };
int sweep_directory_make(char out[SWEEP_DIRECTORY_BYTES], struct error *error);
/* With all that is in it; harmless when it was not made. */
void sweep_directory_remove(const char *name);
