#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "report/report.h"

/* A machine made of files. */
struct machine {
    char root[64];
};

static void machine_init(struct machine *machine)
{
    strcpy(machine->root, "/tmp/environment-XXXXXX");
    cr_assert_not_null(mkdtemp(machine->root));
}

static void machine_write(const struct machine *machine, const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof(path), "%s%s", machine->root, name);
    for (char *slash = path + strlen(machine->root) + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    fclose(file);
}

static void machine_deinit(const struct machine *machine)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -r %s", machine->root);
    cr_assert_eq(system(command), 0);
}

Test(environment, names_the_kernel_and_counts_cpus)
{
    struct report_environment environment;

    memset(&environment, 'x', sizeof(environment));
    report_environment_read(&environment, "");
    cr_assert_eq(strncmp(environment.kernel, "Linux ", 6), 0, "%s", environment.kernel);
    cr_assert(environment.cpu_count >= 1);
    cr_assert(environment.cpus_allowed >= 1);
    cr_assert(environment.open_files_max >= 3);
    /* Not every machine names its CPU, but none names it with a line break or leaves rubbish. */
    cr_assert_lt(strnlen(environment.cpu_model, sizeof(environment.cpu_model)),
                 sizeof(environment.cpu_model));
    cr_assert_null(strchr(environment.cpu_model, '\n'));
    cr_assert_neq(environment.cpu_model[0], 'x');
}

Test(environment, reads_governor_threads_and_the_least_quota)
{
    struct machine machine;
    struct report_environment environment;

    machine_init(&machine);
    machine_write(&machine, "/proc/cpuinfo", "processor\t: 0\nmodel name\t: Abacus 9\n");
    machine_write(&machine, "/sys/devices/system/cpu/smt/active", "1\n");
    machine_write(&machine, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    machine_write(&machine, "/proc/self/cgroup", "1:cpu:/elsewhere\n0::/a/b\n");
    machine_write(&machine, "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    machine_write(&machine, "/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    machine_write(&machine, "/sys/fs/cgroup/cpu.max", "400000 100000\n");
    report_environment_read(&environment, machine.root);
    cr_assert_str_eq(environment.cpu_model, "Abacus 9");
    cr_assert_str_eq(environment.governor, "powersave");
    cr_assert_eq(environment.smt, REPORT_SMT_ON);
    cr_assert_eq(environment.cpu_quota, 1.5);
    machine_deinit(&machine);
}

Test(environment, of_rubbish_is_not_known)
{
    struct machine machine;
    struct report_environment environment;

    machine_init(&machine);
    machine_write(&machine, "/proc/cpuinfo", "model name\n");
    machine_write(&machine, "/sys/devices/system/cpu/smt/active", "0\n");
    machine_write(&machine, "/proc/self/cgroup", "0::/../..\n");
    machine_write(&machine, "/sys/fs/cgroup/cpu.max", "-5 0\n");
    report_environment_read(&environment, machine.root);
    cr_assert_str_empty(environment.cpu_model);
    cr_assert_str_empty(environment.governor);
    cr_assert_eq(environment.smt, REPORT_SMT_OFF);
    cr_assert_eq(environment.cpu_quota, 0);
    machine_deinit(&machine);

    report_environment_read(&environment, "/nowhere");
    cr_assert_eq(environment.smt, REPORT_SMT_UNKNOWN);
}
