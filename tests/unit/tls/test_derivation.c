#include <string.h>

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "base/random.h"
#include "tls/context.h"
#include "tls/provider.h"

enum { OUT_BYTES = 160, BYTES_MAX = 300 };

/* A derivation as somebody may ask for it; counts under 0: the parameter is not given. */
struct request {
    int mode;
    const char *digest;
    int key, salt, prefix, label, data;
    size_t out;
};

static uint8_t octets[5][BYTES_MAX]; /* one test a process */

static void parameters_make(const struct request *request, OSSL_PARAM *out)
{
    static const char *const names[] = {OSSL_KDF_PARAM_KEY, OSSL_KDF_PARAM_SALT,
                                        OSSL_KDF_PARAM_PREFIX, OSSL_KDF_PARAM_LABEL,
                                        OSSL_KDF_PARAM_DATA};
    const int counts[] = {request->key, request->salt, request->prefix, request->label,
                          request->data};

    if (request->mode >= 0) {
        *out++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, (int *)&request->mode);
    }
    if (request->digest != NULL) {
        *out++ =
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)request->digest, 0);
    }
    for (size_t i = 0; i < 5; i++) {
        if (counts[i] >= 0) {
            *out++ = OSSL_PARAM_construct_octet_string(names[i], octets[i], (size_t)counts[i]);
        }
    }
    *out = OSSL_PARAM_construct_end();
}

struct answer {
    int result;
    unsigned long error;
    uint8_t bytes[OUT_BYTES];
};

static struct answer derive(OSSL_LIB_CTX *library, const char *name, size_t out_count,
                            const OSSL_PARAM parameters[])
{
    struct answer answer = {0};
    EVP_KDF *kdf = EVP_KDF_fetch(library, name, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    cr_assert_not_null(context);
    cr_assert_str_eq(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf)),
                     library != NULL ? "tlsdyno" : "default");
    ERR_clear_error();
    answer.result = EVP_KDF_derive(context, answer.bytes, out_count, parameters);
    answer.error = ERR_peek_error();
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return answer;
}

static struct answer ask(OSSL_LIB_CTX *library, const struct request *request)
{
    OSSL_PARAM parameters[8];

    parameters_make(request, parameters);
    return derive(library, OSSL_KDF_NAME_TLS1_3_KDF, request->out, parameters);
}

static bool same_as_openssls(const struct tls_library *library, const struct request *request)
{
    struct answer ours = ask(tls_library_context(library), request);
    struct answer stock = ask(NULL, request);

    cr_assert_eq(ours.result > 0, stock.result > 0, "mode %d %s key %d salt %d data %d out %zu",
                 request->mode, request->digest, request->key, request->salt, request->data,
                 request->out);
    cr_assert_eq(ours.error, stock.error);
    cr_assert(stock.result <= 0 || memcmp(ours.bytes, stock.bytes, sizeof(ours.bytes)) == 0,
              "mode %d %s key %d salt %d data %d out %zu", request->mode, request->digest,
              request->key, request->salt, request->data, request->out);
    return stock.result > 0;
}

static int up_to(struct random *random, int max)
{
    return (int)random_below(random, (uint64_t)max + 1);
}

Test(derivation, tls_1_3_is_what_openssl_derives)
{
    struct tls_library *library = tls_library_new();
    struct random random = {8446};

    for (int i = 0; i < 2000; i++) {
        int bytes = i % 2 == 0 ? 32 : 48;
        struct request request = {
            .mode = i % 3 == 0 ? EVP_KDF_HKDF_MODE_EXTRACT_ONLY : EVP_KDF_HKDF_MODE_EXPAND_ONLY,
            .digest = i % 2 == 0 ? "SHA2-256" : "SHA2-384",
            .prefix = 6,
            .label = up_to(&random, 18),
            .data = up_to(&random, 3) == 0 ? -1 : bytes,
        };

        if (request.mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY) {
            request.key = up_to(&random, 3) == 0 ? -1 : up_to(&random, 256);
            request.salt = up_to(&random, 3) == 0 ? -1 : bytes;
            request.data = -1;
            request.out = (size_t)bytes;
        } else {
            request.key = bytes;
            request.salt = -1;
            request.out = 1 + (size_t)up_to(&random, bytes - 1);
        }
        random_fill(&random, octets, sizeof(octets));
        cr_assert(same_as_openssls(library, &request));
    }
    tls_library_free(library);
}

/* Other sizes than TLS has, missing parameters, other digests and modes: all of it is up to
 * OpenSSL, errors included. */
Test(derivation, tls_1_3_answers_the_unusual_as_openssl_does)
{
    static const char *const digests[] = {"SHA256", "SHA-384", "SHA2-512", "SHA1", "none", NULL};
    struct tls_library *library = tls_library_new();
    struct random random = {5869};
    int good = 0;
    int bad = 0;

    for (int i = 0; i < 5000; i++) {
        struct request request = {
            .mode = up_to(&random, 4) - 1,
            .digest = digests[up_to(&random, 5)],
            .key = up_to(&random, 200) - 20,
            .salt = up_to(&random, 200) - 100,
            .prefix = up_to(&random, 20) - 2,
            .label = up_to(&random, 280) - 10,
            .data = up_to(&random, 100) - 20,
            .out = (size_t)up_to(&random, OUT_BYTES),
        };

        random_fill(&random, octets, sizeof(octets));
        if (same_as_openssls(library, &request)) {
            good++;
        } else {
            bad++;
        }
    }
    cr_assert_gt(good, 500);
    cr_assert_gt(bad, 500);
    tls_library_free(library);
}

Test(derivation, parameters_may_come_before_the_derivation)
{
    struct tls_library *library = tls_library_new();
    const struct request request = {.mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY,
                                    .digest = "SHA2-256",
                                    .key = 32,
                                    .salt = -1,
                                    .prefix = 6,
                                    .label = 3,
                                    .data = -1,
                                    .out = 16};
    struct answer wanted = ask(NULL, &request);
    EVP_KDF *kdf = EVP_KDF_fetch(tls_library_context(library), OSSL_KDF_NAME_TLS1_3_KDF, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM parameters[8];
    uint8_t out[16];

    parameters_make(&request, parameters);
    cr_assert(EVP_KDF_CTX_set_params(context, parameters));
    cr_assert_eq(EVP_KDF_derive(context, out, sizeof(out), NULL), 1);
    cr_assert_arr_eq(out, wanted.bytes, sizeof(out));
    EVP_KDF_CTX_free(context);
    context = EVP_KDF_CTX_new(kdf);
    cr_assert_neq(EVP_KDF_derive(context, out, sizeof(out), NULL), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    tls_library_free(library);
}

struct heard {
    int count;
    bool of_server;
    uint8_t secret[32];
    size_t bytes;
};

static void hear(void *user, bool of_server, const uint8_t *secret, size_t bytes)
{
    struct heard *heard = user;

    heard->count++;
    heard->of_server = of_server;
    heard->bytes = bytes;
    memcpy(heard->secret, secret, sizeof(heard->secret));
}

static struct answer ask_for(OSSL_LIB_CTX *library, const char *label)
{
    struct request request = {EVP_KDF_HKDF_MODE_EXPAND_ONLY, "SHA2-256", 32, -1, 6, 0, 32, 32};

    request.label = (int)strlen(label);
    memcpy(octets[3], label, strlen(label));
    return ask(library, &request);
}

Test(derivation, application_traffic_secrets_are_heard_and_no_others)
{
    struct tls_library *library = tls_library_new();
    struct heard heard = {0};
    struct answer answer;

    tls_library_hear(library, hear, &heard);
    ask_for(tls_library_context(library), "c hs traffic");
    ask_for(tls_library_context(library), "c ap traffi");
    ask_for(tls_library_context(library), "exp master");
    cr_assert_eq(heard.count, 0);
    answer = ask_for(tls_library_context(library), "c ap traffic");
    cr_assert_eq(heard.count, 1);
    cr_assert_not(heard.of_server);
    cr_assert_eq(heard.bytes, 32);
    cr_assert_arr_eq(heard.secret, answer.bytes, 32);
    answer = ask_for(tls_library_context(library), "s ap traffic");
    cr_assert_eq(heard.count, 2);
    cr_assert(heard.of_server);
    cr_assert_arr_eq(heard.secret, answer.bytes, 32);
    tls_library_hear(library, NULL, NULL);
    ask_for(tls_library_context(library), "s ap traffic");
    cr_assert_eq(heard.count, 2);
    tls_library_hear(NULL, hear, &heard); /* no library, nothing to hear */
    tls_library_free(library);
}

/* ---- TLS 1.2 ---- */

enum { SEEDS_MAX = 7 };

/* As above. */
struct prf_request {
    const char *digest;
    int secret;
    int seeds[SEEDS_MAX]; /* under 0: none in its place */
    size_t out;
};

static uint8_t seeds[SEEDS_MAX][BYTES_MAX];

static struct answer ask_prf(OSSL_LIB_CTX *library, const struct prf_request *request)
{
    OSSL_PARAM parameters[SEEDS_MAX + 3];
    OSSL_PARAM *end = parameters;

    if (request->digest != NULL) {
        *end++ =
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)request->digest, 0);
    }
    if (request->secret >= 0) {
        *end++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, octets[0],
                                                   (size_t)request->secret);
    }
    for (size_t i = 0; i < SEEDS_MAX; i++) {
        int count = request->seeds[i];

        *end++ = OSSL_PARAM_construct_octet_string(
            OSSL_KDF_PARAM_SEED, count >= 0 ? seeds[i] : NULL, count >= 0 ? (size_t)count : 0);
    }
    *end = OSSL_PARAM_construct_end();
    return derive(library, OSSL_KDF_NAME_TLS1_PRF, request->out, parameters);
}

static bool prf_same_as_openssls(const struct tls_library *library,
                                 const struct prf_request *request)
{
    struct answer ours = ask_prf(tls_library_context(library), request);
    struct answer stock = ask_prf(NULL, request);

    cr_assert_eq(ours.result > 0, stock.result > 0, "%s secret %d out %zu", request->digest,
                 request->secret, request->out);
    cr_assert_eq(ours.error, stock.error);
    cr_assert(stock.result <= 0 || memcmp(ours.bytes, stock.bytes, sizeof(ours.bytes)) == 0,
              "%s secret %d out %zu", request->digest, request->secret, request->out);
    return stock.result > 0;
}

Test(derivation, tls_1_2_is_what_openssl_derives)
{
    static const char *const digests[] = {"SHA2-256", "SHA2-384", "MD5-SHA1"};
    struct tls_library *library = tls_library_new();
    struct random random = {5246};

    for (int i = 0; i < 2000; i++) {
        struct prf_request request = {
            .digest = digests[i % 3],
            .secret = i % 2 == 0 ? 48 : 1 + up_to(&random, BYTES_MAX - 1), /* FFDHE's are long */
            .seeds = {1 + up_to(&random, 21), up_to(&random, 48), up_to(&random, 33) - 1,
                      up_to(&random, 2), up_to(&random, 299), -1, -1},
            .out = 1 + (size_t)up_to(&random, OUT_BYTES - 1),
        };

        random_fill(&random, octets, sizeof(octets));
        random_fill(&random, seeds, sizeof(seeds));
        cr_assert(prf_same_as_openssls(library, &request));
    }
    tls_library_free(library);
}

Test(derivation, tls_1_2_answers_the_unusual_as_openssl_does)
{
    static const char *const digests[] = {"SHA256", "SHA-384", "SHA2-512", "SHA1", "none", NULL};
    struct tls_library *library = tls_library_new();
    struct random random = {2246};
    int good = 0;
    int bad = 0;

    for (int i = 0; i < 5000; i++) {
        struct prf_request request = {
            .digest = digests[up_to(&random, 5)],
            .secret = up_to(&random, 200) - 20,
            .out = (size_t)up_to(&random, OUT_BYTES),
        };
        int seeds_max = up_to(&random, SEEDS_MAX);

        for (int j = 0; j < SEEDS_MAX; j++) {
            request.seeds[j] = j < seeds_max ? up_to(&random, BYTES_MAX) : -1;
        }
        random_fill(&random, octets, sizeof(octets));
        random_fill(&random, seeds, sizeof(seeds));
        if (prf_same_as_openssls(library, &request)) {
            good++;
        } else {
            bad++;
        }
    }
    cr_assert_gt(good, 500);
    cr_assert_gt(bad, 500);
    tls_library_free(library);
}

Test(derivation, seeds_may_come_one_by_one)
{
    struct tls_library *library = tls_library_new();
    const struct prf_request request = {"SHA2-256", 48, {5, 32, 32, -1, -1, -1, -1}, 104};
    struct answer wanted = ask_prf(NULL, &request);
    EVP_KDF *kdf = EVP_KDF_fetch(tls_library_context(library), OSSL_KDF_NAME_TLS1_PRF, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM parameters[3] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA2-256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, octets[0], 48),
        OSSL_PARAM_construct_end(),
    };
    uint8_t out[104];

    cr_assert(EVP_KDF_CTX_set_params(context, parameters));
    cr_assert_neq(EVP_KDF_derive(context, out, sizeof(out), NULL), 1); /* no seed yet */
    parameters[1] = OSSL_PARAM_construct_end();
    for (size_t i = 0; i < 3; i++) {
        parameters[0] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seeds[i],
                                                          (size_t)request.seeds[i]);
        cr_assert(EVP_KDF_CTX_set_params(context, parameters));
    }
    cr_assert_eq(EVP_KDF_derive(context, out, sizeof(out), NULL), 1);
    cr_assert_arr_eq(out, wanted.bytes, sizeof(out));
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    tls_library_free(library);
}

/* A parameter that is given twice is OpenSSL's to judge. */
Test(derivation, the_first_of_two_secrets_counts_as_with_openssl)
{
    struct tls_library *library = tls_library_new();
    struct answer answers[2];
    struct random random = {4346};

    random_fill(&random, octets, sizeof(octets));
    for (size_t i = 0; i < 2; i++) {
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA2-384", 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, octets[0], 48),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, octets[1], 48),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, octets[2], 40),
            OSSL_PARAM_construct_end(),
        };

        answers[i] = derive(i == 0 ? tls_library_context(library) : NULL, OSSL_KDF_NAME_TLS1_PRF,
                            60, parameters);
        cr_assert_eq(answers[i].result, 1);
    }
    cr_assert_arr_eq(answers[0].bytes, answers[1].bytes, 60);
    tls_library_free(library);
}
