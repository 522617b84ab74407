/* "Did you mean ...": the known word nearest to one that is not known. */
#pragma once

#include <stddef.h>

enum { SUGGESTION_BYTES = 64 };

struct suggestion {
    const char *word;            /* what was typed */
    char best[SUGGESTION_BYTES]; /* "" while nothing is near enough */
    size_t distance;             /* of the best one */
};

void suggestion_init(struct suggestion *suggestion, const char *word);

/* Keeps `candidate` if it is near, and nearer than those before it. */
void suggestion_offer(struct suggestion *suggestion, const char *candidate);
