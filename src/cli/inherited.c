#include "cli/inherited.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/units.h"
#include "server/server.h"

enum { DESCRIPTOR_FIRST = 3 }; /* SD_LISTEN_FDS_START: after the standard streams */

int inherited_listeners_add(struct server_config *config, struct error *error)
{
    const char *process = getenv("LISTEN_PID");
    const char *number = getenv("LISTEN_FDS");
    uint64_t count;

    if (process == NULL || number == NULL || strtol(process, NULL, 10) != getpid()) {
        return 0;
    }
    if (units_parse_count(number, &count, error) != 0) {
        return error_prefix(error, "LISTEN_FDS");
    }
    if (count > SERVER_LISTENERS_MAX - config->listener_count) {
        return error_set(error,
                         "LISTEN_FDS: %" PRIu64 " sockets are more than the %d that can be "
                         "listened on",
                         count, SERVER_LISTENERS_MAX);
    }
    for (int i = 0; i < (int)count; i++) {
        int descriptor = DESCRIPTOR_FIRST + i;

        if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
            return error_set(error, "LISTEN_FDS: descriptor %d: %m", descriptor);
        }
        config->listeners[config->listener_count++] =
            (struct server_listener){.is_inherited = true, .descriptor = descriptor};
    }
    return 0;
}
