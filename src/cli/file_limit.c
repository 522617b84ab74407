#include "cli/file_limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "ring/socket.h"

enum {
    FILES_BESIDE_CONNECTIONS = 64, /* listeners, admin endpoint, standard streams */
    FILES_FOR_EACH_THREAD = 4,     /* its ring among them */
    FEW_CONNECTIONS = 1000,        /* that a load test soon is beyond */
};

uint32_t file_limit_raise(const struct file_limit_need *need)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = need->threads != 0 ? need->threads : (uint64_t)(cpus > 0 ? cpus : 1);
    uint64_t others = FILES_BESIDE_CONNECTIONS + FILES_FOR_EACH_THREAD * threads;
    uint64_t wanted = need->connections + others;
    uint64_t limit = socket_raise_file_limit(wanted);
    uint32_t fitting;

    if (limit >= wanted) {
        return need->connections;
    }
    fitting = limit > others ? (uint32_t)(limit - others) : 1;
    if (need->option != NULL) {
        fprintf(stderr,
                "tlsdyno: warning: --%s %" PRIu32 " needs %" PRIu64
                " open files, but the limit is %" PRIu64 ", enough for %" PRIu32
                " connections; raise it with ulimit -n, or LimitNOFILE= in a systemd unit\n",
                need->option, need->connections, wanted, limit, fitting);
    } else if (fitting < FEW_CONNECTIONS) {
        fprintf(stderr,
                "tlsdyno: warning: the limit of %" PRIu64 " open files is enough for %" PRIu32
                " connections; raise it with ulimit -n, or LimitNOFILE= in a systemd unit\n",
                limit, fitting);
    }
    return fitting;
}
