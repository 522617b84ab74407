/* Several processes, on one machine or many, that mpirun has started to make one run together. Each
 * is a rank. ranks_mpi.c joins them by MPI (-Dmpi=enabled); ranks_none.c knows only the process
 * itself. What is called here all ranks must call, in the same order. None of it spins while it
 * waits, since the load threads need the CPUs. Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct error;

struct ranks {
    unsigned index, count; /* 0 and 1: not started by mpirun, or alone */
};

/* What mpirun has told this process, without a word to the others. */
struct ranks ranks_of_environment(void);

/* Whether this process is the one to print errors. */
bool ranks_speak(void);

/* The MPI library in use; NULL: this build has none. */
const char *ranks_library(void);

/* Joins the others, until the process ends. Returns 0, or -1 and a sentence where there are others
 * and this build cannot reach them. */
int ranks_join(struct ranks *out, struct error *error);

/* Waits until all are here. */
void ranks_wait(const struct ranks *ranks);

/* Gives all ranks the status and error of the first rank that failed (status not 0), best of one
 * that has a sentence; 0: none did. */
int ranks_agree(const struct ranks *ranks, int status, struct error *error);

/* Copies rank 0's bytes to all. */
void ranks_tell(const struct ranks *ranks, void *data, size_t bytes);

/* Hands rank 0 the bytes of each in turn, its own first; `buffer` has room for one. */
typedef void ranks_visit(void *user, unsigned index, const void *data);
void ranks_gather(const struct ranks *ranks, const void *own, void *buffer, size_t bytes,
                  ranks_visit *visit, void *user);
