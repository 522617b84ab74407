/* One load thread: a reactor of its own, its share of the clients, and what they find out. Nothing
 * is shared with other threads but the plan and the control; counts cross over by relaxed atomics
 * (totals, histograms, counters) or once the thread has told the control. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/histogram.h"
#include "base/payload.h"
#include "conn/reactor.h"
#include "load/client.h"
#include "load/control.h"
#include "load/open_loop.h"
#include "load/plan.h"
#include "load/result.h"
#include "load/resume.h"
#include "load/tally.h"
#include "load/totals.h"

/* What all threads of a run look at and none changes. */
struct thread_shared {
    const struct load_plan *plan; /* complete */
    const struct client_kind *kind;
    const struct payload *payload;
    const struct client_request *request;
    struct control *control;
};

/* A thread's share of the run. */
struct thread_share {
    unsigned index; /* among plan->threads */
    uint32_t client_first;
    uint32_t client_count; /* the idle ones come first */
    uint32_t idle_count;
    uint64_t count; /* of plan->count; 0: no limit */
};

/* The counts at one edge of the measured time. */
struct thread_edge {
    uint64_t at_ns; /* 0: not reached */
    uint64_t cpu_ns;
    uint64_t totals[LOAD_TOTAL_COUNT];
    uint64_t counters[COUNTER_COUNT];
};

struct load_thread {
    const struct load_plan *plan;
    const struct client_kind *kind; /* of those that are not idle */
    const struct payload *payload;
    const struct client_request *request;
    struct control *control;
    struct thread_share share;
    pthread_t handle;
    struct error error; /* not empty: set-up failed; read after CONTROL_READY */

    struct reactor reactor;
    struct tls_library *library; /* NULL: plain TCP, or OpenSSL's default instance */
    struct tls_context *context; /* NULL: plain TCP */
    struct load_client *clients;
    struct exchange_times *times; /* the exchanges' rings */
    struct open_loop open_loop;
    struct load_client *waiting;
    struct resume_mix mix;
    struct resume_pool sessions;
    unsigned vain_waits; /* for a session ticket, in a row */
    enum load_stage stage;
    bool is_measuring;
    bool has_verified;      /* and has told so */
    uint64_t under_way;     /* handshakes or messages begun and not done */
    uint64_t ramp_begin_ns; /* 0: not yet */
    uint32_t ramp_next;     /* the client to make its first connection next */
    uint32_t verify_next;   /* the idle client to be asked next */
    uint32_t idle_open;     /* open and secure, and so with the next */
    uint32_t open_count;
    uint32_t open_peak;
    struct wheel_timer tick;  /* looks at the stage even when nothing happens */
    struct wheel_timer drain; /* the end of patience at the end of the run */

    struct load_totals totals; /* reader: main, any time; so with the next two */
    struct histogram phases[LOAD_PHASE_COUNT];
    struct counters counters;
    struct thread_edge begin, end; /* reader: main, after CONTROL_MEASURING, CONTROL_MEASURED */
    uint32_t idle_held;      /* open when they began to be asked; reader: main, after the end */
    uint32_t idle_verified;  /* likewise: answered */
    uint64_t unstarted;      /* due and not begun at that end; reader: as for `end` */
    struct load_tally tally; /* reader: main, after the thread has ended; so with the next */
    uint8_t *kept;           /* plan->keep_session: heap; NULL: there was none */
    size_t kept_bytes;
};

/* Starts it; it tells CONTROL_READY, with `error` set when it could not be set up, and then waits
 * for stages. NULL and a sentence when there is no memory or no thread to be had. */
struct load_thread *thread_start(const struct thread_shared *shared,
                                 const struct thread_share *share, struct error *error);

/* Waits for it to end: in the STOP stage, or after a failed set-up. */
void thread_join(struct load_thread *thread);
void thread_free(struct load_thread *thread); /* accepts NULL; joined before */

/* The rest is for clients, on the thread itself. */

static inline uint64_t thread_now_ns(const struct load_thread *thread)
{
    return thread->reactor.now_ns;
}

/* Whether another handshake or message may begin. */
static inline bool thread_may_begin(const struct load_thread *thread)
{
    if (thread->stage == LOAD_STAGE_WARMUP) {
        return true;
    }
    if (!thread->is_measuring) {
        return false;
    }
    return thread->share.count == 0 || load_totals_get(&thread->totals, LOAD_TOTAL_DONE) -
                                               thread->begin.totals[LOAD_TOTAL_DONE] +
                                               thread->under_way <
                                           thread->share.count;
}

/* So many of those under way on the client's connection are done. */
void thread_done(struct load_client *client, uint64_t amount);

static inline void thread_record(struct load_thread *thread, enum load_phase phase,
                                 uint64_t duration_ns)
{
    if (thread->is_measuring) {
        histogram_record(&thread->phases[phase], duration_ns);
    }
}

/* The client's first attempt has succeeded or failed. */
void thread_settled(struct load_thread *thread, struct load_client *client);
