#include "api/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

enum { FILE_BYTES_MAX = 16 * 1024 * 1024 };

struct blob {
    struct blob *next;
    size_t count;
    uint8_t bytes[];
};

struct blobs {
    _Atomic unsigned references;
    struct blob *first;
};

struct blobs *blobs_new(void)
{
    struct blobs *blobs = calloc(1, sizeof *blobs);

    if (blobs) {
        atomic_init(&blobs->references, 1);
    }
    return blobs;
}

struct blobs *blobs_ref(struct blobs *blobs)
{
    atomic_fetch_add(&blobs->references, 1);
    return blobs;
}

void blobs_free(struct blobs *blobs)
{
    if (!blobs || atomic_fetch_sub(&blobs->references, 1) > 1) {
        return;
    }
    while (blobs->first) {
        struct blob *blob = blobs->first;

        blobs->first = blob->next;
        explicit_bzero(blob->bytes, blob->count);
        free(blob);
    }
    free(blobs);
}

const void *blobs_add(struct blobs *blobs, const void *bytes, size_t count)
{
    struct blob *blob = count < SIZE_MAX - sizeof *blob ? malloc(sizeof *blob + count + 1) : NULL;

    if (!blob) {
        return NULL;
    }
    if (count > 0) {
        memcpy(blob->bytes, bytes, count);
    }
    blob->bytes[count] = 0;
    blob->count = count;
    blob->next = blobs->first;
    blobs->first = blob;
    return blob->bytes;
}

const char *blobs_add_text(struct blobs *blobs, const char *text)
{
    return text ? blobs_add(blobs, text, strlen(text)) : NULL;
}

/* Into a buffer that grows as the file needs: a pipe has no size. Returns the count, or -1. */
static ssize_t read_whole(int descriptor, uint8_t **out)
{
    size_t room = 0;
    size_t count = 0;
    ssize_t got;

    do {
        if (count == room) {
            uint8_t *grown = room < FILE_BYTES_MAX ? realloc(*out, room * 2 + 4096) : NULL;

            if (!grown) {
                errno = room < FILE_BYTES_MAX ? ENOMEM : EFBIG;
                return -1;
            }
            *out = grown;
            room = room * 2 + 4096;
        }
        got = read(descriptor, *out + count, room - count);
        if (got < 0) {
            return -1;
        }
        count += (size_t)got;
    } while (got > 0);
    return (ssize_t)count;
}

const void *blobs_add_file(struct blobs *blobs, const char *file, size_t *out_bytes,
                           struct error *error)
{
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    uint8_t *bytes = NULL;
    const void *blob = NULL;
    ssize_t count = descriptor < 0 ? -1 : read_whole(descriptor, &bytes);

    if (count < 0) {
        error_set(error, "cannot read %s: %s", file, strerror(errno));
    } else if (!(blob = blobs_add(blobs, bytes, (size_t)count))) {
        error_set(error, "no memory for %s", file);
    } else {
        *out_bytes = (size_t)count;
        explicit_bzero(bytes, (size_t)count);
    }
    free(bytes);
    if (descriptor >= 0) {
        close(descriptor);
    }
    return blob;
}
