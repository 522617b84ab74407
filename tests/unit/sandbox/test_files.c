#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confined.h"
#include "ring/socket.h"
#include "sandbox/files.h"

enum { PATH_BYTES = 96 };

/* keys/key is allowed, live/link leads to archive/cert, run/socket may be removed. */
static char directory[] = "/tmp/tlsdyno-sandbox-XXXXXX";
static char paths[8][PATH_BYTES];
static const char *const names[] = {"keys", "live", "archive", "run", "other", NULL};
static struct socket_address listening;

enum { KEY, NEW_KEY, LINK, TARGET, NEW_TARGET, SOCKET, OTHER };
static const char *const file_names[] = {"keys/key",    "keys/new",   "live/link", "archive/cert",
                                         "archive/new", "run/socket", "other/file"};

static void set_up(void)
{
    char path[PATH_BYTES];
    int descriptor;

    if (sandbox_files_version(NULL) == 0) {
        cr_skip_test("this kernel has no Landlock");
    }
    cr_assert_not_null(mkdtemp(directory));
    for (size_t i = 0; names[i]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        cr_assert_eq(mkdir(path, 0700), 0);
    }
    for (size_t i = 0; i < sizeof file_names / sizeof *file_names; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", directory, file_names[i]);
        if (i != LINK) {
            cr_assert_eq(try_open(paths[i], O_WRONLY | O_CREAT), 0);
        }
    }
    cr_assert_eq(symlink("../archive/cert", paths[LINK]), 0);
    cr_assert_eq(socket_parse("127.0.0.1:0", &listening, NULL), 0);
    descriptor = socket_listen(&listening, false, 1, &listening, NULL);
    cr_assert_geq(descriptor, 0);
}

static void tear_down(void)
{
    char path[PATH_BYTES];

    for (size_t i = 0; i < sizeof file_names / sizeof *file_names; i++) {
        unlink(paths[i]);
    }
    for (size_t i = 0; names[i]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        rmdir(path);
    }
    rmdir(directory);
}

TestSuite(files, .init = set_up, .fini = tear_down, .timeout = 20);

/* As a server that is to be given new files later: they come by renaming. */
static int give_up(void)
{
    struct sandbox_files files;

    if (sandbox_files_open(&files, NULL) != 0) {
        return -1;
    }
    sandbox_files_allow(&files, paths[KEY]);
    sandbox_files_allow(&files, paths[LINK]);
    sandbox_files_allow(&files, "/nonexistent/file");
    sandbox_files_allow_removal(&files, paths[SOCKET]);
    if (rename(paths[NEW_KEY], paths[KEY]) != 0 || rename(paths[NEW_TARGET], paths[TARGET]) != 0) {
        return -1;
    }
    return sandbox_files_enforce(&files, NULL);
}

static int read_key(void)
{
    return try_open(paths[KEY], O_RDONLY);
}

static int read_link(void)
{
    return try_open(paths[LINK], O_RDONLY);
}

static int write_key(void)
{
    return try_open(paths[KEY], O_WRONLY);
}

static int make_file(void)
{
    return try_open(paths[NEW_KEY], O_WRONLY | O_CREAT);
}

static int read_other(void)
{
    return try_open(paths[OTHER], O_RDONLY);
}

static int read_accounts(void)
{
    return try_open("/etc/passwd", O_RDONLY);
}

static int remove_key(void)
{
    return unlink(paths[KEY]) == 0 ? 0 : errno;
}

static int remove_socket(void)
{
    return unlink(paths[SOCKET]) == 0 ? 0 : errno;
}

static int execute(void)
{
    char *const arguments[] = {(char *)"true", NULL};

    execv("/bin/true", arguments);
    return errno;
}

static int connect_out(void)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return connect(descriptor, &listening.any, listening.bytes) == 0 ? 0 : errno;
}

Test(files, what_is_needed_can_be_read_after_it_was_replaced_and_nothing_else)
{
    static const struct attempt attempts[] = {
        {"reading a replaced file", read_key, 0},
        {"reading through a link", read_link, 0},
        {"writing it", write_key, EACCES},
        {"making another", make_file, EACCES},
        {"removing it", remove_key, EACCES},
        {"reading another file", read_other, EACCES},
        {"reading /etc/passwd", read_accounts, EACCES},
        {"running a program", execute, EACCES},
        {"removing the socket", remove_socket, 0},
    };

    confined_expect(give_up, attempts, sizeof attempts / sizeof *attempts);
}

Test(files, connections_are_not_made_where_the_kernel_can_refuse_them)
{
    static const struct attempt attempt = {"connecting", connect_out, EACCES};

    if (sandbox_files_version(NULL) < 4) {
        cr_skip_test("this kernel's Landlock knows no network");
    }
    confined_expect(give_up, &attempt, 1);
}

static int give_up_nothing(void)
{
    return 0;
}

Test(files, without_rules_all_of_it_can_be_done)
{
    static const struct attempt attempts[] = {
        {"reading another file", read_other, 0},
        {"reading /etc/passwd", read_accounts, 0},
        {"connecting", connect_out, 0},
        {"writing", write_key, 0},
    };

    confined_expect(give_up_nothing, attempts, sizeof attempts / sizeof *attempts);
}

static int give_up_without_landlock(void)
{
    struct sandbox_files files = {.rules = -1};

    sandbox_files_allow(&files, paths[KEY]);
    sandbox_files_allow_removal(&files, paths[SOCKET]);
    return sandbox_files_enforce(&files, NULL);
}

Test(files, a_kernel_without_landlock_refuses_nothing)
{
    static const struct attempt attempt = {"reading another file", read_other, 0};

    confined_expect(give_up_without_landlock, &attempt, 1);
}
