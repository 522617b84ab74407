#include "tls/ticket.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/error.h"
#include "tls/internal.h"
#include "tls/reserve.h"
#include "tls/ticket_file.h"

enum { TICKET_IV_BYTES = 16 };

struct ticket_ring {
    pthread_mutex_t mutex;
    struct ticket_key_set set; /* under the mutex */
    size_t previous_max;
    _Atomic uint64_t version; /* moves under the mutex; read by every worker without it */
};

static int key_generate(struct ticket_key *out, struct error *error)
{
    *out = (struct ticket_key){
        .hmac_key_bytes = TICKET_HMAC_KEY_BYTES,
        .aes_key_bytes = TICKET_AES_KEY_BYTES,
    };
    if (RAND_bytes(out->name, sizeof(out->name)) != 1 ||
        RAND_priv_bytes(out->hmac_key, sizeof(out->hmac_key)) != 1 ||
        RAND_priv_bytes(out->aes_key, sizeof(out->aes_key)) != 1) {
        return tls_error_set(error, "no randomness for a ticket key");
    }
    return 0;
}

static void key_publish(struct ticket_ring *ring, const struct ticket_key *key)
{
    struct ticket_key_set *set = &ring->set;
    size_t kept;

    pthread_mutex_lock(&ring->mutex);
    kept = set->count < ring->previous_max ? set->count : ring->previous_max;
    /* The oldest is overwritten when there is no room for it. */
    memmove(set->keys + 1, set->keys, kept * sizeof(set->keys[0]));
    set->keys[0] = *key;
    set->count = 1 + kept;
    atomic_fetch_add_explicit(&ring->version, 1, memory_order_release);
    pthread_mutex_unlock(&ring->mutex);
}

struct ticket_ring *ticket_ring_new(size_t previous_max, struct error *error)
{
    struct ticket_ring *ring;

    if (previous_max > TICKET_PREVIOUS_MAX) {
        error_set(error, "%zu previous ticket keys are more than the %d allowed", previous_max,
                  TICKET_PREVIOUS_MAX);
        return NULL;
    }
    ring = calloc(1, sizeof(*ring));
    if (ring == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    ring->previous_max = previous_max;
    pthread_mutex_init(&ring->mutex, NULL);
    if (ticket_ring_rotate(ring, error) != 0) {
        ticket_ring_free(ring);
        return NULL;
    }
    return ring;
}

void ticket_ring_free(struct ticket_ring *ring)
{
    if (ring == NULL) {
        return;
    }
    pthread_mutex_destroy(&ring->mutex);
    OPENSSL_cleanse(&ring->set, sizeof(ring->set));
    free(ring);
}

int ticket_ring_rotate(struct ticket_ring *ring, struct error *error)
{
    struct ticket_key key;
    int result = key_generate(&key, error);

    if (result == 0) {
        key_publish(ring, &key);
    }
    OPENSSL_cleanse(&key, sizeof(key));
    return result;
}

int ticket_ring_push(struct ticket_ring *ring, const uint8_t *bytes, size_t count,
                     struct error *error)
{
    struct ticket_key key;

    if (!ticket_key_parse(bytes, count, &key)) {
        return error_set(error, "a ticket key has %d or %d bytes, not %zu", TICKET_KEY_BYTES_SHORT,
                         TICKET_KEY_BYTES_LONG, count);
    }
    key_publish(ring, &key);
    OPENSSL_cleanse(&key, sizeof(key));
    return 0;
}

int ticket_ring_load(struct ticket_ring *ring, const char *file, struct error *error)
{
    struct ticket_key_set set;
    int result = ticket_file_read(file, &set, error);

    if (result == 0) {
        pthread_mutex_lock(&ring->mutex);
        ring->set = set;
        atomic_fetch_add_explicit(&ring->version, 1, memory_order_release);
        pthread_mutex_unlock(&ring->mutex);
    }
    OPENSSL_cleanse(&set, sizeof(set));
    return result;
}

void ticket_reader_init(struct ticket_reader *reader, struct ticket_ring *ring)
{
    *reader = (struct ticket_reader){.ring = ring};
    /* Fetched once: an implicit fetch for each ticket takes locks that all threads share. */
    reader->aes_128_cbc = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    reader->aes_256_cbc = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
}

void ticket_reader_deinit(struct ticket_reader *reader)
{
    EVP_CIPHER_free(reader->aes_128_cbc);
    EVP_CIPHER_free(reader->aes_256_cbc);
    OPENSSL_cleanse(reader, sizeof(*reader));
}

const struct ticket_key_set *ticket_reader_get(struct ticket_reader *reader)
{
    struct ticket_ring *ring = reader->ring;

    if (atomic_load_explicit(&ring->version, memory_order_acquire) != reader->version) {
        pthread_mutex_lock(&ring->mutex);
        reader->set = ring->set;
        reader->version = atomic_load_explicit(&ring->version, memory_order_relaxed);
        pthread_mutex_unlock(&ring->mutex);
    }
    return &reader->set;
}

static bool mac_set(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->hmac_key,
                                          key->hmac_key_bytes),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

static const struct ticket_key *key_find(const struct ticket_key_set *set,
                                         const unsigned char name[TICKET_NAME_BYTES])
{
    for (size_t i = 0; i < set->count; i++) {
        if (memcmp(set->keys[i].name, name, TICKET_NAME_BYTES) == 0) {
            return &set->keys[i];
        }
    }
    return NULL;
}

int ticket_callback(struct ticket_reader *reader, unsigned char name[TICKET_NAME_BYTES],
                    unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool sealing)
{
    const struct ticket_key_set *set = ticket_reader_get(reader);
    const struct ticket_key *key = sealing ? &set->keys[0] : key_find(set, name);
    const EVP_CIPHER *aes;

    if (key == NULL) {
        return 0;
    }
    if (sealing) {
        if (!reserve_public(iv, TICKET_IV_BYTES)) {
            return -1;
        }
        memcpy(name, key->name, TICKET_NAME_BYTES);
    }
    aes = key->aes_key_bytes == TICKET_AES_KEY_BYTES ? reader->aes_256_cbc : reader->aes_128_cbc;
    if (!EVP_CipherInit_ex2(cipher, aes, key->aes_key, iv, sealing, NULL) || !mac_set(mac, key)) {
        return -1;
    }
    return key == &set->keys[0] ? 1 : 2;
}
