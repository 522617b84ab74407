/* io_uring (io_uring(7)): set-up with the best flags that the kernel takes, probing, and the few
 * requests that the data path makes. One ring a thread, used by the thread that opened it alone.
 * Only this folder knows liburing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ring/op.h"

struct error;
struct io_uring;

/* What this kernel offers, probed once. */
struct ring_features {
    bool single_issuer;    /* IORING_SETUP_SINGLE_ISSUER, Linux 6.0 */
    bool defer_taskrun;    /* IORING_SETUP_DEFER_TASKRUN, 6.1 */
    bool buffer_ring;      /* IORING_REGISTER_PBUF_RING, 5.19 */
    bool multishot_accept; /* 5.19 */
    bool multishot_recv;   /* 6.0 */
    bool submit_stable;    /* IORING_FEAT_SUBMIT_STABLE, 5.5 */
    char kernel[72];       /* uname -r */
};

/* Returns 0, or -1 and a sentence that says what forbids io_uring and how to allow it, or which
 * kernel is needed. */
int ring_probe(struct ring_features *out, struct error *error);

enum {
    RING_ENTRIES = 1024,
    /* Big enough for a turn's completions of some ten thousand connections; beyond it the kernel
     * keeps completions back (IORING_FEAT_NODROP) and hands them out in the next turn. */
    RING_COMPLETIONS = 16384,
    RING_COMPLETIONS_MIN = 2 * RING_ENTRIES,
    /* Failures of io_uring_enter(2) in a row, a millisecond apart, that are borne: the kernel may
     * be out of memory for a while. After that many nothing will ever be sent, received or closed
     * again, and the process ends with a sentence (abort(3)). */
    RING_FAILURES_MAX = 10000,
};

struct ring {
    struct io_uring *uring; /* owned */
    uint64_t enters;        /* io_uring_enter(2) calls */
    uint32_t failures;      /* of them, the last ones in a row */
};

/* Room for how many completions each of a process's rings should have: RING_COMPLETIONS, or fewer,
 * where this user may not lock so much memory, of which half is left to other processes, as a
 * server and its load generator often run side by side. */
uint32_t ring_completions(unsigned ring_count);

/* The ring takes the requests below and no others. `completions`: 0: RING_COMPLETIONS. */
int ring_open(struct ring *ring, uint32_t completions, struct error *error);
void ring_close(struct ring *ring); /* harmless when zeroed or closed */

/* One completion (struct io_uring_cqe, decoded). */
struct ring_completion {
    struct op op;
    int32_t result; /* as the system call's, or -errno */
    int32_t buffer; /* index of the provided buffer that came with it, or -1 */
    bool more;      /* the multishot request goes on */
};

/* Submits what was prepared and waits for at least one completion, at most for wait_ns (0: does not
 * wait; UINT64_MAX: no limit). Returns 0, also after a signal or when the time ran out, or -errno.
 */
int ring_turn(struct ring *ring, uint64_t wait_ns);

/* The kernel has read all requests, and what they point at may be reused. False after a turn that
 * failed or in which the kernel had no memory for all of them: the next turns submit the rest. */
bool ring_is_submitted(const struct ring *ring);

/* The next completion, if there is one; each is returned once. */
bool ring_next(struct ring *ring, struct ring_completion *out);

/* Requests, sent by the next ring_turn(); a full submission queue is submitted first. Everything
 * that is pointed at must stay until ring_is_submitted(), and the bytes that are sent until the
 * completion. `op` marks the completion. */
void ring_accept_multishot(struct ring *ring, int listener, struct op op);
void ring_connect(struct ring *ring, int descriptor, const struct sockaddr *address,
                  socklen_t bytes, struct op op);
/* Into the provided buffers of group BUFFER_GROUP (ring/buffers.h). */
void ring_recv_multishot(struct ring *ring, int descriptor, struct op op);
/* `more`: further bytes or the end of the stream follow at once, and the kernel may wait for them
 * with a segment that is not full (MSG_MORE, send(2)). */
void ring_send(struct ring *ring, int descriptor, const void *bytes, uint32_t count, bool more,
               struct op op);
void ring_sendmsg(struct ring *ring, int descriptor, const struct msghdr *message, bool more,
                  struct op op);
/* Cancels the request that was marked `target`. */
void ring_cancel(struct ring *ring, struct op target, struct op op);
/* The bytes must stay until the completion. */
void ring_read(struct ring *ring, int descriptor, void *bytes, uint32_t count, struct op op);
