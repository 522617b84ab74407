#include "tls/x25519.h"

#include <stdint.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <sodium/crypto_scalarmult_curve25519.h>
#include <sodium/utils.h>
#include <sodium/version.h>

#include "tls/context.h"
#include "tls/provider_state.h"

/* Of stack, as much as libsodium's multiplication leaves of the secret on it, and more. */
enum { KEY_BYTES = crypto_scalarmult_curve25519_BYTES, STACK_BYTES = 2048 };

/* A key to be. */
struct generation {
    const struct x25519 *x25519;
    void *stock; /* OpenSSL's own */
    bool is_of_keys;
};

/* ---- In place of the default provider's: its functions are given its context, not ours. ---- */

static void *key_new(void *provider)
{
    const struct x25519 *x25519 = &((struct provider_state *)provider)->x25519;

    return x25519->key_new(x25519->stock_context);
}

static const OSSL_PARAM *key_gettable(void *provider)
{
    const struct x25519 *x25519 = &((struct provider_state *)provider)->x25519;

    return x25519->key_gettable(x25519->stock_context);
}

static const OSSL_PARAM *key_settable(void *provider)
{
    const struct x25519 *x25519 = &((struct provider_state *)provider)->x25519;

    return x25519->key_settable(x25519->stock_context);
}

static void generation_cleanup(void *argument)
{
    struct generation *generation = argument;

    if (generation != NULL) {
        if (generation->stock != NULL) {
            generation->x25519->generation_free(generation->stock);
        }
        OPENSSL_free(generation);
    }
}

static void *generation_init(void *provider, int selection, const OSSL_PARAM parameters[])
{
    const struct x25519 *x25519 = &((struct provider_state *)provider)->x25519;
    struct generation *generation = OPENSSL_malloc(sizeof(*generation));

    if (generation == NULL) {
        return NULL;
    }
    *generation = (struct generation){
        .x25519 = x25519,
        .stock = x25519->generation_init(x25519->stock_context, selection, parameters),
        .is_of_keys = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0,
    };
    if (generation->stock == NULL) {
        generation_cleanup(generation);
        return NULL;
    }
    return generation;
}

static int generation_set(void *argument, const OSSL_PARAM parameters[])
{
    const struct generation *generation = argument;

    return generation->x25519->generation_set(generation->stock, parameters);
}

static const OSSL_PARAM *generation_settable(void *argument, void *provider)
{
    const struct generation *generation = argument;
    const struct x25519 *x25519 = &((struct provider_state *)provider)->x25519;

    return x25519->generation_settable(generation != NULL ? generation->stock : NULL,
                                       x25519->stock_context);
}

static void *key_make(const struct x25519 *x25519, uint8_t secret[KEY_BYTES],
                      uint8_t public[KEY_BYTES])
{
    const OSSL_PARAM halves[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, public, KEY_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, secret, KEY_BYTES),
        OSSL_PARAM_construct_end(),
    };
    void *key = x25519->key_new(x25519->stock_context);

    if (key != NULL && !x25519->key_import(key, OSSL_KEYMGMT_SELECT_KEYPAIR, halves)) {
        x25519->key_free(key);
        key = NULL;
    }
    return key;
}

static void *generation_run(void *argument, OSSL_CALLBACK *progress, void *progress_argument)
{
    const struct generation *generation = argument;
    const struct x25519 *x25519 = generation->x25519;
    uint8_t secret[KEY_BYTES];
    uint8_t public[KEY_BYTES];
    void *key = NULL;

    if (!generation->is_of_keys) { /* of parameters, to hold the peer's key */
        return x25519->generation_run(generation->stock, progress, progress_argument);
    }
    if (RAND_priv_bytes_ex(x25519->library, secret, KEY_BYTES, 0) == 1) {
        secret[0] &= 248; /* RFC 7748 5 */
        secret[KEY_BYTES - 1] = (secret[KEY_BYTES - 1] & 127) | 64;
        /* This needs nothing that sodium_init() sets up. Without it it goes by a table of multiples
         * of the base point, and with it by a ladder, which takes twice the time. */
        if (crypto_scalarmult_curve25519_base(public, secret) == 0) {
            key = key_make(x25519, secret, public);
        }
    }
    sodium_stackzero(STACK_BYTES);
    OPENSSL_cleanse(secret, sizeof(secret));
    return key;
}

static void *exchange_new(void *provider)
{
    const struct x25519 *x25519 = &((struct provider_state *)provider)->x25519;

    return x25519->exchange_new(x25519->stock_context);
}

/* ---- Setting up ---- */

static const OSSL_DISPATCH our_key_functions[] = {
    {OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))key_new},
    {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))key_gettable},
    {OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, (void (*)(void))key_settable},
    {OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))generation_init},
    {OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))generation_set},
    {OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))generation_settable},
    {OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))generation_run},
    {OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))generation_cleanup},
    {0, NULL},
};

static const OSSL_DISPATCH our_exchange_functions[] = {
    {OSSL_FUNC_KEYEXCH_NEWCTX, (void (*)(void))exchange_new},
    {0, NULL},
};

/* The default provider's that are served as they are: they take a key, or an exchange, and no
 * context of a provider's. */
static const int stock_key_functions[] = {
    OSSL_FUNC_KEYMGMT_FREE,   OSSL_FUNC_KEYMGMT_GET_PARAMS,   OSSL_FUNC_KEYMGMT_SET_PARAMS,
    OSSL_FUNC_KEYMGMT_HAS,    OSSL_FUNC_KEYMGMT_VALIDATE,     OSSL_FUNC_KEYMGMT_MATCH,
    OSSL_FUNC_KEYMGMT_IMPORT, OSSL_FUNC_KEYMGMT_IMPORT_TYPES, OSSL_FUNC_KEYMGMT_EXPORT,
    OSSL_FUNC_KEYMGMT_DUP,    OSSL_FUNC_KEYMGMT_EXPORT_TYPES, 0,
};

static const int stock_exchange_functions[] = {
    OSSL_FUNC_KEYEXCH_INIT,    OSSL_FUNC_KEYEXCH_DERIVE, OSSL_FUNC_KEYEXCH_SET_PEER,
    OSSL_FUNC_KEYEXCH_FREECTX, OSSL_FUNC_KEYEXCH_DUPCTX, 0,
};

static const OSSL_DISPATCH *function_find(const OSSL_DISPATCH *functions, int id)
{
    while (functions->function_id != 0 && functions->function_id != id) {
        functions++;
    }
    return functions->function_id != 0 ? functions : NULL;
}

/* False: one of the default provider's is not there. */
static bool functions_join(const OSSL_DISPATCH *ours, const OSSL_DISPATCH *stock, const int *ids,
                           OSSL_DISPATCH *out)
{
    while (ours->function_id != 0) {
        *out++ = *ours++;
    }
    for (; *ids != 0; ids++) {
        const OSSL_DISPATCH *found = function_find(stock, *ids);

        if (found == NULL) {
            return false;
        }
        *out++ = *found;
    }
    *out = (OSSL_DISPATCH){0, NULL};
    return true;
}

static const OSSL_ALGORITHM *algorithm_find(OSSL_PROVIDER *provider, int operation)
{
    static const char name[] = "X25519:"; /* the first of its names */
    int no_cache;
    const OSSL_ALGORITHM *algorithm = OSSL_PROVIDER_query_operation(provider, operation, &no_cache);

    while (algorithm != NULL && algorithm->algorithm_names != NULL &&
           strncmp(algorithm->algorithm_names, name, strlen(name)) != 0) {
        algorithm++;
    }
    return algorithm != NULL && algorithm->algorithm_names != NULL ? algorithm : NULL;
}

static bool key_functions_take(struct x25519 *x25519, const OSSL_DISPATCH *stock)
{
    for (const OSSL_DISPATCH *at = stock; at->function_id != 0; at++) {
        switch (at->function_id) {
        case OSSL_FUNC_KEYMGMT_NEW:
            x25519->key_new = OSSL_FUNC_keymgmt_new(at);
            break;
        case OSSL_FUNC_KEYMGMT_FREE:
            x25519->key_free = OSSL_FUNC_keymgmt_free(at);
            break;
        case OSSL_FUNC_KEYMGMT_IMPORT:
            x25519->key_import = OSSL_FUNC_keymgmt_import(at);
            break;
        case OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS:
            x25519->key_gettable = OSSL_FUNC_keymgmt_gettable_params(at);
            break;
        case OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS:
            x25519->key_settable = OSSL_FUNC_keymgmt_settable_params(at);
            break;
        case OSSL_FUNC_KEYMGMT_GEN_INIT:
            x25519->generation_init = OSSL_FUNC_keymgmt_gen_init(at);
            break;
        case OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS:
            x25519->generation_set = OSSL_FUNC_keymgmt_gen_set_params(at);
            break;
        case OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS:
            x25519->generation_settable = OSSL_FUNC_keymgmt_gen_settable_params(at);
            break;
        case OSSL_FUNC_KEYMGMT_GEN:
            x25519->generation_run = OSSL_FUNC_keymgmt_gen(at);
            break;
        case OSSL_FUNC_KEYMGMT_GEN_CLEANUP:
            x25519->generation_free = OSSL_FUNC_keymgmt_gen_cleanup(at);
            break;
        default:
            break;
        }
    }
    return x25519->key_new != NULL && x25519->key_gettable != NULL &&
           x25519->key_settable != NULL && x25519->generation_init != NULL &&
           x25519->generation_set != NULL && x25519->generation_settable != NULL &&
           x25519->generation_run != NULL && x25519->generation_free != NULL &&
           functions_join(our_key_functions, stock, stock_key_functions, x25519->key_functions);
}

static bool exchange_functions_take(struct x25519 *x25519, const OSSL_DISPATCH *stock)
{
    const OSSL_DISPATCH *found = function_find(stock, OSSL_FUNC_KEYEXCH_NEWCTX);

    if (found == NULL) {
        return false;
    }
    x25519->exchange_new = OSSL_FUNC_keyexch_newctx(found);
    return functions_join(our_exchange_functions, stock, stock_exchange_functions,
                          x25519->exchange_functions);
}

bool x25519_init(struct x25519 *x25519, OSSL_LIB_CTX *library, OSSL_PROVIDER *stock)
{
    const OSSL_ALGORITHM *keys = algorithm_find(stock, OSSL_OP_KEYMGMT);
    const OSSL_ALGORITHM *exchange = algorithm_find(stock, OSSL_OP_KEYEXCH);

    *x25519 = (struct x25519){
        .library = library,
        .stock = stock,
        .stock_context = OSSL_PROVIDER_get0_provider_ctx(stock),
    };
    if (keys == NULL || exchange == NULL || !key_functions_take(x25519, keys->implementation) ||
        !exchange_functions_take(x25519, exchange->implementation)) {
        return false;
    }
    x25519->key_managements[0] = (OSSL_ALGORITHM){
        .algorithm_names = keys->algorithm_names,
        .property_definition = "provider=tlsdyno",
        .implementation = x25519->key_functions,
    };
    x25519->exchanges[0] = (OSSL_ALGORITHM){
        .algorithm_names = exchange->algorithm_names,
        .property_definition = "provider=tlsdyno",
        .implementation = x25519->exchange_functions,
    };
    return true;
}

struct listener {
    OSSL_CALLBACK *hear;
    void *argument;
};

static int capability_pass(const OSSL_PARAM parameters[], void *argument)
{
    const struct listener *listener = argument;
    const OSSL_PARAM *algorithm =
        OSSL_PARAM_locate_const(parameters, OSSL_CAPABILITY_TLS_GROUP_ALG);
    const char *name;

    if (algorithm == NULL || !OSSL_PARAM_get_utf8_string_ptr(algorithm, &name) ||
        strcmp(name, "X25519") != 0) {
        return 1;
    }
    return listener->hear(parameters, listener->argument);
}

int x25519_capabilities(const struct x25519 *x25519, const char *capability, OSSL_CALLBACK *hear,
                        void *argument)
{
    struct listener listener = {hear, argument};

    return OSSL_PROVIDER_get_capabilities(x25519->stock, capability, capability_pass, &listener);
}

const char *tls_sodium_version(void)
{
    return sodium_version_string();
}
