#include "tls/record_cipher.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "tls/provider.h"

enum { AAD_BYTES_MAX = 13 };

static const struct record_form forms[] = {
    {"AES-128-GCM", 16, 0, RECORD_IV_BYTES, true},
    {"AES-256-GCM", 32, 0, RECORD_IV_BYTES, true},
    {"ChaCha20-Poly1305", 32, 0, RECORD_IV_BYTES, true},
    {"AES-128-GCM", 16, RECORD_EXPLICIT_BYTES, RECORD_SALT_BYTES, false},
    {"AES-256-GCM", 32, RECORD_EXPLICIT_BYTES, RECORD_SALT_BYTES, false},
    {"ChaCha20-Poly1305", 32, 0, RECORD_IV_BYTES, false},
};

static const char *cipher_name(const SSL_CIPHER *suite)
{
    switch (SSL_CIPHER_get_cipher_nid(suite)) {
    case NID_aes_128_gcm:
        return "AES-128-GCM";
    case NID_aes_256_gcm:
        return "AES-256-GCM";
    case NID_chacha20_poly1305:
        return "ChaCha20-Poly1305";
    default:
        return "";
    }
}

const struct record_form *record_form_find(int version, const SSL_CIPHER *suite)
{
    const char *name = suite != NULL ? cipher_name(suite) : "";

    if (version != TLS1_3_VERSION && version != TLS1_2_VERSION) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].is_1_3 == (version == TLS1_3_VERSION) && strcmp(forms[i].cipher, name) == 0) {
            return &forms[i];
        }
    }
    return NULL;
}

EVP_CIPHER_CTX *record_cipher_new(struct tls_library *library, const struct record_form *form,
                                  const struct record_key *key, bool seals)
{
    const EVP_CIPHER *cipher = tls_library_cipher(library, form->cipher);
    EVP_CIPHER_CTX *context = cipher != NULL ? EVP_CIPHER_CTX_new() : NULL;

    if (context != NULL &&
        EVP_CipherInit_ex2(context, cipher, key->key, key->iv, seals, NULL) != 1) {
        EVP_CIPHER_CTX_free(context);
        context = NULL;
    }
    return context;
}

static void put_number(uint8_t *out, uint64_t number)
{
    number = __builtin_bswap64(number);
    memcpy(out, &number, sizeof(number));
}

static uint64_t get_number(const uint8_t *bytes)
{
    uint64_t number;

    memcpy(&number, bytes, sizeof(number));
    return __builtin_bswap64(number);
}

static void nonce_make(const struct record_item *item, uint64_t explicit_nonce,
                       uint8_t out[RECORD_IV_BYTES])
{
    memcpy(out, item->key->iv, RECORD_IV_BYTES);
    put_number(out + RECORD_SALT_BYTES,
               item->form->explicit_bytes > 0
                   ? explicit_nonce
                   : get_number(item->key->iv + RECORD_SALT_BYTES) ^ item->sequence);
}

/* Returns its size. */
static int associated_make(const struct record_item *item, uint8_t out[AAD_BYTES_MAX])
{
    size_t plain_bytes = record_length(item->header) - record_overhead(item->form);

    if (item->form->is_1_3) {
        memcpy(out, item->header, RECORD_HEADER_BYTES);
        return RECORD_HEADER_BYTES;
    }
    put_number(out, item->sequence);
    memcpy(out + 8, item->header, 3);
    out[11] = (uint8_t)(plain_bytes >> 8);
    out[12] = (uint8_t)plain_bytes;
    return AAD_BYTES_MAX;
}

uint64_t record_explicit_nonce(const uint8_t *fragment)
{
    return get_number(fragment);
}

bool record_seal(const struct record_item *item, uint64_t explicit_nonce, const uint8_t *bytes,
                 size_t count, const uint8_t *more, size_t more_count, uint8_t *out)
{
    uint8_t nonce[RECORD_IV_BYTES];
    uint8_t associated[AAD_BYTES_MAX];
    int associated_bytes = associated_make(item, associated);
    OSSL_PARAM tag[] = {
        {OSSL_CIPHER_PARAM_AEAD_TAG, OSSL_PARAM_OCTET_STRING, NULL, RECORD_TAG_BYTES, 0},
        {NULL, 0, NULL, 0, 0},
    };
    int step;

    nonce_make(item, explicit_nonce, nonce);
    if (item->form->explicit_bytes > 0) {
        put_number(out, explicit_nonce);
        out += RECORD_EXPLICIT_BYTES;
    }
    tag[0].data = out + count + more_count;
    return EVP_EncryptInit_ex2(item->cipher, NULL, NULL, nonce, NULL) == 1 &&
           EVP_EncryptUpdate(item->cipher, NULL, &step, associated, associated_bytes) == 1 &&
           EVP_EncryptUpdate(item->cipher, out, &step, bytes, (int)count) == 1 &&
           (more_count == 0 ||
            EVP_EncryptUpdate(item->cipher, out + count, &step, more, (int)more_count) == 1) &&
           EVP_EncryptFinal_ex(item->cipher, out, &step) == 1 &&
           EVP_CIPHER_CTX_get_params(item->cipher, tag) == 1;
}

bool record_open(const struct record_item *item, const uint8_t *fragment, uint8_t *out)
{
    size_t count = record_length(item->header) - record_overhead(item->form);
    uint8_t nonce[RECORD_IV_BYTES];
    uint8_t associated[AAD_BYTES_MAX];
    int associated_bytes = associated_make(item, associated);
    OSSL_PARAM tag[] = {
        {OSSL_CIPHER_PARAM_AEAD_TAG, OSSL_PARAM_OCTET_STRING, NULL, RECORD_TAG_BYTES, 0},
        {NULL, 0, NULL, 0, 0},
    };
    int step;

    nonce_make(item, item->form->explicit_bytes > 0 ? get_number(fragment) : 0, nonce);
    fragment += item->form->explicit_bytes;
    tag[0].data = (uint8_t *)fragment + count; /* which OpenSSL only reads */
    return EVP_DecryptInit_ex2(item->cipher, NULL, NULL, nonce, tag) == 1 &&
           EVP_DecryptUpdate(item->cipher, NULL, &step, associated, associated_bytes) == 1 &&
           EVP_DecryptUpdate(item->cipher, out, &step, fragment, (int)count) == 1 &&
           EVP_DecryptFinal_ex(item->cipher, out, &step) == 1;
}
