#include "load/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "load/collect.h"
#include "load/series.h"

/* How often the main thread looks at hooks->stop. */
static const uint64_t STOP_LOOK_NS = 50 * 1000 * 1000;
/* Threads look at the stage every few milliseconds; more than this means that they starve. */
static const uint64_t TELL_PATIENCE_NS = 5ull * 1000 * 1000 * 1000;

/* A server that takes no more connections now; those under way go on while others are loaded. A
 * lost SYN is sent again after one second, and once more after two (tcp(7)), and that must not end
 * the ramp, nor must a machine that is busy elsewhere. */
static const uint64_t RAMP_PATIENCE_NS = 3500ull * 1000 * 1000;

/* A server that refuses every connection for so long is not there. One that is being started, or
 * started anew, may be. */
static const uint64_t REFUSAL_PATIENCE_NS = 2ull * 1000 * 1000 * 1000;

/* Before an open loop's schedule begins: all threads have looked at the stage by then. */
static const uint64_t SCHEDULE_LEAD_NS = 6 * 1000 * 1000;
/* Mean gaps without an arrival before patience may begin: e^-20 of all Poisson gaps are longer. */
enum { PATIENCE_GAPS = 20 };

struct run {
    struct load_plan plan; /* completed copy */
    struct load_hooks hooks;
    struct payload payload;
    struct client_request request;
    struct control control;
    struct load_thread **threads;
    unsigned thread_count;
    struct load_result *out;
    struct series series;
    struct histogram main_phase; /* for the live view */
    struct load_result scratch;
    bool is_called_off; /* by another process */
    /* The stage that the live view tells of. */
    const char *stage;
    uint64_t begin_ns; /* of the run */
    uint64_t stage_begin_ns;
    uint64_t stage_total_ns;
    struct collect_live stage_before; /* when it began */
    struct collect_live before;       /* at the last interval's end */
    uint64_t interval_begin_ns;
    bool is_measuring;
};

static bool is_stopped(const struct run *run)
{
    return run->is_called_off || (run->hooks.stop != NULL && atomic_load(run->hooks.stop));
}

/* Waits for the other processes, if there are any. Returns whether all go on. */
static bool meet(struct run *run, bool goes_on)
{
    return run->hooks.meet != NULL ? run->hooks.meet(run->hooks.user, goes_on) : goes_on;
}

static bool meet_unless_stopped(struct run *run)
{
    run->is_called_off = !meet(run, !is_stopped(run));
    return !run->is_called_off;
}

/* What falls to this process. */
static uint64_t share_of(const struct load_plan *plan, uint64_t whole)
{
    return load_share(whole, plan->rank.count, plan->rank.index);
}

static uint64_t share_before(const struct load_plan *plan, uint64_t whole)
{
    return load_share_before(whole, plan->rank.count, plan->rank.index);
}

static double seconds_between(uint64_t begin_ns, uint64_t end_ns)
{
    return (double)(end_ns - begin_ns) / (double)NS_PER_S;
}

static uint64_t handshakes_of(const struct collect_live *live)
{
    return live->totals[LOAD_TOTAL_HANDSHAKES_FULL] + live->totals[LOAD_TOTAL_HANDSHAKES_TICKET] +
           live->totals[LOAD_TOTAL_HANDSHAKES_ID];
}

static struct load_interval interval_of(const struct run *run, const struct collect_live *now,
                                        uint64_t now_ns)
{
    const struct collect_live *before = &run->before;

    return (struct load_interval){
        .start_s = seconds_between(run->stage_begin_ns, run->interval_begin_ns),
        .seconds = seconds_between(run->interval_begin_ns, now_ns),
        .handshakes = handshakes_of(now) - handshakes_of(before),
        .messages = now->totals[LOAD_TOTAL_MESSAGES] - before->totals[LOAD_TOTAL_MESSAGES],
        .bytes_in = now->totals[LOAD_TOTAL_BYTES_IN] - before->totals[LOAD_TOTAL_BYTES_IN],
        .bytes_out = now->totals[LOAD_TOTAL_BYTES_OUT] - before->totals[LOAD_TOTAL_BYTES_OUT],
        .errors = now->totals[LOAD_TOTAL_ERRORS] - before->totals[LOAD_TOTAL_ERRORS],
    };
}

/* An interval is over: into the series, and to whoever watches. */
static void end_interval(struct run *run, uint64_t now_ns)
{
    struct collect_live live;
    struct load_progress progress = {
        .stage = run->stage,
        .elapsed_s = seconds_between(run->stage_begin_ns, now_ns),
        .total_s = (double)run->stage_total_ns / (double)NS_PER_S,
        .wanted = run->plan.count,
    };

    collect_live(run->threads, run->thread_count, &live);
    progress.connections = live.connections;
    progress.interval = interval_of(run, &live, now_ns);
    run->before = live;
    run->interval_begin_ns = now_ns;
    if (run->is_measuring) {
        series_add(&run->series, &progress.interval);
        progress.done = live.totals[LOAD_TOTAL_DONE] - run->stage_before.totals[LOAD_TOTAL_DONE];
    }
    if (run->hooks.progress == NULL) {
        return;
    }
    if (run->is_measuring) {
        memset(&run->main_phase, 0, sizeof run->main_phase);
        for (unsigned i = 0; i < run->thread_count; i++) {
            load_main_latency(&run->plan, run->threads[i]->phases, &run->main_phase);
        }
        progress.p50_ns = histogram_percentile(&run->main_phase, 50);
        progress.p99_ns = histogram_percentile(&run->main_phase, 99);
    }
    run->hooks.progress(run->hooks.user, &progress);
}

static void begin_stage(struct run *run, const char *name, uint64_t total_ns)
{
    run->stage = name;
    run->stage_total_ns = total_ns;
    run->stage_begin_ns = run->interval_begin_ns = clock_now_ns();
    collect_live(run->threads, run->thread_count, &run->before);
    run->stage_before = run->before;
}

/* When `what` has not moved for so long, waiting for it is in vain. */
struct patience {
    enum load_total what;
    uint64_t limit_ns;
    uint64_t seen;
    uint64_t moved_ns; /* 0: not looked at yet */
};

static bool patience_is_out(const struct run *run, struct patience *patience, uint64_t now_ns)
{
    struct collect_live live;

    collect_live(run->threads, run->thread_count, &live);
    if (live.totals[patience->what] != patience->seen || patience->moved_ns == 0) {
        patience->seen = live.totals[patience->what];
        patience->moved_ns = now_ns;
    }
    return now_ns - patience->moved_ns > patience->limit_ns;
}

/* Whether nobody is there: each client has tried, and none has ever had a connection. Of several
 * processes one that finds so waits for the others, who may fare better, where all meet. */
static bool is_in_vain(const struct run *run, uint64_t now_ns)
{
    struct collect_live live;

    if (now_ns - run->begin_ns < REFUSAL_PATIENCE_NS) {
        return false;
    }
    collect_live(run->threads, run->thread_count, &live);
    return live.totals[LOAD_TOTAL_CONNECTS] == 0 &&
           live.totals[LOAD_TOTAL_SETTLED] ==
               share_of(&run->plan, run->plan.connections) + share_of(&run->plan, run->plan.idle) &&
           live.totals[LOAD_TOTAL_REFUSED] == live.totals[LOAD_TOTAL_ERRORS];
}

/* Waits until all threads have told `report`, the stage's time is over, or the run shall end early.
 */
static void wait_stage(struct run *run, enum control_report report, struct patience *patience)
{
    const uint64_t end_ns =
        run->stage_total_ns > 0 ? run->stage_begin_ns + run->stage_total_ns : UINT64_MAX;
    uint64_t next_ns = run->stage_begin_ns + run->plan.interval_ns;

    for (;;) {
        uint64_t now_ns = clock_now_ns();
        uint64_t wake_ns = now_ns + STOP_LOOK_NS;

        wake_ns = wake_ns < next_ns ? wake_ns : next_ns;
        wake_ns = wake_ns < end_ns ? wake_ns : end_ns;
        if (control_wait(&run->control, report, run->thread_count, wake_ns)) {
            break;
        }
        now_ns = clock_now_ns();
        if (now_ns >= end_ns || is_stopped(run) || is_in_vain(run, now_ns) ||
            (patience != NULL && patience_is_out(run, patience, now_ns))) {
            break;
        }
        if (now_ns >= next_ns) {
            end_interval(run, now_ns);
            next_ns += (1 + (now_ns - next_ns) / run->plan.interval_ns) * run->plan.interval_ns;
        }
    }
}

/* The last interval is a whole one or shorter; a sliver says nothing about the rate. */
static void end_stage(struct run *run)
{
    const uint64_t now_ns = clock_now_ns();

    if (now_ns - run->interval_begin_ns > run->plan.interval_ns / 10) {
        end_interval(run, now_ns);
    }
}

static void warm_up(struct run *run)
{
    struct patience ramp = {.what = LOAD_TOTAL_SETTLED, .limit_ns = RAMP_PATIENCE_NS};

    if (load_plan_has_ramp(&run->plan) || run->plan.idle > 0) {
        ramp.limit_ns += 2 * run->plan.ramp_ns / share_of(&run->plan, run->plan.connections);
        control_enter(&run->control, LOAD_STAGE_RAMP);
        begin_stage(run, "warmup", 0);
        wait_stage(run, CONTROL_RAMPED, &ramp);
    }
    if (!meet_unless_stopped(run)) {
        return;
    }
    if (run->plan.warmup_ns > 0) {
        run->control.schedule_ns = clock_now_ns() + SCHEDULE_LEAD_NS;
        control_enter(&run->control, LOAD_STAGE_WARMUP);
        begin_stage(run, "warmup", run->plan.warmup_ns);
        wait_stage(run, CONTROL_MEASURED, NULL); /* none tells it yet: for the whole time */
        end_stage(run);
    }
}

/* Each idle connection has its timeout; they are asked in turns. */
static void wait_verified(struct run *run)
{
    struct patience patience = {.what = LOAD_TOTAL_DONE, .limit_ns = run->plan.timeout_ns};

    run->is_measuring = false;
    begin_stage(run, "verify", 0);
    wait_stage(run, CONTROL_VERIFIED, &patience);
}

static void measure(struct run *run)
{
    struct patience count = {.what = LOAD_TOTAL_DONE, .limit_ns = run->plan.timeout_ns};

    if (run->plan.rate > 0) {
        count.limit_ns += PATIENCE_GAPS * run->plan.rank.count * NS_PER_S / run->plan.rate;
    }
    if (run->hooks.measure_begin != NULL) {
        run->hooks.measure_begin(run->hooks.user);
    }
    meet(run, true);
    run->is_measuring = true;
    begin_stage(run, "measure", run->plan.duration_ns);
    if (run->control.schedule_ns == 0) {
        run->control.schedule_ns = clock_now_ns() + SCHEDULE_LEAD_NS;
    }
    control_enter(&run->control, LOAD_STAGE_MEASURE);
    if (control_wait(&run->control, CONTROL_MEASURING, run->thread_count,
                     clock_now_ns() + TELL_PATIENCE_NS)) {
        /* What threads did before they saw the stage is in no interval, as it is in no result. */
        collect_begin(run->threads, run->thread_count, &run->before);
        run->stage_before = run->before;
    }
    wait_stage(run, CONTROL_MEASURED, run->plan.count > 0 ? &count : NULL);
    control_enter(&run->control, run->plan.idle > 0 ? LOAD_STAGE_MEASURED : LOAD_STAGE_STOP);
    control_wait(&run->control, CONTROL_MEASURED, run->thread_count,
                 clock_now_ns() + TELL_PATIENCE_NS);
    end_stage(run);
    meet(run, true);
    if (run->hooks.measure_end != NULL) {
        run->hooks.measure_end(run->hooks.user);
    }
    if (run->plan.idle > 0) {
        control_enter(&run->control, LOAD_STAGE_VERIFY);
        wait_verified(run);
    }
}

static int start_threads(struct run *run, struct error *error)
{
    const struct load_plan *plan = &run->plan;
    const struct thread_shared shared = {
        .plan = plan,
        .kind = client_kind_of(plan),
        .payload = &run->payload,
        .request = &run->request,
        .control = &run->control,
    };
    const uint64_t connections = share_of(plan, plan->connections);
    const uint64_t idle = share_of(plan, plan->idle);
    const uint64_t count = share_of(plan, plan->count);
    struct thread_share share = {
        .client_first =
            (uint32_t)(share_before(plan, plan->connections) + share_before(plan, plan->idle)),
    };

    payload_init(&run->payload);
    if (shared.kind->prepare != NULL) {
        shared.kind->prepare(plan, &run->payload, &run->request);
    } else if (plan->idle > 0) {
        client_idle_kind_of(plan)->prepare(plan, &run->payload, &run->request);
    }
    for (unsigned i = 0; i < plan->threads; i++) {
        share.index = i;
        share.idle_count = (uint32_t)load_share(idle, plan->threads, i);
        share.client_count = share.idle_count + (uint32_t)load_share(connections, plan->threads, i);
        share.count = load_share(count, plan->threads, i);
        run->threads[i] = thread_start(&shared, &share, error);
        if (run->threads[i] == NULL) {
            return -1;
        }
        run->thread_count++;
        share.client_first += share.client_count;
    }
    control_wait(&run->control, CONTROL_READY, run->thread_count, UINT64_MAX / 2);
    for (unsigned i = 0; i < run->thread_count; i++) {
        if (run->threads[i]->error.text[0] != '\0') {
            return error_set(error, "%s", run->threads[i]->error.text);
        }
    }
    return 0;
}

static void join_threads(struct run *run)
{
    control_enter(&run->control, LOAD_STAGE_STOP);
    for (unsigned i = 0; i < run->thread_count; i++) {
        thread_join(run->threads[i]);
    }
}

static void run_free(struct run *run)
{
    for (unsigned i = 0; i < run->thread_count; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): no array, no threads. */
        thread_free(run->threads[i]);
    }
    free(run->threads);
    control_deinit(&run->control);
    free(run);
}

/* Any thread's. */
static void hand_over_session(const struct run *run)
{
    for (unsigned i = 0; i < run->thread_count; i++) {
        const struct load_thread *thread = run->threads[i];

        if (thread->kept != NULL && run->hooks.session != NULL) {
            run->hooks.session(run->hooks.user, thread->kept, thread->kept_bytes);
            return;
        }
    }
}

static struct run *run_new(const struct load_plan *plan, const struct load_hooks *hooks,
                           struct load_result *out)
{
    struct run *run = calloc(1, sizeof *run);

    if (run == NULL) {
        return NULL;
    }
    run->plan = *plan;
    if (hooks != NULL) {
        run->hooks = *hooks;
    }
    run->out = out;
    run->begin_ns = clock_now_ns();
    run->series.out = out;
    run->threads = calloc(plan->threads, sizeof(struct load_thread *));
    control_init(&run->control);
    if (run->threads == NULL) {
        run_free(run);
        return NULL;
    }
    return run;
}

int load_run(const struct load_plan *plan, const struct load_hooks *hooks, struct load_result *out,
             struct error *error)
{
    struct load_plan complete = *plan;
    struct run *run;
    int status;

    memset(out, 0, sizeof *out);
    if (load_plan_complete(&complete, error) != 0) {
        return -1;
    }
    run = run_new(&complete, hooks, out);
    if (run == NULL) {
        return error_set(error, "no memory for a load run");
    }
    status = start_threads(run, error);
    if (!meet(run, status == 0)) {
        status = -1;
    }
    if (status == 0) {
        warm_up(run);
        if (!is_stopped(run)) {
            measure(run);
        }
    }
    join_threads(run);
    if (status == 0) {
        collect_result(run->threads, run->thread_count, &run->scratch, out);
        out->interrupted = is_stopped(run);
        hand_over_session(run);
    }
    run_free(run);
    return status;
}
