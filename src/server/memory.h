/* How much memory the process has in RAM. */
#pragma once

#include <stdint.h>

/* Opens what tells it, before a sandbox forbids that; -1: it cannot be known. */
int memory_open(void);

/* 0: not known. Any thread. */
uint64_t memory_resident_bytes(int descriptor);
