#include "tls/ec_decoder.h"

#include <stdint.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>

#include "tls/dispatch.h"

enum { POINT_BYTES = 65 };

/* A SubjectPublicKeyInfo (RFC 5480 2) up to its point: id-ecPublicKey, prime256v1, 66 bytes of BIT
 * STRING. All of P-256 begin so, but those few with a compressed point or a curve written out. */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

enum { HEAD_BYTES = sizeof(p256_head), KEY_BYTES = HEAD_BYTES + POINT_BYTES };

static OSSL_FUNC_BIO_read_ex_fn *_Atomic bio_read;
static OSSL_FUNC_BIO_ctrl_fn *_Atomic bio_ctrl;

/* OpenSSL's, the same in every instance of its provider. */
static OSSL_FUNC_decoder_decode_fn *stock_decode;
static OSSL_FUNC_keymgmt_new_fn *key_new;
static OSSL_FUNC_keymgmt_free_fn *key_free;
static OSSL_FUNC_keymgmt_import_fn *key_import;
static OSSL_FUNC_keymgmt_dup_fn *key_dup;
static OSSL_FUNC_keymgmt_set_params_fn *key_set;

/* Of P-256, without a point. */
static void *p256;

void ec_decoder_hear_core(const OSSL_DISPATCH *core)
{
    for (; core->function_id != 0; core++) {
        if (core->function_id == OSSL_FUNC_BIO_READ_EX) {
            bio_read = OSSL_FUNC_BIO_read_ex(core);
        } else if (core->function_id == OSSL_FUNC_BIO_CTRL) {
            bio_ctrl = OSSL_FUNC_BIO_ctrl(core);
        }
    }
}

/* NULL: not of P-256, or OpenSSL would say what is wrong. */
static void *p256_read(OSSL_CORE_BIO *in)
{
    uint8_t bytes[KEY_BYTES];
    const OSSL_PARAM point[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, bytes + HEAD_BYTES,
                                          POINT_BYTES),
        OSSL_PARAM_construct_end(),
    };
    size_t count;
    void *key;

    if (!bio_read(in, bytes, sizeof(bytes), &count) || count != sizeof(bytes) ||
        memcmp(bytes, p256_head, sizeof(p256_head)) != 0) {
        return NULL;
    }
    key = key_dup(p256, OSSL_KEYMGMT_SELECT_ALL_PARAMETERS);
    if (key != NULL && !key_set(key, point)) { /* that it is on the curve, too */
        key_free(key);
        key = NULL;
    }
    return key;
}

static int key_pass(void *key, OSSL_CALLBACK *hear, void *argument)
{
    int type = OSSL_OBJECT_PKEY;
    char key_type[] = "EC";
    const OSSL_PARAM object[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, key_type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &key, sizeof(key)),
        OSSL_PARAM_construct_end(),
    };
    int result = hear(object, argument);

    key_free(key); /* NULL, if it has been taken */
    return result;
}

static int decode(void *decoder, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *hear,
                  void *argument, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_argument)
{
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0) {
        int start = bio_ctrl(in, BIO_C_FILE_TELL, 0, NULL);
        void *key = start >= 0 ? p256_read(in) : NULL;

        if (key != NULL) {
            return key_pass(key, hear, argument);
        }
        if (start >= 0) {
            bio_ctrl(in, BIO_C_FILE_SEEK, start, NULL);
        }
    }
    return stock_decode(decoder, in, selection, hear, argument, ask, ask_argument);
}

static void *p256_make(void *provider)
{
    char name[] = "P-256";
    const OSSL_PARAM group[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
        OSSL_PARAM_construct_end(),
    };
    void *key = key_new(provider);

    if (key != NULL && !key_import(key, OSSL_KEYMGMT_SELECT_ALL_PARAMETERS, group)) {
        key_free(key);
        key = NULL;
    }
    return key;
}

static void key_functions_take(const OSSL_DISPATCH *keys)
{
    key_new = OSSL_FUNC_keymgmt_new(dispatch_find(keys, OSSL_FUNC_KEYMGMT_NEW));
    key_free = OSSL_FUNC_keymgmt_free(dispatch_find(keys, OSSL_FUNC_KEYMGMT_FREE));
    key_import = OSSL_FUNC_keymgmt_import(dispatch_find(keys, OSSL_FUNC_KEYMGMT_IMPORT));
    key_dup = OSSL_FUNC_keymgmt_dup(dispatch_find(keys, OSSL_FUNC_KEYMGMT_DUP));
    key_set = OSSL_FUNC_keymgmt_set_params(dispatch_find(keys, OSSL_FUNC_KEYMGMT_SET_PARAMS));
}

bool ec_decoder_replace(OSSL_ALGORITHM *decoder, const OSSL_ALGORITHM *keys, void *provider)
{
    static OSSL_DISPATCH functions[DISPATCH_MAX];
    const OSSL_DISPATCH *stock = dispatch_replace(decoder->implementation, OSSL_FUNC_DECODER_DECODE,
                                                  (void (*)(void))decode, functions);

    key_functions_take(keys->implementation);
    if (stock == NULL || key_new == NULL || key_free == NULL || key_import == NULL ||
        key_dup == NULL || key_set == NULL || (p256 = p256_make(provider)) == NULL) {
        return false;
    }
    stock_decode = OSSL_FUNC_decoder_decode(stock);
    decoder->implementation = functions;
    return true;
}
