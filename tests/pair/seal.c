#include "seal.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

enum { TAG_BYTES = 16, EXPLICIT_BYTES = 8, RECORD_BYTES_MAX = 5 + 8 + 16384 + 256 };

static void on_keylog(void *user, const char *line)
{
    static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
    struct seal *seal = user;
    const char *secret = strrchr(line, ' ');

    if (strncmp(line, label, strlen(label)) == 0) {
        size_t bytes;

        cr_assert(OPENSSL_hexstr2buf_ex(seal->secret, sizeof(seal->secret), &bytes, secret + 1, 0));
    }
}

void seal_config(struct seal *seal, enum tls_version version, struct tls_config *client_config)
{
    *seal = (struct seal){.is_tls_1_3 = version == TLS_VERSION_1_3};
    client_config->version_min = client_config->version_max = version;
    client_config->ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
    client_config->ciphersuites = "TLS_AES_128_GCM_SHA256";
    client_config->on_keylog = on_keylog;
    client_config->keylog_user = seal;
}

static void derive(const char *name, OSSL_PARAM *params, uint8_t *out, size_t count)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    cr_assert_eq(EVP_KDF_derive(context, out, count, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

/* RFC 5246 6.3 */
static void derive_1_2(struct seal *seal, SSL *client)
{
    uint8_t seed[13 + 2 * SSL3_RANDOM_SIZE] = "key expansion";
    uint8_t master[SSL_MAX_MASTER_KEY_LENGTH];
    uint8_t block[2 * 16 + 2 * 4];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, sizeof(master)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
        OSSL_PARAM_construct_end(),
    };

    SSL_get_server_random(client, seed + 13, SSL3_RANDOM_SIZE);
    SSL_get_client_random(client, seed + 13 + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
    SSL_SESSION_get_master_key(SSL_get_session(client), master, sizeof(master));
    derive("TLS1-PRF", params, block, sizeof(block));
    memcpy(seal->key, block, 16);
    memcpy(seal->iv, block + 32, 4);
    seal->sequence = 1; /* Finished was 0 */
}

/* HKDF-Expand-Label without a context (RFC 8446 7.1) */
static void expand(struct seal *seal, const char *label, uint8_t *out, uint8_t count)
{
    uint8_t info[32] = {0, count, (uint8_t)(6 + strlen(label)), 't', 'l', 's', '1', '3', ' '};
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, seal->secret, sizeof(seal->secret)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, 10 + strlen(label)),
        OSSL_PARAM_construct_end(),
    };

    memcpy(info + 9, label, strlen(label));
    derive("HKDF", params, out, count);
}

void seal_init(struct seal *seal, const struct pair *pair)
{
    if (seal->is_tls_1_3) {
        expand(seal, "key", seal->key, 16);
        expand(seal, "iv", seal->iv, 12);
    } else {
        derive_1_2(seal, pair->client.engine.ssl);
    }
}

static void encrypt(const uint8_t key[16], const uint8_t nonce[12], const uint8_t *associated,
                    int associated_bytes, uint8_t *text, int count)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int moved;

    cr_assert(EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, nonce));
    cr_assert(EVP_EncryptUpdate(context, NULL, &moved, associated, associated_bytes));
    cr_assert(EVP_EncryptUpdate(context, text, &moved, text, count));
    cr_assert(EVP_EncryptFinal_ex(context, text + count, &moved));
    cr_assert(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, text + count));
    EVP_CIPHER_CTX_free(context);
}

static void put_number(uint8_t *out, uint64_t number, int bytes)
{
    while (bytes > 0) {
        out[--bytes] = (uint8_t)number;
        number >>= 8;
    }
}

/* RFC 8446 5.2 */
static size_t seal_1_3(struct seal *seal, uint8_t type, uint8_t *record, size_t count)
{
    uint8_t nonce[12];

    memcpy(nonce, seal->iv, sizeof(nonce));
    for (int i = 0; i < 8; i++) {
        nonce[11 - i] ^= (uint8_t)(seal->sequence >> (8 * i));
    }
    record[SEAL_HEADER_BYTES + count++] = type;
    memcpy(record, "\x17\x03\x03", 3);
    put_number(record + 3, count + TAG_BYTES, 2);
    encrypt(seal->key, nonce, record, SEAL_HEADER_BYTES, record + SEAL_HEADER_BYTES, (int)count);
    return SEAL_HEADER_BYTES + count + TAG_BYTES;
}

/* RFC 5288 3, RFC 5246 6.2.3.3; the plaintext is after the explicit nonce. */
static size_t seal_1_2(struct seal *seal, uint8_t type, uint8_t *record, size_t count)
{
    uint8_t associated[13] = {[8] = type, 3, 3};
    uint8_t nonce[12];

    record[0] = type;
    memcpy(record + 1, "\x03\x03", 2);
    put_number(record + 3, EXPLICIT_BYTES + count + TAG_BYTES, 2);
    put_number(record + SEAL_HEADER_BYTES, seal->sequence, EXPLICIT_BYTES);
    put_number(associated, seal->sequence, 8);
    put_number(associated + 11, count, 2);
    memcpy(nonce, seal->iv, 4);
    memcpy(nonce + 4, record + SEAL_HEADER_BYTES, EXPLICIT_BYTES);
    encrypt(seal->key, nonce, associated, sizeof(associated),
            record + SEAL_HEADER_BYTES + EXPLICIT_BYTES, (int)count);
    return SEAL_HEADER_BYTES + EXPLICIT_BYTES + count + TAG_BYTES;
}

void seal_send(struct seal *seal, struct pair *pair, uint8_t type, const void *bytes, size_t count)
{
    uint8_t record[RECORD_BYTES_MAX];
    size_t offset = SEAL_HEADER_BYTES + (seal->is_tls_1_3 ? 0 : EXPLICIT_BYTES);
    size_t sealed;

    cr_assert_leq(offset + count + 1 + TAG_BYTES, sizeof(record));
    memcpy(record + offset, bytes, count);
    sealed = seal->is_tls_1_3 ? seal_1_3(seal, type, record, count)
                              : seal_1_2(seal, type, record, count);
    seal->sequence++;
    pair_inject(&pair->server, record, sealed);
}

size_t seal_record_at(const uint8_t *bytes, size_t count, uint8_t *out_type)
{
    size_t length;

    cr_assert_geq(count, SEAL_HEADER_BYTES);
    length = SEAL_HEADER_BYTES + (size_t)bytes[3] * 256 + bytes[4];
    cr_assert_leq(length, count);
    *out_type = bytes[0];
    return length;
}

uint8_t *seal_take(struct pair_end *end, size_t *out_bytes)
{
    uint8_t *bytes = malloc(end->queue.bytes + 1);
    size_t filled = 0;

    *out_bytes = end->queue.bytes;
    while (end->queue.bytes > 0) {
        const struct slab *slab = end->queue.head;
        size_t count = slab->end - slab->start;

        memcpy(bytes + filled, slab->data + slab->start, count);
        filled += count;
        slab_queue_consume(&end->queue, count);
    }
    return bytes;
}

void sealed_pair_open(struct sealed_pair *sealed)
{
    pair_setup_init(&sealed->setup, NULL);
    pair_init(&sealed->pair, sealed->setup.client, sealed->setup.server, NULL);
    cr_assert(pair_handshake(&sealed->pair));
    seal_init(&sealed->seal, &sealed->pair);
}

void sealed_pair_close(struct sealed_pair *sealed)
{
    pair_deinit(&sealed->pair);
    pair_setup_deinit(&sealed->setup);
}
