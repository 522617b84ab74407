/* The built-in plans: studies that have a name. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sweep/matrix.h"

struct sweep_plan {
    const char *name;
    const char *help;
    enum load_mode mode;
    const char
        *axes[SWEEP_AXIS_COUNT]; /* lists as sweep_values_parse() takes them; NULL: default */
    unsigned rounds;
    uint64_t duration_ns;
    uint64_t warmup_ns;
};

enum { SWEEP_PLAN_COUNT = 4 };

extern const struct sweep_plan sweep_plans[SWEEP_PLAN_COUNT];

/* The one called `name`, or NULL. */
const struct sweep_plan *sweep_plan_find(const char *name);
