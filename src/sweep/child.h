/* Another program, or this one again, as a child: started on CPUs of its own, its lines awaited,
 * its output kept, stopped in good order. A study so runs exactly what a person would type, and the
 * CPU time of each side is that of a process. One thread. */
#pragma once

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

/* A command line, as texts that it owns. */
enum { CHILD_ARGUMENTS_MAX = 96, CHILD_ARGUMENTS_BYTES = 8192 };

struct child_arguments {
    const char *words[CHILD_ARGUMENTS_MAX + 1]; /* ended by NULL, as execv(3) wants them */
    size_t count;
    char text[CHILD_ARGUMENTS_BYTES];
    size_t text_bytes;
};

/* Appends one word. What does not fit is a mistake in the caller's bounds, and asserted. */
void child_argument(struct child_arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct child_options {
    const struct child_arguments *arguments; /* words[0] is the program's name for itself */
    const char *program;                     /* NULL: this program, /proc/self/exe */
    const cpu_set_t *cpus;                   /* to be kept to; NULL: those of the caller */
    const char *network_namespace; /* a file to enter, "/run/netns/NAME"; NULL: the caller's */
    const atomic_bool *stop;       /* set from elsewhere: waiting ends soon; NULL: nobody does */
};

/* What it printed, ended by a zero byte. */
struct child_text {
    char *bytes; /* NULL: nothing yet */
    size_t count;
    size_t room;
};

struct child {
    pid_t pid;
    int process;            /* pidfd; -1: it is not running, or there is none */
    int output;             /* the reading end of its standard output; -1: at its end */
    int errors;             /* memory that its standard error goes to; -1: none */
    struct child_text text; /* of standard output */
    const atomic_bool *stop;
    int wait_status; /* as waitpid(2) has it, once it has ended */
};

/* Starts it in a process group of its own, so that Ctrl-C reaches the parent alone, which decides;
 * it dies with the thread that started it. Standard input is /dev/null. Returns 0, or -1 and a
 * sentence with nothing left behind. child_close() in the end. */
int child_start(struct child *child, const struct child_options *options, struct error *error);

/* Waits until it has printed a whole line that begins with `prefix`, and returns the rest of the
 * output from behind that prefix on; good until the next call. NULL and a sentence when it ends
 * before, or the time is over, or someone wants to stop. */
const char *child_wait_line(struct child *child, const char *prefix, uint64_t timeout_ns,
                            struct error *error);

/* Waits until it has ended and all its output is in child->text. Returns its exit status; -1 and a
 * sentence when it was killed, or the time is over, or someone wants to stop. It may then still be
 * running. */
int child_wait(struct child *child, uint64_t timeout_ns, struct error *error);

/* What it last said on standard error, without the "tlsdyno: " before it; "" when nothing. */
enum { CHILD_COMPLAINT_BYTES = 400 };
const char *child_complaint(const struct child *child, char out[CHILD_COMPLAINT_BYTES]);

/* Asks it to end (SIGINT, which ends a server at once), insists after two seconds, and frees
 * everything. Harmless when it has ended, and when it was zeroed or has never started. */
void child_close(struct child *child);
