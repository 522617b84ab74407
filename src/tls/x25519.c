#include "tls/x25519.h"

#include <stdint.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <sodium/crypto_scalarmult_curve25519.h>
#include <sodium/utils.h>
#include <sodium/version.h>

#include "tls/context.h"
#include "tls/dispatch.h"
#include "tls/reserve.h"

/* Of stack, as much as libsodium's multiplication leaves of the secret on it, and more. */
enum { KEY_BYTES = crypto_scalarmult_curve25519_BYTES, STACK_BYTES = 2048, FUNCTIONS_MAX = 24 };

/* A key to be. */
struct generation {
    void *provider; /* the context of OpenSSL's */
    bool is_of_keys;
};

/* OpenSSL's, the same in every instance of its provider. */
static OSSL_FUNC_keymgmt_new_fn *key_new;
static OSSL_FUNC_keymgmt_free_fn *key_free;
static OSSL_FUNC_keymgmt_import_fn *key_import;

/* The name is all that there is to set: TLS names the group of each key that it asks for. */
static int generation_set(void *generation, const OSSL_PARAM parameters[])
{
    const OSSL_PARAM *group = OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_GROUP_NAME);
    const char *name;

    (void)generation;
    return group == NULL || (OSSL_PARAM_get_utf8_string_ptr(group, &name) &&
                             OPENSSL_strcasecmp(name, "x25519") == 0);
}

static const OSSL_PARAM *generation_settable(void *generation, void *provider)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)generation;
    (void)provider;
    return settable;
}

static void *generation_init(void *provider, int selection, const OSSL_PARAM parameters[])
{
    struct generation *generation;

    if (!generation_set(NULL, parameters) ||
        (generation = OPENSSL_malloc(sizeof(*generation))) == NULL) {
        return NULL;
    }
    *generation = (struct generation){
        .provider = provider,
        .is_of_keys = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0,
    };
    return generation;
}

static void generation_cleanup(void *generation)
{
    OPENSSL_free(generation);
}

static bool key_fill(void *key)
{
    uint8_t secret[KEY_BYTES];
    uint8_t public[KEY_BYTES];
    const OSSL_PARAM halves[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, public, KEY_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, secret, KEY_BYTES),
        OSSL_PARAM_construct_end(),
    };
    /* Of the process: which library context this is for, nobody says here. */
    bool filled = reserve_private(secret, KEY_BYTES);

    if (filled) {
        secret[0] &= 248; /* RFC 7748 5 */
        secret[KEY_BYTES - 1] = (secret[KEY_BYTES - 1] & 127) | 64;
        /* This needs nothing that sodium_init() sets up. Without it it goes by a table of multiples
         * of the base point, and with it by a ladder, which takes twice the time. */
        filled = crypto_scalarmult_curve25519_base(public, secret) == 0 &&
                 key_import(key, OSSL_KEYMGMT_SELECT_KEYPAIR, halves);
        sodium_stackzero(STACK_BYTES);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return filled;
}

static void *generation_run(void *argument, OSSL_CALLBACK *progress, void *progress_argument)
{
    const struct generation *generation = argument;
    void *key = key_new(generation->provider);

    (void)progress;
    (void)progress_argument;
    /* One of parameters is empty, to hold the peer's half. */
    if (key != NULL && generation->is_of_keys && !key_fill(key)) {
        key_free(key);
        key = NULL;
    }
    return key;
}

static const OSSL_DISPATCH our_functions[] = {
    {OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))generation_init},
    {OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))generation_set},
    {OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))generation_settable},
    {OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))generation_run},
    {OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))generation_cleanup},
};

enum { OUR_FUNCTION_COUNT = sizeof(our_functions) / sizeof(our_functions[0]) };

/* 15 and 16, of which 3.0 knows nothing, are of a generation, too. */
static bool is_of_generation(int id)
{
    return (id >= OSSL_FUNC_KEYMGMT_GEN_INIT && id <= OSSL_FUNC_KEYMGMT_GEN_CLEANUP) ||
           (id > OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS && id < OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME);
}

bool x25519_replace(OSSL_ALGORITHM *keys)
{
    static OSSL_DISPATCH functions[FUNCTIONS_MAX]; /* one empty one ends them */
    const OSSL_DISPATCH *stock = keys->implementation;
    size_t count = 0;

    while (count < OUR_FUNCTION_COUNT) {
        functions[count] = our_functions[count];
        count++;
    }
    for (const OSSL_DISPATCH *at = stock; at->function_id != 0; at++) {
        if (!is_of_generation(at->function_id) && count < FUNCTIONS_MAX - 1) {
            functions[count++] = *at;
        }
    }
    key_new = OSSL_FUNC_keymgmt_new(dispatch_find(stock, OSSL_FUNC_KEYMGMT_NEW));
    key_free = OSSL_FUNC_keymgmt_free(dispatch_find(stock, OSSL_FUNC_KEYMGMT_FREE));
    key_import = OSSL_FUNC_keymgmt_import(dispatch_find(stock, OSSL_FUNC_KEYMGMT_IMPORT));
    if (key_new == NULL || key_free == NULL || key_import == NULL) {
        return false;
    }
    keys->implementation = functions;
    keys->property_definition = X25519_PROPERTY;
    return true;
}

const char *tls_sodium_version(void)
{
    return sodium_version_string();
}
