/* Without MPI: there is only this process. */
#include "base/error.h"
#include "cli/ranks.h"

const char *ranks_library(void)
{
    return NULL;
}

int ranks_join(struct ranks *out, struct error *error)
{
    *out = ranks_of_environment();
    if (out->count == 1) {
        return 0;
    }
    return error_set(error,
                     "%u processes were started to run together, and this build cannot: without it "
                     "each would put on the whole load. Build with meson setup -Dmpi=enabled",
                     out->count);
}

void ranks_wait(const struct ranks *ranks)
{
    (void)ranks;
}

int ranks_agree(const struct ranks *ranks, int status, struct error *error)
{
    (void)ranks;
    (void)error;
    return status;
}

void ranks_tell(const struct ranks *ranks, void *data, size_t bytes)
{
    (void)ranks;
    (void)data;
    (void)bytes;
}

void ranks_gather(const struct ranks *ranks, const void *own, void *buffer, size_t bytes,
                  ranks_visit *visit, void *user)
{
    (void)ranks;
    (void)buffer;
    (void)bytes;
    visit(user, 0, own);
}
