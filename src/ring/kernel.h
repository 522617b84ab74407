/* What is known of kernels: by their release, and by what they refuse. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct error;

/* A sentence about a hole in provided buffers, which all receives use, that this release ("6.6.4",
 * "6.5.0-41-generic") has; NULL: none is known. Distributions mend kernels without changing the
 * number, so it is a warning and no refusal. */
const char *kernel_warning(const char *release);

/* What tells one cause of a refusal from another. */
struct kernel_rules {
    int disabled;     /* kernel.io_uring_disabled; 0 where there is none */
    bool is_filtered; /* a seccomp filter is in force */
    bool is_root;
    uint64_t memlock_bytes; /* RLIMIT_MEMLOCK; UINT64_MAX: none, or it does not apply */
};

void kernel_rules_read(struct kernel_rules *out);

/* Which rule made one of io_uring's calls fail with `code` (an errno) where a ring wants
 * `ring_bytes` of locked memory, and what to do about it; returns -1. */
int kernel_refusal(int code, const struct kernel_rules *rules, uint64_t ring_bytes,
                   struct error *error);
