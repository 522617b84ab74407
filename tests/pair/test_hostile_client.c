/* Certificates that clients show to a server which asks for one: keys that do not exist, chains
 * without end, names that mislead. TLS 1.2, where they travel in the clear, so that a test can put
 * its own in the place of the client's. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "../unit/tls/forge.h"
#include "seal.h"

enum { MESSAGE_CERTIFICATE = 11, DER_BYTES_MAX = 60000, CHAIN_BYTES_MAX = 400000 };

struct der {
    uint8_t bytes[DER_BYTES_MAX];
    size_t count;
};

static void put_number(uint8_t *out, size_t number, int bytes)
{
    while (bytes > 0) {
        out[--bytes] = (uint8_t)number;
        number >>= 8;
    }
}

static X509 *x509_of(const struct certificate *certificate)
{
    BIO *bio = BIO_new_mem_buf(certificate_pem(certificate), -1);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    return x509;
}

/* The certificate with another SubjectPublicKeyInfo; its signature is then worth nothing. */
static void der_with_key(struct der *der, const struct certificate *certificate, const uint8_t *key,
                         size_t key_bytes)
{
    X509 *x509 = x509_of(certificate);
    uint8_t *old = NULL;
    uint8_t *whole = NULL;
    int old_bytes = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &old);
    int whole_bytes = i2d_X509(x509, &whole);
    uint8_t *at = memmem(whole, (size_t)whole_bytes, old, (size_t)old_bytes);
    size_t before = (size_t)(at - whole);
    size_t after = (size_t)whole_bytes - before - (size_t)old_bytes;

    cr_assert_not_null(at);
    der->count = before + key_bytes + after;
    cr_assert_leq(der->count, sizeof(der->bytes));
    memcpy(der->bytes, whole, before);
    memcpy(der->bytes + before, key, key_bytes);
    memcpy(der->bytes + before + key_bytes, at + old_bytes, after);
    /* Both lengths that are affected have two bytes: of the whole and of what is signed. */
    cr_assert_eq(der->bytes[1], 0x82);
    cr_assert_eq(der->bytes[5], 0x82);
    put_number(der->bytes + 2, der->count - 4, 2);
    put_number(der->bytes + 6, whole[6] * 256u + whole[7] + key_bytes - (size_t)old_bytes, 2);
    OPENSSL_free(old);
    OPENSSL_free(whole);
    X509_free(x509);
}

/* A Certificate message of `copies` times the certificate, in full records. */
static void send_chain(struct pair *pair, const struct der *der, size_t copies)
{
    size_t list = copies * (3 + der->count);
    uint8_t *message = malloc(7 + list);
    uint8_t *at = message + 7;

    message[0] = MESSAGE_CERTIFICATE;
    put_number(message + 1, 3 + list, 3);
    put_number(message + 4, list, 3);
    for (size_t i = 0; i < copies; i++) {
        put_number(at, der->count, 3);
        memcpy(at + 3, der->bytes, der->count);
        at += 3 + der->count;
    }
    for (size_t sent = 0; sent < 7 + list;) {
        size_t left = 7 + list - sent;
        size_t count = left < 16384 ? left : 16384;
        uint8_t header[SEAL_HEADER_BYTES] = {SEAL_HANDSHAKE, 3, 3};

        put_number(header + 3, count, 2);
        pair_inject(&pair->server, header, sizeof(header));
        pair_inject(&pair->server, message + sent, count);
        sent += count;
    }
    free(message);
}

/* The client's second flight, its certificates replaced. */
static void send_flight(struct pair *pair, const struct der *der, size_t copies)
{
    size_t count;
    uint8_t *flight = seal_take(&pair->client, &count);

    for (size_t at = 0; at < count;) {
        uint8_t type;
        size_t bytes = seal_record_at(flight + at, count - at, &type);

        if (type == SEAL_HANDSHAKE && flight[at + SEAL_HEADER_BYTES] == MESSAGE_CERTIFICATE) {
            send_chain(pair, der, copies);
        } else {
            pair_inject(&pair->server, flight + at, bytes);
        }
        at += bytes;
    }
    free(flight);
}

struct stage {
    struct pair_setup setup;
    struct certificate *client;
};

static void stage_open(struct stage *stage, bool require)
{
    struct tls_config *client = &stage->setup.client_config;
    struct tls_config *server = &stage->setup.server_config;

    stage->client = certificate_new(&(struct certificate_options){.client = true}, NULL, NULL);
    client->certificates[0].certificate_pem = certificate_pem(stage->client);
    client->certificates[0].key_pem = certificate_key_pem(stage->client);
    client->certificate_count = 1;
    client->version_max = TLS_VERSION_1_2;
    server->request_certificate = true;
    server->require_certificate = require;
    server->ca_pem = certificate_pem(stage->client);
    pair_setup_init(&stage->setup, NULL);
}

static void stage_close(struct stage *stage)
{
    pair_setup_deinit(&stage->setup);
    certificate_free(stage->client);
}

/* What the server makes of them. */
static struct tls_failure_detail show(struct stage *stage, const struct der *der, size_t copies)
{
    struct tls_failure_detail failure;
    struct pair pair;

    pair_init(&pair, stage->setup.client, stage->setup.server, NULL);
    pair_handshake_step(&pair, &pair.client);
    pair_move(&pair.client, &pair.server);
    cr_assert_eq(pair_handshake_step(&pair, &pair.server), TLS_AGAIN);
    pair_move(&pair.server, &pair.client);
    cr_assert_eq(pair_handshake_step(&pair, &pair.client), TLS_AGAIN);
    send_flight(&pair, der, copies);
    cr_assert_eq(pair_handshake_step(&pair, &pair.server), TLS_FAILED);
    failure = pair.server.failure;
    cr_assert_gt(pair.server.queue.bytes, 0, "an alert");
    pair_deinit(&pair);
    return failure;
}

/* Explicit parameters of an elliptic curve "modulo 697", which is 17 times 41, with a compressed
 * generator at x = 8: to decompress it, BN_mod_sqrt() looked for the root of 696 without end. */
static const uint8_t endless_key[] = {
    0x30, 0x3b, 0x30, 0x33, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, /* EC key */
    0x30, 0x28, 0x02, 0x01, 0x01,                                                 /* version 1 */
    0x30, 0x0d, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01,             /* prime field */
    0x02, 0x02, 0x02, 0xb9,                                                       /* p = 697 */
    0x30, 0x08, 0x04, 0x02, 0x00, 0x17, 0x04, 0x02, 0x00, 0x00, /* a = 23, b = 0 */
    0x04, 0x03, 0x02, 0x00, 0x08,                               /* generator, compressed */
    0x02, 0x02, 0x02, 0xb9, 0x02, 0x01, 0x01,                   /* order, cofactor */
    0x03, 0x04, 0x00, 0x02, 0x00, 0x08,                         /* the public key */
};

/* CVE-2022-0778, CVE-2022-1473: neither does one of them loop, nor do many of them cost memory. */
Test(hostile_client, a_curve_without_a_root_is_refused_and_costs_nothing, .timeout = 60)
{
    struct stage stage = {0};
    struct der *der = malloc(sizeof(*der));
    size_t before = 0;

    stage_open(&stage, true);
    der_with_key(der, stage.client, endless_key, sizeof(endless_key));
    for (int i = 0; i < 500; i++) {
        struct tls_failure_detail failure = show(&stage, der, 1);

        cr_assert_neq(failure.kind, TLS_FAILURE_INTERNAL, "%s", failure.reason);
        before = i == 300 ? mallinfo2().uordblks : before;
    }
    /* A key that stayed behind each time would be twice that. OpenSSL's caches fill at first. */
    cr_expect_leq(mallinfo2().uordblks, before + 64 * 1024);
    stage_close(&stage);
    free(der);
}

/* Keys of kinds and sizes that nobody has. */
Test(hostile_client, odd_keys_are_refused)
{
    static const uint8_t keys[][48] = {
        {0x30, 0x06, 0x30, 0x00, 0x03, 0x02, 0x00, 0x00}, /* of no algorithm */
        {0x30, 0x0a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x01,
         0x00}, /* Ed25519, none */
        {0x30, 0x0d, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x04, 0x00, 1, 2,
         3}, /* short */
        {0x30, 0x0b, 0x30, 0x05, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x03, 0x02, 0x00,
         0x01}, /* unknown */
        /* RSA, modulus 0 and exponent 0 */
        {0x30, 0x1a, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
         0x01, 0x05, 0x00, 0x03, 0x09, 0x00, 0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00},
    };
    struct stage stage = {0};
    struct der *der = malloc(sizeof(*der));

    stage_open(&stage, false); /* even where a bad one is let in, it must have signed */
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct tls_failure_detail failure;

        der_with_key(der, stage.client, keys[i], 2u + keys[i][1]);
        failure = show(&stage, der, 1);
        cr_expect(failure.kind != TLS_FAILURE_INTERNAL && failure.kind != TLS_FAILURE_ALERT,
                  "%zu: %s", i, failure.reason);
    }
    stage_close(&stage);
    free(der);
}

static void der_of(struct der *der, const struct certificate *certificate)
{
    X509 *x509 = x509_of(certificate);
    uint8_t *at = der->bytes;

    der->count = (size_t)i2d_X509(x509, &at);
    X509_free(x509);
}

/* 100 of them are within what OpenSSL reads, 100 KiB; more, or huge ones, are not. */
Test(hostile_client, chains_without_end_are_refused)
{
    struct stage stage = {0};
    struct der *der = malloc(sizeof(*der));
    struct tls_failure_detail failure;
    uint8_t *huge = calloc(1, 50000);

    stage_open(&stage, true);
    der_of(der, stage.client);
    failure = show(&stage, der, 100);
    cr_expect_neq(failure.kind, TLS_FAILURE_INTERNAL, "%s", failure.reason);
    failure = show(&stage, der, 1000);
    cr_expect_str_eq(failure.reason, "excessive message size");

    memcpy(huge, "\x30\x82\xc3\x4c\x30\x05\x06\x03\x2a\x03\x04\x03\x82\xc3\x41", 15);
    der_with_key(der, stage.client, huge, 50000);
    failure = show(&stage, der, 1);
    cr_expect_neq(failure.kind, TLS_FAILURE_INTERNAL, "%s", failure.reason);
    failure = show(&stage, der, 3);
    cr_expect_str_eq(failure.reason, "excessive message size");
    free(huge);
    stage_close(&stage);
    free(der);
}

/* Every byte of a certificate changed in turn. */
Test(hostile_client, damaged_certificates_are_refused)
{
    struct stage stage = {0};
    struct der *der = malloc(sizeof(*der));

    stage_open(&stage, true);
    der_of(der, stage.client);
    for (size_t at = 0; at < der->count; at += 3) {
        struct tls_failure_detail failure;

        der->bytes[at] ^= 0x81;
        failure = show(&stage, der, 1);
        cr_expect(failure.kind != TLS_FAILURE_INTERNAL && failure.kind != TLS_FAILURE_ALERT,
                  "%zu: %s", at, failure.reason);
        der->bytes[at] ^= 0x81;
    }
    stage_close(&stage);
    free(der);
}

/* Shows the server the certificate, whose signature is good; it lets anybody in, and looks. */
static void expect_looked_at(const struct certificate *certificate, const char *forged)
{
    struct pair_setup setup = {.server_config = {.request_certificate = true}};
    struct tls_peer_certificate peer;
    const char *reason;
    struct pair pair;

    setup.client_config.certificates[0].certificate_pem = forged;
    setup.client_config.certificates[0].key_pem = certificate_key_pem(certificate);
    setup.client_config.certificate_count = 1;
    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair), "%s", pair.server.failure.reason);
    cr_assert(tls_engine_peer_certificate(&pair.server.engine, 0, &peer));
    cr_assert_str_eq(peer.subject, "CN=tlsdyno client");
    for (const char *at = peer.names; *at != '\0'; at++) {
        cr_assert(*at >= ' ' && *at <= '~', "%s", peer.names);
    }
    cr_assert_not(tls_engine_authorized(&pair.server.engine, &reason));
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

/* Node's CVE-2019-15604: a server asserted that it can print every name of a certificate. */
Test(hostile_client, names_that_nobody_can_print_do_no_harm)
{
    static const char good[] = "\x30\x0b\x82\x09localhost"; /* a sequence of one name, of kind 2 */
    static const struct {
        size_t place;
        uint8_t byte;
    } changes[] = {
        {0, 0x00}, {0, 0x31}, {1, 0x00}, {1, 0x7f}, {1, 0x84}, {3, 0x00}, {3, 0x08},
        {3, 0x7f}, {3, 0x80}, {2, 0x00}, {2, 0x80}, {2, 0x81}, {2, 0x83}, {2, 0x84},
        {2, 0x85}, {2, 0x86}, {2, 0x87}, {2, 0x88}, {2, 0x89}, {2, 0xa0}, {2, 0xa2},
        {2, 0xa3}, {2, 0xa4}, {2, 0xa5}, {2, 0xff}, {4, 0x00}, {4, 0xff},
    };
    const struct certificate_options options = {.client = true,
                                                .names = (const char *const[]){"localhost", NULL}};
    struct certificate *certificate = certificate_new(&options, NULL, NULL);

    expect_looked_at(certificate, certificate_pem(certificate));
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char bad[sizeof(good)];
        char *forged;

        memcpy(bad, good, sizeof(bad));
        bad[changes[i].place] = (char)changes[i].byte;
        forged = forge_bytes(certificate, certificate, good, bad, sizeof(good) - 1);
        expect_looked_at(certificate, forged);
        free(forged);
    }
    certificate_free(certificate);
}

/* The twin of all that: unusual, and good. */
Test(hostile_client, an_ed25519_certificate_is_a_good_one)
{
    struct certificate_options options = {.key_type = "ed25519", .client = true};
    struct pair_setup setup = {
        .server_config = {.require_certificate = true, .request_certificate = true}};
    struct certificate *client = certificate_new(&options, NULL, NULL);
    struct pair pair;

    setup.client_config.certificates[0].certificate_pem = certificate_pem(client);
    setup.client_config.certificates[0].key_pem = certificate_key_pem(client);
    setup.client_config.certificate_count = 1;
    setup.server_config.ca_pem = certificate_pem(client);
    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_expect(pair_handshake(&pair), "%s", pair.server.failure.reason);
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
    certificate_free(client);
}
