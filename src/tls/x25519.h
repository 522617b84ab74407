/* X25519 for our provider: OpenSSL's own keys and key exchange, but that the public half of a new
 * key is computed by libsodium, in 15 us where OpenSSL takes 36. Room-internal. */
#pragma once

#include <stdbool.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/types.h>

enum { X25519_FUNCTIONS_MAX = 24 };

struct x25519 {
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *stock; /* the default provider */
    void *stock_context;
    /* Those of its functions that ours go by. */
    OSSL_FUNC_keymgmt_new_fn *key_new;
    OSSL_FUNC_keymgmt_free_fn *key_free;
    OSSL_FUNC_keymgmt_import_fn *key_import;
    OSSL_FUNC_keymgmt_gettable_params_fn *key_gettable;
    OSSL_FUNC_keymgmt_settable_params_fn *key_settable;
    OSSL_FUNC_keymgmt_gen_init_fn *generation_init;
    OSSL_FUNC_keymgmt_gen_set_params_fn *generation_set;
    OSSL_FUNC_keymgmt_gen_settable_params_fn *generation_settable;
    OSSL_FUNC_keymgmt_gen_fn *generation_run;
    OSSL_FUNC_keymgmt_gen_cleanup_fn *generation_free;
    OSSL_FUNC_keyexch_newctx_fn *exchange_new;
    /* What our provider serves. */
    OSSL_DISPATCH key_functions[X25519_FUNCTIONS_MAX];
    OSSL_DISPATCH exchange_functions[X25519_FUNCTIONS_MAX];
    OSSL_ALGORITHM key_managements[2];
    OSSL_ALGORITHM exchanges[2];
};

/* False when `stock`, the default provider in `library`, has not what it takes: then nothing is
 * served. */
bool x25519_init(struct x25519 *x25519, OSSL_LIB_CTX *library, OSSL_PROVIDER *stock);

/* What the default provider says of its TLS groups (provider-base(7), CAPABILITIES), of this one:
 * libssl knows a group only from the provider that has its keys. Returns what `hear` does, else 1.
 */
int x25519_capabilities(const struct x25519 *x25519, const char *capability, OSSL_CALLBACK *hear,
                        void *argument);
