#include "cli/ranks.h"

#include <stdlib.h>

/* What starters of parallel programs tell each process. The first that tells anything is believed:
 * a process that mpirun starts may have Slurm's variables of mpirun's own daemon. Of those, a
 * step's alone, which srun sets: a batch script has SLURM_NTASKS and SLURM_PROCID, too, and is one
 * process. */
static const struct {
    const char *count;
    const char *index;
} variables[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"}, /* Open MPI's mpirun */
    {"PMI_SIZE", "PMI_RANK"},                         /* MPICH's, and srun --mpi=pmi2 */
    {"SLURM_STEP_NUM_TASKS", "PMIX_RANK"},            /* srun --mpi=pmix */
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"},         /* srun without any of MPI's interfaces */
};

static unsigned read_number(const char *name)
{
    const char *value = getenv(name);

    return value != NULL ? (unsigned)strtoul(value, NULL, 10) : 0;
}

struct ranks ranks_of_environment(void)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const unsigned count = read_number(variables[i].count);

        if (count > 0 && getenv(variables[i].index) != NULL) {
            return (struct ranks){.index = count > 1 ? read_number(variables[i].index) : 0,
                                  .count = count};
        }
    }
    return (struct ranks){.count = 1};
}

bool ranks_speak(void)
{
    return ranks_of_environment().index == 0;
}
