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
#include "tls/key_schedule.h"

enum { CIPHERS_MAX = 4 };

struct tls_library {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *stock;
    OSSL_PROVIDER *ours;
    struct provider_state *state; /* of ours, which owns it */
    struct {
        const char *name;
        EVP_CIPHER *cipher;
    } ciphers[CIPHERS_MAX]; /* the first empty one ends them */
};

/* What our provider knows. */
struct provider_state {
    OSSL_LIB_CTX *library;
    tls_secret_hearer *hearer;
    void *user;
};

/* A derivation in progress. */
struct derivation {
    struct provider_state *provider;
    EVP_KDF_CTX *stock; /* OpenSSL's own, once there is something for it; NULL: nothing yet */
};

static void *derivation_new(void *provider)
{
    struct derivation *derivation = OPENSSL_malloc(sizeof(*derivation));

    if (derivation != NULL) {
        *derivation = (struct derivation){.provider = provider};
    }
    return derivation;
}

static void derivation_free(void *argument)
{
    struct derivation *derivation = argument;

    if (derivation != NULL) {
        EVP_KDF_CTX_free(derivation->stock);
        OPENSSL_free(derivation);
    }
}

static EVP_KDF_CTX *derivation_stock(struct derivation *derivation)
{
    if (derivation->stock == NULL) {
        EVP_KDF *kdf = EVP_KDF_fetch(derivation->provider->library, OSSL_KDF_NAME_TLS1_3_KDF,
                                     "provider=default");

        derivation->stock = EVP_KDF_CTX_new(kdf);
        EVP_KDF_free(kdf);
    }
    return derivation->stock;
}

static int derivation_set(void *argument, const OSSL_PARAM parameters[])
{
    EVP_KDF_CTX *stock = derivation_stock(argument);

    return stock != NULL && EVP_KDF_CTX_set_params(stock, parameters);
}

static struct key_schedule_span *span_find(struct key_schedule_input *input, const char *key)
{
    return strcmp(key, OSSL_KDF_PARAM_KEY) == 0      ? &input->secret
           : strcmp(key, OSSL_KDF_PARAM_SALT) == 0   ? &input->salt
           : strcmp(key, OSSL_KDF_PARAM_PREFIX) == 0 ? &input->prefix
           : strcmp(key, OSSL_KDF_PARAM_LABEL) == 0  ? &input->label
           : strcmp(key, OSSL_KDF_PARAM_DATA) == 0   ? &input->context
                                                     : NULL;
}

/* Reads the parameters in the one form in which libssl gives them. False: they are of another, or
 * incomplete. */
static bool parameters_read(const OSSL_PARAM *parameter, struct key_schedule_input *out_input,
                            int *out_mode)
{
    *out_input = (struct key_schedule_input){0};
    *out_mode = -1;
    for (; parameter != NULL && parameter->key != NULL; parameter++) {
        struct key_schedule_span *span = span_find(out_input, parameter->key);

        if (span != NULL && parameter->data_type == OSSL_PARAM_OCTET_STRING &&
            parameter->data != NULL) {
            *span = (struct key_schedule_span){parameter->data, parameter->data_size};
        } else if (strcmp(parameter->key, OSSL_KDF_PARAM_DIGEST) == 0 &&
                   parameter->data_type == OSSL_PARAM_UTF8_STRING) {
            out_input->digest = key_schedule_digest_find(parameter->data);
        } else if (strcmp(parameter->key, OSSL_KDF_PARAM_MODE) != 0 ||
                   !OSSL_PARAM_get_int(parameter, out_mode)) {
            return false;
        }
    }
    return out_input->digest != NULL;
}

static bool label_is(const struct key_schedule_input *input, const char *label)
{
    return input->label.count == strlen(label) &&
           memcmp(input->label.bytes, label, input->label.count) == 0;
}

static void tell(const struct provider_state *provider, const struct key_schedule_input *input,
                 const uint8_t *secret, size_t bytes)
{
    bool of_server = label_is(input, "s ap traffic");

    if (provider->hearer != NULL && (of_server || label_is(input, "c ap traffic"))) {
        provider->hearer(provider->user, of_server, secret, bytes);
    }
}

static int derivation_derive(void *argument, unsigned char *out, size_t out_count,
                             const OSSL_PARAM parameters[])
{
    struct derivation *derivation = argument;
    struct key_schedule_input input;
    EVP_KDF_CTX *stock;
    int mode;

    if (derivation->stock == NULL && out != NULL && parameters_read(parameters, &input, &mode)) {
        if (mode == EVP_KDF_HKDF_MODE_EXPAND_ONLY && key_schedule_expand(&input, out, out_count)) {
            tell(derivation->provider, &input, out, out_count);
            return 1;
        }
        if (mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY &&
            out_count == key_schedule_digest_bytes(input.digest) &&
            key_schedule_extract(&input, out)) {
            return 1;
        }
    }
    stock = derivation_stock(derivation);
    return stock != NULL && EVP_KDF_derive(stock, out, out_count, parameters) > 0;
}

static const OSSL_DISPATCH derivation_functions[] = {
    {OSSL_FUNC_KDF_NEWCTX, (void (*)(void))derivation_new},
    {OSSL_FUNC_KDF_FREECTX, (void (*)(void))derivation_free},
    {OSSL_FUNC_KDF_DERIVE, (void (*)(void))derivation_derive},
    {OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))derivation_set},
    {0, NULL},
};

static const OSSL_ALGORITHM derivations[] = {
    {OSSL_KDF_NAME_TLS1_3_KDF, "provider=tlsdyno", derivation_functions, "TLS 1.3's key schedule"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *out_no_cache)
{
    (void)provider;
    *out_no_cache = 0;
    return operation == OSSL_OP_KDF ? derivations : NULL;
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
    library->context = OSSL_LIB_CTX_new();
    if (library->context == NULL ||
        !OSSL_PROVIDER_add_builtin(library->context, "tlsdyno", provider_init) ||
        (library->stock = OSSL_PROVIDER_load(library->context, "default")) == NULL ||
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
    if (library->stock != NULL) {
        OSSL_PROVIDER_unload(library->stock);
    }
    OSSL_LIB_CTX_free(library->context);
    free(library);
}

OSSL_LIB_CTX *tls_library_context(const struct tls_library *library)
{
    return library != NULL ? library->context : NULL;
}

void tls_library_leave(const struct tls_library *library)
{
    if (library != NULL) {
        OPENSSL_thread_stop_ex(library->context);
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
