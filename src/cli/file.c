#include "cli/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int file_read(const char *name, size_t bytes_max, struct file_content *out, struct error *error)
{
    uint8_t *bytes = malloc(bytes_max + 1);
    FILE *file = bytes != NULL ? fopen(name, "re") : NULL;
    int outcome = -1;
    size_t count;

    if (file == NULL) {
        error_set(error, "cannot read %s: %m", name);
        goto out;
    }
    count = fread(bytes, 1, bytes_max + 1, file);
    if (ferror(file)) {
        error_set(error, "cannot read %s: %m", name);
    } else if (count > bytes_max) {
        error_set(error, "%s is larger than %zu bytes", name, bytes_max);
    } else {
        bytes[count] = '\0';
        *out = (struct file_content){.bytes = bytes, .count = count};
        bytes = NULL;
        outcome = 0;
    }
out:
    free(bytes);
    if (file != NULL) {
        fclose(file);
    }
    return outcome;
}

void file_content_free(struct file_content *content)
{
    if (content->bytes != NULL) {
        explicit_bzero(content->bytes, content->count);
        free(content->bytes);
    }
    *content = (struct file_content){0};
}
