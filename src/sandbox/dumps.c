#include "sandbox/dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void sandbox_forbid_dumps(void)
{
    const struct rlimit none = {0, 0};

    /* Lowering a limit and giving up being dumped are never refused. */
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
