/* By MPI. Its calls end all ranks when they fail (MPI_ERRORS_ARE_FATAL, the default), and mpirun
 * ends the others when one dies, so none waits for ever. */
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "cli/ranks.h"

/* MPI itself waits by spinning. This is short beside what begins together after a wait. */
static const struct timespec NAP = {.tv_nsec = 100 * 1000};

static const int RESULT_TAG = 1;

/* How much a rank's word weighs in ranks_agree(); the least wins. */
enum agreement { AGREEMENT_FAILED, AGREEMENT_FAILED_SILENTLY, AGREEMENT_GOES_ON };

/* Of MPI_2INT. */
struct vote {
    int agreement;
    int index;
};

const char *ranks_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;

    if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) {
        return "of unknown version";
    }
    text[strcspn(text, ",\n")] = '\0'; /* "Open MPI v4.1.4, package: ..." */
    return text;
}

static void wait_for_all(void)
{
    MPI_Request request;
    int is_done = 0;

    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    for (;;) {
        MPI_Test(&request, &is_done, MPI_STATUS_IGNORE);
        if (is_done) {
            return;
        }
        nanosleep(&NAP, NULL);
    }
}

/* After everything is written: mpirun ends the others as soon as one has ended with a failure. */
static void leave(void)
{
    wait_for_all();
    MPI_Finalize();
}

int ranks_join(struct ranks *out, struct error *error)
{
    int index;
    int count;
    int level;

    *out = ranks_of_environment();
    if (out->count == 1) {
        return 0;
    }
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) {
        return error_set(error, "the processes that mpirun started cannot be joined");
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &index);
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    atexit(leave);
    if ((unsigned)count != out->count) {
        return error_set(error,
                         "%u processes were started to run together, but MPI finds %d: use the "
                         "mpirun of the MPI that this program was built with (%s)",
                         out->count, count, ranks_library());
    }
    *out = (struct ranks){.index = (unsigned)index, .count = (unsigned)count};
    return 0;
}

void ranks_wait(const struct ranks *ranks)
{
    if (ranks->count > 1) {
        wait_for_all();
    }
}

int ranks_agree(const struct ranks *ranks, int status, struct error *error)
{
    struct vote vote = {.index = (int)ranks->index};
    struct vote first;

    if (ranks->count == 1) {
        return status;
    }
    vote.agreement = status == 0              ? AGREEMENT_GOES_ON
                     : error->text[0] == '\0' ? AGREEMENT_FAILED_SILENTLY
                                              : AGREEMENT_FAILED;
    wait_for_all();
    MPI_Allreduce(&vote, &first, 1, MPI_2INT, MPI_MINLOC, MPI_COMM_WORLD);
    if (first.agreement == AGREEMENT_GOES_ON) {
        return 0;
    }
    MPI_Bcast(&status, 1, MPI_INT, first.index, MPI_COMM_WORLD);
    MPI_Bcast(error, sizeof *error, MPI_BYTE, first.index, MPI_COMM_WORLD);
    if (first.index > 0) {
        error_prefix(error, "rank %d", first.index);
    }
    return status;
}

void ranks_tell(const struct ranks *ranks, void *data, size_t bytes)
{
    if (ranks->count > 1) {
        wait_for_all();
        MPI_Bcast(data, (int)bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
    }
}

/* One after another, so that rank 0 needs memory for one whatever their number. */
void ranks_gather(const struct ranks *ranks, const void *own, void *buffer, size_t bytes,
                  ranks_visit *visit, void *user)
{
    ranks_wait(ranks);
    if (ranks->index > 0) {
        MPI_Send(own, (int)bytes, MPI_BYTE, 0, RESULT_TAG, MPI_COMM_WORLD);
        return;
    }
    visit(user, 0, own);
    for (unsigned i = 1; i < ranks->count; i++) {
        MPI_Recv(buffer, (int)bytes, MPI_BYTE, (int)i, RESULT_TAG, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
        visit(user, i, buffer);
    }
}
