/* Which system calls a process may still make: seccomp (seccomp(2)), through libseccomp. */
#pragma once

#include <stdbool.h>

struct error;

/* Whether the kernel can filter system calls. */
bool sandbox_calls_available(void);

/* Leaves what a server needs once its listeners are bound and its threads and rings are there:
 * every other call fails with EPERM. Files are opened for reading only (which ones is Landlock's
 * matter), and there are no new threads, rings, processes, programs, sockets to elsewhere or
 * executable memory. All threads, for good. `remove`: files may be removed, as those of Unix
 * sockets are in the end. Returns 0, or -1 and a sentence. */
int sandbox_calls_enforce(bool remove, struct error *error);
