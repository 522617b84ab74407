/* Copies of strings and bytes that live and die together: of a configuration and the contexts made
 * from it, of one request to connect. They may be secret and are cleansed. */
#pragma once

#include <stddef.h>

struct blobs; /* opaque; adding: one thread at a time; references: any */

struct blobs *blobs_new(void); /* NULL: out of memory */
struct blobs *blobs_ref(struct blobs *blobs);
void blobs_free(struct blobs *blobs); /* gives one reference back; accepts NULL */

struct error;

/* A copy with a NUL behind it; NULL when memory is out. */
const void *blobs_add(struct blobs *blobs, const void *bytes, size_t count);
const char *blobs_add_text(struct blobs *blobs, const char *text); /* NULL: NULL */

/* A whole file, with a NUL behind it. NULL and a sentence that names it. */
const void *blobs_add_file(struct blobs *blobs, const char *file, size_t *out_bytes,
                           struct error *error);
