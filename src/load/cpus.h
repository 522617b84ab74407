/* Which CPUs load threads run on. */
#pragma once

#include <stdint.h>

struct error;

enum { LOAD_CPUS_MAX = 256 };

struct load_cpus {
    uint16_t items[LOAD_CPUS_MAX]; /* thread i runs on the one at i % count */
    uint32_t count;                /* 0: wherever the kernel likes */
};

/* "0,2-3". Returns 0, or -1 and a sentence. */
int load_cpus_parse(const char *text, struct load_cpus *out, struct error *error);

/* Holds the calling thread to one of them. Returns 0, or -1 and a sentence. */
int load_cpus_pin(const struct load_cpus *cpus, unsigned thread_index, struct error *error);
