#include "cli/serve_notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/server.h"

enum { MESSAGE_BYTES = 256 };

static const uint64_t STATUS_INTERVAL_NS = 5ull * 1000 * 1000 * 1000;
/* How often to look whether the workers have answered. */
static const uint64_t ANSWER_POLL_NS = 10 * 1000 * 1000;
/* What a server needs to end, beyond what its connections may take. */
static const uint64_t END_NS = 5ull * 1000 * 1000 * 1000;

/* "/path", or "@name" in the abstract namespace. Returns 0, or -1 and errno. */
static int notify_address(const char *text, struct sockaddr_un *out, socklen_t *out_bytes)
{
    size_t bytes = strlen(text);

    if ((*text != '/' && *text != '@') || text[1] == '\0') {
        errno = EAFNOSUPPORT;
        return -1;
    }
    if (bytes >= sizeof(out->sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, text, bytes);
    if (*text == '@') {
        out->sun_path[0] = '\0';
    }
    /* A name of the abstract namespace ends with the address, not with a NUL. */
    *out_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes + (*text == '/'));
    return 0;
}

static int notify_connect(const char *text)
{
    /* A manager that has stopped reading must not stop the server. */
    const struct timeval patience = {.tv_sec = 1};
    struct sockaddr_un address;
    socklen_t bytes;
    int descriptor;

    if (notify_address(text, &address, &bytes) != 0) {
        return -1;
    }
    descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -1;
    }
    if (setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
        connect(descriptor, (const struct sockaddr *)&address, bytes) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

/* Half of its time, so that an answer may take the other half (sd_watchdog_enabled(3)). */
static uint64_t watchdog_interval_ns(void)
{
    const char *process = getenv("WATCHDOG_PID");
    const char *time = getenv("WATCHDOG_USEC");

    if (time == NULL || (process != NULL && strtol(process, NULL, 10) != getpid())) {
        return 0;
    }
    return strtoull(time, NULL, 10) * NS_PER_US / 2;
}

void serve_notify_open(struct serve_notify *notify)
{
    const char *text = getenv("NOTIFY_SOCKET");

    *notify = (struct serve_notify){.descriptor = -1};
    if (text == NULL) {
        return;
    }
    notify->descriptor = notify_connect(text);
    if (notify->descriptor < 0) {
        fprintf(stderr,
                "tlsdyno: warning: cannot reach the service manager at NOTIFY_SOCKET=%s: %m\n",
                text);
        return;
    }
    notify->watchdog_ns = watchdog_interval_ns();
}

void serve_notify_close(struct serve_notify *notify)
{
    if (notify->descriptor >= 0) {
        close(notify->descriptor);
        notify->descriptor = -1;
    }
}

__attribute__((format(printf, 2, 3))) static void notify_send(const struct serve_notify *notify,
                                                              const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list arguments;
    int bytes;

    if (notify->descriptor < 0) {
        return;
    }
    va_start(arguments, format);
    bytes = vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    /* There is nothing to do about a message that is not taken; the next may be. */
    (void)!send(notify->descriptor, message, (size_t)bytes, MSG_NOSIGNAL);
}

void serve_notify_ready(const struct serve_notify *notify)
{
    notify_send(notify, "READY=1");
}

void serve_notify_reloading(const struct serve_notify *notify)
{
    notify_send(notify, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now_ns() / NS_PER_US);
}

void serve_notify_stopping(const struct serve_notify *notify, uint64_t drain_timeout_ns)
{
    notify_send(notify, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                (drain_timeout_ns + END_NS) / NS_PER_US);
}

static void tell_status(struct serve_notify *notify, const struct server *server, uint64_t now_ns)
{
    struct snapshot *snapshot;
    char status[SERVE_NOTIFY_STATUS_BYTES];

    if (now_ns < notify->status_ns) {
        return;
    }
    notify->status_ns = now_ns + STATUS_INTERVAL_NS;
    snapshot = server_snapshot(server);
    if (snapshot == NULL) {
        return;
    }
    snprintf(status, sizeof(status), "%" PRIu64 " connections open, %" PRIu64 " accepted in all",
             snapshot->values[COUNTER_CONNECTIONS_OPEN], snapshot->values[COUNTER_ACCEPTS]);
    snapshot_free(snapshot);
    if (strcmp(status, notify->status) != 0) {
        memcpy(notify->status, status, sizeof(status));
        notify_send(notify, "STATUS=%s", status);
    }
}

/* A question is asked twice in the watchdog's time, and its answer told as soon as it is there: so
 * two signs of life are never farther apart than that time while answers take less than half of it.
 */
static void tend_watchdog(struct serve_notify *notify, struct server *server, uint64_t now_ns)
{
    bool is_due = notify->asked_ns == 0 || now_ns - notify->asked_ns >= notify->watchdog_ns;
    int silent = notify->is_asking ? server_silent_worker(server) : -1;

    if (notify->is_asking && silent < 0) {
        notify->is_asking = false;
        notify->has_complained = false;
        notify_send(notify, "WATCHDOG=1");
    } else if (notify->is_asking && is_due && !notify->has_complained) {
        notify->has_complained = true;
        fprintf(stderr, "tlsdyno: worker %d has not answered for %.3g s\n", silent,
                (double)(now_ns - notify->asked_ns) / (double)NS_PER_S);
    }
    if (!notify->is_asking && is_due) {
        notify->is_asking = true;
        notify->asked_ns = now_ns;
        server_ask_workers(server);
    }
}

void serve_notify_advance(struct serve_notify *notify, struct server *server, uint64_t now_ns)
{
    if (notify->descriptor < 0) {
        return;
    }
    tell_status(notify, server, now_ns);
    if (notify->watchdog_ns != 0) {
        tend_watchdog(notify, server, now_ns);
    }
}

uint64_t serve_notify_wait_ns(const struct serve_notify *notify, uint64_t otherwise_ns,
                              uint64_t now_ns)
{
    uint64_t next_ns = notify->asked_ns + notify->watchdog_ns;
    uint64_t wait_ns = next_ns > now_ns ? next_ns - now_ns : 0;

    if (notify->watchdog_ns == 0) {
        return otherwise_ns;
    }
    if (notify->is_asking) {
        wait_ns = ANSWER_POLL_NS;
    }
    return wait_ns < otherwise_ns ? wait_ns : otherwise_ns;
}
