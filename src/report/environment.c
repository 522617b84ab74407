#include "report/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* "model name	: AMD EPYC ..." of the first CPU; not every architecture has the line. */
static void read_cpu_model(char out[REPORT_ENVIRONMENT_BYTES])
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];

    if (file == NULL) {
        return;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "model name", 10) != 0) {
            continue;
        }
        const char *colon = strchr(line, ':');

        if (colon != NULL) {
            colon += 1 + strspn(colon + 1, " \t");
            snprintf(out, REPORT_ENVIRONMENT_BYTES, "%.*s", (int)strcspn(colon, "\n"), colon);
        }
        break;
    }
    fclose(file);
}

void report_environment_read(struct report_environment *out)
{
    struct utsname name;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    *out = (struct report_environment){.cpu_count = cpus > 0 ? (unsigned)cpus : 0};
    if (uname(&name) == 0) {
        snprintf(out->kernel, sizeof(out->kernel), "%.12s %.64s", name.sysname, name.release);
    }
    read_cpu_model(out->cpu_model);
}
