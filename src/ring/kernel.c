#include "ring/kernel.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/error.h"

struct version {
    unsigned major, minor, patch;
};

/* From the release that brought it to the one that mended it, which is not in it. */
static const struct {
    struct version from, to;
    const char *warning;
} holes[] = {
    /* Commits c56e022c0a27 and c392cbecd8ec; 6.4 and 6.5 had reached their end. */
    {{6, 4, 0},
     {6, 6, 5},
     "this kernel lets any user who may use io_uring keep freed memory through provided buffer "
     "rings (CVE-2024-0582), unless the distribution has mended it: Linux 6.6.5 or later has"},
};

static bool is_before(struct version a, struct version b)
{
    if (a.major != b.major) {
        return a.major < b.major;
    }
    return a.minor != b.minor ? a.minor < b.minor : a.patch < b.patch;
}

const char *kernel_warning(const char *release)
{
    struct version version = {0};

    if (sscanf(release, "%u.%u.%u", &version.major, &version.minor, &version.patch) < 2) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof holes / sizeof *holes; i++) {
        if (!is_before(version, holes[i].from) && is_before(version, holes[i].to)) {
            return holes[i].warning;
        }
    }
    return NULL;
}

static int disabled_read(void)
{
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    int value = 0;

    if (file) {
        if (fscanf(file, "%d", &value) != 1) {
            value = 0;
        }
        fclose(file);
    }
    return value;
}

/* The limit on locked memory is not for who has CAP_IPC_LOCK, as root has outside of containers. */
static bool locks_freely(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

    return syscall(SYS_capget, &header, sets) == 0 && (sets[0].effective & 1u << CAP_IPC_LOCK) != 0;
}

void kernel_rules_read(struct kernel_rules *out)
{
    struct rlimit memlock;

    *out = (struct kernel_rules){
        .disabled = disabled_read(),
        .is_filtered = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2, /* SECCOMP_MODE_FILTER */
        .is_root = geteuid() == 0,
        .memlock_bytes = UINT64_MAX,
    };
    if (!locks_freely() && getrlimit(RLIMIT_MEMLOCK, &memlock) == 0 &&
        memlock.rlim_cur != RLIM_INFINITY) {
        out->memlock_bytes = memlock.rlim_cur;
    }
}

static int refusal_of_permission(const struct kernel_rules *rules, struct error *error)
{
    if (rules->disabled == 2) {
        return error_set(error, "io_uring is switched off on this machine "
                                "(kernel.io_uring_disabled is 2): switch it on, as root, with "
                                "`sysctl kernel.io_uring_disabled=0`");
    }
    if (rules->disabled == 1 && !rules->is_root) {
        return error_set(error, "io_uring is for root and one group on this machine "
                                "(kernel.io_uring_disabled is 1): open it to all, as root, with "
                                "`sysctl kernel.io_uring_disabled=0`, or join the group whose "
                                "number `sysctl kernel.io_uring_group` tells");
    }
    if (rules->is_filtered) {
        return error_set(error, "a seccomp filter forbids io_uring: in a container, give it a "
                                "profile that allows io_uring_setup, io_uring_enter and "
                                "io_uring_register (docker, podman: --security-opt "
                                "seccomp=FILE, or seccomp=unconfined); in a systemd unit, add "
                                "them to SystemCallFilter=");
    }
    return error_set(error, "a security module forbids io_uring here (SELinux, AppArmor, ...): "
                            "its log (`dmesg`, `ausearch -m avc`) names the rule to change");
}

int kernel_refusal(int code, const struct kernel_rules *rules, uint64_t ring_bytes,
                   struct error *error)
{
    switch (code) {
    case EPERM:
    case EACCES:
        return refusal_of_permission(rules, error);
    case ENOSYS:
        if (rules->is_filtered) { /* podman's way to say no */
            return refusal_of_permission(rules, error);
        }
        return error_set(error, "this kernel has no io_uring: Linux 6.1 or later is needed, with "
                                "CONFIG_IO_URING");
    case ENOMEM:
        if (rules->memlock_bytes == UINT64_MAX) {
            return error_set(error, "no memory for an io_uring: free some");
        }
        return error_set(error,
                         "no memory for an io_uring: all programs of this user may lock %llu KiB "
                         "together, and each thread's ring takes at least %llu; raise that (ulimit "
                         "-l, LimitMEMLOCK= in a systemd unit, docker: --ulimit memlock=-1) or "
                         "use fewer threads (--threads)",
                         (unsigned long long)rules->memlock_bytes / 1024,
                         (unsigned long long)ring_bytes / 1024);
    case EMFILE:
    case ENFILE:
        return error_set(error, "no file descriptor is left for an io_uring: raise `ulimit -n`");
    default:
        return error_set(error, "cannot set up an io_uring: %s", strerror(code));
    }
}
