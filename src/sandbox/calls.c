#include "sandbox/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>

#include "base/error.h"

/* Calls that are harmless with any arguments: on what is open already, and on this process. */
static const int plain_calls[] = {
    /* the reactor; the admin endpoint's thread */
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64), /* memory.c of the server */
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(accept4),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockname),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(fcntl),
    /* a reload's files; what may be opened is below */
    SCMP_SYS(stat),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(lseek),
    SCMP_SYS(getdents64),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(fadvise64),
    /* memory */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    /* what glibc begins a thread with: the admin endpoint's may only just have been made */
    SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
    /* threads, time and signals */
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
#if defined(__SANITIZE_ADDRESS__)
    /* LeakSanitizer stops the process at its end and looks into it from a process of its own. */
    SCMP_SYS(clone),
    SCMP_SYS(ptrace),
    SCMP_SYS(prctl),
    SCMP_SYS(wait4),
    SCMP_SYS(getdents),
    SCMP_SYS(prlimit64),
    SCMP_SYS(tgkill),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(getppid),
    SCMP_SYS(arch_prctl),
#endif
};

/* Architectures have one or the other. */
static const int removals[] = {SCMP_SYS(unlink), SCMP_SYS(unlinkat)};

/* Calls that are harmless when one argument, under a mask, is one value. */
struct narrow_call {
    int call;
    unsigned argument;
    uint64_t mask;
    uint64_t value;
};

static const uint64_t any_bits = UINT64_MAX;
enum { REGISTER_MASK = 0x7fffffff }; /* without IORING_REGISTER_USE_REGISTERED_RING */

static int filter_fill(scmp_filter_ctx filter, bool remove)
{
    const struct narrow_call narrow_calls[] = {
        {SCMP_SYS(open), 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
        {SCMP_SYS(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
        {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
        {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
        {SCMP_SYS(ioctl), 1, any_bits, TCGETS},              /* isatty(3) */
        {SCMP_SYS(prlimit64), 2, any_bits, 0},               /* asking, not setting */
        {SCMP_SYS(tgkill), 0, any_bits, (uint64_t)getpid()}, /* abort(3) */
        {SCMP_SYS(io_uring_register), 1, REGISTER_MASK, IORING_UNREGISTER_PBUF_RING},
        {SCMP_SYS(io_uring_register), 1, REGISTER_MASK, IORING_UNREGISTER_RING_FDS},
    };
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof plain_calls / sizeof *plain_calls; i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain_calls[i], 0);
    }
    for (size_t i = 0; result == 0 && i < sizeof narrow_calls / sizeof *narrow_calls; i++) {
        const struct narrow_call *narrow = &narrow_calls[i];

        result = seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, narrow->call, 1,
            SCMP_CMP64(narrow->argument, SCMP_CMP_MASKED_EQ, narrow->mask, narrow->value));
    }
    for (size_t i = 0; result == 0 && remove && i < sizeof removals / sizeof *removals; i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, removals[i], 0);
    }
    return result;
}

bool sandbox_calls_available(void)
{
    unsigned action = SECCOMP_RET_ERRNO;

    return syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0u, &action) == 0;
}

int sandbox_calls_enforce(bool remove, struct error *error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int result;

    if (!filter) {
        return error_set(error, "seccomp: no memory for a filter");
    }
    /* A decision tree, as most calls of a busy server are io_uring_enter(2). */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result == 0) {
        result = filter_fill(filter, remove);
    }
    if (result == 0) {
        result = seccomp_load(filter);
    }
    seccomp_release(filter);
    return result == 0 ? 0 : error_set(error, "seccomp: %s", strerror(-result));
}
