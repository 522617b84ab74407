#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/random.h"
#include "tls/context.h"
#include "tls/record_cipher.h"

enum { FRAGMENT_BYTES_MAX = 17000, TYPE_DATA = 23 };

static const struct {
    int version;
    const char *suite;
} suites[] = {
    {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
    {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
    {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
    {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384"},
    {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"},
};

enum { SUITES = sizeof(suites) / sizeof(suites[0]) };

static const SSL_CIPHER *suite_find(const char *name)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    const SSL_CIPHER *found = NULL;
    STACK_OF(SSL_CIPHER) * all;

    SSL_CTX_set_cipher_list(context, "ALL");
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                      "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256");
    all = SSL_CTX_get_ciphers(context);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        if (strcmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)), name) == 0) {
            found = sk_SSL_CIPHER_value(all, i); /* static in OpenSSL */
        }
    }
    SSL_CTX_free(context);
    return found;
}

Test(record_cipher, what_is_covered_has_a_form)
{
    for (size_t i = 0; i < SUITES; i++) {
        const struct record_form *form =
            record_form_find(suites[i].version, suite_find(suites[i].suite));

        cr_assert_not_null(form, "%s", suites[i].suite);
        cr_assert_eq(form->is_1_3, suites[i].version == TLS1_3_VERSION);
        cr_assert_eq(form->explicit_bytes + form->iv_bytes, RECORD_IV_BYTES);
    }
}

Test(record_cipher, what_is_not_covered_has_none)
{
    cr_assert_null(record_form_find(TLS1_3_VERSION, NULL));
    cr_assert_null(record_form_find(TLS1_3_VERSION, suite_find("TLS_AES_128_CCM_SHA256")));
    cr_assert_null(record_form_find(TLS1_2_VERSION, suite_find("ECDHE-ECDSA-AES128-SHA")));
    cr_assert_null(record_form_find(TLS1_1_VERSION, suite_find("ECDHE-ECDSA-AES128-SHA")));
    cr_assert_null(record_form_find(TLS1_1_VERSION, suite_find("TLS_AES_128_GCM_SHA256")));
}

/* RFC 8448 3: the client's application data. */
Test(record_cipher, a_record_of_rfc_8448_is_sealed_and_opened)
{
    static const struct record_key key = {
        .key = {0x17, 0x42, 0x2d, 0xda, 0x59, 0x6e, 0xd5, 0xd9, 0xac, 0xd8, 0x90, 0xe3, 0xc6, 0x3f,
                0x50, 0x51},
        .iv = {0x5b, 0x78, 0x92, 0x3d, 0xee, 0x08, 0x57, 0x90, 0x33, 0xe5, 0x23, 0xd9},
    };
    static const uint8_t wire[] = {
        0x17, 0x03, 0x03, 0x00, 0x43, 0xa2, 0x3f, 0x70, 0x54, 0xb6, 0x2c, 0x94, 0xd0, 0xaf, 0xfa,
        0xfe, 0x82, 0x28, 0xba, 0x55, 0xcb, 0xef, 0xac, 0xea, 0x42, 0xf9, 0x14, 0xaa, 0x66, 0xbc,
        0xab, 0x3f, 0x2b, 0x98, 0x19, 0xa8, 0xa5, 0xb4, 0x6b, 0x39, 0x5b, 0xd5, 0x4a, 0x9a, 0x20,
        0x44, 0x1e, 0x2b, 0x62, 0x97, 0x4e, 0x1f, 0x5a, 0x62, 0x92, 0xa2, 0x97, 0x70, 0x14, 0xbd,
        0x1e, 0x3d, 0xea, 0xe6, 0x3a, 0xee, 0xbb, 0x21, 0x69, 0x49, 0x15, 0xe4,
    };
    const struct record_form *form =
        record_form_find(TLS1_3_VERSION, suite_find("TLS_AES_128_GCM_SHA256"));
    struct tls_library *library = tls_library_new();
    struct record_item item = {.form = form, .key = &key, .header = wire};
    uint8_t plain[51];
    uint8_t sealed[sizeof(wire)];

    item.cipher = record_cipher_new(library, form, &key, false);
    cr_assert(record_open(&item, wire + RECORD_HEADER_BYTES, plain));
    EVP_CIPHER_CTX_free(item.cipher);
    for (uint8_t i = 0; i < 50; i++) {
        cr_assert_eq(plain[i], i);
    }
    cr_assert_eq(plain[50], TYPE_DATA);
    item.cipher = record_cipher_new(library, form, &key, true);
    cr_assert(record_seal(&item, 0, plain, 50, plain + 50, 1, sealed));
    cr_assert_arr_eq(sealed, wire + RECORD_HEADER_BYTES, sizeof(wire) - RECORD_HEADER_BYTES);
    EVP_CIPHER_CTX_free(item.cipher);
    tls_library_free(library);
}

struct fixture {
    struct tls_library *library;
    struct record_key key;
    struct record_item seal;
    struct record_item open;
    uint8_t header[RECORD_HEADER_BYTES];
    uint8_t plain[FRAGMENT_BYTES_MAX];
    uint8_t fragment[FRAGMENT_BYTES_MAX];
    uint8_t opened[FRAGMENT_BYTES_MAX];
};

static struct fixture fixture;

static void fixture_open(size_t suite)
{
    const struct record_form *form =
        record_form_find(suites[suite].version, suite_find(suites[suite].suite));

    fixture.library = tls_library_new();
    random_fill(&(struct random){.state = suite}, &fixture.key, sizeof(fixture.key));
    random_fill(&(struct random){.state = 1}, fixture.plain, sizeof(fixture.plain));
    fixture.seal = (struct record_item){
        .cipher = record_cipher_new(fixture.library, form, &fixture.key, true),
        .form = form,
        .key = &fixture.key,
        .sequence = 5,
        .header = fixture.header,
    };
    fixture.open = fixture.seal;
    fixture.open.cipher = record_cipher_new(fixture.library, form, &fixture.key, false);
}

static void fixture_close(void)
{
    EVP_CIPHER_CTX_free(fixture.seal.cipher);
    EVP_CIPHER_CTX_free(fixture.open.cipher);
    tls_library_free(fixture.library);
}

/* In two parts; returns the fragment's size. */
static size_t seal(size_t count, size_t more)
{
    size_t length = count + more + record_overhead(fixture.seal.form);
    const uint8_t header[] = {TYPE_DATA, 3, 3, (uint8_t)(length >> 8), (uint8_t)length};

    memcpy(fixture.header, header, sizeof(header));
    cr_assert(record_seal(&fixture.seal, 77, fixture.plain, count, fixture.plain + count, more,
                          fixture.fragment));
    return length;
}

static bool opens(void)
{
    return record_open(&fixture.open, fixture.fragment, fixture.opened);
}

Test(record_cipher, what_is_sealed_opens)
{
    static const size_t counts[] = {0, 1, 15, 16, 17, 100, 16383, 16384};

    for (size_t suite = 0; suite < SUITES; suite++) {
        fixture_open(suite);
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            for (size_t more = 0; more < 3; more++) {
                seal(counts[i], more);
                cr_assert(opens(), "%s, %zu bytes", suites[suite].suite, counts[i]);
                cr_assert_arr_eq(fixture.opened, fixture.plain, counts[i] + more);
                if (fixture.seal.form->explicit_bytes > 0) {
                    cr_assert_eq(record_explicit_nonce(fixture.fragment), 77);
                }
            }
        }
        fixture_close();
    }
}

Test(record_cipher, what_has_been_touched_does_not_open)
{
    for (size_t suite = 0; suite < SUITES; suite++) {
        size_t length;

        fixture_open(suite);
        length = seal(100, 0);
        for (size_t i = 0; i < length; i++) {
            fixture.fragment[i] ^= 1;
            cr_assert_not(opens(), "%s, byte %zu", suites[suite].suite, i);
            fixture.fragment[i] ^= 1;
        }
        for (size_t i = 0; i < 3; i++) { /* the header is authentic, too */
            fixture.header[i] ^= 1;
            cr_assert_not(opens(), "%s, header %zu", suites[suite].suite, i);
            fixture.header[i] ^= 1;
        }
        fixture.open.sequence++;
        cr_assert_not(opens());
        fixture.open.sequence--;
        cr_assert(opens());
        fixture_close();
    }
}
