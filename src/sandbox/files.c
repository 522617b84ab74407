#include "sandbox/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "base/error.h"

/* The kernel's struct landlock_ruleset_attr as of version 6; Debian 12's header has the first
 * member only. Older kernels are given the beginning that they know. */
struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

/* All rights that each version knows, those of its predecessors included. */
static const struct {
    uint64_t files;
    uint64_t network; /* bind and connect, TCP */
    uint64_t scopes;  /* abstract Unix sockets and signals */
    size_t bytes;     /* of struct ruleset that it takes */
} versions[] = {
    {(1u << 13) - 1, 0, 0, offsetof(struct ruleset, network)}, /* 1, Linux 5.13 */
    {(1u << 14) - 1, 0, 0, offsetof(struct ruleset, network)}, /* 2, 5.19: renaming elsewhere */
    {(1u << 15) - 1, 0, 0, offsetof(struct ruleset, network)}, /* 3, 6.2: truncation */
    {(1u << 15) - 1, 3, 0, offsetof(struct ruleset, scopes)},  /* 4, 6.7 */
    {(1u << 16) - 1, 3, 0, offsetof(struct ruleset, scopes)},  /* 5, 6.10: ioctl on devices */
    {(1u << 16) - 1, 3, 3, sizeof(struct ruleset)},            /* 6, 6.12 */
};

enum { VERSION_MAX = sizeof versions / sizeof *versions };

int sandbox_files_version(struct error *error)
{
    long version =
        syscall(__NR_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version < 1) {
        error_set(error, "Landlock: %s",
                  errno == EOPNOTSUPP
                      ? "it is not among the kernel's active security modules (lsm=)"
                  : errno == ENOSYS ? "the kernel has none (CONFIG_SECURITY_LANDLOCK)"
                                    : strerror(errno));
        return 0;
    }
    return (int)version;
}

int sandbox_files_open(struct sandbox_files *files, struct error *error)
{
    int version = sandbox_files_version(error);
    struct ruleset ruleset;
    size_t index;

    files->rules = -1;
    if (version == 0) {
        return -1;
    }
    index = (size_t)(version < VERSION_MAX ? version : VERSION_MAX) - 1;
    ruleset = (struct ruleset){.files = versions[index].files,
                               .network = versions[index].network,
                               .scopes = versions[index].scopes};
    files->rules = (int)syscall(__NR_landlock_create_ruleset, &ruleset, versions[index].bytes, 0u);
    return files->rules >= 0 ? 0 : error_set(error, "Landlock: %s", strerror(errno));
}

/* What cannot be opened now cannot be opened later either: no rule, no error. */
static void files_add(const struct sandbox_files *files, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights};

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd >= 0) {
        syscall(__NR_landlock_add_rule, files->rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0u);
        close(rule.parent_fd);
    }
}

/* Reading files beneath the directory that holds `path`. */
static void files_add_around(const struct sandbox_files *files, const char *path)
{
    char copy[PATH_MAX];
    const char *directory;

    if (strlen(path) >= sizeof copy) {
        return;
    }
    strcpy(copy, path);
    directory = dirname(copy);
    files_add(files, strcmp(directory, "/") == 0 ? path : directory, LANDLOCK_ACCESS_FS_READ_FILE);
}

/* Where the directory's symbolic links lead, as /etc/ssl/certs does. */
static void files_add_links(const struct sandbox_files *files, const char *directory)
{
    DIR *listing = opendir(directory);
    const struct dirent *entry;
    char link[PATH_MAX];
    char target[PATH_MAX];

    while (listing && (entry = readdir(listing))) {
        if (entry->d_type == DT_LNK &&
            snprintf(link, sizeof link, "%s/%s", directory, entry->d_name) < (int)sizeof link &&
            realpath(link, target)) {
            files_add(files, target, LANDLOCK_ACCESS_FS_READ_FILE);
        }
    }
    if (listing) {
        closedir(listing);
    }
}

void sandbox_files_allow(struct sandbox_files *files, const char *path)
{
    char target[PATH_MAX];
    struct stat status;

    if (files->rules < 0) {
        return;
    }
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        files_add(files, path, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
        files_add_links(files, path);
        return;
    }
    files_add_around(files, path);
    if (realpath(path, target)) {
        files_add_around(files, target);
    }
}

void sandbox_files_allow_removal(struct sandbox_files *files, const char *path)
{
    char copy[PATH_MAX];

    if (files->rules >= 0 && strlen(path) < sizeof copy) {
        strcpy(copy, path);
        files_add(files, dirname(copy), LANDLOCK_ACCESS_FS_REMOVE_FILE);
    }
}

int sandbox_files_enforce(struct sandbox_files *files, struct error *error)
{
    int result;

    if (files->rules < 0) {
        return 0;
    }
    result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                     syscall(__NR_landlock_restrict_self, files->rules, 0u) < 0
                 ? error_set(error, "Landlock: %s", strerror(errno))
                 : 0;
    close(files->rules);
    files->rules = -1;
    return result;
}
