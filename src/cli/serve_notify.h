/* What the service manager is told of the server, by sd_notify(3)'s protocol: datagrams of lines of
 * NAME=VALUE to the Unix socket that $NOTIFY_SOCKET names. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct server;

enum { SERVE_NOTIFY_STATUS_BYTES = 128 };

struct serve_notify {
    int descriptor;       /* connected; -1: nobody wants to know */
    uint64_t watchdog_ns; /* how often the workers are asked for a sign of life; 0: never */
    uint64_t asked_ns;    /* when they were last */
    bool is_asking;       /* and have not all answered */
    bool has_complained;  /* and it has been said */
    uint64_t status_ns;   /* when the status is told next */
    char status[SERVE_NOTIFY_STATUS_BYTES]; /* as it was told last */
};

/* Connects, for which the sandbox is too late. Without a manager, or one that cannot be reached,
 * which a warning on standard error tells, the other functions do nothing. */
void serve_notify_open(struct serve_notify *notify);
void serve_notify_close(struct serve_notify *notify);

void serve_notify_ready(const struct serve_notify *notify);
/* To be followed by serve_notify_ready(), however the reload went. */
void serve_notify_reloading(const struct serve_notify *notify);
/* It may take so long. */
void serve_notify_stopping(const struct serve_notify *notify, uint64_t drain_timeout_ns);

/* Does what is due: a line about connections, and the watchdog's sign of life, which is one of the
 * main thread and of every worker's loop, for each of them has opened a letter. Call it often. */
void serve_notify_advance(struct serve_notify *notify, struct server *server, uint64_t now_ns);
/* How long that can wait, at most `otherwise_ns`. */
uint64_t serve_notify_wait_ns(const struct serve_notify *notify, uint64_t otherwise_ns,
                              uint64_t now_ns);
