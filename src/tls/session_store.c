#include "tls/session_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* Sixteen shards keep two workers from meeting at a lock often; a small store has one, so that its
 * bound stays exact. */
enum { SHARDS_MAX = 16, SHARDED_FROM = 1024 };

static const uint32_t NO_ENTRY = UINT32_MAX;

struct session_entry {
    uint64_t expires_ns;
    uint32_t next;       /* in its bucket */
    uint16_t data_bytes; /* 0: the entry is free */
    uint8_t id_bytes;
    uint8_t id[SESSION_ID_BYTES_MAX];
    uint8_t data[SESSION_DATA_BYTES_MAX];
};

/* The entries are a ring in order of arrival: a new one takes the place at `cursor`, where the
 * oldest is. */
struct session_shard {
    pthread_mutex_t mutex;
    struct session_entry *entries;
    uint32_t *buckets; /* head entry of each, or NO_ENTRY */
    uint32_t entry_count;
    uint32_t bucket_mask;
    uint32_t cursor;
    uint32_t used_count;
};

struct session_store {
    size_t shard_count;
    struct session_shard shards[SHARDS_MAX];
};

static uint64_t id_hash(const uint8_t *id, size_t id_bytes)
{
    /* FNV-1a, then a fold: IDs are random already, except in tests and from odd peers. */
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < id_bytes; i++) {
        hash = (hash ^ id[i]) * 0x100000001b3u;
    }
    return hash ^ (hash >> 32);
}

static struct session_shard *shard_of(struct session_store *store, uint64_t hash)
{
    return &store->shards[hash % store->shard_count];
}

static uint32_t *bucket_of(const struct session_shard *shard, uint64_t hash)
{
    return &shard->buckets[(hash >> 8) & shard->bucket_mask];
}

/* The link that leads to the entry with this ID, or the NO_ENTRY link where its bucket ends. */
static uint32_t *link_find(const struct session_shard *shard, uint64_t hash, const uint8_t *id,
                           size_t id_bytes)
{
    uint32_t *link = bucket_of(shard, hash);

    while (*link != NO_ENTRY) {
        struct session_entry *entry = &shard->entries[*link];

        if (entry->id_bytes == id_bytes && memcmp(entry->id, id, id_bytes) == 0) {
            break;
        }
        link = &entry->next;
    }
    return link;
}

static void link_remove(struct session_shard *shard, uint32_t *link)
{
    struct session_entry *entry = &shard->entries[*link];

    *link = entry->next;
    OPENSSL_cleanse(entry->data, entry->data_bytes);
    entry->data_bytes = 0;
    shard->used_count--;
}

static bool shard_init(struct session_shard *shard, size_t entry_count)
{
    uint32_t bucket_count = 1;

    while (bucket_count < entry_count) {
        bucket_count *= 2;
    }
    pthread_mutex_init(&shard->mutex, NULL);
    shard->entry_count = (uint32_t)entry_count;
    shard->bucket_mask = bucket_count - 1;
    /* Zeroed pages: what is never used is never touched. */
    shard->entries = calloc(entry_count, sizeof(*shard->entries));
    shard->buckets = malloc(bucket_count * sizeof(*shard->buckets));
    if (shard->entries == NULL || shard->buckets == NULL) {
        return false;
    }
    memset(shard->buckets, 0xff, bucket_count * sizeof(*shard->buckets));
    return true;
}

struct session_store *session_store_new(size_t session_max)
{
    struct session_store *store;

    if (session_max == 0 || session_max > SESSION_COUNT_MAX) {
        return NULL;
    }
    store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return NULL;
    }
    store->shard_count = session_max < SHARDED_FROM ? 1 : SHARDS_MAX;
    for (size_t i = 0; i < store->shard_count; i++) {
        if (!shard_init(&store->shards[i], session_max / store->shard_count)) {
            store->shard_count = i + 1;
            session_store_free(store);
            return NULL;
        }
    }
    return store;
}

void session_store_free(struct session_store *store)
{
    if (store == NULL) {
        return;
    }
    for (size_t i = 0; i < store->shard_count; i++) {
        struct session_shard *shard = &store->shards[i];

        for (uint32_t e = 0; shard->entries != NULL && e < shard->entry_count; e++) {
            OPENSSL_cleanse(shard->entries[e].data, shard->entries[e].data_bytes);
        }
        free(shard->entries);
        free(shard->buckets);
        pthread_mutex_destroy(&shard->mutex);
    }
    free(store);
}

/* Makes the place at the cursor free and moves on. */
static uint32_t entry_claim(struct session_shard *shard)
{
    uint32_t index = shard->cursor;
    struct session_entry *entry = &shard->entries[index];

    if (entry->data_bytes > 0) {
        uint64_t hash = id_hash(entry->id, entry->id_bytes);

        link_remove(shard, link_find(shard, hash, entry->id, entry->id_bytes));
    }
    shard->cursor = (index + 1) % shard->entry_count;
    return index;
}

bool session_store_put(struct session_store *store, const uint8_t *id, size_t id_bytes,
                       const uint8_t *data, size_t data_bytes, uint64_t expires_ns)
{
    uint64_t hash = id_hash(id, id_bytes);
    struct session_shard *shard = shard_of(store, hash);
    struct session_entry *entry;
    uint32_t *link;
    uint32_t index;

    if (id_bytes == 0 || id_bytes > SESSION_ID_BYTES_MAX || data_bytes == 0 ||
        data_bytes > SESSION_DATA_BYTES_MAX) {
        return false;
    }
    pthread_mutex_lock(&shard->mutex);
    link = link_find(shard, hash, id, id_bytes);
    if (*link != NO_ENTRY) {
        link_remove(shard, link);
    }
    index = entry_claim(shard);
    entry = &shard->entries[index];
    memcpy(entry->id, id, id_bytes);
    memcpy(entry->data, data, data_bytes);
    entry->id_bytes = (uint8_t)id_bytes;
    entry->data_bytes = (uint16_t)data_bytes;
    entry->expires_ns = expires_ns;
    link = bucket_of(shard, hash);
    entry->next = *link;
    *link = index;
    shard->used_count++;
    pthread_mutex_unlock(&shard->mutex);
    return true;
}

size_t session_store_get(struct session_store *store, const uint8_t *id, size_t id_bytes,
                         uint64_t now_ns, uint8_t *out, size_t out_max)
{
    uint64_t hash = id_hash(id, id_bytes);
    struct session_shard *shard = shard_of(store, hash);
    size_t bytes = 0;
    uint32_t *link;

    pthread_mutex_lock(&shard->mutex);
    link = link_find(shard, hash, id, id_bytes);
    if (*link != NO_ENTRY) {
        const struct session_entry *entry = &shard->entries[*link];

        if (entry->expires_ns <= now_ns) {
            link_remove(shard, link);
        } else if (entry->data_bytes <= out_max) {
            bytes = entry->data_bytes;
            memcpy(out, entry->data, bytes);
        }
    }
    pthread_mutex_unlock(&shard->mutex);
    return bytes;
}

void session_store_remove(struct session_store *store, const uint8_t *id, size_t id_bytes)
{
    uint64_t hash = id_hash(id, id_bytes);
    struct session_shard *shard = shard_of(store, hash);
    uint32_t *link;

    pthread_mutex_lock(&shard->mutex);
    link = link_find(shard, hash, id, id_bytes);
    if (*link != NO_ENTRY) {
        link_remove(shard, link);
    }
    pthread_mutex_unlock(&shard->mutex);
}

size_t session_store_count(struct session_store *store)
{
    size_t count = 0;

    for (size_t i = 0; i < store->shard_count; i++) {
        pthread_mutex_lock(&store->shards[i].mutex);
        count += store->shards[i].used_count;
        pthread_mutex_unlock(&store->shards[i].mutex);
    }
    return count;
}
