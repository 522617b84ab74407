#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum {
    MODE_USUAL = 0666, /* without the user's mask */
    NAMES_MAX = 100,   /* to be tried */
};

static int fail(const char *name, struct error *error)
{
    return error_set(error, "cannot write %s: %m", name);
}

/* Pipes and devices have nothing to rename; of a symbolic link, the file behind it is meant. */
static bool is_renamed(const char *name)
{
    struct stat status;

    return lstat(name, &status) != 0 || S_ISREG(status.st_mode);
}

/* As mkstemp(3), which knows no mode: another run may write the same file now, and what one that
 * was killed has left is not ours. Returns the descriptor, or -1. */
static int open_part(struct output_file *file, mode_t mode)
{
    int descriptor = -1;

    for (int i = 0; descriptor < 0 && i < NAMES_MAX; i++) {
        uint32_t number;
        int length;

        if (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
            break;
        }
        length =
            snprintf(file->part, sizeof(file->part), "%s.%08" PRIx32 ".part", file->name, number);
        if (length < 0 || (size_t)length >= sizeof(file->part)) {
            errno = ENAMETOOLONG;
            break;
        }
        descriptor = open(file->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (descriptor < 0 && errno != EEXIST) {
            break;
        }
    }
    if (descriptor < 0) {
        file->part[0] = '\0'; /* nothing that would have to be removed */
    }
    return descriptor;
}

static FILE *open_stream(struct output_file *file, mode_t mode)
{
    const int descriptor = is_renamed(file->name)
                               ? open_part(file, mode)
                               : open(file->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    FILE *stream = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;

    if (stream == NULL && descriptor >= 0) {
        close(descriptor);
    }
    return stream;
}

int output_file_open(struct output_file *file, const char *name, struct error *error)
{
    return output_file_open_as(file, name, MODE_USUAL, error);
}

int output_file_open_as(struct output_file *file, const char *name, mode_t mode,
                        struct error *error)
{
    *file = (struct output_file){.name = name};
    if (strcmp(name, "-") == 0) {
        file->stream = stdout;
        return 0;
    }
    file->stream = open_stream(file, mode);
    if (file->stream == NULL) {
        fail(name, error);
        output_file_drop(file);
        return -1;
    }
    return 0;
}

int output_file_keep(struct output_file *file, struct error *error)
{
    bool wrong = ferror(file->stream) != 0 || fflush(file->stream) != 0;

    if (file->stream == stdout) {
        file->stream = NULL;
        return wrong ? fail(file->name, error) : 0;
    }
    /* Some file systems find no room only now. */
    wrong = wrong || (file->part[0] != '\0' && fsync(fileno(file->stream)) != 0);
    wrong = fclose(file->stream) != 0 || wrong;
    file->stream = NULL;
    if (file->part[0] != '\0' && !wrong) {
        wrong = rename(file->part, file->name) != 0;
    }
    if (wrong) {
        fail(file->name, error);
        output_file_drop(file);
        return -1;
    }
    file->part[0] = '\0';
    return 0;
}

int output_file_keep_json(struct output_file *file, const json_t *document, size_t flags,
                          struct error *error)
{
    if (json_dumpf(document, file->stream, flags) != 0) {
        fail(file->name, error);
        output_file_drop(file);
        return -1;
    }
    fputc('\n', file->stream);
    return output_file_keep(file, error);
}

void output_file_drop(struct output_file *file)
{
    if (file->stream != NULL && file->stream != stdout) {
        fclose(file->stream);
    }
    file->stream = NULL;
    if (file->part[0] != '\0') {
        unlink(file->part);
        file->part[0] = '\0';
    }
}
