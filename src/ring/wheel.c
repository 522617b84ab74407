#include "ring/wheel.h"

#include <assert.h>
#include <string.h>

/* A tick is read as WHEEL_LEVELS digits of WHEEL_SLOT_BITS bits. A timer waits at the level of the
 * highest digit in which its expiry differs from wheel->tick, in the slot that this digit of the
 * expiry names. From that follows everything below:
 *   - at each level, the occupied slots are all beyond the wheel's own digit there;
 *   - a timer at a lower level expires before any at a higher one;
 *   - when the wheel's digit at some level moves on, everything at the levels below is due, slots
 *     that were passed are due, and the timers in the slot now reached are placed again. Higher
 *     levels stay as they are;
 *   - where a started timer is can be computed from its deadline. */

static_assert(WHEEL_SLOTS == 64, "occupied[] has a bit for each slot");

enum { DIGIT_MASK = WHEEL_SLOTS - 1 };

/* The tick at which the deadline has passed. */
static uint64_t expiry_tick(uint64_t deadline_ns)
{
    return deadline_ns / WHEEL_TICK_NS + (deadline_ns % WHEEL_TICK_NS != 0);
}

static unsigned digit_at(uint64_t tick, unsigned level)
{
    return (unsigned)(tick >> (level * WHEEL_SLOT_BITS)) & DIGIT_MASK;
}

/* The highest digit in which two different ticks differ. */
static unsigned level_between(uint64_t a, uint64_t b)
{
    return (63 - (unsigned)__builtin_clzll(a ^ b)) / WHEEL_SLOT_BITS;
}

static void list_push(struct wheel_timer **head, struct wheel_timer *timer)
{
    timer->next = *head;
    timer->link = head;
    if (timer->next != NULL) {
        timer->next->link = &timer->next;
    }
    *head = timer;
}

static void place(struct wheel *wheel, struct wheel_timer *timer)
{
    uint64_t expiry = expiry_tick(timer->deadline_ns);
    unsigned level;
    unsigned slot;

    if (expiry <= wheel->tick) {
        list_push(&wheel->due, timer);
        return;
    }
    level = level_between(expiry, wheel->tick);
    slot = digit_at(expiry, level);
    list_push(&wheel->slots[level][slot], timer);
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

void wheel_init(struct wheel *wheel, uint64_t now_ns)
{
    memset(wheel, 0, sizeof(*wheel));
    wheel->tick = now_ns / WHEEL_TICK_NS;
}

void wheel_start(struct wheel *wheel, struct wheel_timer *timer, uint64_t deadline_ns)
{
    wheel_cancel(wheel, timer);
    timer->deadline_ns = deadline_ns;
    wheel->count++;
    place(wheel, timer);
}

void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer)
{
    uint64_t expiry = expiry_tick(timer->deadline_ns);

    if (!wheel_is_started(timer)) {
        return;
    }
    *timer->link = timer->next;
    if (timer->next != NULL) {
        timer->next->link = timer->link;
    }
    timer->next = NULL;
    timer->link = NULL;
    wheel->count--;
    if (expiry > wheel->tick) {
        unsigned level = level_between(expiry, wheel->tick);
        unsigned slot = digit_at(expiry, level);

        if (wheel->slots[level][slot] == NULL) {
            wheel->occupied[level] &= ~((uint64_t)1 << slot);
        }
    }
}

/* Places the timers of these slots again, now that wheel->tick has moved. */
static void replace_slots(struct wheel *wheel, unsigned level, uint64_t slots)
{
    slots &= wheel->occupied[level];
    wheel->occupied[level] &= ~slots;
    while (slots != 0) {
        unsigned slot = (unsigned)__builtin_ctzll(slots);
        struct wheel_timer *timer = wheel->slots[level][slot];

        slots &= slots - 1;
        wheel->slots[level][slot] = NULL;
        while (timer != NULL) {
            struct wheel_timer *next = timer->next;

            place(wheel, timer);
            timer = next;
        }
    }
}

struct wheel_timer *wheel_advance(struct wheel *wheel, uint64_t now_ns)
{
    uint64_t tick = now_ns / WHEEL_TICK_NS;
    struct wheel_timer *timer;

    if (tick > wheel->tick) {
        unsigned level = level_between(tick, wheel->tick);
        uint64_t reached = (uint64_t)1 << digit_at(tick, level);

        wheel->tick = tick;
        for (unsigned below = 0; below < level; below++) {
            replace_slots(wheel, below, UINT64_MAX);
        }
        replace_slots(wheel, level, reached | (reached - 1));
    }
    timer = wheel->due;
    if (timer != NULL) {
        wheel_cancel(wheel, timer);
    }
    return timer;
}

/* The earliest tick of the slot: its digit put into the wheel's tick, and zeros below. */
static uint64_t slot_tick(const struct wheel *wheel, unsigned level, unsigned slot)
{
    unsigned shift = level * WHEEL_SLOT_BITS;

    return ((wheel->tick >> shift & ~(uint64_t)DIGIT_MASK) | slot) << shift;
}

uint64_t wheel_next_ns(const struct wheel *wheel, uint64_t now_ns)
{
    if (wheel->due != NULL) {
        return 0;
    }
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        uint64_t slots = wheel->occupied[level];
        uint64_t next_ns;

        if (slots == 0) {
            continue;
        }
        if (__builtin_mul_overflow(slot_tick(wheel, level, (unsigned)__builtin_ctzll(slots)),
                                   (uint64_t)WHEEL_TICK_NS, &next_ns)) {
            next_ns = UINT64_MAX; /* the very last tick ends beyond 64 bits */
        }
        return next_ns > now_ns ? next_ns - now_ns : 0;
    }
    return UINT64_MAX;
}
