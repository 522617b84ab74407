#include "tls/derivation.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "tls/key_schedule.h"
#include "tls/provider_state.h"

/* OpenSSL 3.0 takes no more of them (3.5 does), and answers with an error. */
enum { SEED_BYTES_MAX = 1024 };

/* A derivation in progress. */
struct derivation {
    struct provider_state *provider;
    const char *name;
    EVP_KDF_CTX *stock; /* OpenSSL's own, once there is something for it; NULL: nothing yet */
};

static void *derivation_new(void *provider, const char *name)
{
    struct derivation *derivation = OPENSSL_malloc(sizeof(*derivation));

    if (derivation != NULL) {
        *derivation = (struct derivation){.provider = provider, .name = name};
    }
    return derivation;
}

static void *tls_1_3_new(void *provider)
{
    return derivation_new(provider, OSSL_KDF_NAME_TLS1_3_KDF);
}

static void *tls_1_2_new(void *provider)
{
    return derivation_new(provider, OSSL_KDF_NAME_TLS1_PRF);
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
        EVP_KDF *kdf =
            EVP_KDF_fetch(derivation->provider->library, derivation->name, "provider=default");

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

static int derive_stock(struct derivation *derivation, unsigned char *out, size_t out_count,
                        const OSSL_PARAM parameters[])
{
    EVP_KDF_CTX *stock = derivation_stock(derivation);

    return stock != NULL && EVP_KDF_derive(stock, out, out_count, parameters) > 0;
}

/* ---- TLS 1.3 ---- */

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

static int tls_1_3_derive(void *argument, unsigned char *out, size_t out_count,
                          const OSSL_PARAM parameters[])
{
    struct derivation *derivation = argument;
    struct key_schedule_input input;
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
    return derive_stock(derivation, out, out_count, parameters);
}

/* ---- TLS 1.2 ---- */

/* Seeds that are not given are as good as empty. */
static bool seed_add(struct key_schedule_prf_input *input, const OSSL_PARAM *parameter)
{
    if (parameter->data == NULL || parameter->data_size == 0) {
        return true;
    }
    if (input->seed_count == KEY_SCHEDULE_SEEDS_MAX) {
        return false;
    }
    input->seeds[input->seed_count++] =
        (struct key_schedule_span){parameter->data, parameter->data_size};
    return true;
}

/* As parameters_read(). TLS 1.0's digest, MD5 and SHA-1 together, is another form. */
static bool prf_parameters_read(const OSSL_PARAM *parameter,
                                struct key_schedule_prf_input *out_input)
{
    size_t seed_bytes = 0;

    *out_input = (struct key_schedule_prf_input){0};
    for (; parameter != NULL && parameter->key != NULL; parameter++) {
        if (strcmp(parameter->key, OSSL_KDF_PARAM_SEED) == 0 &&
            parameter->data_type == OSSL_PARAM_OCTET_STRING && seed_add(out_input, parameter)) {
            seed_bytes += parameter->data != NULL ? parameter->data_size : 0;
        } else if (strcmp(parameter->key, OSSL_KDF_PARAM_SECRET) == 0 &&
                   parameter->data_type == OSSL_PARAM_OCTET_STRING && parameter->data != NULL &&
                   out_input->secret.bytes == NULL) {
            out_input->secret = (struct key_schedule_span){parameter->data, parameter->data_size};
        } else if (strcmp(parameter->key, OSSL_KDF_PARAM_DIGEST) == 0 &&
                   parameter->data_type == OSSL_PARAM_UTF8_STRING && out_input->digest == NULL) {
            out_input->digest = key_schedule_digest_find(parameter->data);
        } else {
            return false;
        }
    }
    return out_input->digest != NULL && out_input->secret.bytes != NULL && seed_bytes > 0 &&
           seed_bytes <= SEED_BYTES_MAX;
}

static int tls_1_2_derive(void *argument, unsigned char *out, size_t out_count,
                          const OSSL_PARAM parameters[])
{
    struct derivation *derivation = argument;
    struct key_schedule_prf_input input;

    if (derivation->stock == NULL && out != NULL && out_count > 0 &&
        prf_parameters_read(parameters, &input)) {
        key_schedule_prf(&input, out, out_count);
        return 1;
    }
    return derive_stock(derivation, out, out_count, parameters);
}

/* ---- Both ---- */

static const OSSL_DISPATCH tls_1_3_functions[] = {
    {OSSL_FUNC_KDF_NEWCTX, (void (*)(void))tls_1_3_new},
    {OSSL_FUNC_KDF_FREECTX, (void (*)(void))derivation_free},
    {OSSL_FUNC_KDF_DERIVE, (void (*)(void))tls_1_3_derive},
    {OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))derivation_set},
    {0, NULL},
};

static const OSSL_DISPATCH tls_1_2_functions[] = {
    {OSSL_FUNC_KDF_NEWCTX, (void (*)(void))tls_1_2_new},
    {OSSL_FUNC_KDF_FREECTX, (void (*)(void))derivation_free},
    {OSSL_FUNC_KDF_DERIVE, (void (*)(void))tls_1_2_derive},
    {OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))derivation_set},
    {0, NULL},
};

const OSSL_ALGORITHM tls_derivations[] = {
    {OSSL_KDF_NAME_TLS1_3_KDF, "provider=tlsdyno", tls_1_3_functions, "TLS 1.3's key schedule"},
    {OSSL_KDF_NAME_TLS1_PRF, "provider=tlsdyno", tls_1_2_functions, "TLS 1.2's PRF"},
    {NULL, NULL, NULL, NULL},
};
