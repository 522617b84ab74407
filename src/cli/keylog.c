#include "cli/keylog.h"

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"

int keylog_open(struct keylog *keylog, const char *file, struct error *error)
{
    int descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (descriptor < 0) {
        return error_set(error, "cannot write %s: %m", file);
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
