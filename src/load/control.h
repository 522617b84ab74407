/* How the main thread leads the load threads: it sets the stage, they say how far they are. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum load_stage {
    LOAD_STAGE_IDLE, /* threads set themselves up */
    LOAD_STAGE_RAMP, /* connections are made, and stay silent; in handshake mode the idle ones only
                      */
    LOAD_STAGE_WARMUP, /* full load, not counted */
    LOAD_STAGE_MEASURE,
    LOAD_STAGE_MEASURED, /* nothing more is begun */
    LOAD_STAGE_VERIFY,   /* each idle connection is asked once */
    LOAD_STAGE_STOP,
};

/* Each thread reports each of these at most once. */
enum control_report {
    CONTROL_READY,     /* set up, or failed to */
    CONTROL_RAMPED,    /* every connection has been open, or has failed, once */
    CONTROL_MEASURING, /* the counts at the beginning of the measured time are taken */
    CONTROL_MEASURED,  /* and those at its end: its share is done, or the stage is over */
    CONTROL_VERIFIED,  /* every idle connection has answered, or failed */
    CONTROL_REPORT_COUNT,
};

struct control {
    _Atomic enum load_stage stage; /* writer: main; readers: threads, once a turn */
    uint64_t
        schedule_ns; /* when an open loop's schedule begins; main, before the first loaded stage
                      */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned reports[CONTROL_REPORT_COUNT]; /* under lock: threads that have reported each */
};

void control_init(struct control *control);
void control_deinit(struct control *control);

static inline enum load_stage control_stage(struct control *control)
{
    return atomic_load_explicit(&control->stage, memory_order_acquire);
}

static inline void control_enter(struct control *control, enum load_stage stage)
{
    atomic_store_explicit(&control->stage, stage, memory_order_release);
}

/* From a load thread. What it wrote before is then visible to whoever control_wait() tells. */
void control_tell(struct control *control, enum control_report report);

/* Waits until `count` threads have told, or until deadline_ns (CLOCK_MONOTONIC). Returns whether
 * they have. */
bool control_wait(struct control *control, enum control_report report, unsigned count,
                  uint64_t deadline_ns);
