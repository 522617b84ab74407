#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "confined.h"
#include "sandbox/calls.h"

static int enforce(void)
{
    return sandbox_calls_enforce(false, NULL);
}

static int enforce_with_removal(void)
{
    return sandbox_calls_enforce(true, NULL);
}

static int read_file(void)
{
    return try_open("/etc/passwd", O_RDONLY);
}

static int write_file(void)
{
    return try_open("/dev/null", O_WRONLY);
}

static int make_file(void)
{
    return try_open("/tmp/tlsdyno-not-made", O_RDONLY | O_CREAT);
}

static int execute(void)
{
    char *const arguments[] = {(char *)"true", NULL};

    execv("/bin/true", arguments);
    return errno;
}

static int make_process(void)
{
    pid_t child = (pid_t)syscall(SYS_clone3, NULL, 0);

    return child < 0 ? errno : 0;
}

static int make_socket(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? errno : 0;
}

static int make_ring(void)
{
    char parameters[120] = {0};

    return syscall(SYS_io_uring_setup, 4, parameters) < 0 ? errno : 0;
}

static int map_program(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? errno : 0;
}

static int map_data(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return errno;
    }
    return mprotect(memory, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
}

static int signal_parent(void)
{
    return kill(getppid(), 0) < 0 ? errno : 0;
}

static int raise_own(void)
{
    signal(SIGUSR1, SIG_IGN);
    return raise(SIGUSR1) == 0 ? 0 : errno;
}

static int remove_nothing(void)
{
    return unlink("/nonexistent/file") == 0 ? 0 : errno;
}

static int trace(void)
{
    return syscall(SYS_process_vm_writev, 1, NULL, 0, NULL, 0, 0) < 0 ? errno : 0;
}

static const struct attempt refused[] = {
    {"opening for reading, which is not seccomp's matter", read_file, 0},
    {"opening for writing", write_file, EPERM},
    {"making a file", make_file, EPERM},
    {"running a program", execute, EPERM},
    {"making a process", make_process, EPERM},
    {"making a socket", make_socket, EPERM},
    {"making a ring", make_ring, EPERM},
    {"mapping a program", map_program, EPERM},
    {"making memory executable", map_data, EPERM},
    {"signalling another process", signal_parent, EPERM},
    {"writing to another process", trace, EPERM},
    {"removing a file", remove_nothing, EPERM},
    {"a signal to itself, as abort(3) sends", raise_own, 0},
};

enum { REFUSED_COUNT = sizeof refused / sizeof *refused };

static void skip_without_seccomp(void)
{
    if (!sandbox_calls_available()) {
        cr_skip_test("this kernel has no seccomp filters");
    }
}

TestSuite(calls, .init = skip_without_seccomp, .timeout = 20);

Test(calls, what_a_server_does_not_need_is_refused)
{
    confined_expect(enforce, refused, REFUSED_COUNT);
}

Test(calls, removing_files_can_be_left)
{
    static const struct attempt attempt = {"removing a file", remove_nothing, ENOENT};

    confined_expect(enforce_with_removal, &attempt, 1);
}

static sem_t begin;
static sem_t done;
static int outcome;

static void *try_on_thread(void *unused)
{
    (void)unused;
    sem_wait(&begin);
    outcome = make_socket();
    sem_post(&done);
    return NULL;
}

/* The thread runs before the filter is there. */
static int enforce_beside_a_thread(void)
{
    pthread_t thread;

    sem_init(&begin, 0, 0);
    sem_init(&done, 0, 0);
    return pthread_create(&thread, NULL, try_on_thread, NULL) != 0 ? -1 : enforce();
}

static int make_socket_on_thread(void)
{
    sem_post(&begin);
    sem_wait(&done);
    return outcome;
}

Test(calls, threads_that_run_already_are_held_to_it)
{
    static const struct attempt attempt = {"a socket on another thread", make_socket_on_thread,
                                           EPERM};

    confined_expect(enforce_beside_a_thread, &attempt, 1);
}

static int give_up_nothing(void)
{
    return 0;
}

Test(calls, without_a_filter_it_works)
{
    static const struct attempt attempts[] = {
        {"opening for writing", write_file, 0},
        {"making a socket", make_socket, 0},
        {"making memory executable", map_data, 0},
        {"removing a file", remove_nothing, ENOENT},
    };

    confined_expect(give_up_nothing, attempts, sizeof attempts / sizeof *attempts);
}
