#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/inherited.h"
#include "server/server.h"

static void set_environment(long process, const char *count)
{
    char text[32];

    snprintf(text, sizeof(text), "%ld", process);
    setenv("LISTEN_PID", text, 1);
    setenv("LISTEN_FDS", count, 1);
}

/* In a process of its own, as descriptors 3 and 4 are the test runner's. Returns its exit status:
 * the number of the first check that failed. */
static int check_in_child(void)
{
    struct server_config *config = calloc(1, sizeof(*config));
    struct error error = {0};

    /* Any descriptors will do: the server looks at them, this does not. */
    dup2(STDERR_FILENO, 3);
    dup2(STDERR_FILENO, 4);
    set_environment(getpid(), "2");
    if (inherited_listeners_add(config, &error) != 0) {
        return 1;
    }
    if (config->listener_count != 2) {
        return 2;
    }
    if (!config->listeners[1].is_inherited || config->listeners[1].descriptor != 4) {
        return 3;
    }
    return fcntl(4, F_GETFD) & FD_CLOEXEC ? 0 : 4;
}

Test(inherited, sockets_meant_for_this_process_become_listeners)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        _exit(check_in_child());
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), 0, "check %d failed", WEXITSTATUS(status));
}

Test(inherited, sockets_meant_for_another_process_do_not)
{
    struct server_config *config = calloc(1, sizeof(*config));
    struct error error = {0};

    set_environment(getppid(), "2");
    cr_assert_eq(inherited_listeners_add(config, &error), 0);
    cr_assert_eq(config->listener_count, 0);
    unsetenv("LISTEN_PID");
    cr_assert_eq(inherited_listeners_add(config, &error), 0);
    cr_assert_eq(config->listener_count, 0);
    free(config);
}

Test(inherited, counts_that_cannot_be_are_refused)
{
    static const char *const counts[] = {"many", "-1", "17", "900"};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct server_config *config = calloc(1, sizeof(*config));
        struct error error = {0};

        set_environment(getpid(), counts[i]);
        cr_assert_eq(inherited_listeners_add(config, &error), -1, "%s", counts[i]);
        cr_assert_not_null(strstr(error.text, "LISTEN_FDS"), "%s", error.text);
        free(config);
    }
}
