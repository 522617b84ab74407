/* What this machine offers, for --version and --show-features. */
#pragma once

#include <stdio.h>

struct error;

/* The OpenSSL that runs, the kernel and each io_uring feature that the program uses, a line each;
 * where io_uring cannot be used, why not. */
void capabilities_print(FILE *out);
/* Whether rings can be used here: 0, or -1 and a sentence about what forbids them and how to allow
 * them. Before the sandbox, in which the reasons cannot be read. */
int kernel_check(struct error *error);
/* One line about holes that this kernel is known to have, or nothing. */
void kernel_warning_print(FILE *out);

struct sweep_capabilities;

/* The suites and groups of the OpenSSL that runs, for what a study can do with it. */
void capabilities_read(struct sweep_capabilities *out);
