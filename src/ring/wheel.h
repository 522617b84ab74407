/* A hierarchical timer wheel: starting, moving and cancelling a timer take constant time however
 * many there are, and moving time on takes no longer for a long step than for a short one.
 *
 * Times are absolute nanoseconds on any one clock, given by the caller. A timer fires in the first
 * wheel_advance() at or after its deadline rounded up to WHEEL_TICK_NS: never early, at most a tick
 * late. One that is started when its deadline has passed fires in the next wheel_advance().
 *
 * The wheel points at timers and owns none; a started timer must stay where it is. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WHEEL_TICK_NS = 1000 * 1000,
    WHEEL_SLOT_BITS = 6,
    WHEEL_SLOTS = 1 << WHEEL_SLOT_BITS, /* one bit each in a word */
    WHEEL_LEVELS = 8,                   /* 64^8 ticks: more than 64 bits of nanoseconds */
};

struct wheel_timer { /* zeroed: not started. Embedded in its owner. */
    struct wheel_timer *next;
    struct wheel_timer **link; /* what points at this timer; NULL when not started */
    uint64_t deadline_ns;
    unsigned kind; /* the owner's: what the timer is embedded in; the wheel leaves it alone */
};

struct wheel {
    uint64_t tick;                   /* all ticks up to this one have been handled */
    size_t count;                    /* timers started */
    struct wheel_timer *due;         /* those that wheel_advance() has yet to return */
    uint64_t occupied[WHEEL_LEVELS]; /* one bit a slot */
    struct wheel_timer *slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

/* The wheel must stay where it is from the first wheel_start() on: timers point into it. */
void wheel_init(struct wheel *wheel, uint64_t now_ns);

/* Starts the timer, or moves it when it was started. */
void wheel_start(struct wheel *wheel, struct wheel_timer *timer, uint64_t deadline_ns);
void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer); /* harmless when not started */

static inline bool wheel_is_started(const struct wheel_timer *timer)
{
    return timer->link != NULL;
}

/* Moves time on (a time before the last one leaves it where it was) and returns one timer that is
 * due, no longer started; NULL when none is left: call until then. In between the caller may do
 * with any timer what it likes: those that are due and not yet returned can still be cancelled and
 * moved. Due timers come in no particular order. */
struct wheel_timer *wheel_advance(struct wheel *wheel, uint64_t now_ns);

/* Nanoseconds from now_ns until wheel_advance() may have something to do; UINT64_MAX when no timer
 * is started. May be sooner than the next deadline (when timers must move down a level), never
 * later by more than a tick. */
uint64_t wheel_next_ns(const struct wheel *wheel, uint64_t now_ns);
