#include "tls/reserve.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "tls/dispatch.h"

/* A worker's thread has the two generators of its library context and the two of the process. */
enum { RESERVES = 4, RESERVE_BYTES = 1000, TAKE_MAX = 64 };

struct reserve {
    void *generator;
    size_t left; /* the first ones of `bytes` */
    uint8_t bytes[RESERVE_BYTES];
};

struct reserves {
    struct reserve of[RESERVES];
    size_t next; /* to go when another generator comes */
};

static pthread_key_t key;
static bool has_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static OSSL_FUNC_rand_generate_fn *stock_generate;

static void reserves_free(void *reserves)
{
    OPENSSL_cleanse(reserves, sizeof(struct reserves));
    munmap(reserves, sizeof(struct reserves));
}

static void key_make(void)
{
    has_key = pthread_key_create(&key, reserves_free) == 0;
}

/* NULL: there cannot be any that a child does not inherit. */
static struct reserves *reserves_get(void)
{
    struct reserves *reserves;

    if (pthread_once(&once, key_make) != 0 || !has_key) {
        return NULL;
    }
    reserves = pthread_getspecific(key);
    if (reserves != NULL) {
        return reserves;
    }
    reserves =
        mmap(NULL, sizeof(*reserves), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reserves == MAP_FAILED) {
        return NULL;
    }
    if (madvise(reserves, sizeof(*reserves), MADV_WIPEONFORK) != 0 ||
        madvise(reserves, sizeof(*reserves), MADV_DONTDUMP) != 0 ||
        pthread_setspecific(key, reserves) != 0) {
        munmap(reserves, sizeof(*reserves));
        return NULL;
    }
    return reserves;
}

static struct reserve *reserve_of(struct reserves *reserves, void *generator)
{
    struct reserve *reserve;

    for (size_t i = 0; i < RESERVES; i++) {
        if (reserves->of[i].generator == generator) {
            return &reserves->of[i];
        }
    }
    reserve = &reserves->of[reserves->next++ % RESERVES];
    OPENSSL_cleanse(reserve, sizeof(*reserve));
    reserve->generator = generator;
    return reserve;
}

bool reserve_take(void *generator, reserve_fill *fill, uint8_t *out, size_t bytes)
{
    struct reserves *reserves = bytes <= TAKE_MAX ? reserves_get() : NULL;
    struct reserve *reserve;

    if (reserves == NULL) {
        return fill(generator, out, bytes);
    }
    reserve = reserve_of(reserves, generator);
    if (reserve->left < bytes) {
        reserve->left = 0;
        if (!fill(generator, reserve->bytes, sizeof(reserve->bytes))) {
            return false;
        }
        reserve->left = sizeof(reserve->bytes);
    }
    reserve->left -= bytes;
    memcpy(out, reserve->bytes + reserve->left, bytes);
    OPENSSL_cleanse(reserve->bytes + reserve->left, bytes);
    return true;
}

static bool public_fill(void *generator, uint8_t *out, size_t bytes)
{
    (void)generator;
    return RAND_bytes(out, (int)bytes) == 1;
}

static bool private_fill(void *generator, uint8_t *out, size_t bytes)
{
    (void)generator;
    return RAND_priv_bytes(out, (int)bytes) == 1;
}

bool reserve_public(uint8_t *out, size_t bytes)
{
    static char of_process;

    return reserve_take(&of_process, public_fill, out, bytes);
}

bool reserve_private(uint8_t *out, size_t bytes)
{
    static char of_process;

    return reserve_take(&of_process, private_fill, out, bytes);
}

static bool stock_fill(void *generator, uint8_t *out, size_t bytes)
{
    return stock_generate(generator, out, bytes, 0, 0, NULL, 0) == 1;
}

/* Who asks for more than bytes is served by OpenSSL. */
static int generate(void *generator, unsigned char *out, size_t bytes, unsigned strength,
                    int prediction_resistance, const unsigned char *additional,
                    size_t additional_bytes)
{
    if (strength != 0 || prediction_resistance != 0 || additional_bytes != 0) {
        return stock_generate(generator, out, bytes, strength, prediction_resistance, additional,
                              additional_bytes);
    }
    return reserve_take(generator, stock_fill, out, bytes);
}

bool reserve_replace(OSSL_ALGORITHM *generator)
{
    static OSSL_DISPATCH functions[DISPATCH_MAX];
    const OSSL_DISPATCH *stock = dispatch_replace(
        generator->implementation, OSSL_FUNC_RAND_GENERATE, (void (*)(void))generate, functions);

    if (stock == NULL) {
        return false;
    }
    stock_generate = OSSL_FUNC_rand_generate(stock);
    generator->implementation = functions;
    return true;
}
