#include "api/resolver.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

struct resolver {
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct request *first, *last;
    unsigned count;
    bool stops;
};

/* The next request, or NULL when the resolver stops and none is left. */
static struct request *resolver_next(struct resolver *resolver, bool *out_stops)
{
    struct request *request;

    pthread_mutex_lock(&resolver->lock);
    while (!resolver->first && !resolver->stops) {
        pthread_cond_wait(&resolver->changed, &resolver->lock);
    }
    *out_stops = resolver->stops;
    request = resolver->first;
    if (request) {
        resolver->first = request->next;
        resolver->count--;
    }
    pthread_mutex_unlock(&resolver->lock);
    return request;
}

static void *resolver_main(void *argument)
{
    struct resolver *resolver = argument;
    struct request *request;
    bool stops;

    while ((request = resolver_next(resolver, &stops)) != NULL) {
        if (stops) {
            error_set(&request->error, "the server ends");
        } else {
            socket_parse(request->address_text, &request->address, &request->error);
        }
        request_send(request);
    }
    return NULL;
}

struct resolver *resolver_start(struct error *error)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    sigset_t all;
    sigset_t before;
    int result;

    if (!resolver) {
        error_set(error, "no memory for the resolver");
        return NULL;
    }
    pthread_mutex_init(&resolver->lock, NULL);
    pthread_cond_init(&resolver->changed, NULL);
    /* Signals are for the program's own threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&resolver->thread, NULL, resolver_main, resolver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        error_set(error, "cannot start the resolver's thread: %s", strerror(result));
        pthread_cond_destroy(&resolver->changed);
        pthread_mutex_destroy(&resolver->lock);
        free(resolver);
        return NULL;
    }
    return resolver;
}

void resolver_stop(struct resolver *resolver)
{
    if (!resolver) {
        return;
    }
    pthread_mutex_lock(&resolver->lock);
    resolver->stops = true;
    pthread_cond_signal(&resolver->changed);
    pthread_mutex_unlock(&resolver->lock);
    pthread_join(resolver->thread, NULL);
    pthread_cond_destroy(&resolver->changed);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

bool resolver_submit(struct resolver *resolver, struct request *request)
{
    bool taken;

    pthread_mutex_lock(&resolver->lock);
    taken = resolver->count < RESOLVER_REQUESTS_MAX;
    if (taken) {
        request->next = NULL;
        if (resolver->first) {
            resolver->last->next = request;
        } else {
            resolver->first = request;
        }
        resolver->last = request;
        resolver->count++;
        pthread_cond_signal(&resolver->changed);
    }
    pthread_mutex_unlock(&resolver->lock);
    return taken;
}
