#include "ring/kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

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
