#include <criterion/criterion.h>
#include <stdlib.h>

#include "cli/ranks.h"

enum starter { NOBODY, OPEN_MPI, MPICH, SRUN_PMIX, SRUN };

static void set(enum starter starter, const char *count, const char *index)
{
    static const char *const names[][2] = {
        [OPEN_MPI] = {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
        [MPICH] = {"PMI_SIZE", "PMI_RANK"},
        [SRUN_PMIX] = {"SLURM_STEP_NUM_TASKS", "PMIX_RANK"},
        [SRUN] = {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"},
    };

    for (size_t i = OPEN_MPI; i <= SRUN; i++) {
        unsetenv(names[i][0]);
        unsetenv(names[i][1]);
    }
    if (starter != NOBODY) {
        setenv(names[starter][0], count, 1);
        setenv(names[starter][1], index, 1);
    }
}

Test(ranks, a_process_of_its_own_is_alone_and_speaks)
{
    set(NOBODY, NULL, NULL);
    cr_expect_eq(ranks_of_environment().count, 1);
    cr_expect(ranks_speak());
    set(OPEN_MPI, "1", "0");
    cr_expect_eq(ranks_of_environment().count, 1);
    cr_expect(ranks_speak());
}

Test(ranks, starters_tell_how_many_there_are)
{
    for (enum starter starter = OPEN_MPI; starter <= SRUN; starter++) {
        set(starter, "3", "2");
        cr_expect_eq(ranks_of_environment().count, 3);
        cr_expect_eq(ranks_of_environment().index, 2);
        cr_expect_not(ranks_speak());
        set(starter, "4", "0");
        cr_expect_eq(ranks_of_environment().count, 4);
        cr_expect(ranks_speak());
    }
}

Test(ranks, a_batch_script_is_one_process_of_its_job)
{
    set(NOBODY, NULL, NULL);
    setenv("SLURM_NTASKS", "8", 1);
    setenv("SLURM_PROCID", "0", 1);
    cr_expect_eq(ranks_of_environment().count, 1);
}

Test(ranks, the_one_process_of_mpirun_is_alone_whatever_started_mpirun)
{
    set(OPEN_MPI, "1", "0");
    setenv("SLURM_STEP_NUM_TASKS", "4", 1);
    setenv("SLURM_PROCID", "3", 1);
    cr_expect_eq(ranks_of_environment().count, 1);
    cr_expect(ranks_speak());
}

Test(ranks, a_value_that_is_no_number_is_none)
{
    set(OPEN_MPI, "many", "x");
    cr_expect_eq(ranks_of_environment().count, 1);
    cr_expect(ranks_speak());
}
