/* A load run that several processes make together. */
#pragma once

#include "cli/load_options.h"
#include "cli/ranks.h"
#include "cli/record.h"
#include "load/result.h"
#include "report/ranks.h"

struct error;

/* Before the plan is completed. Refuses what several processes cannot do together, gives the plan
 * this one's place among them, and takes from all but the first what the first alone does: files,
 * and talking to the server's admin endpoint. Returns 0 or -1. */
int load_ranks_prepare(const struct ranks *ranks, struct load_options *options,
                       struct error *error);

/* Refuses processes of different versions, and those that were told different things. */
int load_ranks_compare(const struct ranks *ranks, const char command_line[RECORD_COMMAND_BYTES],
                       struct error *error);

/* After the run: adds what the others found to rank 0's result. Returns rank 0's table of all, as
 * many as there are ranks; heap. NULL for the others, and when memory is out. */
struct report_rank *load_ranks_collect(const struct ranks *ranks, const struct load_plan *plan,
                                       struct load_result *result);

/* Whether they all run on this machine, by their hosts' names. */
bool load_ranks_share_machine(const struct report_rank *rows, unsigned count);
