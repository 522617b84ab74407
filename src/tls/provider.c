#include "tls/provider.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "tls/context.h"
#include "tls/derivation.h"
#include "tls/provider_state.h"
#include "tls/stock.h"

enum { CIPHERS_MAX = 4 };

struct tls_library {
    struct stock *stock;
    OSSL_LIB_CTX *context; /* stock's */
    OSSL_PROVIDER *ours;
    struct provider_state *state; /* of ours, which owns it */
    struct {
        const char *name;
        EVP_CIPHER *cipher;
    } ciphers[CIPHERS_MAX]; /* the first empty one ends them */
};

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *out_no_cache)
{
    (void)provider;
    *out_no_cache = 0;
    return operation == OSSL_OP_KDF ? tls_derivations : NULL;
}

static void provider_teardown(void *provider)
{
    free(provider);
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))provider_teardown},
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query},
    {0, NULL},
};

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                         const OSSL_DISPATCH **out_functions, void **out_provider)
{
    struct provider_state *provider = calloc(1, sizeof(*provider));

    if (provider == NULL) {
        return 0;
    }
    for (; core->function_id != 0; core++) {
        if (core->function_id == OSSL_FUNC_CORE_GET_LIBCTX) {
            /* Built in, our core's context is the library context itself (provider-base(7)). */
            provider->library = (OSSL_LIB_CTX *)OSSL_FUNC_core_get_libctx(core)(handle);
        }
    }
    if (provider->library == NULL) {
        free(provider);
        return 0;
    }
    *out_provider = provider;
    *out_functions = provider_functions;
    return 1;
}

static int provider_is_other(OSSL_PROVIDER *provider, void *argument)
{
    bool *other = argument;

    *other |= strcmp(OSSL_PROVIDER_get0_name(provider), "default") != 0;
    return 1;
}

/* Whether the process was configured to use more than the default provider. */
static bool providers_are_chosen(void)
{
    bool other = false;

    OSSL_PROVIDER_do_all(NULL, provider_is_other, &other);
    return other || EVP_default_properties_is_fips_enabled(NULL) ||
           !OSSL_PROVIDER_available(NULL, "default");
}

struct tls_library *tls_library_new(void)
{
    struct tls_library *library = calloc(1, sizeof(*library));

    if (library == NULL || providers_are_chosen()) {
        free(library);
        return NULL;
    }
    library->stock = stock_new();
    library->context = library->stock != NULL ? stock_context(library->stock) : NULL;
    if (library->context == NULL ||
        !OSSL_PROVIDER_add_builtin(library->context, "tlsdyno", provider_init) ||
        (library->ours = OSSL_PROVIDER_load(library->context, "tlsdyno")) == NULL ||
        !EVP_set_default_properties(library->context, "?provider=tlsdyno")) {
        tls_library_free(library);
        return NULL;
    }
    library->state = OSSL_PROVIDER_get0_provider_ctx(library->ours);
    return library;
}

void tls_library_free(struct tls_library *library)
{
    if (library == NULL) {
        return;
    }
    for (size_t i = 0; i < CIPHERS_MAX; i++) {
        EVP_CIPHER_free(library->ciphers[i].cipher);
    }
    if (library->ours != NULL) {
        OSSL_PROVIDER_unload(library->ours);
    }
    stock_free(library->stock);
    free(library);
}

OSSL_LIB_CTX *tls_library_context(const struct tls_library *library)
{
    return library != NULL ? library->context : NULL;
}

void tls_library_leave(const struct tls_library *library)
{
    if (library != NULL) {
        stock_leave(library->stock);
    }
}

void tls_library_hear(struct tls_library *library, tls_secret_hearer *hearer, void *user)
{
    if (library != NULL) {
        library->state->hearer = hearer;
        library->state->user = user;
    }
}

EVP_CIPHER *tls_library_cipher(struct tls_library *library, const char *name)
{
    size_t i = 0;

    while (i < CIPHERS_MAX && library->ciphers[i].cipher != NULL) {
        if (library->ciphers[i].name == name) {
            return library->ciphers[i].cipher;
        }
        i++;
    }
    if (i == CIPHERS_MAX) {
        return NULL;
    }
    library->ciphers[i].name = name;
    library->ciphers[i].cipher = EVP_CIPHER_fetch(library->context, name, NULL);
    return library->ciphers[i].cipher;
}
