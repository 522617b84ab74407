#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/pem.h>

#include "base/error.h"
#include "tls/certificate.h"
#include "tls/context.h"

/* A server configuration that is right, for each test to break in one place. */
struct fixture {
    struct certificate *certificate;
    struct tls_config config;
};

static struct fixture fixture_make(void)
{
    struct certificate *certificate = certificate_new(&(struct certificate_options){0}, NULL, NULL);

    return (struct fixture){
        .certificate = certificate,
        .config = {.certificates = {{.certificate_pem = certificate_pem(certificate),
                                     .key_pem = certificate_key_pem(certificate)}},
                   .certificate_count = 1},
    };
}

static bool accepted(const struct fixture *fixture, struct error *error)
{
    struct tls_context *context = tls_context_new(TLS_SERVER, &fixture->config, NULL, error);
    bool good = context != NULL;

    cr_assert_eq(good, error->text[0] == '\0');
    tls_context_free(context);
    return good;
}

/* Refused with a sentence in which both words occur. */
static void expect_refusal(const struct fixture *fixture, const char *word, const char *other)
{
    struct error error = {0};

    cr_assert_not(accepted(fixture, &error));
    cr_assert_not_null(strstr(error.text, word), "%s", error.text);
    cr_assert_not_null(strstr(error.text, other), "%s", error.text);
}

static void write_file(char path[32], const char *text)
{
    int descriptor;

    strcpy(path, "/tmp/tlsdyno-test-XXXXXX");
    descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
}

struct option_row {
    char option[24];
    char value[64];
    char culprit[32]; /* "": accepted */
};

ParameterizedTestParameters(context, lists_are_checked_entry_by_entry)
{
    static struct option_row rows[] = {
        {"ciphers", "ECDHE+AESGCM:!aNULL", ""},
        {"ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", ""},
        {"ciphers", "ALL:@SECLEVEL=1", ""},
        {"ciphers", "ECDHE+AESGCM:BOGUS", "'BOGUS'"},
        {"ciphers", "BOGUS", "'BOGUS'"},
        {"ciphers", "", "not a usable list"},
        {"ciphers", "AESGCM:!ALL", "not a usable list"},
        {"ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256", ""},
        {"ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_BOGUS", "'TLS_BOGUS'"},
        {"groups", "X25519:P-256", ""},
        {"groups", "X25519:bogus", "'bogus'"},
        {"groups", "bogus", "'bogus'"},
        {"sigalgs", "ecdsa_secp256r1_sha256:RSA-PSS+SHA256", ""},
        {"sigalgs", "ecdsa_secp256r1_sha256:bogus", "'bogus'"},
        {"alpn", "h2,http/1.1", ""},
        {"alpn", "h2,", "alpn"},
        {"alpn", ",h2", "alpn"},
        {"alpn", "", "alpn"},
    };

    return cr_make_param_array(struct option_row, rows, sizeof(rows) / sizeof(rows[0]));
}

static void set_option(struct tls_config *config, const struct option_row *row)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {
        {"ciphers", &config->ciphers}, {"ciphersuites", &config->ciphersuites},
        {"groups", &config->groups},   {"sigalgs", &config->sigalgs},
        {"alpn", &config->alpn},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].name, row->option) == 0) {
            *options[i].value = row->value;
            return;
        }
    }
    cr_assert_fail("no option %s", row->option);
}

ParameterizedTest(struct option_row *row, context, lists_are_checked_entry_by_entry)
{
    struct fixture fixture = fixture_make();
    struct error error = {0};

    set_option(&fixture.config, row);
    if (row->culprit[0] == '\0') {
        cr_assert(accepted(&fixture, &error), "%s", error.text);
    } else {
        expect_refusal(&fixture, row->culprit, "");
    }
    certificate_free(fixture.certificate);
}

Test(context, an_alpn_list_or_name_that_is_too_long_is_refused)
{
    struct fixture fixture = fixture_make();
    char name[512];

    memset(name, 'x', sizeof(name));
    name[256] = '\0';
    fixture.config.alpn = name;
    expect_refusal(&fixture, "alpn", "above 255 bytes");
    name[200] = ',';
    name[256] = 'x';
    name[300] = '\0';
    expect_refusal(&fixture, "alpn", "too long");
    certificate_free(fixture.certificate);
}

Test(context, fragment_sizes_from_512_to_16384_are_accepted)
{
    struct fixture fixture = fixture_make();
    struct error error = {0};

    fixture.config.max_send_fragment = 512;
    cr_assert(accepted(&fixture, &error), "%s", error.text);
    fixture.config.max_send_fragment = 16384;
    cr_assert(accepted(&fixture, &error), "%s", error.text);
    fixture.config.max_send_fragment = 511;
    expect_refusal(&fixture, "511", "512 to 16384");
    fixture.config.max_send_fragment = 16385;
    expect_refusal(&fixture, "16385", "512 to 16384");
    certificate_free(fixture.certificate);
}

Test(context, versions_must_be_in_order)
{
    struct fixture fixture = fixture_make();
    struct error error = {0};

    fixture.config.version_max = TLS_VERSION_1_1; /* the minimum follows */
    cr_assert(accepted(&fixture, &error), "%s", error.text);
    fixture.config.version_min = TLS_VERSION_1_3;
    fixture.config.version_max = TLS_VERSION_1_2;
    expect_refusal(&fixture, "TLSv1.3 is above", "TLSv1.2");
    certificate_free(fixture.certificate);
}

Test(context, files_load_as_memory_does)
{
    struct fixture fixture = fixture_make();
    struct error error = {0};
    char certificate_file[32];
    char key_file[32];

    write_file(certificate_file, certificate_chain_pem(fixture.certificate));
    write_file(key_file, certificate_key_pem(fixture.certificate));
    fixture.config.certificates[0].certificate_file = certificate_file;
    fixture.config.certificates[0].key_file = key_file;
    cr_assert(accepted(&fixture, &error), "%s", error.text);
    unlink(certificate_file);
    expect_refusal(&fixture, certificate_file, "No such file");
    unlink(key_file);
    certificate_free(fixture.certificate);
}

Test(context, a_malformed_certificate_or_key_is_refused_with_its_file)
{
    struct fixture fixture = fixture_make();
    char file[32];

    write_file(file, "-----BEGIN CERTIFICATE-----\nMIIB!!!!\n-----END CERTIFICATE-----\n");
    fixture.config.certificates[0].certificate_file = file;
    expect_refusal(&fixture, file, "not a good PEM certificate");
    unlink(file);

    write_file(file, "");
    expect_refusal(&fixture, file, "not a good PEM certificate");
    unlink(file);

    fixture.config.certificates[0].certificate_file = NULL;
    write_file(file, "no key at all\n");
    fixture.config.certificates[0].key_file = file;
    expect_refusal(&fixture, file, "not a good PEM private key");
    unlink(file);
    certificate_free(fixture.certificate);
}

Test(context, a_good_certificate_followed_by_a_malformed_one_is_refused)
{
    struct fixture fixture = fixture_make();
    char text[8192];

    snprintf(text, sizeof(text), "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
             certificate_pem(fixture.certificate));
    fixture.config.certificates[0].certificate_pem = text;
    expect_refusal(&fixture, "certificate file", "not a good PEM certificate");
    certificate_free(fixture.certificate);
}

Test(context, a_key_of_another_certificate_is_refused_with_both_files)
{
    struct fixture fixture = fixture_make();
    struct fixture other = fixture_make();
    char certificate_file[32];
    char key_file[32];

    write_file(certificate_file, certificate_pem(fixture.certificate));
    write_file(key_file, certificate_key_pem(other.certificate));
    fixture.config.certificates[0].certificate_file = certificate_file;
    fixture.config.certificates[0].key_file = key_file;
    expect_refusal(&fixture, certificate_file, key_file);
    unlink(certificate_file);
    unlink(key_file);
    certificate_free(fixture.certificate);
    certificate_free(other.certificate);
}

Test(context, an_encrypted_key_is_refused_without_a_prompt)
{
    struct fixture fixture = fixture_make();
    BIO *plain = BIO_new_mem_buf(fixture.config.certificates[0].key_pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(plain, NULL, NULL, NULL);
    BIO *encrypted = BIO_new(BIO_s_mem());
    char text[4096] = {0};

    cr_assert(
        PEM_write_bio_PKCS8PrivateKey(encrypted, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL));
    cr_assert_gt(BIO_read(encrypted, text, sizeof(text) - 1), 0);
    fixture.config.certificates[0].key_pem = text;
    expect_refusal(&fixture, "is encrypted", "no passphrase");
    BIO_free(plain);
    BIO_free(encrypted);
    EVP_PKEY_free(key);
    certificate_free(fixture.certificate);
}

Test(context, certificate_and_key_come_in_pairs)
{
    struct fixture fixture = fixture_make();

    fixture.config.certificates[0].key_pem = NULL;
    expect_refusal(&fixture, "key is missing", "");
    fixture.config.certificate_count = 0;
    expect_refusal(&fixture, "needs a certificate", "");
    certificate_free(fixture.certificate);
}

Test(context, a_client_needs_readable_roots)
{
    struct fixture fixture = fixture_make();
    struct tls_config config = {.ca_pem = certificate_pem(fixture.certificate)};
    struct error error = {0};
    struct tls_context *context = tls_context_new(TLS_CLIENT, &config, NULL, &error);

    cr_assert_not_null(context, "%s", error.text);
    tls_context_free(context);
    config.ca_file = "/nonexistent/ca.pem";
    cr_assert_null(tls_context_new(TLS_CLIENT, &config, NULL, &error));
    cr_assert_not_null(strstr(error.text, "CA file '/nonexistent/ca.pem'"), "%s", error.text);
    certificate_free(fixture.certificate);
}

Test(context, can_be_made_again_and_again)
{
    struct fixture fixture = fixture_make();

    /* More often than there are BIO types, as many reloads do. */
    for (int i = 0; i < 300; i++) {
        struct error error = {0};

        cr_assert(accepted(&fixture, &error), "%s", error.text);
    }
    tls_context_free(NULL);
    certificate_free(fixture.certificate);
}
