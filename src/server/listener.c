#include "server/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "server/worker.h"

enum { BACKLOG = 4096 };

int listener_bind(struct worker *workers, unsigned worker_count, size_t index,
                  const struct server_listener *listener, struct socket_address *out_bound,
                  struct error *error)
{
    const struct socket_address *wanted = &listener->address;
    bool can_share = !listener->is_inherited && !socket_is_unix(wanted);
    bool handed_over = can_share && listener->is_handed_over;
    bool shared = can_share && (worker_count > 1 || handed_over);
    int first;

    /* The first takes the address for itself: SO_REUSEPORT alone would let two servers of one user
     * split the connections of a port between them unnoticed. Unless that is what is wanted. */
    first = listener->is_inherited ? socket_inherit(listener->descriptor, out_bound, error)
                                   : socket_listen(wanted, handed_over, BACKLOG, out_bound, error);
    if (first >= 0 && shared && !handed_over) {
        close(first);
        first = socket_listen(out_bound, true, BACKLOG, out_bound, error);
    }
    if (first < 0) {
        return -1;
    }
    for (unsigned i = 0; i < worker_count; i++) {
        int descriptor = first;

        if (i > 0) {
            descriptor = shared ? socket_listen(out_bound, true, BACKLOG, out_bound, error)
                                : fcntl(first, F_DUPFD_CLOEXEC, 0);
        }
        if (descriptor < 0) {
            return shared ? -1 : error_set(error, "cannot share a socket: %s", strerror(errno));
        }
        workers[i].listeners[index].descriptor = descriptor;
        workers[i].listeners[index].farewell = listener->is_inherited ? REACTOR_LEAVES
                                               : handed_over          ? REACTOR_HANDS_OVER
                                                                      : REACTOR_SHUTS;
        workers[i].listener_count = index + 1;
    }
    return 0;
}
