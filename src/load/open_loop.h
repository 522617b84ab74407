/* The open loop of one load thread: what the schedule says is due, whoever may begin it, and the
 * queue of what is due while every connection is busy. Work begins in the turn after its time has
 * come, and its intended time stands however long it had to wait. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "load/arrivals.h"

struct load_client;
struct load_thread;

struct open_loop { /* zeroed: a closed loop */
    struct arrivals arrivals;
    uint64_t next_ns;     /* the arrival to come; UINT64_MAX: the schedule has not begun */
    uint64_t *queue;      /* ring of LOAD_QUEUE_MAX intended times; NULL: a closed loop */
    uint64_t queue_head;  /* counts up; its place is the remainder */
    uint64_t queue_count; /* due and not begun */
    struct load_client *ready_head, *ready_tail; /* may begin one more, longest idle first */
    struct load_client *granted;                 /* whose turn it is, during its kind's call */
};

/* Makes the queue; nothing is due until open_loop_start(). Returns false when memory is out. */
bool open_loop_init(struct open_loop *loop);
void open_loop_deinit(struct open_loop *loop); /* harmless when zeroed */

static inline bool open_loop_is_on(const struct open_loop *loop)
{
    return loop->queue != NULL;
}

void open_loop_start(struct open_loop *loop, const struct arrivals_options *options);
static inline bool open_loop_has_started(const struct open_loop *loop)
{
    return loop->next_ns != UINT64_MAX;
}

/* Queues what is due by now, in an open loop. What finds no room is counted as LOAD_TOTAL_DROPPED.
 */
void open_loop_advance(struct load_thread *thread, uint64_t now_ns);

/* Once a turn: what is due begins on the clients that are ready. */
void open_loop_turn(struct load_thread *thread, uint64_t now_ns);

/* When the thread must have its next turn for the sake of the schedule: a busy thread need not. */
uint64_t open_loop_deadline_ns(const struct load_thread *thread);

/* Whether the client may begin, and what was intended when. A closed loop's always may, now. In an
 * open one it must be its turn; otherwise it is put in line for it. */
bool open_loop_may_begin(struct load_client *client, uint64_t *out_intended_ns);
