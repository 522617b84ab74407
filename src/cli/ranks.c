#include "cli/ranks.h"

#include <stdlib.h>

/* What starters of parallel programs tell each process. */
static const struct {
    const char *count;
    const char *index;
} variables[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"}, /* Open MPI's mpirun */
    {"PMI_SIZE", "PMI_RANK"},                         /* MPICH's, and srun --mpi=pmi2 */
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

        if (count > 1) {
            return (struct ranks){.index = read_number(variables[i].index), .count = count};
        }
    }
    return (struct ranks){.count = 1};
}

bool ranks_speak(void)
{
    return ranks_of_environment().index == 0;
}
