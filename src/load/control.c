#include "load/control.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

void control_init(struct control *control)
{
    pthread_condattr_t attributes;

    memset(control, 0, sizeof *control);
    pthread_mutex_init(&control->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&control->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void control_deinit(struct control *control)
{
    pthread_cond_destroy(&control->changed);
    pthread_mutex_destroy(&control->lock);
}

void control_tell(struct control *control, enum control_report report)
{
    pthread_mutex_lock(&control->lock);
    control->reports[report]++;
    pthread_cond_signal(&control->changed);
    pthread_mutex_unlock(&control->lock);
}

bool control_wait(struct control *control, enum control_report report, unsigned count,
                  uint64_t deadline_ns)
{
    const struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / NS_PER_S),
        .tv_nsec = (long)(deadline_ns % NS_PER_S),
    };
    bool have_told;
    int status = 0;

    pthread_mutex_lock(&control->lock);
    while (control->reports[report] < count && status == 0) {
        status = pthread_cond_timedwait(&control->changed, &control->lock, &deadline);
    }
    have_told = control->reports[report] >= count;
    pthread_mutex_unlock(&control->lock);
    return have_told;
}
