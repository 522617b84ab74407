#include "cli/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

enum { DEADLINE_MS = 30000, OUTPUT_BYTES_MAX = 16 << 20, COMPLAINT_BYTES = 200 };

/* Its three standard streams, as files in memory: a pipe could fill up and block either side. */
struct streams {
    int in, out, err;
};

static int streams_open(struct streams *streams, const char *script, struct error *error)
{
    size_t bytes = strlen(script);

    *streams = (struct streams){.in = memfd_create("script", MFD_CLOEXEC),
                                .out = memfd_create("picture", MFD_CLOEXEC),
                                .err = memfd_create("complaint", MFD_CLOEXEC)};
    if (streams->in < 0 || streams->out < 0 || streams->err < 0 ||
        write(streams->in, script, bytes) != (ssize_t)bytes ||
        lseek(streams->in, 0, SEEK_SET) != 0) {
        return error_set(error, "cannot make files in memory for gnuplot: %m");
    }
    return 0;
}

static void streams_close(const struct streams *streams)
{
    const int fds[] = {streams->in, streams->out, streams->err};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

/* Returns 0, or the error number. Only what it needs of the environment is passed on: GNUPLOT_...
 * would change what it does. */
static int start(const struct streams *streams, pid_t *out_pid)
{
    char path[4096] = "PATH=/usr/bin:/bin";
    char *const arguments[] = {"gnuplot", "--default-settings", "-", NULL};
    char *const environment[] = {path, "HOME=/", "LC_ALL=C.UTF-8", NULL};
    posix_spawn_file_actions_t actions;
    int outcome = posix_spawn_file_actions_init(&actions);

    if (outcome != 0) {
        return outcome;
    }
    if (getenv("PATH") != NULL) {
        snprintf(path, sizeof(path), "PATH=%s", getenv("PATH"));
    }
    outcome = posix_spawn_file_actions_adddup2(&actions, streams->in, STDIN_FILENO);
    outcome = outcome != 0
                  ? outcome
                  : posix_spawn_file_actions_adddup2(&actions, streams->out, STDOUT_FILENO);
    outcome = outcome != 0
                  ? outcome
                  : posix_spawn_file_actions_adddup2(&actions, streams->err, STDERR_FILENO);
    outcome = outcome != 0
                  ? outcome
                  : posix_spawnp(out_pid, "gnuplot", &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    return outcome;
}

/* Its wait status, or -1 after the deadline, when it has been killed. */
static int wait_for_end(pid_t pid)
{
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    int status = -1;
    bool in_time = ended.fd < 0 || poll(&ended, 1, DEADLINE_MS) > 0;

    if (!in_time) {
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (ended.fd >= 0) {
        close(ended.fd);
    }
    return in_time ? status : -1;
}

static char *read_all(int fd, size_t bytes_max)
{
    struct stat file;
    char *text;

    if (fstat(fd, &file) != 0) {
        return NULL;
    }
    size_t bytes = (size_t)file.st_size < bytes_max ? (size_t)file.st_size : bytes_max;

    text = malloc(bytes + 1);
    if (text == NULL || pread(fd, text, bytes, 0) != (ssize_t)bytes) {
        free(text);
        return NULL;
    }
    text[bytes] = '\0';
    return text;
}

char *gnuplot_draw(const char *script, struct error *error)
{
    struct streams streams;
    char *text = NULL;
    char *complaint = NULL;
    pid_t pid;
    int outcome;
    int status;

    if (streams_open(&streams, script, error) != 0) {
        goto out;
    }
    outcome = start(&streams, &pid);
    if (outcome != 0) {
        error_set(error, "cannot start gnuplot: %s", strerror(outcome));
        goto out;
    }
    status = wait_for_end(pid);
    if (status == 0) {
        text = read_all(streams.out, OUTPUT_BYTES_MAX);
        if (text == NULL) {
            error_set(error, "cannot read what gnuplot drew");
        }
        goto out;
    }
    complaint = read_all(streams.err, COMPLAINT_BYTES);
    error_set(error, "gnuplot %s%s%s", status == -1 ? "did not end in time" : "failed",
              complaint != NULL && complaint[0] != '\0' ? ": " : "",
              complaint != NULL ? complaint : "");
out:
    free(complaint);
    streams_close(&streams);
    return text;
}

bool gnuplot_is_there(struct error *error)
{
    char *text = gnuplot_draw("", NULL);

    free(text);
    if (text == NULL) {
        error_set(error,
                  "There is no gnuplot here to draw with: install gnuplot-nox (Debian, Ubuntu) or "
                  "gnuplot (Fedora, Arch) and write the report again. The tables are complete.");
    }
    return text != NULL;
}
