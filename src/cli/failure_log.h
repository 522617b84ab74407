/* A line on standard error for each accepted connection that failed before it was secure; bounded,
 * so that a flood of them costs the server nothing worth speaking of. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum { FAILURE_LOG_LINES_MAX = 20 }; /* a second */

struct failure_log {
    _Atomic uint64_t second; /* writers: the workers */
    _Atomic unsigned count;  /* lines wanted in that second */
};

/* server_config.on_failed; `log` is a struct failure_log. Any worker. */
void failure_log_write(void *log, const char *peer, const char *reason);
