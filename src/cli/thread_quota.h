/* How many threads are of use where the process's control group may not use all CPUs. */
#pragma once

/* Where nobody said how many (*threads is 0) and the group's limit allows fewer than there are
 * CPUs, sets them to that and says so on standard error; `what` is one of them: "worker". */
void thread_quota_fit(unsigned *threads, const char *what);
