#include "cli/cpu_list.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

int cpu_list_parse(const char *text, cpu_set_t *out, struct error *error)
{
    const char *rest = text;

    CPU_ZERO(out);
    for (;;) {
        char *end;
        unsigned long first = strtoul(rest, &end, 10);
        unsigned long last = first;

        if (end != rest && *end == '-') {
            rest = end + 1;
            last = strtoul(rest, &end, 10);
        }
        if (end == rest || (*end != ',' && *end != '\0' && *end != '\n') || last < first ||
            last >= CPU_SETSIZE) {
            return error_set(error, "'%s' is no list of CPUs from 0 to %d, such as 0-3,8", text,
                             CPU_SETSIZE - 1);
        }
        for (; first <= last; first++) {
            CPU_SET(first, out);
        }
        if (*end != ',') {
            return 0;
        }
        rest = end + 1;
    }
}

/* Hardware threads that share the CPU's core, itself included; none when the kernel does not say.
 */
static void read_siblings(const char *root, size_t cpu, cpu_set_t *out)
{
    char path[PATH_MAX];
    char line[256] = "";
    FILE *file;

    CPU_ZERO(out);
    snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list",
             root, cpu);
    file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(line, sizeof(line), file) == NULL || cpu_list_parse(line, out, NULL) != 0) {
            CPU_ZERO(out);
        }
        fclose(file);
    }
}

void cpu_list_share(const cpu_set_t *allowed, const char *sibling_root, cpu_set_t *out_server,
                    cpu_set_t *out_load)
{
    cpu_set_t siblings;
    cpu_set_t apart;
    size_t first = 0;

    while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, allowed)) {
        first++;
    }
    CPU_ZERO(out_server);
    CPU_SET(first, out_server);
    *out_load = *allowed;
    if (CPU_COUNT(allowed) == 1) {
        return;
    }
    CPU_CLR(first, out_load);
    read_siblings(sibling_root, first, &siblings);
    CPU_AND(&siblings, &siblings, out_load);
    CPU_XOR(&apart, out_load, &siblings);
    if (CPU_COUNT(&apart) > 0) {
        *out_load = apart;
    }
}
