#include "sweep/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

enum {
    READ_BYTES = 64 * 1024,
    OUTPUT_BYTES_MAX = 64 * 1024 * 1024, /* a report has some hundred KiB */
    POLL_MS = 100,                       /* how often to look whether someone wants to stop */
    STATUS_NOT_STARTED = 127,            /* as a shell says it */
};

static const uint64_t PATIENCE_NS = 2ull * 1000 * 1000 * 1000;

void child_argument(struct child_arguments *arguments, const char *format, ...)
{
    char *start = arguments->text + arguments->text_bytes;
    size_t room = sizeof(arguments->text) - arguments->text_bytes;
    va_list list;
    int length;

    va_start(list, format);
    length = vsnprintf(start, room, format, list);
    va_end(list);
    assert(length >= 0 && (size_t)length < room && arguments->count < CHILD_ARGUMENTS_MAX);
    arguments->text_bytes += (size_t)length + 1;
    arguments->words[arguments->count++] = start;
    arguments->words[arguments->count] = NULL;
}

/* ---- In the child, before it becomes the other program ---- */

static _Noreturn void give_up(const char *what)
{
    dprintf(STDERR_FILENO, "cannot start: %s: %s\n", what, strerror(errno));
    _exit(STATUS_NOT_STARTED);
}

static void enter_namespace(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0 || setns(descriptor, CLONE_NEWNET) != 0) {
        give_up(path);
    }
    close(descriptor);
}

static void restore_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_DFL); /* an ignored signal stays ignored in the new program */
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

static _Noreturn void become(const struct child_options *options, pid_t parent, int output,
                             int errors)
{
    const char *program = options->program != NULL ? options->program : "/proc/self/exe";
    int input = open("/dev/null", O_RDONLY);

    if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0) {
        give_up("its standard streams");
    }
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(STATUS_NOT_STARTED); /* it died before it could matter to us */
    }
    if (options->cpus != NULL && sched_setaffinity(0, sizeof(cpu_set_t), options->cpus) != 0) {
        give_up("its CPUs");
    }
    if (options->network_namespace != NULL) {
        enter_namespace(options->network_namespace);
    }
    restore_signals();
    execv(program, (char *const *)options->arguments->words);
    give_up(program);
}

/* ---- In the parent ---- */

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0) {
        close(*descriptor);
    }
    *descriptor = -1;
}

/* Pipe and memory for its output. */
static int open_streams(struct child *child, int *out_write_end)
{
    int pipe_ends[2];

    child->errors = memfd_create("standard error", MFD_CLOEXEC);
    if (child->errors < 0 || pipe2(pipe_ends, O_CLOEXEC) != 0) {
        close_descriptor(&child->errors);
        return -1;
    }
    child->output = pipe_ends[0];
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    *out_write_end = pipe_ends[1];
    return 0;
}

int child_start(struct child *child, const struct child_options *options, struct error *error)
{
    const char *name = options->arguments->words[0];
    pid_t parent = getpid();
    int write_end;

    *child = (struct child){.process = -1, .stop = options->stop};
    if (open_streams(child, &write_end) != 0) {
        return error_set(error, "cannot start %s: %m", name);
    }
    child->pid = fork();
    if (child->pid == 0) {
        become(options, parent, write_end, child->errors);
    }
    close(write_end);
    if (child->pid > 0) {
        child->process = pidfd_open(child->pid, 0);
    }
    if (child->process < 0) {
        error_set(error, "cannot start %s: %m", name);
        if (child->pid > 0) {
            kill(child->pid, SIGKILL);
            waitpid(child->pid, NULL, 0);
        }
        close_descriptor(&child->output);
        close_descriptor(&child->errors);
        child->pid = 0;
        return -1;
    }
    return 0;
}

/* Without memory the rest is lost; whoever reads the text will miss its end. */
static void append(struct child_text *text, const char *bytes, size_t count)
{
    if (text->count + count + 1 > text->room) {
        size_t room = 2 * (text->count + count + 1);
        char *grown = room <= OUTPUT_BYTES_MAX ? realloc(text->bytes, room) : NULL;

        if (grown == NULL) {
            return;
        }
        text->bytes = grown;
        text->room = room;
    }
    memcpy(text->bytes + text->count, bytes, count);
    text->count += count;
    text->bytes[text->count] = '\0';
}

/* Takes what the pipe has now, to its end. */
static void read_output(struct child *child)
{
    char bytes[READ_BYTES];
    ssize_t count;

    while (child->output >= 0) {
        count = read(child->output, bytes, sizeof(bytes));
        if (count > 0) {
            append(&child->text, bytes, (size_t)count);
        } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
            close_descriptor(&child->output);
        } else {
            return;
        }
    }
}

/* Once it has ended. */
static void reap(struct child *child)
{
    if (child->process >= 0 && waitpid(child->pid, &child->wait_status, WNOHANG) == child->pid) {
        read_output(child);
        close_descriptor(
            &child->output); /* a grandchild may hold the other end: not our business */
        close_descriptor(&child->process);
    }
}

static bool shall_stop(const struct child *child)
{
    return child->stop != NULL && atomic_load_explicit(child->stop, memory_order_relaxed);
}

/* Waits for output or the end, and takes it. */
static void step(struct child *child)
{
    struct pollfd watched[] = {{.fd = child->output, .events = POLLIN},
                               {.fd = child->process, .events = POLLIN}};

    poll(watched, 2, POLL_MS); /* negative descriptors are passed over */
    read_output(child);
    reap(child);
}

/* 0 while there is reason to wait; else -1 and a sentence. */
static int check_patience(const struct child *child, uint64_t deadline_ns, struct error *error)
{
    if (shall_stop(child)) {
        return error_set(error, "interrupted");
    }
    if (clock_now_ns() >= deadline_ns) {
        return error_set(error, "gave up waiting for it");
    }
    return 0;
}

static const char *find_line(const struct child_text *text, const char *prefix)
{
    const char *line = text->bytes;
    const char *end;

    while (line != NULL && (end = strchr(line, '\n')) != NULL) {
        if (strncmp(line, prefix, strlen(prefix)) == 0) {
            return line + strlen(prefix);
        }
        line = end + 1;
    }
    return NULL;
}

static int explain_end(const struct child *child, struct error *error)
{
    char complaint[CHILD_COMPLAINT_BYTES];

    child_complaint(child, complaint);
    if (complaint[0] != '\0') {
        return error_set(error, "%s", complaint);
    }
    if (WIFSIGNALED(child->wait_status)) {
        return error_set(error, "killed by signal %d (%s)", WTERMSIG(child->wait_status),
                         strsignal(WTERMSIG(child->wait_status)));
    }
    return error_set(error, "it ended with status %d and said nothing",
                     WEXITSTATUS(child->wait_status));
}

const char *child_wait_line(struct child *child, const char *prefix, uint64_t timeout_ns,
                            struct error *error)
{
    uint64_t deadline_ns = clock_now_ns() + timeout_ns;
    const char *rest;

    while ((rest = find_line(&child->text, prefix)) == NULL) {
        if (child->process < 0) {
            explain_end(child, error);
            return NULL;
        }
        if (check_patience(child, deadline_ns, error) != 0) {
            return NULL;
        }
        step(child);
    }
    return rest;
}

int child_wait(struct child *child, uint64_t timeout_ns, struct error *error)
{
    uint64_t deadline_ns = clock_now_ns() + timeout_ns;

    while (child->process >= 0) {
        if (check_patience(child, deadline_ns, error) != 0) {
            return -1;
        }
        step(child);
    }
    return WIFEXITED(child->wait_status) ? WEXITSTATUS(child->wait_status)
                                         : explain_end(child, error);
}

const char *child_complaint(const struct child *child, char out[CHILD_COMPLAINT_BYTES])
{
    static const char name[] = "tlsdyno: ";
    char tail[CHILD_COMPLAINT_BYTES];
    off_t size = lseek(child->errors, 0, SEEK_END);
    off_t start = size < (off_t)sizeof(tail) ? 0 : size - (off_t)sizeof(tail) + 1;
    ssize_t count = pread(child->errors, tail, sizeof(tail) - 1, start);
    char *line = tail;

    count = count > 0 ? count : 0;
    while (count > 0 && tail[count - 1] == '\n') {
        count--;
    }
    tail[count] = '\0';
    if (strrchr(tail, '\n') != NULL) {
        line = strrchr(tail, '\n') + 1;
    }
    if (strncmp(line, name, strlen(name)) == 0) {
        line += strlen(name);
    }
    memmove(out, line, strlen(line) + 1);
    return out;
}

static void end(struct child *child)
{
    uint64_t deadline_ns = clock_now_ns() + PATIENCE_NS;

    kill(child->pid, SIGINT);
    while (child->process >= 0 && clock_now_ns() < deadline_ns) {
        step(child);
    }
    if (child->process >= 0) {
        kill(child->pid, SIGKILL);
        waitpid(child->pid, &child->wait_status, 0);
        close_descriptor(&child->process);
    }
}

void child_close(struct child *child)
{
    if (child->pid <= 0) {
        return;
    }
    if (child->process >= 0) {
        end(child);
    }
    close_descriptor(&child->output);
    close_descriptor(&child->errors);
    free(child->text.bytes);
    *child = (struct child){0};
}
