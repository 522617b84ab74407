/* What a run must keep to, as a person types it: "p99>2ms,errors>0" is a list of what must not be.
 * Pure functions; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/plan.h"
#include "load/result.h"

struct error;
struct threshold_metric;

enum { THRESHOLDS_MAX = 32, THRESHOLD_TEXT_BYTES = 160 };

/* Violated when the metric is above (below) the value. */
struct threshold {
    const struct threshold_metric *metric; /* static */
    bool is_below;                         /* '<', else '>' */
    bool has_phase;                        /* durations: of `phase`, not of the mode's latency */
    enum load_phase phase;
    double value; /* ns, a share (0-1), or a number */
};

struct thresholds {
    struct threshold rows[THRESHOLDS_MAX];
    size_t count;
};

/* Appends the conditions of "METRIC>VALUE,METRIC<VALUE...". Metrics: p50 p90 p99 p99.9 max (values
 * as of durations), each also of a phase (load_phase_name()): hello.p99; errors, rate, lost
 * (numbers), resumed, early, stapled (percents). Returns 0, or -1 and a sentence. */
int thresholds_parse(struct thresholds *thresholds, const char *text, struct error *error);

/* Appends "resumed<PERCENT" of "99%" or "99". Returns 0, or -1 and a sentence. */
int thresholds_expect_resumed(struct thresholds *thresholds, const char *percent,
                              struct error *error);

/* Whether it is on a duration; whether it is on the metric of that name. */
bool threshold_is_latency(const struct threshold *threshold);
bool threshold_is_of(const struct threshold *threshold, const char *metric);

/* Refuses what the plan can never measure. Returns 0, or -1 and a sentence. */
int thresholds_check(const struct thresholds *thresholds, const struct load_plan *plan,
                     struct error *error);

/* Whether the run broke the condition, and if so a sentence that says how. Latency is that of a
 * message, or in handshake mode of a handshake; in an open loop the corrected one. What was not
 * measured breaks every condition on it. */
bool threshold_is_violated(const struct threshold *threshold, const struct load_plan *plan,
                           const struct load_result *result, char out[THRESHOLD_TEXT_BYTES]);
