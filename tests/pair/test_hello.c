/* ClientHellos that no TLS library would send, the first and later ones. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include "seal.h"

enum {
    HELLO_FIXED_BYTES = 4 + 2 + 32, /* type, length, version, random: then the session ID */
    HELLO_BYTES_MAX = 128 * 1024,
    EXTENSION_SIGALGS = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_SIGALGS_CERT = 50,
};

static unsigned number_at(const uint8_t *bytes)
{
    return bytes[0] * 256u + bytes[1];
}

static void put_number(uint8_t *bytes, size_t number)
{
    bytes[0] = (uint8_t)(number >> 8);
    bytes[1] = (uint8_t)number;
}

/* A handshake message, its extensions at `extensions` after their length. */
struct hello {
    uint8_t bytes[HELLO_BYTES_MAX];
    size_t count;
    size_t extensions;
};

static void hello_settle(struct hello *hello)
{
    hello->bytes[1] = (uint8_t)((hello->count - 4) >> 16);
    put_number(hello->bytes + 2, hello->count - 4);
    put_number(hello->bytes + hello->extensions - 2, hello->count - hello->extensions);
}

/* The client's own, out of its one record. */
static void hello_take(struct hello *hello, struct pair *pair)
{
    size_t count;
    uint8_t *wire;
    size_t at = HELLO_FIXED_BYTES;

    cr_assert_eq(pair_handshake_step(pair, &pair->client), TLS_AGAIN);
    wire = seal_take(&pair->client, &count);
    hello->count = count - SEAL_HEADER_BYTES;
    memcpy(hello->bytes, wire + SEAL_HEADER_BYTES, hello->count);
    free(wire);
    at += 1u + hello->bytes[at];
    at += 2 + number_at(hello->bytes + at);
    at += 1u + hello->bytes[at];
    hello->extensions = at + 2;
}

static void hello_remove(struct hello *hello, unsigned type)
{
    for (size_t at = hello->extensions; at < hello->count;) {
        size_t bytes = 4 + number_at(hello->bytes + at + 2);

        if (number_at(hello->bytes + at) == type) {
            memmove(hello->bytes + at, hello->bytes + at + bytes, hello->count - at - bytes);
            hello->count -= bytes;
        } else {
            at += bytes;
        }
    }
    hello_settle(hello);
}

/* At the front: a PSK must stay the last. */
static void hello_add(struct hello *hello, unsigned type, const void *body, size_t count)
{
    uint8_t *at = hello->bytes + hello->extensions;

    cr_assert_leq(hello->count + 4 + count, sizeof(hello->bytes));
    memmove(at + 4 + count, at, hello->count - hello->extensions);
    put_number(at, type);
    put_number(at + 2, count);
    memcpy(at + 4, body, count);
    hello->count += 4 + count;
    hello_settle(hello);
}

/* In plain records of at most `record_bytes`. */
static void hello_send(const struct hello *hello, struct pair *pair, size_t record_bytes)
{
    for (size_t at = 0; at < hello->count; at += record_bytes) {
        size_t left = hello->count - at;
        size_t count = left < record_bytes ? left : record_bytes;
        uint8_t header[SEAL_HEADER_BYTES] = {SEAL_HANDSHAKE, 3, 1};

        put_number(header + 3, count);
        pair_inject(&pair->server, header, sizeof(header));
        pair_inject(&pair->server, hello->bytes + at, count);
    }
}

/* What a server makes of the first hello of a client, once `change` has had it. */
static enum tls_status meets(struct pair_setup *setup, enum tls_version version,
                             void (*change)(struct hello *hello), size_t record_bytes,
                             struct tls_failure_detail *out_failure)
{
    const struct tls_engine_options options = {.server_name = "localhost"};
    struct hello *hello = malloc(sizeof(*hello));
    enum tls_status status;
    struct pair pair;

    setup->client_config.version_max = version;
    pair_setup_init(setup, NULL);
    pair_init(&pair, setup->client, setup->server, &options);
    hello_take(hello, &pair);
    change(hello);
    hello_send(hello, &pair, record_bytes);
    status = pair_handshake_step(&pair, &pair.server);
    *out_failure = pair.server.failure;
    /* Answered by a flight, or an alert. */
    cr_expect_gt(pair.server.queue.bytes, 0);
    pair_deinit(&pair);
    pair_setup_deinit(setup);
    free(hello);
    return status;
}

static enum tls_status meets_plainly(enum tls_version version, void (*change)(struct hello *hello),
                                     struct tls_failure_detail *out_failure)
{
    struct pair_setup setup = {.server_config = {.alpn = "h2,http/1.1", .npn = "http/1.1"}};

    return meets(&setup, version, change, 16384, out_failure);
}

static void change_nothing(struct hello *hello)
{
    (void)hello;
}

static void empty_alpn_list(struct hello *hello)
{
    hello_add(hello, EXTENSION_ALPN, "\0\0", 2);
}

static void empty_alpn_name(struct hello *hello)
{
    hello_add(hello, EXTENSION_ALPN, "\0\1\0", 3);
}

static void good_alpn(struct hello *hello)
{
    hello_add(hello, EXTENSION_ALPN, "\0\3\2h2", 5);
}

/* CVE-2024-5535 */
Test(hello, empty_lists_of_protocols_are_refused)
{
    struct tls_failure_detail failure;

    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        cr_expect_eq(meets_plainly((enum tls_version)version, good_alpn, &failure), TLS_AGAIN);
        cr_expect_eq(meets_plainly((enum tls_version)version, empty_alpn_list, &failure),
                     TLS_FAILED);
        cr_expect_eq(meets_plainly((enum tls_version)version, empty_alpn_name, &failure),
                     TLS_FAILED);
        cr_expect_eq(failure.kind, TLS_FAILURE_PROTOCOL, "%s", failure.reason);
    }
}

static int advertise_nothing(SSL *ssl, const unsigned char **out, unsigned *out_bytes,
                             void *argument)
{
    (void)ssl;
    (void)argument;
    *out = (const unsigned char *)"";
    *out_bytes = 0;
    return SSL_TLSEXT_ERR_OK;
}

/* CVE-2024-5535 */
Test(hello, a_server_that_advertises_no_protocol_gets_the_clients_first)
{
    struct pair_setup setup = {.client_config = {.npn = "http/1.1", .version_max = TLS_VERSION_1_2},
                               .server_config = {.npn = "unused"}};
    struct tls_facts facts;
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    SSL_CTX_set_next_protos_advertised_cb(SSL_get_SSL_CTX(pair.server.engine.ssl),
                                          advertise_nothing, NULL);
    cr_assert(pair_handshake(&pair), "%s", pair.client.failure.reason);
    tls_engine_facts(&pair.server.engine, &facts);
    cr_expect_str_eq(facts.alpn, "http/1.1");
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

/* Of certificates, where OpenSSL 1.1.1d to f looked up what it did not know. */
static void unknown_certificate_sigalgs(struct hello *hello)
{
    hello_add(hello, EXTENSION_SIGALGS_CERT, "\0\6\xff\xff\0\0\xfe\xfe", 8);
}

static void unknown_sigalgs(struct hello *hello)
{
    hello_remove(hello, EXTENSION_SIGALGS);
    hello_add(hello, EXTENSION_SIGALGS, "\0\4\xff\xff\0\0", 6);
}

static void odd_sigalgs(struct hello *hello)
{
    hello_add(hello, EXTENSION_SIGALGS_CERT, "\0\3\xff\xff\0", 5);
}

/* CVE-2020-1967: two certificates, of which one is to be chosen by what the client can check. */
Test(hello, unknown_signature_algorithms_are_survived)
{
    struct certificate *rsa =
        certificate_new(&(struct certificate_options){.key_type = "rsa2048"}, NULL, NULL);
    struct tls_config two = {.certificate_count = 2};
    struct tls_failure_detail failure;

    two.certificates[1].certificate_pem = certificate_pem(rsa);
    two.certificates[1].key_pem = certificate_key_pem(rsa);
    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        struct pair_setup setups[3] = {
            {.server_config = two}, {.server_config = two}, {.server_config = two}};

        meets(&setups[0], (enum tls_version)version, unknown_certificate_sigalgs, 16384, &failure);
        cr_expect_neq(failure.kind, TLS_FAILURE_INTERNAL, "%s", failure.reason);
        cr_expect_eq(meets(&setups[1], (enum tls_version)version, unknown_sigalgs, 16384, &failure),
                     TLS_FAILED);
        cr_expect_eq(failure.kind, TLS_FAILURE_NO_SHARED, "%s", failure.reason);
        cr_expect_eq(meets(&setups[2], (enum tls_version)version, odd_sigalgs, 16384, &failure),
                     TLS_FAILED);
    }
    certificate_free(rsa);
}

/* 131,396 bytes are all that OpenSSL takes; the extensions of one hello can have 65,535. */
static void padded_to_the_most(struct hello *hello)
{
    static const uint8_t zeros[65535];
    size_t used = hello->count - hello->extensions;

    hello_add(hello, 21, zeros, 65535 - used - 4); /* padding (RFC 7685) */
}

Test(hello, the_largest_hello_is_a_good_one)
{
    struct tls_failure_detail failure;
    struct pair_setup setups[2] = {0};

    cr_expect_eq(meets(&setups[0], TLS_VERSION_1_3, padded_to_the_most, 16384, &failure), TLS_AGAIN,
                 "%s", failure.reason);
    cr_expect_eq(meets(&setups[1], TLS_VERSION_1_3, padded_to_the_most, 64, &failure), TLS_AGAIN,
                 "%s", failure.reason);
}

/* A thousand extensions that nobody knows, and one that comes twice. */
static void many_unknown(struct hello *hello)
{
    for (unsigned type = 0xe000; type < 0xe000 + 1000; type++) {
        hello_add(hello, type, "some", 4);
    }
}

static void one_twice(struct hello *hello)
{
    hello_add(hello, EXTENSION_SIGALGS, "\0\2\4\3", 4);
}

Test(hello, unknown_extensions_are_ignored_and_repeated_ones_are_not)
{
    struct tls_failure_detail failure;

    cr_expect_eq(meets_plainly(TLS_VERSION_1_3, change_nothing, &failure), TLS_AGAIN);
    cr_expect_eq(meets_plainly(TLS_VERSION_1_3, many_unknown, &failure), TLS_AGAIN);
    cr_expect_eq(meets_plainly(TLS_VERSION_1_3, one_twice, &failure), TLS_FAILED);
}

/* Node's CVE-2018-7162: a second ClientHello where none is due. */
Test(hello, a_second_one_is_no_answer_to_the_servers_flight)
{
    for (int version = TLS_VERSION_1_2; version <= TLS_VERSION_1_3; version++) {
        struct pair_setup setup = {.client_config = {.version_max = (enum tls_version)version}};
        struct hello *hello = malloc(sizeof(*hello));
        struct pair pair;

        pair_setup_init(&setup, NULL);
        pair_init(&pair, setup.client, setup.server, NULL);
        hello_take(hello, &pair);
        hello_send(hello, &pair, 16384);
        cr_assert_eq(pair_handshake_step(&pair, &pair.server), TLS_AGAIN);
        hello_send(hello, &pair, 16384);
        cr_expect_eq(pair_handshake_step(&pair, &pair.server), TLS_FAILED);
        cr_expect_eq(pair.server.failure.kind, TLS_FAILURE_PROTOCOL, "%s",
                     pair.server.failure.reason);
        pair_deinit(&pair);
        pair_setup_deinit(&setup);
        free(hello);
    }
}

/* RFC 7507: a client that was made to fall back meets a server that would do better. */
static bool falls_back(enum tls_version client_max, enum tls_version server_max)
{
    struct pair_setup setup = {.client_config = {.version_max = client_max},
                               .server_config = {.version_max = server_max}};
    struct pair pair;
    bool through;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    SSL_set_mode(pair.client.engine.ssl, SSL_MODE_SEND_FALLBACK_SCSV);
    through = pair_handshake(&pair);
    if (!through) {
        cr_expect_eq(pair.server.failure.kind, TLS_FAILURE_VERSION, "%s",
                     pair.server.failure.reason);
        cr_expect_not_null(strstr(pair.client.failure.reason, "inappropriate fallback"), "%s",
                           pair.client.failure.reason);
    }
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
    return through;
}

Test(hello, an_inappropriate_fallback_is_refused)
{
    cr_expect_not(falls_back(TLS_VERSION_1_2, TLS_VERSION_1_3));
    cr_expect(falls_back(TLS_VERSION_1_2, TLS_VERSION_1_2));
    cr_expect(falls_back(TLS_VERSION_1_3, TLS_VERSION_1_3));
}

/* TLS_EMPTY_RENEGOTIATION_INFO_SCSV, good for the first hello only (RFC 5746 3.5), becomes a suite
 * that nobody has. */
static void hello_forget_scsv(struct hello *hello)
{
    uint8_t *suites = hello->bytes + HELLO_FIXED_BYTES + 1 + hello->bytes[HELLO_FIXED_BYTES];

    for (size_t at = 2; at < 2 + number_at(suites); at += 2) {
        if (number_at(suites + at) == 0x00ff) {
            put_number(suites + at, 0x0a0a);
        }
    }
}

/* CVE-2021-3449: in the first hello there were signature algorithms, in the second there are only
 * those of certificates. */
static enum tls_status renegotiates(struct tls_failure_detail *out_failure, bool with_sigalgs)
{
    struct hello *hello = malloc(sizeof(*hello));
    struct pair_setup setup = {0};
    uint8_t finished[1 + 64];
    struct seal seal;
    struct pair pair;
    struct pair first;
    uint8_t byte;

    seal_config(&seal, TLS_VERSION_1_2, &setup.client_config);
    pair_setup_init(&setup, NULL);
    pair_init(&first, setup.client, setup.server, NULL);
    hello_take(hello, &first);
    pair_deinit(&first);
    pair_init(&pair, setup.client, setup.server, NULL);
    cr_assert(pair_handshake(&pair));
    seal_init(&seal, &pair);

    finished[0] = (uint8_t)tls_engine_finished(&pair.client.engine, false, finished + 1,
                                               sizeof(finished) - 1);
    hello_forget_scsv(hello);
    hello_remove(hello, TLSEXT_TYPE_renegotiate); /* which later OpenSSLs send in its stead */
    hello_add(hello, TLSEXT_TYPE_renegotiate, finished, 1u + finished[0]);
    if (!with_sigalgs) {
        hello_remove(hello, EXTENSION_SIGALGS);
        hello_add(hello, EXTENSION_SIGALGS_CERT, "\0\2\4\3", 4);
    }
    seal_send(&seal, &pair, SEAL_HANDSHAKE, hello->bytes, hello->count);
    pair_read(&pair, &pair.server, &byte, 1);
    cr_expect_gt(pair.server.queue.bytes, 0);
    *out_failure = pair.server.failure;
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
    free(hello);
    return pair.server.status;
}

Test(hello, a_renegotiation_without_signature_algorithms_is_survived)
{
    struct tls_failure_detail failure;

    cr_expect_eq(renegotiates(&failure, true), TLS_AGAIN, "%s", failure.reason);
    /* TLS 1.2 has defaults for who names none (RFC 5246 7.4.1.4.1): SHA-1, which is not allowed. */
    cr_expect_eq(renegotiates(&failure, false), TLS_FAILED);
    cr_expect_neq(failure.kind, TLS_FAILURE_INTERNAL, "%s", failure.reason);
}
