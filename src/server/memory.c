#include "server/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int memory_open(void)
{
    return open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

uint64_t memory_resident_bytes(int descriptor)
{
    char text[128];
    ssize_t bytes = pread(descriptor, text, sizeof text - 1, 0);
    unsigned long pages = 0;

    /* proc(5): pages, the second number being those in memory. */
    text[bytes > 0 ? bytes : 0] = '\0';
    return sscanf(text, "%*u %lu", &pages) == 1 ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
