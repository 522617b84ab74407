/* What the exit status of `tlsdyno load` is, and the sentence with it. */
#pragma once

#include "cli/load_options.h"
#include "load/result.h"
#include "report/find_max.h"

struct error;

struct load_judged {
    const struct load_options *options;
    const struct load_result *result;
    const struct find_max *find_max; /* NULL: no search */
};

/* EXIT_FAILURE when nothing succeeded, EXIT_VIOLATED when a condition was broken: each has a
 * sentence, of which the last is the error, as any command's. */
int load_judge(const struct load_judged *judged, struct error *error);
