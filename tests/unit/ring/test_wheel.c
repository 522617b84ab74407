#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "ring/wheel.h"

static const uint64_t TICK = WHEEL_TICK_NS;

/* How many timers fire when time moves on to now_ns. */
static size_t count_due(struct wheel *wheel, uint64_t now_ns)
{
    size_t count = 0;

    while (wheel_advance(wheel, now_ns) != NULL) {
        count++;
    }
    return count;
}

Test(wheel, a_timer_fires_at_its_deadline_and_not_before)
{
    struct wheel wheel;
    struct wheel_timer timer = {0};

    wheel_init(&wheel, 0);
    wheel_start(&wheel, &timer, 10 * TICK);
    cr_assert(wheel_is_started(&timer));
    cr_assert_null(wheel_advance(&wheel, 10 * TICK - 1));
    cr_assert_eq(wheel_advance(&wheel, 10 * TICK), &timer);
    cr_assert_not(wheel_is_started(&timer));
    cr_assert_eq(wheel.count, 0);
    cr_assert_null(wheel_advance(&wheel, 11 * TICK));
}

Test(wheel, a_deadline_between_ticks_is_rounded_up)
{
    struct wheel wheel;
    struct wheel_timer timer = {0};

    wheel_init(&wheel, 3 * TICK / 2);
    wheel_start(&wheel, &timer, 5 * TICK + 1);
    cr_assert_null(wheel_advance(&wheel, 6 * TICK - 1));
    cr_assert_eq(wheel_advance(&wheel, 6 * TICK), &timer);
}

Test(wheel, a_deadline_that_has_passed_fires_at_once)
{
    struct wheel wheel;
    struct wheel_timer timer = {0};

    wheel_init(&wheel, 100 * TICK);
    wheel_start(&wheel, &timer, 0);
    cr_assert_eq(wheel_next_ns(&wheel, 100 * TICK), 0);
    cr_assert_eq(wheel_advance(&wheel, 100 * TICK), &timer);
    cr_assert_eq(wheel_next_ns(&wheel, 100 * TICK), UINT64_MAX);
}

Test(wheel, a_cancelled_timer_does_not_fire)
{
    struct wheel wheel;
    struct wheel_timer timers[3] = {0};

    wheel_init(&wheel, 0);
    for (size_t i = 0; i < 3; i++) {
        wheel_start(&wheel, &timers[i], 7 * TICK); /* all in one slot */
    }
    wheel_cancel(&wheel, &timers[1]);
    cr_assert_not(wheel_is_started(&timers[1]));
    cr_assert_eq(wheel.count, 2);
    cr_assert_eq(count_due(&wheel, 7 * TICK), 2);
}

Test(wheel, cancelling_a_timer_that_is_not_started_is_harmless)
{
    struct wheel wheel;
    struct wheel_timer timer = {0};

    wheel_init(&wheel, 0);
    wheel_cancel(&wheel, &timer);
    wheel_start(&wheel, &timer, TICK);
    wheel_cancel(&wheel, &timer);
    wheel_cancel(&wheel, &timer);
    cr_assert_eq(wheel.count, 0);
    cr_assert_eq(wheel_next_ns(&wheel, 0), UINT64_MAX);
    cr_assert_null(wheel_advance(&wheel, 1000 * TICK));
}

Test(wheel, cancelling_a_due_timer_before_the_advance_holds)
{
    struct wheel wheel;
    struct wheel_timer timer = {0};

    wheel_init(&wheel, 100 * TICK);
    wheel_start(&wheel, &timer, 50 * TICK);
    wheel_cancel(&wheel, &timer);
    cr_assert_null(wheel_advance(&wheel, 101 * TICK));
}

Test(wheel, a_started_timer_can_be_moved)
{
    struct wheel wheel;
    struct wheel_timer timer = {0};

    wheel_init(&wheel, 0);
    wheel_start(&wheel, &timer, 5 * TICK);
    wheel_start(&wheel, &timer, 5000 * TICK);
    cr_assert_eq(wheel.count, 1);
    cr_assert_null(wheel_advance(&wheel, 4999 * TICK));
    wheel_start(&wheel, &timer, 5001 * TICK);
    cr_assert_null(wheel_advance(&wheel, 5000 * TICK));
    cr_assert_eq(wheel_advance(&wheel, 5001 * TICK), &timer);
}

Test(wheel, a_timer_that_fired_can_be_started_again_at_once)
{
    enum { COUNT = 4 };
    struct wheel wheel;
    struct wheel_timer timers[COUNT] = {0};
    struct wheel_timer *timer;
    size_t fired = 0;

    wheel_init(&wheel, 0);
    for (size_t i = 0; i < COUNT; i++) {
        wheel_start(&wheel, &timers[i], TICK);
    }
    while ((timer = wheel_advance(&wheel, TICK)) != NULL) {
        wheel_start(&wheel, timer, 2 * TICK);
        fired++;
    }
    cr_assert_eq(fired, COUNT);
    cr_assert_eq(wheel.count, COUNT);
    cr_assert_eq(count_due(&wheel, 2 * TICK), COUNT);
}

/* The first to fire takes the others with it, as a worker does that closes its connections. */
Test(wheel, due_timers_can_be_cancelled_and_moved_before_their_turn)
{
    struct wheel wheel;
    struct wheel_timer timers[3] = {0};
    struct wheel_timer *first;
    struct wheel_timer *others[2];
    size_t count = 0;

    wheel_init(&wheel, 0);
    for (size_t i = 0; i < 3; i++) {
        wheel_start(&wheel, &timers[i], 5 * TICK);
    }
    first = wheel_advance(&wheel, 5 * TICK);
    for (size_t i = 0; i < 3; i++) {
        if (&timers[i] != first) {
            others[count++] = &timers[i];
        }
    }
    cr_assert_eq(count, 2);
    wheel_cancel(&wheel, others[0]);
    wheel_start(&wheel, others[1], 6 * TICK);
    cr_assert_null(wheel_advance(&wheel, 5 * TICK));
    cr_assert_eq(wheel_advance(&wheel, 6 * TICK), others[1]);
    cr_assert_eq(wheel.count, 0);
}

Test(wheel, a_clock_that_goes_back_is_taken_as_standing_still)
{
    struct wheel wheel;
    struct wheel_timer timer = {0};

    wheel_init(&wheel, 100 * TICK);
    wheel_start(&wheel, &timer, 101 * TICK);
    cr_assert_null(wheel_advance(&wheel, 0));
    cr_assert_eq(wheel_advance(&wheel, 101 * TICK), &timer);
}

Test(wheel, one_jump_over_everything_fires_everything)
{
    enum { COUNT = 44 };
    struct wheel wheel;
    struct wheel_timer timers[COUNT] = {0};

    wheel_init(&wheel, 12345 * TICK);
    for (unsigned i = 0; i < COUNT; i++) {
        wheel_start(&wheel, &timers[i], (uint64_t)1 << (i + 20));
    }
    cr_assert_eq(count_due(&wheel, UINT64_MAX), COUNT);
    cr_assert_eq(wheel.count, 0);
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        cr_assert_eq(wheel.occupied[level], 0);
    }
}

Test(wheel, a_deadline_that_never_comes_stays_away)
{
    struct wheel wheel;
    struct wheel_timer timer = {0};

    wheel_init(&wheel, 0);
    wheel_start(&wheel, &timer, UINT64_MAX);
    cr_assert_null(wheel_advance(&wheel, UINT64_MAX - 2 * TICK));
    cr_assert_eq(wheel.count, 1);
    wheel_cancel(&wheel, &timer);
    cr_assert_eq(wheel_next_ns(&wheel, 0), UINT64_MAX);
}

/* From any time, following wheel_next_ns() leads to the deadline in at most one step a level. */
Test(wheel, following_next_reaches_the_deadline_in_few_steps)
{
    struct random random = {.state = 11};

    for (int round = 0; round < 2000; round++) {
        uint64_t now_ns = random_next(&random) >> (1 + random_below(&random, 50));
        uint64_t deadline_ns = now_ns + (random_next(&random) >> (1 + random_below(&random, 50)));
        struct wheel wheel;
        struct wheel_timer timer = {0};
        unsigned steps = 0;

        wheel_init(&wheel, now_ns);
        wheel_start(&wheel, &timer, deadline_ns);
        while (wheel_is_started(&timer)) {
            now_ns += wheel_next_ns(&wheel, now_ns);
            cr_assert_lt(now_ns, deadline_ns + TICK);
            wheel_advance(&wheel, now_ns);
            steps++;
        }
        cr_assert_geq(now_ns, deadline_ns);
        cr_assert_leq(steps, WHEEL_LEVELS);
    }
}

/* The reference: an array of deadlines, searched from end to end. */
enum { TIMERS = 200 };

struct model {
    struct wheel wheel;
    struct wheel_timer timers[TIMERS];
    bool started[TIMERS];
    uint64_t deadline_ns[TIMERS];
    uint64_t now_ns;
};

static uint64_t round_up(uint64_t ns)
{
    return (ns + TICK - 1) / TICK * TICK;
}

static void model_start(struct model *model, size_t i, uint64_t deadline_ns)
{
    wheel_start(&model->wheel, &model->timers[i], deadline_ns);
    model->started[i] = true;
    model->deadline_ns[i] = deadline_ns;
}

static void model_cancel(struct model *model, size_t i)
{
    wheel_cancel(&model->wheel, &model->timers[i]);
    model->started[i] = false;
}

/* Advances both; exactly the timers whose rounded deadline has come must fire. */
static void model_advance(struct model *model, uint64_t now_ns)
{
    const struct wheel_timer *fired;

    model->now_ns = now_ns;
    while ((fired = wheel_advance(&model->wheel, now_ns)) != NULL) {
        size_t i = (size_t)(fired - model->timers);

        cr_assert(model->started[i], "timer %zu was not started", i);
        cr_assert_leq(round_up(model->deadline_ns[i]), now_ns, "timer %zu is early", i);
        model->started[i] = false;
    }
    for (size_t i = 0; i < TIMERS; i++) {
        bool late = model->started[i] && round_up(model->deadline_ns[i]) <= now_ns;

        cr_assert_not(late, "timer %zu is late", i);
    }
}

static void model_check(const struct model *model)
{
    uint64_t next_ns = wheel_next_ns(&model->wheel, model->now_ns);
    uint64_t earliest_ns = UINT64_MAX;
    size_t count = 0;

    for (size_t i = 0; i < TIMERS; i++) {
        cr_assert_eq(wheel_is_started(&model->timers[i]), model->started[i]);
        if (model->started[i]) {
            uint64_t due_ns = round_up(model->deadline_ns[i]);

            count++;
            earliest_ns = due_ns < earliest_ns ? due_ns : earliest_ns;
        }
    }
    cr_assert_eq(model->wheel.count, count);
    if (count == 0) {
        cr_assert_eq(next_ns, UINT64_MAX);
    } else {
        cr_assert_leq(next_ns, earliest_ns > model->now_ns ? earliest_ns - model->now_ns : 0);
    }
}

/* Mostly near, sometimes anywhere up to 13 days (2^50 ns), now and then in the past. */
static uint64_t random_span_ns(struct random *random)
{
    return random_next(random) >> (14 + random_below(random, 40));
}

Test(wheel, agrees_with_a_simple_model_over_random_histories)
{
    enum { HISTORIES = 40, STEPS = 1500 };
    struct model *model = malloc(sizeof(*model));

    cr_assert_not_null(model);
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct random random = {.state = seed};

        memset(model, 0, sizeof(*model));
        model->now_ns = random_next(&random) >> (8 + random_below(&random, 50));
        wheel_init(&model->wheel, model->now_ns);
        for (int step = 0; step < STEPS; step++) {
            size_t i = random_below(&random, TIMERS);
            uint64_t span_ns = random_span_ns(&random);

            switch (random_below(&random, 8)) {
            case 0:
            case 1:
            case 2:
                model_start(model, i, model->now_ns + span_ns);
                break;
            case 3: /* in the past, where there is one */
                model_start(model, i, model->now_ns - random_below(&random, model->now_ns + 1));
                break;
            case 4:
                model_cancel(model, i);
                break;
            case 5: /* exactly onto the next event */
                span_ns = wheel_next_ns(&model->wheel, model->now_ns);
                span_ns = span_ns == UINT64_MAX ? 0 : span_ns;
                model_advance(model, model->now_ns + span_ns);
                break;
            case 6:
                model_advance(model, model->now_ns + span_ns % (100 * TICK));
                break;
            default: /* any jump, once in a while a huge one */
                model_advance(model, model->now_ns + (step % 50 == 0 ? span_ns : span_ns >> 12));
                break;
            }
            model_check(model);
        }
    }
    free(model);
}
