#include "tls/replay.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

enum { SHARD_COUNT = 16 };

/* Half a digest says as much as is needed: an accidental match only refuses early data. */
struct replay_key {
    uint64_t first, second; /* both 0: the place is free */
};

/* Open addressing, at most half full. */
struct replay_set {
    struct replay_key *keys;
    size_t count;
};

/* Two windows: the one that is being filled, and the one before, whose tickets are still too young
 * to be forgotten. */
struct replay_shard {
    pthread_mutex_t mutex;
    struct replay_set current;
    struct replay_set previous;
    uint64_t started_ns; /* of the current window */
};

struct replay_guard {
    struct replay_shard shards[SHARD_COUNT];
    size_t place_mask; /* of each set */
    size_t set_max;    /* tickets in each set */
    uint8_t origin[REPLAY_ORIGIN_BYTES];
};

/* Returns the place where the key is or would be. */
static struct replay_key *place_find(const struct replay_guard *guard, const struct replay_set *set,
                                     const struct replay_key *key)
{
    /* The sets are at most half full, so there is always a free place to stop at. */
    for (size_t i = key->second & guard->place_mask;; i = (i + 1) & guard->place_mask) {
        struct replay_key *place = &set->keys[i];

        if ((place->first == key->first && place->second == key->second) ||
            (place->first == 0 && place->second == 0)) {
            return place;
        }
    }
}

static bool set_has(const struct replay_guard *guard, const struct replay_set *set,
                    const struct replay_key *key)
{
    return place_find(guard, set, key)->first == key->first;
}

struct replay_guard *replay_guard_new(size_t ticket_max, struct error *error)
{
    size_t place_count = 1;
    struct replay_guard *guard;

    ticket_max = ticket_max != 0 ? ticket_max : REPLAY_TICKETS_DEFAULT;
    if (ticket_max > REPLAY_TICKETS_MAX) {
        error_set(error, "%zu early-data tickets are more than the %d allowed", ticket_max,
                  REPLAY_TICKETS_MAX);
        return NULL;
    }
    guard = calloc(1, sizeof(*guard));
    if (guard == NULL || getentropy(guard->origin, sizeof(guard->origin)) != 0) {
        free(guard);
        error_set(error, "out of memory");
        return NULL;
    }
    guard->set_max = (ticket_max + SHARD_COUNT - 1) / SHARD_COUNT;
    while (place_count < 2 * guard->set_max) {
        place_count *= 2;
    }
    guard->place_mask = place_count - 1;
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        struct replay_shard *shard = &guard->shards[i];

        pthread_mutex_init(&shard->mutex, NULL);
        shard->current.keys = calloc(place_count, sizeof(struct replay_key));
        shard->previous.keys = calloc(place_count, sizeof(struct replay_key));
        if (shard->current.keys == NULL || shard->previous.keys == NULL) {
            replay_guard_free(guard);
            error_set(error, "out of memory");
            return NULL;
        }
    }
    return guard;
}

void replay_guard_free(struct replay_guard *guard)
{
    if (guard == NULL) {
        return;
    }
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        free(guard->shards[i].current.keys);
        free(guard->shards[i].previous.keys);
        pthread_mutex_destroy(&guard->shards[i].mutex);
    }
    free(guard);
}

const uint8_t *replay_guard_origin(const struct replay_guard *guard)
{
    return guard->origin;
}

/* Starts a new window when the current one is over. */
static void shard_turn(const struct replay_guard *guard, struct replay_shard *shard,
                       uint64_t now_ns)
{
    struct replay_set oldest = shard->previous;

    if (now_ns < shard->started_ns + REPLAY_WINDOW_S * NS_PER_S) {
        return;
    }
    if (oldest.count > 0) { /* pages that were never used are not touched */
        memset(oldest.keys, 0, (guard->place_mask + 1) * sizeof(*oldest.keys));
        oldest.count = 0;
    }
    shard->previous = shard->current;
    shard->current = oldest;
    shard->started_ns = now_ns;
}

bool replay_guard_admit(struct replay_guard *guard, const uint8_t digest[REPLAY_DIGEST_BYTES],
                        uint64_t now_ns)
{
    struct replay_shard *shard = &guard->shards[digest[sizeof(struct replay_key)] % SHARD_COUNT];
    struct replay_key key;
    bool admitted = false;

    memcpy(&key, digest, sizeof(key));
    key.first |= 1; /* never the mark of a free place */
    pthread_mutex_lock(&shard->mutex);
    shard_turn(guard, shard, now_ns);
    if (shard->current.count < guard->set_max && !set_has(guard, &shard->previous, &key) &&
        !set_has(guard, &shard->current, &key)) {
        *place_find(guard, &shard->current, &key) = key;
        shard->current.count++;
        admitted = true;
    }
    pthread_mutex_unlock(&shard->mutex);
    return admitted;
}
