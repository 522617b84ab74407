/* The way to the workers' mailboxes for those who may be late: it closes before the workers are
 * freed. */
#include <stdlib.h>

#include "api/api.h"

struct gate *gate_new(void)
{
    struct gate *gate = calloc(1, sizeof *gate);

    if (gate) {
        pthread_mutex_init(&gate->lock, NULL);
        gate->references = 1;
    }
    return gate;
}

void gate_get(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->references++;
    pthread_mutex_unlock(&gate->lock);
}

void gate_put(struct gate *gate)
{
    bool last;

    pthread_mutex_lock(&gate->lock);
    last = --gate->references == 0;
    pthread_mutex_unlock(&gate->lock);
    if (last) {
        pthread_mutex_destroy(&gate->lock);
        free(gate);
    }
}

void gate_set(struct gate *gate, bool is_open)
{
    pthread_mutex_lock(&gate->lock);
    gate->is_open = is_open;
    pthread_mutex_unlock(&gate->lock);
}

bool gate_post(struct gate *gate, struct reactor *reactor, struct letter *letter)
{
    bool posted;

    pthread_mutex_lock(&gate->lock);
    posted = gate->is_open;
    if (posted) {
        mailbox_post(&reactor->mailbox, letter);
    }
    pthread_mutex_unlock(&gate->lock);
    return posted;
}
