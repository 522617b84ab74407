/* A file that is written, which is whole or not there: written beside its name and renamed at the
 * end, so that a full disk, a signal or a crash leaves what was there before. */
#pragma once

#include <limits.h>
#include <stdio.h>
#include <sys/types.h>

#include <jansson.h>

struct error;

/* Zeroed: none. */
struct output_file {
    FILE *stream;        /* NULL: none, or ended */
    const char *name;    /* borrowed */
    char part[PATH_MAX]; /* NAME.NUMBER.part, this run's own; "": written in place */
};

/* "-" is standard output; it, pipes and devices are written in place. Returns 0, or -1 and a
 * sentence that names the file. */
int output_file_open(struct output_file *file, const char *name, struct error *error);
/* Likewise, for a file that only those may read whom `mode` names, whoever might read an old one.
 */
int output_file_open_as(struct output_file *file, const char *name, mode_t mode,
                        struct error *error);

/* Closes it and gives it its name. Returns 0, or -1 and a sentence; then nothing is left of it. */
int output_file_keep(struct output_file *file, struct error *error);

/* Writes the document and keeps the file; likewise. */
int output_file_keep_json(struct output_file *file, const json_t *document, size_t flags,
                          struct error *error);

/* Drops what was written; fine when zeroed, kept or dropped before. */
void output_file_drop(struct output_file *file);
