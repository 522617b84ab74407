#include <criterion/criterion.h>

#include "base/clock.h"
#include "load/control.h"

static void *tell_ready(void *argument)
{
    control_tell(argument, CONTROL_READY);
    return NULL;
}

Test(control, waits_until_enough_threads_have_told)
{
    struct control control;
    pthread_t threads[3];

    control_init(&control);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, tell_ready, &control), 0);
    }
    cr_expect(control_wait(&control, CONTROL_READY, 3, clock_now_ns() + 60 * NS_PER_S));
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    control_deinit(&control);
}

Test(control, gives_up_at_the_deadline)
{
    struct control control;

    control_init(&control);
    control_tell(&control, CONTROL_READY);
    cr_expect(!control_wait(&control, CONTROL_READY, 2, clock_now_ns()));
    cr_expect(!control_wait(&control, CONTROL_RAMPED, 1, clock_now_ns()));
    cr_expect(control_wait(&control, CONTROL_READY, 1, clock_now_ns()));
    control_deinit(&control);
}

Test(control, stages_are_seen_by_who_looks)
{
    struct control control;

    control_init(&control);
    cr_expect_eq(control_stage(&control), LOAD_STAGE_IDLE);
    control_enter(&control, LOAD_STAGE_MEASURE);
    cr_expect_eq(control_stage(&control), LOAD_STAGE_MEASURE);
    control_deinit(&control);
}
