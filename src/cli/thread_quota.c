#include "cli/thread_quota.h"

#include <math.h>
#include <stdio.h>

#include "report/report.h"

/* More threads than the control group may use CPUs would have each stopped in the middle of its
 * work, all at once, for the rest of every period. */
void thread_quota_fit(unsigned *threads, const char *what)
{
    struct report_environment environment;
    unsigned quota;

    if (*threads != 0) {
        return;
    }
    report_environment_read(&environment, "");
    quota = (unsigned)ceil(environment.cpu_quota);
    if (quota > 0 && quota < environment.cpus_allowed) {
        *threads = quota;
        fprintf(
            stderr, "tlsdyno: this control group may use %.4g of %u CPUs: %u %s%s (--threads)\n",
            environment.cpu_quota, environment.cpus_allowed, quota, what, quota == 1 ? "" : "s");
    }
}
