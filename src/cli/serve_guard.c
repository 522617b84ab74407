#include "cli/serve_guard.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/serve_options.h"
#include "sandbox/calls.h"
#include "sandbox/dumps.h"
#include "sandbox/files.h"
#include "tls/context.h"

typedef void file_visit(void *user, const char *path);

static void visit(file_visit *each, void *user, const char *path)
{
    if (path != NULL) {
        each(user, path);
    }
}

/* Every file that a reload reads; serve_material_open() has named those of the server names. */
static void visit_files(const struct serve_options *options, file_visit *each, void *user)
{
    const struct server_config *server = &options->server;
    const struct tls_config *tls = &server->tls;

    for (size_t i = 0; i < tls->certificate_count; i++) {
        visit(each, user, tls->certificates[i].certificate_file);
        visit(each, user, tls->certificates[i].key_file);
    }
    for (size_t i = 0; i < server->name_count; i++) {
        visit(each, user, server->names[i].certificate_file);
        visit(each, user, server->names[i].key_file);
    }
    visit(each, user, tls->pfx_file);
    visit(each, user, tls->ca_file);
    visit(each, user, tls->crl_file);
    if (tls->dhparam != NULL && strcmp(tls->dhparam, "auto") != 0) {
        visit(each, user, tls->dhparam);
    }
    visit(each, user, options->ocsp_file);
    visit(each, user, options->files.passphrase_file);
    visit(each, user, server->ticket_key_file);
}

static void allow(void *files, const char *path)
{
    sandbox_files_allow(files, path);
}

static void warn_unreadable(void *user, const char *path)
{
    const struct serve_options *options = user;

    if (access(path, F_OK) == 0 && access(path, R_OK) != 0) {
        fprintf(stderr, "tlsdyno: warning: %s cannot read %s: a reload will fail\n",
                options->user.name, path);
    }
}

static bool is_own_socket(const struct server_listener *listener)
{
    return !listener->is_inherited && socket_is_unix(&listener->address);
}

/* Calls `each` with the files of our Unix sockets, which we remove in the end. */
static bool visit_sockets(const struct serve_options *options, file_visit *each, void *user)
{
    const struct server_config *server = &options->server;
    bool any = false;

    for (size_t i = 0; i < server->listener_count; i++) {
        if (is_own_socket(&server->listeners[i])) {
            visit(each, user, server->listeners[i].address.un.sun_path);
            any = true;
        }
    }
    if (options->admin_given && socket_is_unix(&options->admin)) {
        visit(each, user, options->admin.un.sun_path);
        any = true;
    }
    return any;
}

static void allow_removal(void *files, const char *path)
{
    sandbox_files_allow_removal(files, path);
}

static void ignore(void *user, const char *path)
{
    (void)user;
    (void)path;
}

static void warn_incomplete(const struct error *error)
{
    fprintf(stderr, "tlsdyno: warning: the sandbox is incomplete: %s\n", error->text);
}

#if defined(__SANITIZE_ADDRESS__)
/* The leak check reads /proc, and a finding is told with names from the program's own file. */
static void allow_sanitizer(struct sandbox_files *files)
{
    char program[PATH_MAX];
    ssize_t bytes = readlink("/proc/self/exe", program, sizeof(program) - 1);

    sandbox_files_allow(files, "/proc");
    sandbox_files_allow(files, "/usr/lib");
    if (bytes > 0) {
        program[bytes] = '\0';
        sandbox_files_allow(files, program);
    }
}
#else
static void allow_sanitizer(struct sandbox_files *files)
{
    (void)files;
}
#endif

int serve_guard_before_threads(const struct serve_options *options, struct error *error)
{
    struct sandbox_files files = {.rules = -1};
    struct error missing = {0};

    /* The rules come first: as root we can see the way to every file. */
    if (!options->no_sandbox) {
        tzset(); /* reads a file when it is first needed, which is too late */
        if (sandbox_files_open(&files, &missing) != 0) {
            warn_incomplete(&missing);
        }
        visit_files(options, allow, &files);
        if (options->server.tls.request_certificate && options->server.tls.ca_file == NULL) {
            /* OpenSSL looks each authority up when it is first needed. */
            sandbox_files_allow(&files, tls_default_roots_file());
            sandbox_files_allow(&files, tls_default_roots_directory());
        }
        visit_sockets(options, allow_removal, &files);
        allow_sanitizer(&files);
    }
    if (options->user.name[0] != '\0') {
        if (user_become(&options->user, error) != 0) {
            return error_prefix(error, "--user");
        }
        visit_files(options, warn_unreadable, (void *)(uintptr_t)options);
    }
    if (options->no_sandbox) {
        return 0;
    }
    sandbox_forbid_dumps();
    if (sandbox_files_enforce(&files, &missing) != 0) {
        warn_incomplete(&missing);
    }
    return 0;
}

void serve_guard_after_threads(const struct serve_options *options)
{
    struct error missing = {0};

    if (!options->no_sandbox &&
        sandbox_calls_enforce(visit_sockets(options, ignore, NULL), &missing) != 0) {
        warn_incomplete(&missing);
    }
}
