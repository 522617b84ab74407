/* The protection of TLS records by an AEAD cipher: TLS 1.3 (RFC 8446 5.2) and TLS 1.2 (RFC 5246
 * 6.2.3.3, RFC 5288, RFC 7905). Who knows the keys may seal and open what OpenSSL opens and seals.
 * Room-internal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

struct tls_library;

enum {
    RECORD_HEADER_BYTES = SSL3_RT_HEADER_LENGTH,
    RECORD_TAG_BYTES = 16,
    RECORD_IV_BYTES = 12,
    RECORD_KEY_BYTES_MAX = 32,
    RECORD_EXPLICIT_BYTES = 8, /* AES-GCM in TLS 1.2: half of the nonce travels with the record */
    RECORD_SALT_BYTES = RECORD_IV_BYTES - RECORD_EXPLICIT_BYTES,
    /* What a record's fragment is longer than what is in it, at most; that of TLS 1.3 includes its
     * type. */
    RECORD_OVERHEAD_BYTES_MAX = RECORD_EXPLICIT_BYTES + RECORD_TAG_BYTES,
};

/* How records are protected; static. */
struct record_form {
    const char *cipher; /* as EVP_CIPHER_fetch(3) names it */
    size_t key_bytes;
    size_t explicit_bytes; /* at the start of a fragment */
    size_t iv_bytes;       /* of those that the key schedule gives */
    bool is_1_3;
};

/* NULL: a version or a suite that is not covered here. */
const struct record_form *record_form_find(int version, const SSL_CIPHER *suite);

static inline size_t record_overhead(const struct record_form *form)
{
    return form->explicit_bytes + RECORD_TAG_BYTES;
}

struct record_key {
    uint8_t key[RECORD_KEY_BYTES_MAX];
    uint8_t iv[RECORD_IV_BYTES];
};

/* A cipher under that key, to seal or to open with; the caller EVP_CIPHER_CTX_free()s it. NULL when
 * memory is out. */
EVP_CIPHER_CTX *record_cipher_new(struct tls_library *library, const struct record_form *form,
                                  const struct record_key *key, bool seals);

/* One record to be sealed or opened. `header` is as on the wire, its length that of the whole
 * fragment; `explicit_nonce` counts only where the form has one. */
struct record_item {
    EVP_CIPHER_CTX *cipher;
    const struct record_form *form;
    const struct record_key *key;
    uint64_t sequence;
    const uint8_t *header;
};

/* Writes the fragment of the header's length to `out`, from plaintext in one or two parts (the
 * second may be of 0 bytes). False: OpenSSL fails. */
bool record_seal(const struct record_item *item, uint64_t explicit_nonce, const uint8_t *bytes,
                 size_t count, const uint8_t *more, size_t more_count, uint8_t *out);

/* Writes what is in the fragment, record_overhead() shorter, to `out`: in TLS 1.3 with type and
 * padding. False: it is not authentic, and what has been written is nothing to look at. */
bool record_open(const struct record_item *item, const uint8_t *fragment, uint8_t *out);

/* Of a fragment that has one. */
uint64_t record_explicit_nonce(const uint8_t *fragment);

static inline size_t record_length(const uint8_t *header)
{
    return (size_t)header[3] << 8 | header[4];
}
