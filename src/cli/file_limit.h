/* Every connection is an open file, and the usual limit is 1,024 of them. */
#pragma once

#include <stdint.h>

struct file_limit_need {
    const char *option; /* that asked for so many connections; NULL: nobody did, so fewer will do */
    uint32_t connections;
    unsigned threads; /* 0: one for each CPU */
};

/* Raises the limit on open files to what is needed and returns how many of the connections fit.
 * Warns on standard error when those are fewer than the option asked for, or few anyhow. */
uint32_t file_limit_raise(const struct file_limit_need *need);
