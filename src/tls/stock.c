/* What OpenSSL's default provider has, but for three things. X25519's keys are made by x25519.h.
 * Keys on P-256 are read by ec_decoder.h. And before 3.2 OpenSSL looks through all its decoders
 * (OSSL_DECODER(3)) whenever it reads a certificate's public key, and copies the list of all
 * algorithms of all kinds that were ever looked for, to find those of keys: most of what a
 * certificate costs a client. So only what TLS needs is shown there: the public keys of
 * certificates from DER, and what libssl's suites and groups name.
 *
 * For that a provider of our own passes on what OpenSSL's has. The implementations expect their own
 * provider's context; it belongs to a default provider in a library context behind the one that is
 * asked. */
#include "tls/stock.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "tls/ec_decoder.h"
#include "tls/openssl_compat.h"
#include "tls/reserve.h"
#include "tls/x25519.h"

struct stock {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *shown;
    OSSL_LIB_CTX *behind;
    OSSL_PROVIDER *whole;
    OSSL_PROVIDER *within; /* what is shown, behind, too; NULL: not needed */
};

/* The first names of what is shown of a kind; of the kinds that are not here, everything. */
static const char *const certificate_keys[] = {"RSA",   "RSA-PSS", "EC", "ED25519",
                                               "ED448", "DSA",     NULL};
/* HMAC's are how libssl keeps the MAC keys of CBC suites. */
static const char *const keys[] = {"RSA",  "RSA-PSS", "EC",    "DSA",  "DH", "X25519",
                                   "X448", "ED25519", "ED448", "HMAC", NULL};
static const char *const ciphers[] = {"NULL",
                                      "AES-128-GCM",
                                      "AES-256-GCM",
                                      "AES-128-CCM",
                                      "AES-256-CCM",
                                      "ChaCha20-Poly1305",
                                      "AES-128-CBC",
                                      "AES-256-CBC",
                                      "AES-128-CBC-HMAC-SHA1",
                                      "AES-256-CBC-HMAC-SHA1",
                                      "AES-128-CBC-HMAC-SHA256",
                                      "AES-256-CBC-HMAC-SHA256",
                                      "ARIA-128-GCM",
                                      "ARIA-256-GCM",
                                      "CAMELLIA-128-CBC",
                                      "CAMELLIA-256-CBC",
                                      "DES-EDE3-CBC",
                                      NULL};
static const char *const macs[] = {"HMAC", NULL};
static const char *const derivations[] = {"TLS13-KDF", "TLS1-PRF", "HKDF", NULL};
static const char *const generators[] = {"CTR-DRBG", "SEED-SRC", NULL};

/* Tables and capabilities are the same in every instance: any will do to ask for them. This one
 * stays, since OpenSSL may ask until the process ends. */
static OSSL_PROVIDER *any_instance;
static struct table {
    int operation;
    const char *const *shown;
    OSSL_ALGORITHM *algorithms;
} tables[] = {
    {OSSL_OP_DECODER, certificate_keys, NULL}, {OSSL_OP_KEYMGMT, keys, NULL},
    {OSSL_OP_CIPHER, ciphers, NULL},           {OSSL_OP_MAC, macs, NULL},
    {OSSL_OP_KDF, derivations, NULL},          {OSSL_OP_RAND, generators, NULL},
};
static bool tables_made;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

enum { TABLE_COUNT = sizeof(tables) / sizeof(tables[0]) };

/* Names are "RSA:rsaEncryption:1.2.840.113549.1.1.1" and the like. */
static bool is_named(const OSSL_ALGORITHM *algorithm, const char *name)
{
    size_t bytes = strcspn(algorithm->algorithm_names, ":");

    return strlen(name) == bytes && strncmp(name, algorithm->algorithm_names, bytes) == 0;
}

static bool is_certificates(const OSSL_ALGORITHM *decoder)
{
    return strstr(decoder->property_definition, "input=der") != NULL &&
           strstr(decoder->property_definition, "structure=SubjectPublicKeyInfo") != NULL;
}

static bool is_shown(const struct table *table, const OSSL_ALGORITHM *algorithm)
{
    const char *const *name = table->shown;

    if (!compat_decoders_are_slow) {
        return true;
    }
    while (*name != NULL && !is_named(algorithm, *name)) {
        name++;
    }
    return *name != NULL && (table->operation != OSSL_OP_DECODER || is_certificates(algorithm));
}

static bool table_make(struct table *table)
{
    int no_cache;
    const OSSL_ALGORITHM *whole =
        OSSL_PROVIDER_query_operation(any_instance, table->operation, &no_cache);
    size_t count = 0;
    size_t shown = 0;

    while (whole != NULL && whole[count].algorithm_names != NULL) {
        count++;
    }
    table->algorithms = calloc(count + 1, sizeof(*table->algorithms));
    for (size_t i = 0; table->algorithms != NULL && i < count; i++) {
        if (is_shown(table, &whole[i])) {
            table->algorithms[shown++] = whole[i];
        }
    }
    return table->algorithms != NULL;
}

/* NULL: all of OpenSSL's, as they are. */
static OSSL_ALGORITHM *algorithms_of(int operation)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (tables[i].operation == operation) {
            return tables[i].algorithms;
        }
    }
    return NULL;
}

/* NULL: OpenSSL was built without. */
static OSSL_ALGORITHM *algorithm_find(int operation, const char *name)
{
    OSSL_ALGORITHM *algorithm = algorithms_of(operation);

    while (algorithm != NULL && algorithm->algorithm_names != NULL) {
        if (is_named(algorithm, name) &&
            (operation != OSSL_OP_DECODER || is_certificates(algorithm))) {
            return algorithm;
        }
        algorithm++;
    }
    return NULL;
}

static void algorithms_replace(void)
{
    OSSL_ALGORITHM *x25519 = algorithm_find(OSSL_OP_KEYMGMT, "X25519");
    OSSL_ALGORITHM *ec = algorithm_find(OSSL_OP_KEYMGMT, "EC");
    OSSL_ALGORITHM *ec_decoder = algorithm_find(OSSL_OP_DECODER, "EC");
    OSSL_ALGORITHM *generator = algorithm_find(OSSL_OP_RAND, "CTR-DRBG");

    if (x25519 != NULL) {
        x25519_replace(x25519);
    }
    if (ec != NULL && ec_decoder != NULL) {
        ec_decoder_replace(ec_decoder, ec, OSSL_PROVIDER_get0_provider_ctx(any_instance));
    }
    if (generator != NULL) {
        reserve_replace(generator);
    }
}

static void tables_make(void)
{
    any_instance = OSSL_PROVIDER_try_load(NULL, "default", 1);
    tables_made = any_instance != NULL;
    for (size_t i = 0; tables_made && i < TABLE_COUNT; i++) {
        tables_made = table_make(&tables[i]);
    }
    if (tables_made) {
        algorithms_replace();
    }
}

static const OSSL_ALGORITHM *stock_query(void *provider, int operation, int *out_no_cache)
{
    const OSSL_ALGORITHM *algorithms = algorithms_of(operation);

    (void)provider;
    *out_no_cache = 0;
    return algorithms != NULL
               ? algorithms
               : OSSL_PROVIDER_query_operation(any_instance, operation, out_no_cache);
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
    ec_decoder_hear_core(core);
    *out_provider = OSSL_PROVIDER_get0_provider_ctx(loading);
    *out_functions = stock_functions;
    return 1;
}

static OSSL_PROVIDER *show_in(OSSL_LIB_CTX *context)
{
    static const char name[] = "default-for-tls";

    return OSSL_PROVIDER_add_builtin(context, name, stock_init) ? OSSL_PROVIDER_load(context, name)
                                                                : NULL;
}

static bool stock_show(struct stock *stock)
{
    if (!CRYPTO_THREAD_run_once(&once, tables_make) || !tables_made ||
        (stock->behind = OSSL_LIB_CTX_new()) == NULL ||
        (stock->whole = OSSL_PROVIDER_load(stock->behind, "default")) == NULL) {
        return false;
    }
    loading = stock->whole;
    stock->shown = show_in(stock->context);
    /* A hybrid's X25519 key is made where its implementation is at home. */
    if (compat_has_hybrids) {
        stock->within = show_in(stock->behind);
        return stock->shown != NULL && stock->within != NULL &&
               EVP_set_default_properties(stock->behind, "?" X25519_PROPERTY);
    }
    return stock->shown != NULL;
}

struct stock *stock_new(void)
{
    struct stock *stock = calloc(1, sizeof(*stock));

    if (stock == NULL || (stock->context = OSSL_LIB_CTX_new()) == NULL || !stock_show(stock)) {
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
    unload(stock->within);
    unload(stock->whole);
    OSSL_LIB_CTX_free(stock->behind);
    free(stock);
}
