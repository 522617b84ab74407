#include "ring/fault.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "ring/buffers.h"

enum {
    KEPT_MAX = 4096,  /* completions kept back; none is kept on purpose beyond half of it */
    STOPS_MAX = 64,   /* receives that are being stopped */
    LATE_TURNS = 8,   /* at most */
    SHORT_BYTES = 64, /* most short transfers are shorter still */
};

struct kept {
    struct ring_completion completion;
    uint64_t turn; /* given out in this turn at the earliest */
};

/* A multishot receive that ends as planned. The kernel is asked to cancel it; what it says until it
 * obeys is passed on, and its last word is put into ours. */
struct stop {
    struct op op;
    int32_t result; /* 0: with the last bytes that came */
    bool spoils;    /* `result` comes with those bytes */
    bool has_last;
    struct ring_completion last;
};

struct faults {
    struct fault_plan plan;
    struct random random;
    uint64_t turn;
    uint64_t happened[FAULT_COUNT];
    struct kept kept[KEPT_MAX]; /* oldest first */
    uint32_t kept_count;
    struct stop stops[STOPS_MAX];
    uint32_t stop_count;
    bool is_out[BUFFERS_MAX]; /* handed out by the kernel, or never given to it */
};

static const char *const names[FAULT_COUNT] = {
    [FAULT_RECV_SHORT] = "recv-short",
    [FAULT_RECV_STOP] = "recv-stop",
    [FAULT_RECV_LAST] = "recv-last",
    [FAULT_SEND_SHORT] = "send-short",
    [FAULT_ACCEPT_FAIL] = "accept-fail",
    [FAULT_ENTER_FAIL] = "enter-fail",
    [FAULT_STALE] = "stale",
    [FAULT_LATE] = "late",
    [FAULT_RECV_FAIL] = "recv-fail",
    [FAULT_SEND_FAIL] = "send-fail",
    [FAULT_CONNECT_FAIL] = "connect-fail",
};

/* What may go wrong with each; 0 ends a list. */
static const int8_t recv_stops[] = {ENOBUFS, ECANCELED, EINTR, 0};
static const int8_t recv_failures[] = {ECONNRESET, ETIMEDOUT, ENOMEM, EPIPE, 0};
static const int8_t send_failures[] = {EPIPE, ECONNRESET, ETIMEDOUT, ENOMEM, ENOBUFS, ECANCELED, 0};
static const int8_t accept_failures[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, 0};
static const int8_t connect_failures[] = {ECONNREFUSED, ETIMEDOUT, ENETUNREACH, ECANCELED, 0};
static const int8_t enter_failures[] = {EAGAIN, EBUSY, EINTR, ENOMEM, 0};

static _Thread_local struct faults *faults; /* of the thread's ring; NULL: nothing goes wrong */
static _Thread_local struct fault_plan next_plan;
static _Thread_local bool has_next_plan;

void fault_plan(const struct fault_plan *plan)
{
    has_next_plan = plan != NULL;
    if (plan) {
        next_plan = *plan;
    }
}

uint64_t fault_happened(enum fault fault)
{
    return faults ? faults->happened[fault] : 0;
}

bool fault_pending(void)
{
    return faults && faults->kept_count > 0;
}

static bool plan_parse(const char *text, struct fault_plan *out)
{
    memset(out, 0, sizeof *out);
    while (*text) {
        size_t length = strcspn(text, "=");
        unsigned long value = text[length] ? strtoul(text + length + 1, NULL, 10) : 0;
        bool known = length == 4 && strncmp(text, "seed", length) == 0;

        if (known) {
            out->seed = value;
        }
        for (int i = 0; i < FAULT_COUNT; i++) {
            if (strlen(names[i]) == length && strncmp(names[i], text, length) == 0) {
                out->per_mille[i] = (uint16_t)value;
                known = true;
            }
        }
        if (!known) {
            fprintf(stderr, "TLSDYNO_FAULTS: no such fault: %s\n", text);
            exit(2);
        }
        text += strcspn(text, ",");
        text += *text == ',';
    }
    return true;
}

/* Each thread's schedule is its own. */
static bool plan_of_environment(struct fault_plan *out)
{
    static _Atomic uint64_t thread_count;
    const char *text = getenv("TLSDYNO_FAULTS");

    if (!text || !plan_parse(text, out)) {
        return false;
    }
    out->seed += thread_count++;
    return true;
}

void fault_open(uint32_t *entries, uint32_t *completions)
{
    if (!has_next_plan && !plan_of_environment(&next_plan)) {
        return;
    }
    has_next_plan = false;
    free(faults);
    faults = calloc(1, sizeof *faults);
    if (!faults) {
        return;
    }
    faults->plan = next_plan;
    faults->random.state = next_plan.seed;
    memset(faults->is_out, true, sizeof faults->is_out);
    if (next_plan.entries > 0) {
        *entries = next_plan.entries;
    }
    if (next_plan.completions > 0) {
        *completions = next_plan.completions;
    }
}

void fault_close(void)
{
    free(faults);
    faults = NULL;
}

/* Whether it happens now. */
static bool strikes(enum fault fault)
{
    if (!faults || faults->kept_count > KEPT_MAX / 2 ||
        random_below(&faults->random, 1000) >= faults->plan.per_mille[fault]) {
        return false;
    }
    faults->happened[fault]++;
    return true;
}

static int32_t choose(const int8_t *failures)
{
    uint64_t count = 0;

    while (failures[count] != 0) {
        count++;
    }
    return -failures[random_below(&faults->random, count)];
}

/* From 1 to `count`, mostly few. */
static uint32_t shorten(uint32_t count)
{
    uint32_t most =
        random_below(&faults->random, 4) > 0 && count > SHORT_BYTES ? SHORT_BYTES : count;

    return 1 + (uint32_t)random_below(&faults->random, most);
}

static bool is_same(struct op a, struct op b)
{
    return a.kind == b.kind && a.slot == b.slot && a.generation == b.generation;
}

/* ---- completions that are kept back ---- */

static void keep(const struct ring_completion *completion, uint64_t turn)
{
    assert(faults->kept_count < KEPT_MAX);
    faults->kept[faults->kept_count++] = (struct kept){.completion = *completion, .turn = turn};
}

/* Gives it out as soon as those of the same request that came before it; now and then later. */
static void pass(const struct ring_completion *completion)
{
    uint64_t turn = faults->turn;

    if (strikes(FAULT_LATE)) {
        turn += 1 + random_below(&faults->random, LATE_TURNS);
    }
    for (uint32_t i = 0; i < faults->kept_count; i++) {
        const struct kept *kept = &faults->kept[i];

        if (is_same(kept->completion.op, completion->op) && kept->turn > turn) {
            turn = kept->turn;
        }
    }
    keep(completion, turn);
}

static bool give_out(struct ring_completion *out)
{
    for (uint32_t i = 0; i < faults->kept_count; i++) {
        if (faults->kept[i].turn <= faults->turn) {
            *out = faults->kept[i].completion;
            faults->kept_count--;
            memmove(&faults->kept[i], &faults->kept[i + 1],
                    (faults->kept_count - i) * sizeof *faults->kept);
            return true;
        }
    }
    return false;
}

/* ---- receives that end early ---- */

static struct stop *stop_find(struct op op)
{
    for (uint32_t i = 0; i < faults->stop_count; i++) {
        if (is_same(faults->stops[i].op, op)) {
            return &faults->stops[i];
        }
    }
    return NULL;
}

static void stop_receive(struct ring *ring, const struct ring_completion *completion)
{
    struct stop stop = {.op = completion->op};

    if (faults->stop_count == STOPS_MAX) {
        return;
    }
    if (strikes(FAULT_RECV_STOP)) {
        stop.result = choose(recv_stops);
    } else if (strikes(FAULT_RECV_FAIL)) {
        stop.result = choose(recv_failures);
        stop.spoils = random_below(&faults->random, 2) == 0;
    } else if (!strikes(FAULT_RECV_LAST)) {
        return;
    }
    faults->stops[faults->stop_count++] = stop;
    ring_cancel(ring, stop.op, (struct op){.kind = OP_IGNORE});
}

/* One more word of a receive that is being stopped. */
static void stop_hear(struct stop *stop, const struct ring_completion *completion)
{
    struct ring_completion end = *completion;
    bool obeyed = completion->result == -ECANCELED;

    if (stop->has_last) {
        if (obeyed && (stop->result == 0 || stop->spoils)) {
            end = stop->last;
            end.result = stop->result ? stop->result : end.result;
            end.more = false;
        } else {
            pass(&stop->last);
        }
        stop->has_last = false;
    }
    if (completion->more && completion->result > 0 && (stop->result == 0 || stop->spoils)) {
        stop->last = *completion; /* perhaps the last bytes */
        stop->has_last = true;
        return;
    }
    if (obeyed && end.result == -ECANCELED && stop->result) {
        end.result = stop->result;
    }
    pass(&end);
    if (!completion->more) {
        *stop = faults->stops[--faults->stop_count];
    }
}

/* ---- the hooks ---- */

int fault_enter(void)
{
    return strikes(FAULT_ENTER_FAIL) ? choose(enter_failures) : 0;
}

int fault_turn(uint64_t *wait_ns)
{
    if (!faults) {
        return 0;
    }
    faults->turn++;
    if (faults->kept_count > 0) {
        *wait_ns = 0;
    }
    return fault_enter();
}

static void hear(struct ring *ring, const struct ring_completion *completion)
{
    struct stop *stop;

    if (completion->op.kind == OP_RECV && completion->more && completion->result > 0 &&
        !stop_find(completion->op)) {
        stop_receive(ring, completion);
    }
    stop = stop_find(completion->op);
    if (stop) {
        stop_hear(stop, completion);
    } else {
        pass(completion);
    }
    if (completion->op.kind != OP_IGNORE && completion->op.kind != OP_MAIL &&
        completion->op.kind != OP_ACCEPT && strikes(FAULT_STALE)) {
        struct ring_completion stale = {.op = completion->op, .result = -ECANCELED, .buffer = -1};

        stale.op.generation = (stale.op.generation - 1) & 0xffffff;
        pass(&stale);
    }
}

bool fault_next(struct ring *ring, fault_take *take, struct ring_completion *out)
{
    struct ring_completion completion;

    if (!faults) {
        return take(ring, out);
    }
    while (!give_out(out)) {
        if (!take(ring, &completion)) {
            return false;
        }
        hear(ring, &completion);
    }
    if (out->buffer >= 0) {
        assert(!faults->is_out[out->buffer]);
        faults->is_out[out->buffer] = true;
    }
    return true;
}

static bool fail_request(struct op op, const int8_t *failures)
{
    struct ring_completion failed = {.op = op, .result = choose(failures), .buffer = -1};

    keep(&failed, faults->turn + 1);
    return true;
}

bool fault_request(struct op op)
{
    switch (op.kind) {
    case OP_ACCEPT:
        return strikes(FAULT_ACCEPT_FAIL) && fail_request(op, accept_failures);
    case OP_CONNECT:
        return strikes(FAULT_CONNECT_FAIL) && fail_request(op, connect_failures);
    case OP_RECV:
        return (strikes(FAULT_RECV_STOP) && fail_request(op, recv_stops)) ||
               (strikes(FAULT_RECV_FAIL) && fail_request(op, recv_failures));
    default:
        return false;
    }
}

bool fault_send(struct op op, uint32_t *count)
{
    if (strikes(FAULT_SEND_FAIL)) {
        return fail_request(op, send_failures);
    }
    if (strikes(FAULT_SEND_SHORT)) {
        *count = shorten(*count);
    }
    return false;
}

bool fault_sendmsg(struct ring *ring, int descriptor, const struct msghdr *message, struct op op)
{
    if (strikes(FAULT_SEND_FAIL)) {
        return fail_request(op, send_failures);
    }
    if (strikes(FAULT_SEND_SHORT)) {
        ring_send(ring, descriptor, message->msg_iov->iov_base,
                  shorten((uint32_t)message->msg_iov->iov_len), false, op);
        return true;
    }
    return false;
}

uint32_t fault_buffer(uint16_t index, uint32_t bytes)
{
    if (!faults) {
        return bytes;
    }
    assert(faults->is_out[index]);
    faults->is_out[index] = false;
    return strikes(FAULT_RECV_SHORT) ? shorten(bytes) : bytes;
}
