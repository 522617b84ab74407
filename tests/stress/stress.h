/* What the stress programs share: threads that run for a bounded number of rounds, and a check that
 * stays in release builds. Plain programs, because Criterion does not run under ThreadSanitizer. */
#pragma once

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
    ((condition)                                                                                   \
         ? (void)0                                                                                 \
         : (fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition), exit(1)))

enum { STRESS_THREADS = 4 };

/* Runs `work` on STRESS_THREADS threads, each with its index's address, and waits for them. */
static inline void stress_run(void *(*work)(void *index))
{
    pthread_t threads[STRESS_THREADS];
    size_t indices[STRESS_THREADS];

    for (size_t i = 0; i < STRESS_THREADS; i++) {
        indices[i] = i;
        CHECK(pthread_create(&threads[i], NULL, work, &indices[i]) == 0);
    }
    for (size_t i = 0; i < STRESS_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}
