/* A small, fast, seeded generator (splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom
 * number generators", 2014) for schedules, jitter and payload. Not for secrets. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state; /* the seed, at first; any value will do */
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t z = (random->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Uniform in [0, bound), bound > 0. */
static inline uint64_t random_below(struct random *random, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)random_next(random) * bound) >> 64);
}

/* The same bytes for the same state on every machine, whatever its byte order. */
void random_fill(struct random *random, void *bytes, size_t count);
