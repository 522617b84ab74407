/* Lists of CPUs as the kernel writes them, and how a study shares out those it may use. */
#pragma once

#include <sched.h>

struct error;

/* "0-3,8". Returns 0, or -1 and a sentence. */
int cpu_list_parse(const char *text, cpu_set_t *out, struct error *error);

/* The first CPU for the server, and for the load what remains, but for the CPU's siblings in the
 * same core, unless nothing then would. With a single CPU both get it. `sibling_root` goes before
 * /sys, "" but in tests. */
void cpu_list_share(const cpu_set_t *allowed, const char *sibling_root, cpu_set_t *out_server,
                    cpu_set_t *out_load);
