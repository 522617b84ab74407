/* What OpenSSL's default provider has, but for two things. X25519's keys are made by x25519.h. And
 * before 3.2 OpenSSL looks through all its decoders (OSSL_DECODER(3)) whenever it reads a
 * certificate's public key: private keys, parameters, PEM, text, of all types, a third of what a
 * handshake costs a client. TLS needs the public keys of certificates from DER, so they are all
 * that is shown here.
 *
 * For that a provider of our own passes on what OpenSSL's has. The implementations expect their own
 * provider's context; it belongs to a default provider in a library context behind the one that is
 * asked. */
#include "tls/stock.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "tls/openssl_compat.h"
#include "tls/x25519.h"

struct stock {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *shown;
    OSSL_LIB_CTX *behind;
    OSSL_PROVIDER *whole;
};

/* Of certificates. */
static const char *const key_types[] = {"RSA", "RSA-PSS", "EC", "ED25519", "ED448", "DSA"};

enum { KEY_TYPE_COUNT = sizeof(key_types) / sizeof(key_types[0]) };

/* Tables and capabilities are the same in every instance: any will do to ask for them. This one
 * stays, since OpenSSL may ask until the process ends. */
static OSSL_PROVIDER *any_instance;
static OSSL_ALGORITHM decoders[KEY_TYPE_COUNT + 1];
static OSSL_ALGORITHM *key_managements;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

/* Names are "RSA:rsaEncryption:1.2.840.113549.1.1.1" and the like. */
static bool is_named(const OSSL_ALGORITHM *algorithm, const char *name)
{
    size_t bytes = strcspn(algorithm->algorithm_names, ":");

    return strlen(name) == bytes && strncmp(name, algorithm->algorithm_names, bytes) == 0;
}

static bool is_shown(const OSSL_ALGORITHM *decoder)
{
    if (strstr(decoder->property_definition, "input=der") == NULL ||
        strstr(decoder->property_definition, "structure=SubjectPublicKeyInfo") == NULL) {
        return false;
    }
    for (size_t i = 0; i < KEY_TYPE_COUNT; i++) {
        if (is_named(decoder, key_types[i])) {
            return true;
        }
    }
    return false;
}

static void decoders_make(void)
{
    const OSSL_ALGORITHM *decoder;
    size_t count = 0;
    int no_cache;

    decoder = OSSL_PROVIDER_query_operation(any_instance, OSSL_OP_DECODER, &no_cache);
    for (; decoder != NULL && decoder->algorithm_names != NULL; decoder++) {
        if (is_shown(decoder) && count < KEY_TYPE_COUNT) {
            decoders[count++] = *decoder;
        }
    }
}

static void key_managements_make(void)
{
    int no_cache;
    const OSSL_ALGORITHM *stock =
        OSSL_PROVIDER_query_operation(any_instance, OSSL_OP_KEYMGMT, &no_cache);
    size_t count = 0;

    while (stock != NULL && stock[count].algorithm_names != NULL) {
        count++;
    }
    key_managements = calloc(count + 1, sizeof(*key_managements));
    for (size_t i = 0; key_managements != NULL && i < count; i++) {
        key_managements[i] = stock[i];
        if (is_named(&stock[i], "X25519")) {
            x25519_replace(&key_managements[i]);
        }
    }
}

static void tables_make(void)
{
    any_instance = OSSL_PROVIDER_try_load(NULL, "default", 1);
    if (any_instance != NULL) {
        decoders_make();
        key_managements_make();
    }
}

static const OSSL_ALGORITHM *stock_query(void *provider, int operation, int *out_no_cache)
{
    (void)provider;
    *out_no_cache = 0;
    if (operation == OSSL_OP_KEYMGMT) {
        return key_managements;
    }
    if (operation == OSSL_OP_DECODER && compat_decoders_are_slow) {
        return decoders;
    }
    return OSSL_PROVIDER_query_operation(any_instance, operation, out_no_cache);
}

static int stock_capabilities(void *provider, const char *capability, OSSL_CALLBACK *hear,
                              void *argument)
{
    (void)provider;
    return OSSL_PROVIDER_get_capabilities(any_instance, capability, hear, argument);
}

static const OSSL_DISPATCH stock_functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))stock_query},
    {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))stock_capabilities},
    {0, NULL},
};

/* Whose context stock_init() takes: a provider is initialized with no argument of ours. */
static _Thread_local OSSL_PROVIDER *loading;

static int stock_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                      const OSSL_DISPATCH **out_functions, void **out_provider)
{
    (void)handle;
    (void)core;
    *out_provider = OSSL_PROVIDER_get0_provider_ctx(loading);
    *out_functions = stock_functions;
    return 1;
}

static OSSL_PROVIDER *stock_show(struct stock *stock)
{
    static const char name[] = "default-for-tls";

    if (!CRYPTO_THREAD_run_once(&once, tables_make) || key_managements == NULL ||
        (stock->behind = OSSL_LIB_CTX_new()) == NULL ||
        (stock->whole = OSSL_PROVIDER_load(stock->behind, "default")) == NULL) {
        return NULL;
    }
    loading = stock->whole;
    return OSSL_PROVIDER_add_builtin(stock->context, name, stock_init)
               ? OSSL_PROVIDER_load(stock->context, name)
               : NULL;
}

struct stock *stock_new(void)
{
    struct stock *stock = calloc(1, sizeof(*stock));

    if (stock == NULL || (stock->context = OSSL_LIB_CTX_new()) == NULL ||
        (stock->shown = stock_show(stock)) == NULL) {
        stock_free(stock);
        return NULL;
    }
    return stock;
}

OSSL_LIB_CTX *stock_context(const struct stock *stock)
{
    return stock->context;
}

void stock_leave(const struct stock *stock)
{
    OPENSSL_thread_stop_ex(stock->context);
    OPENSSL_thread_stop_ex(stock->behind);
}

/* OpenSSL's unload does not take NULL. */
static void unload(OSSL_PROVIDER *provider)
{
    if (provider != NULL) {
        OSSL_PROVIDER_unload(provider);
    }
}

void stock_free(struct stock *stock)
{
    if (stock == NULL) {
        return;
    }
    unload(stock->shown);
    OSSL_LIB_CTX_free(stock->context);
    unload(stock->whole);
    OSSL_LIB_CTX_free(stock->behind);
    free(stock);
}
