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

static void cleanse_free(uint8_t *bytes, size_t count)
{
    if (bytes) {
        explicit_bzero(bytes, count);
        free(bytes);
    }
}

/* Into a buffer that grows as the file needs: a pipe has no size. Returns 0 or -1; the
 * buffer is the caller's in either case. */
static int read_whole(int descriptor, uint8_t **out, size_t *out_count)
{
    size_t room = 0;
    ssize_t got;

    do {
        if (*out_count == room) {
            /* No realloc: it would leave the old bytes behind. */
            uint8_t *grown = room < FILE_BYTES_MAX ? malloc(room * 2 + 4096) : NULL;

            if (!grown) {
                errno = room < FILE_BYTES_MAX ? ENOMEM : EFBIG;
                return -1;
            }
            if (room > 0) {
                memcpy(grown, *out, room);
            }
            cleanse_free(*out, room);
            *out = grown;
            room = room * 2 + 4096;
        }
        got = read(descriptor, *out + *out_count, room - *out_count);
        if (got < 0) {
            return -1;
        }
        *out_count += (size_t)got;
    } while (got > 0);
    return 0;
}

const void *blobs_add_file(struct blobs *blobs, const char *file, size_t *out_bytes,
                           struct error *error)
{
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    uint8_t *bytes = NULL;
    const void *blob = NULL;
    size_t count = 0;

    if (descriptor < 0 || read_whole(descriptor, &bytes, &count) != 0) {
        error_set(error, "cannot read %s: %s", file, strerror(errno));
    } else if (!(blob = blobs_add(blobs, bytes, count))) {
        error_set(error, "no memory for %s", file);
    } else {
        *out_bytes = count;
    }
    cleanse_free(bytes, count);
    if (descriptor >= 0) {
        close(descriptor);
    }
    return blob;
}
