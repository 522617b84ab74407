/* What `tlsdyno serve` gives up once it has what it needs: root (--user), core dumps, all files but
 * those that a reload reads, and most system calls. */
#pragma once

struct error;
struct serve_options;

/* When everything is bound and read, before a thread runs. What the kernel has no means for is a
 * warning on standard error. Returns 0, or -1 and a sentence: --user cannot be obeyed. */
int serve_guard_before_threads(const struct serve_options *options, struct error *error);

/* When all threads and rings are there. */
void serve_guard_after_threads(const struct serve_options *options);
