#include <criterion/criterion.h>
#include <string.h>

#include "report/report.h"

Test(environment, names_the_kernel_and_counts_cpus)
{
    struct report_environment environment;

    memset(&environment, 'x', sizeof(environment));
    report_environment_read(&environment);
    cr_assert_eq(strncmp(environment.kernel, "Linux ", 6), 0, "%s", environment.kernel);
    cr_assert(environment.cpu_count >= 1);
    /* Not every machine names its CPU, but none names it with a line break or leaves rubbish. */
    cr_assert_lt(strnlen(environment.cpu_model, sizeof(environment.cpu_model)),
                 sizeof(environment.cpu_model));
    cr_assert_null(strchr(environment.cpu_model, '\n'));
    cr_assert_neq(environment.cpu_model[0], 'x');
}
