#include "report/report.h"

#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { LINE_BYTES = 256, CPUS_LOOKED_AT = 1024 };

static FILE *open_below(const char *root, const char *name)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof(path), "%s%s", root, name) < (int)sizeof(path) ? fopen(path, "re")
                                                                                : NULL;
}

/* The first line without its end; false when there is none. */
static bool read_line(const char *root, const char *name, char out[LINE_BYTES])
{
    FILE *file = open_below(root, name);
    bool found = file != NULL && fgets(out, LINE_BYTES, file) != NULL;

    if (file != NULL) {
        fclose(file);
    }
    if (found) {
        out[strcspn(out, "\n")] = '\0';
    }
    return found;
}

/* "model name	: AMD EPYC ..." of the first CPU; not every architecture has the line. */
static void read_cpu_model(const char *root, char out[REPORT_ENVIRONMENT_BYTES])
{
    FILE *file = open_below(root, "/proc/cpuinfo");
    char line[LINE_BYTES];

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

/* CPUs may have different ones, and a run that strays between them varies with them. */
static void read_governors(const char *root, unsigned cpu_count, char out[REPORT_ENVIRONMENT_BYTES])
{
    size_t used = 0;

    for (unsigned cpu = 0; cpu < cpu_count && cpu < CPUS_LOOKED_AT; cpu++) {
        char name[LINE_BYTES];
        char line[LINE_BYTES];

        snprintf(name, sizeof(name), "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", cpu);
        if (read_line(root, name, line) && strstr(out, line) == NULL &&
            used + strlen(line) + sizeof(", ") < REPORT_ENVIRONMENT_BYTES) {
            used += (size_t)snprintf(out + used, REPORT_ENVIRONMENT_BYTES - used, "%s%s",
                                     used > 0 ? ", " : "", line);
        }
    }
}

static enum report_smt read_smt(const char *root)
{
    char line[LINE_BYTES];

    if (!read_line(root, "/sys/devices/system/cpu/smt/active", line)) {
        return REPORT_SMT_UNKNOWN;
    }
    return strcmp(line, "1") == 0 ? REPORT_SMT_ON : REPORT_SMT_OFF;
}

/* What one cgroup's cpu.max ("200000 100000", or "max 100000") allows; 0: no limit. */
static double read_quota(const char *root, const char *group)
{
    char name[PATH_MAX];
    char line[LINE_BYTES];
    double quota;
    double period;

    snprintf(name, sizeof(name), "/sys/fs/cgroup%.2048s/cpu.max", group);
    if (!read_line(root, name, line) || sscanf(line, "%lf %lf", &quota, &period) != 2 ||
        !(quota > 0 && period > 0)) {
        return 0;
    }
    return quota / period;
}

/* The least of this process's cgroup (version 2) and those that it is in. */
static double read_quotas(const char *root)
{
    FILE *file = open_below(root, "/proc/self/cgroup");
    char line[PATH_MAX];
    double least = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "0::/", 4) != 0) {
            continue;
        }
        char *group = line + 3;

        group[strcspn(group, "\n")] = '\0';
        for (char *slash = group + strlen(group); slash != NULL; slash = strrchr(group, '/')) {
            *slash = '\0';
            double quota = read_quota(root, group);

            if (quota > 0 && (least == 0 || quota < least)) {
                least = quota;
            }
        }
        break;
    }
    if (file != NULL) {
        fclose(file);
    }
    return least;
}

void report_environment_read(struct report_environment *out, const char *root)
{
    struct utsname name;
    struct rlimit files;
    cpu_set_t allowed;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    *out = (struct report_environment){.cpu_count = cpus > 0 ? (unsigned)cpus : 0};
    if (uname(&name) == 0) {
        snprintf(out->kernel, sizeof(out->kernel), "%.12s %.64s", name.sysname, name.release);
    }
    if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
        out->cpus_allowed = (unsigned)CPU_COUNT(&allowed);
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        out->open_files_max = files.rlim_cur == RLIM_INFINITY ? UINT64_MAX : files.rlim_cur;
    }
    read_cpu_model(root, out->cpu_model);
    read_governors(root, out->cpu_count, out->governor);
    out->smt = read_smt(root);
    out->cpu_quota = read_quotas(root);
}
