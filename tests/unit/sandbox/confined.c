#include "confined.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_BYTES = 512 };

static void report(int descriptor, const char *what, int got, int expected)
{
    char text[REPORT_BYTES];
    int bytes = snprintf(text, sizeof text, "%s: errno %d, not %d", what, got, expected);

    if (write(descriptor, text, (size_t)bytes) < 0) {
        _exit(2);
    }
}

static void make_attempts(int descriptor, int (*give_up)(void), const struct attempt *attempts,
                          size_t count)
{
    if (give_up() != 0) {
        report(descriptor, "giving up", errno, 0);
        _exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        int got = attempts[i].make();

        if (got != attempts[i].expected) {
            report(descriptor, attempts[i].what, got, attempts[i].expected);
            _exit(1);
        }
    }
    _exit(0);
}

void confined_expect(int (*give_up)(void), const struct attempt *attempts, size_t count)
{
    char text[REPORT_BYTES] = "";
    int ends[2];
    int status;
    pid_t child;

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        make_attempts(ends[1], give_up, attempts, count);
    }
    close(ends[1]);
    (void)!read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0, "%s (status %#x)", text, (unsigned)status);
}

int try_open(const char *path, int flags)
{
    int descriptor = open(path, flags | O_CLOEXEC, 0600);

    if (descriptor < 0) {
        return errno;
    }
    close(descriptor);
    return 0;
}
