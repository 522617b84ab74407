/* Small files, read whole. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct error;

struct file_content {
    uint8_t *bytes; /* heap; a zero byte follows the last one */
    size_t count;
};

/* Reads a file or pipe of at most `bytes_max`. Returns 0, or -1 and a sentence that names it; then
 * there is nothing to free. */
int file_read(const char *name, size_t bytes_max, struct file_content *out, struct error *error);

/* Cleanses and frees; fine on zeroed memory. */
void file_content_free(struct file_content *content);
