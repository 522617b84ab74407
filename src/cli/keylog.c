#include "cli/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"

/* Nobody else may be able to read it, nor have laid it out to be read later. */
static int check_private(int descriptor, const char *file, struct error *error)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0) {
        return error_set(error, "cannot write %s: %m", file);
    }
    if (!S_ISREG(status.st_mode)) {
        return error_set(error, "%s is not a regular file", file);
    }
    if (status.st_uid != geteuid()) {
        return error_set(error, "%s belongs to somebody else, who could read the secrets in it",
                         file);
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return error_set(error, "others may read %s: make it private with `chmod 600 %s`", file,
                         file);
    }
    return 0;
}

int keylog_open(struct keylog *keylog, const char *file, struct error *error)
{
    int descriptor =
        open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (descriptor < 0) {
        return errno == ELOOP
                   ? error_set(error, "%s is a symbolic link: name the file itself", file)
                   : error_set(error, "cannot write %s: %m", file);
    }
    if (check_private(descriptor, file, error) != 0) {
        close(descriptor);
        return -1;
    }
    *keylog = (struct keylog){.is_open = true, .descriptor = descriptor};
    return 0;
}

void keylog_close(struct keylog *keylog)
{
    if (keylog->is_open) {
        close(keylog->descriptor);
        keylog->is_open = false;
    }
}

void keylog_write(void *keylog, const char *line)
{
    const struct keylog *self = keylog;
    struct iovec parts[] = {{(void *)line, strlen(line)}, {(void *)"\n", 1}};

    /* One call appends one line, so threads need no lock. A full disk costs the capture, not the
     * connection. */
    if (writev(self->descriptor, parts, 2) < 0) {
        return;
    }
}
