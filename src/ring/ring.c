#include "ring/ring.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "ring/buffers.h"
#include "ring/fault.h"
#include "ring/kernel.h"

/* Best first; all disabled until ring_enable(). DEFER_TASKRUN runs completions only inside our
 * own enter, so they arrive in batches and never interrupt a handshake; COOP_TASKRUN at least
 * spares the inter-processor interrupt. */
static const unsigned setup_flags[] = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
        IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
    IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
};

enum { SETUP_COUNT = sizeof setup_flags / sizeof *setup_flags };

/* All that the requests below ask of the kernel. A ring takes nothing else once it is enabled: it
 * is an entrance that seccomp does not watch, and could open files and connect as well. */
static const uint8_t operations[] = {
    IORING_OP_ACCEPT,  IORING_OP_CONNECT,      IORING_OP_RECV, IORING_OP_SEND,
    IORING_OP_SENDMSG, IORING_OP_ASYNC_CANCEL, IORING_OP_READ,
};

static const uint8_t registrations[] = {
    IORING_REGISTER_PBUF_RING,
    IORING_UNREGISTER_PBUF_RING,
    IORING_UNREGISTER_RING_FDS,
};

enum {
    RESTRICTION_COUNT = sizeof operations + sizeof registrations + 1,
};

/* Restricts, enables and tries it, for a filter of system calls may know some of io_uring's only;
 * with SINGLE_ISSUER the thread that enables a ring is the one that may use it. Returns 0 or
 * -errno. */
static int ring_enable(struct io_uring *uring)
{
    struct io_uring_restriction restrictions[RESTRICTION_COUNT] = {
        {.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_BUFFER_SELECT}};
    unsigned count = 1;
    int result;

    for (size_t i = 0; i < sizeof operations; i++) {
        restrictions[count].opcode = IORING_RESTRICTION_SQE_OP;
        restrictions[count++].sqe_op = operations[i];
    }
    for (size_t i = 0; i < sizeof registrations; i++) {
        restrictions[count].opcode = IORING_RESTRICTION_REGISTER_OP;
        restrictions[count++].register_op = registrations[i];
    }
    /* Debian's liburing 2.3 declares a function for each of these two and exports neither. */
    result = io_uring_register((unsigned)uring->ring_fd, IORING_REGISTER_RESTRICTIONS, restrictions,
                               count);
    if (result >= 0) {
        result = io_uring_register((unsigned)uring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    }
    return result < 0 ? result : io_uring_submit_and_get_events(uring);
}

/* Returns the index of the flags that worked, or -errno. */
static int ring_setup(struct io_uring *uring, unsigned entries, unsigned completions,
                      struct io_uring_params *out_params)
{
    int result = -EINVAL;

    for (int i = 0; i < SETUP_COUNT; i++) {
        struct io_uring_params params = {.flags = setup_flags[i] | IORING_SETUP_R_DISABLED,
                                         .cq_entries = completions};

        result = io_uring_queue_init_params(entries, uring, &params);
        if (result == 0) {
            *out_params = params;
            return i;
        }
        if (result != -EINVAL) {
            return result;
        }
    }
    return result;
}

/* What a ring counts for in RLIMIT_MEMLOCK, on kernels that count it (Linux 6.18 does): its queues,
 * and that of the buffers. */
static uint64_t ring_bytes(uint64_t completions)
{
    return RING_ENTRIES * (sizeof(struct io_uring_sqe) + sizeof(uint32_t)) +
           completions * sizeof(struct io_uring_cqe) + BUFFERS_MAX * sizeof(struct io_uring_buf);
}

uint32_t ring_completions(unsigned ring_count)
{
    uint32_t completions = RING_COMPLETIONS;
    struct kernel_rules rules;

    kernel_rules_read(&rules);
    while (completions > RING_COMPLETIONS_MIN &&
           ring_bytes(completions) > rules.memlock_bytes / 2 / ring_count) {
        completions /= 2;
    }
    return completions;
}

static int ring_refusal(int code, struct error *error)
{
    struct kernel_rules rules;

    kernel_rules_read(&rules);
    return kernel_refusal(code, &rules, ring_bytes(RING_COMPLETIONS_MIN), error);
}

int ring_probe(struct ring_features *out, struct error *error)
{
    struct io_uring uring;
    struct io_uring_params params = {0};
    struct utsname name;
    struct io_uring_probe *probe;
    int setup = ring_setup(&uring, 4, 8, &params);
    int result;

    memset(out, 0, sizeof *out);
    if (setup < 0) {
        return ring_refusal(-setup, error);
    }
    probe = io_uring_get_probe_ring(&uring);
    if (uname(&name) == 0) {
        snprintf(out->kernel, sizeof out->kernel, "%.*s", (int)sizeof out->kernel - 1,
                 name.release);
    }
    out->defer_taskrun = setup == 0;
    out->single_issuer = setup == 0;
    out->submit_stable = (params.features & IORING_FEAT_SUBMIT_STABLE) != 0;
    if (probe) {
        /* Multishot modes have no bit of their own: each came in the release of the operation named
         * here. */
        out->multishot_accept = io_uring_opcode_supported(probe, IORING_OP_SOCKET);
        out->buffer_ring = out->multishot_accept;
        out->multishot_recv = io_uring_opcode_supported(probe, IORING_OP_SEND_ZC);
        io_uring_free_probe(probe);
    }
    result = ring_enable(&uring);
    io_uring_queue_exit(&uring);
    if (result < 0) {
        return ring_refusal(-result, error);
    }
    if (!out->buffer_ring || !out->multishot_recv || !out->submit_stable) {
        return error_set(error,
                         "kernel %s lacks multishot receive with provided buffers: "
                         "Linux 6.1 or later is needed",
                         out->kernel);
    }
    return 0;
}

int ring_open(struct ring *ring, uint32_t completions, struct error *error)
{
    struct io_uring_params params;
    uint32_t entries = RING_ENTRIES;
    int result;

    memset(ring, 0, sizeof *ring);
    if (completions == 0) {
        completions = RING_COMPLETIONS;
    }
    fault_open(&entries, &completions);
    ring->uring = calloc(1, sizeof *ring->uring);
    if (!ring->uring) {
        return error_set(error, "no memory for an io_uring");
    }
    result = ring_setup(ring->uring, entries, completions, &params);
    if (result < 0) {
        free(ring->uring);
        ring->uring = NULL;
        return ring_refusal(-result, error);
    }
    /* Saves a descriptor look-up on each enter; a kernel without it does as well. */
    io_uring_register_ring_fd(ring->uring);
    result = ring_enable(ring->uring);
    if (result < 0) {
        ring_close(ring);
        return ring_refusal(-result, error);
    }
    return 0;
}

void ring_close(struct ring *ring)
{
    fault_close();
    if (ring->uring) {
        io_uring_queue_exit(ring->uring);
        free(ring->uring);
        ring->uring = NULL;
    }
}

/* An enter that failed is tried again, but not in a busy loop, and not for ever. Returns whether
 * this one failed. */
static bool ring_failed(struct ring *ring, int result)
{
    const struct timespec pause = {.tv_nsec = 1000 * 1000};

    if (result >= 0 || result == -ETIME) {
        ring->failures = 0;
        return false;
    }
    if (result == -EINTR) {
        return false;
    }
    if (++ring->failures > RING_FAILURES_MAX) {
        fprintf(stderr, "io_uring_enter fails again and again: %s\n", strerror(-result));
        abort();
    }
    if (ring->failures > 1) {
        nanosleep(&pause, NULL);
    }
    return true;
}

/* These end a turn early without harm: the caller reads completions and comes again. EBUSY and
 * EAGAIN mean that completions must be taken before the kernel accepts more. */
static int ring_turn_result(struct ring *ring, int result)
{
    return ring_failed(ring, result) && result != -EBUSY && result != -EAGAIN ? result : 0;
}

int ring_turn(struct ring *ring, uint64_t wait_ns)
{
    struct io_uring_cqe *completion;
    int result;

    ring->enters++;
    result = fault_turn(&wait_ns);
    if (result < 0) {
        return ring_turn_result(ring, result);
    }
    if (wait_ns == 0) {
        result = io_uring_submit_and_get_events(ring->uring);
    } else if (wait_ns == UINT64_MAX) {
        result = io_uring_submit_and_wait(ring->uring, 1);
    } else {
        struct __kernel_timespec timeout = {
            .tv_sec = (long long)(wait_ns / NS_PER_S),
            .tv_nsec = (long long)(wait_ns % NS_PER_S),
        };

        result = io_uring_submit_and_wait_timeout(ring->uring, &completion, 1, &timeout, NULL);
    }
    return ring_turn_result(ring, result);
}

bool ring_is_submitted(const struct ring *ring)
{
    return io_uring_sq_ready(ring->uring) == 0;
}

static bool ring_take(struct ring *ring, struct ring_completion *out)
{
    struct io_uring_cqe *completion;
    unsigned head;

    io_uring_for_each_cqe(ring->uring, head, completion)
    {
        *out = (struct ring_completion){
            .op = op_decode(completion->user_data),
            .result = completion->res,
            .buffer = completion->flags & IORING_CQE_F_BUFFER
                          ? (int32_t)(completion->flags >> IORING_CQE_BUFFER_SHIFT)
                          : -1,
            .more = (completion->flags & IORING_CQE_F_MORE) != 0,
        };
        io_uring_cq_advance(ring->uring, 1);
        return true;
    }
    return false;
}

bool ring_next(struct ring *ring, struct ring_completion *out)
{
    return fault_next(ring, ring_take, out);
}

static struct io_uring_sqe *ring_request(struct ring *ring)
{
    struct io_uring_sqe *request = io_uring_get_sqe(ring->uring);

    while (!request) {
        int result = fault_enter();

        ring->enters++;
        ring_failed(ring, result < 0 ? result : io_uring_submit(ring->uring));
        request = io_uring_get_sqe(ring->uring);
    }
    return request;
}

/* Last, because liburing's preparing functions clear user_data. */
static void ring_mark(struct io_uring_sqe *request, struct op op)
{
    request->user_data = op_encode(op.kind, op.slot, op.generation);
}

void ring_accept_multishot(struct ring *ring, int listener, struct op op)
{
    struct io_uring_sqe *request;

    if (fault_request(op)) {
        return;
    }
    request = ring_request(ring);
    io_uring_prep_multishot_accept(request, listener, NULL, NULL, SOCK_CLOEXEC);
    ring_mark(request, op);
}

void ring_connect(struct ring *ring, int descriptor, const struct sockaddr *address,
                  socklen_t bytes, struct op op)
{
    struct io_uring_sqe *request;

    if (fault_request(op)) {
        return;
    }
    request = ring_request(ring);
    io_uring_prep_connect(request, descriptor, address, bytes);
    ring_mark(request, op);
}

void ring_recv_multishot(struct ring *ring, int descriptor, struct op op)
{
    struct io_uring_sqe *request;

    if (fault_request(op)) {
        return;
    }
    request = ring_request(ring);
    io_uring_prep_recv_multishot(request, descriptor, NULL, 0, 0);
    request->flags |= IOSQE_BUFFER_SELECT;
    request->buf_group = BUFFER_GROUP;
    ring_mark(request, op);
}

static int send_flags(bool more)
{
    return more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
}

void ring_send(struct ring *ring, int descriptor, const void *bytes, uint32_t count, bool more,
               struct op op)
{
    struct io_uring_sqe *request;

    if (fault_send(op, &count)) {
        return;
    }
    request = ring_request(ring);
    io_uring_prep_send(request, descriptor, bytes, count, send_flags(more));
    ring_mark(request, op);
}

void ring_sendmsg(struct ring *ring, int descriptor, const struct msghdr *message, bool more,
                  struct op op)
{
    struct io_uring_sqe *request;

    if (fault_sendmsg(ring, descriptor, message, op)) {
        return;
    }
    request = ring_request(ring);
    io_uring_prep_sendmsg(request, descriptor, message, (unsigned)send_flags(more));
    ring_mark(request, op);
}

void ring_cancel(struct ring *ring, struct op target, struct op op)
{
    struct io_uring_sqe *request = ring_request(ring);

    io_uring_prep_cancel64(request, op_encode(target.kind, target.slot, target.generation), 0);
    ring_mark(request, op);
}

void ring_read(struct ring *ring, int descriptor, void *bytes, uint32_t count, struct op op)
{
    struct io_uring_sqe *request = ring_request(ring);

    io_uring_prep_read(request, descriptor, bytes, count, 0);
    ring_mark(request, op);
}
