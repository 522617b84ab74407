/* The progress of a load run on standard error: one line that is rewritten on a terminal, a line
 * for each interval elsewhere. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "load/load.h"

struct load_view {
    FILE *out; /* NULL: nothing is shown */
    bool in_place;
    enum load_mode mode;
    bool is_of_rank; /* there are others, whose progress is not shown */
    uint64_t errors; /* so far */
    bool line_open;  /* a rewritten line has no newline yet */
};

void load_view_update(struct load_view *view, const struct load_progress *progress);

/* Leaves the cursor at the start of a line. */
void load_view_end(struct load_view *view);
