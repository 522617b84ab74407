#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "fixture.h"
#include "forge.h"

Test(credentials, files_load_as_memory_does)
{
    struct fixture fixture = fixture_make();
    struct error error = {0};
    char certificate_file[FIXTURE_PATH_BYTES];
    char key_file[FIXTURE_PATH_BYTES];

    fixture_file(certificate_file, certificate_chain_pem(fixture.certificate));
    fixture_file(key_file, certificate_key_pem(fixture.certificate));
    fixture.config.certificates[0].certificate_file = certificate_file;
    fixture.config.certificates[0].key_file = key_file;
    cr_assert(fixture_accepted(&fixture, &error), "%s", error.text);
    unlink(certificate_file);
    fixture_refuse(&fixture, certificate_file, "No such file");
    unlink(key_file);
    fixture_free(&fixture);
}

Test(credentials, a_malformed_certificate_or_key_is_refused_with_its_file)
{
    struct fixture fixture = fixture_make();
    char file[FIXTURE_PATH_BYTES];

    fixture_file(file, "-----BEGIN CERTIFICATE-----\nMIIB!!!!\n-----END CERTIFICATE-----\n");
    fixture.config.certificates[0].certificate_file = file;
    fixture_refuse(&fixture, file, "not a good PEM certificate");
    unlink(file);

    fixture_file(file, "");
    fixture_refuse(&fixture, file, "not a good PEM certificate");
    unlink(file);

    fixture.config.certificates[0].certificate_file = NULL;
    fixture_file(file, "no key at all\n");
    fixture.config.certificates[0].key_file = file;
    fixture_refuse(&fixture, file, "not a good PEM private key: there is none in it");
    unlink(file);
    fixture_free(&fixture);
}

Test(credentials, a_good_certificate_followed_by_a_malformed_one_is_refused)
{
    struct fixture fixture = fixture_make();
    char text[8192];

    snprintf(text, sizeof(text), "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
             certificate_pem(fixture.certificate));
    fixture.config.certificates[0].certificate_pem = text;
    fixture_refuse(&fixture, "certificate file", "not a good PEM certificate");
    fixture_free(&fixture);
}

Test(credentials, a_key_of_another_certificate_is_refused_with_both_files)
{
    struct fixture fixture = fixture_make();
    struct fixture other = fixture_make();
    char certificate_file[FIXTURE_PATH_BYTES];
    char key_file[FIXTURE_PATH_BYTES];

    fixture_file(certificate_file, certificate_pem(fixture.certificate));
    fixture_file(key_file, certificate_key_pem(other.certificate));
    fixture.config.certificates[0].certificate_file = certificate_file;
    fixture.config.certificates[0].key_file = key_file;
    fixture_refuse(&fixture, certificate_file, key_file);
    unlink(certificate_file);
    unlink(key_file);
    fixture_free(&fixture);
    fixture_free(&other);
}

Test(credentials, an_encrypted_key_opens_with_its_passphrase_only)
{
    struct fixture fixture = fixture_make();
    char *text = forge_encrypted_key(fixture.certificate, "open sesame");
    char file[FIXTURE_PATH_BYTES];

    fixture_file(file, text);
    fixture.config.certificates[0].key_file = file;
    fixture.config.passphrase = "open sesame";
    fixture_expect(&fixture, NULL);
    fixture.config.passphrase = "open barley";
    fixture_refuse(&fixture, file, "does not open with this passphrase");
    fixture.config.passphrase = "";
    fixture_refuse(&fixture, file, "does not open with this passphrase");
    fixture.config.passphrase = NULL;
    fixture_refuse(&fixture, file, "is encrypted, and there is no passphrase");
    unlink(file);
    free(text);
    fixture_free(&fixture);
}

Test(credentials, a_passphrase_for_a_plain_key_is_not_needed)
{
    struct fixture fixture = fixture_make();
    char passphrase[1025];

    memset(passphrase, 'x', sizeof(passphrase));
    passphrase[1023] = '\0';
    fixture.config.passphrase = passphrase;
    fixture_expect(&fixture, NULL);
    passphrase[1023] = 'x';
    passphrase[1024] = '\0';
    fixture_refuse(&fixture, "passphrase is longer than 1023 bytes", "");
    fixture_free(&fixture);
}

Test(credentials, certificate_and_key_come_in_pairs)
{
    struct fixture fixture = fixture_make();

    fixture.config.certificates[0].key_pem = NULL;
    fixture_refuse(&fixture, "key is missing", "");
    fixture.config.certificate_count = 0;
    fixture_refuse(&fixture, "needs a certificate", "");
    fixture_free(&fixture);
}

Test(credentials, keys_of_different_types_stand_side_by_side)
{
    struct fixture fixture = fixture_make();
    struct certificate_options rsa_options = {.key_type = "rsa2048"};
    struct certificate_options eddsa_options = {.key_type = "ed25519"};
    struct certificate *rsa = certificate_new(&rsa_options, NULL, NULL);
    struct certificate *eddsa = certificate_new(&eddsa_options, NULL, NULL);

    fixture.config.certificate_count = 3;
    fixture.config.certificates[1].certificate_pem = certificate_pem(rsa);
    fixture.config.certificates[1].key_pem = certificate_key_pem(rsa);
    fixture.config.certificates[2].certificate_pem = certificate_pem(eddsa);
    fixture.config.certificates[2].key_pem = certificate_key_pem(eddsa);
    fixture_expect(&fixture, NULL);
    certificate_free(eddsa);
    certificate_free(rsa);
    fixture_free(&fixture);
}

Test(credentials, two_keys_of_one_type_are_refused)
{
    struct fixture fixture = fixture_make();
    struct fixture other = fixture_make();
    char file[FIXTURE_PATH_BYTES];

    fixture_file(file, certificate_pem(other.certificate));
    fixture.config.certificate_count = 2;
    fixture.config.certificates[1].certificate_file = file;
    fixture.config.certificates[1].key_pem = certificate_key_pem(other.certificate);
    fixture_refuse(&fixture, file, "another with a key of that type");
    unlink(file);
    fixture_free(&other);
    fixture_free(&fixture);
}

Test(credentials, more_certificates_than_there_is_room_for_are_refused)
{
    struct fixture fixture = fixture_make();

    fixture.config.certificate_count = TLS_CERTIFICATES_MAX + 1;
    fixture_refuse(&fixture, "9 certificates", "8 allowed");
    fixture_free(&fixture);
}

static void expect_validity(long from_s, long to_s, const char *warning)
{
    struct fixture fixture = fixture_make();
    char *text = forge_validity(fixture.certificate, fixture.certificate, from_s, to_s);
    char file[FIXTURE_PATH_BYTES];

    fixture_file(file, text);
    fixture.config.certificates[0].certificate_file = file;
    fixture_expect(&fixture, warning);
    if (warning != NULL) {
        fixture_expect(&fixture, file);
    }
    unlink(file);
    free(text);
    fixture_free(&fixture);
}

Test(credentials, a_certificate_out_of_its_time_is_warned_about)
{
    expect_validity(-7200, -60, "expired on 20");
    expect_validity(3600, 7200, "is not valid before 20");
    expect_validity(-7200, 7200, NULL);
}

Test(credentials, an_expired_issuer_is_warned_about)
{
    struct certificate_options authority = {.authority = true};
    struct certificate *root = certificate_new(&authority, NULL, NULL);
    struct certificate *middle = certificate_new(&authority, root, NULL);
    struct certificate *leaf = certificate_new(&(struct certificate_options){0}, middle, NULL);
    char *old = forge_validity(middle, root, -7200, -60);
    char chain[8192];
    struct tls_config config = {
        .certificates = {{.certificate_pem = chain, .key_pem = certificate_key_pem(leaf)}},
        .certificate_count = 1,
    };

    snprintf(chain, sizeof(chain), "%s%s", certificate_pem(leaf), certificate_pem(middle));
    fixture_expect_role(TLS_SERVER, &config, NULL);
    snprintf(chain, sizeof(chain), "%s%s", certificate_pem(leaf), old);
    fixture_expect_role(TLS_SERVER, &config, "an issuer in certificate file '(memory)' expired");
    free(old);
    certificate_free(leaf);
    certificate_free(middle);
    certificate_free(root);
}

Test(credentials, a_certificate_for_the_other_role_is_warned_about)
{
    struct fixture fixture = fixture_make();
    struct certificate_options options = {.client = true};
    struct certificate *client = certificate_new(&options, NULL, NULL);

    fixture_expect_role(TLS_CLIENT, &fixture.config, "not made for a TLS client");
    fixture.config.certificates[0].certificate_pem = certificate_pem(client);
    fixture.config.certificates[0].key_pem = certificate_key_pem(client);
    fixture_expect_role(TLS_CLIENT, &fixture.config, NULL);
    fixture_expect_role(TLS_SERVER, &fixture.config, "extended key usage serverAuth");
    certificate_free(client);
    fixture_free(&fixture);
}

/* A bundle of a leaf under a root and one between them. */
struct bundle {
    struct certificate *root;
    struct certificate *middle;
    struct certificate *leaf;
    uint8_t *der;
    size_t bytes;
    char file[FIXTURE_PATH_BYTES];
};

static struct bundle bundle_make(const char *passphrase)
{
    struct certificate_options authority = {.authority = true};
    struct bundle bundle = {0};
    FILE *file;

    bundle.root = certificate_new(&authority, NULL, NULL);
    bundle.middle = certificate_new(&authority, bundle.root, NULL);
    bundle.leaf = certificate_new(&(struct certificate_options){0}, bundle.middle, NULL);
    cr_assert_eq(certificate_pkcs12(bundle.leaf, passphrase, &bundle.der, &bundle.bytes, NULL), 0);
    fixture_file(bundle.file, "");
    file = fopen(bundle.file, "w");
    cr_assert_eq(fwrite(bundle.der, 1, bundle.bytes, file), bundle.bytes);
    fclose(file);
    return bundle;
}

static void bundle_free(struct bundle *bundle)
{
    unlink(bundle->file);
    free(bundle->der);
    certificate_free(bundle->leaf);
    certificate_free(bundle->middle);
    certificate_free(bundle->root);
}

Test(credentials, a_bundle_opens_with_its_passphrase_only)
{
    struct bundle bundle = bundle_make("open sesame");

    for (int in_memory = 0; in_memory <= 1; in_memory++) {
        const char *name = in_memory ? "pfx file '(memory)'" : bundle.file;
        struct tls_config config = {
            .pfx_file = in_memory ? NULL : bundle.file,
            .pfx = bundle.der,
            .pfx_bytes = bundle.bytes,
            .passphrase = "open sesame",
        };

        fixture_expect_role(TLS_SERVER, &config, NULL);
        config.passphrase = "open barley";
        fixture_refuse_role(TLS_SERVER, &config, name, "does not open with this passphrase");
        config.passphrase = NULL;
        fixture_refuse_role(TLS_SERVER, &config, name, "there is no passphrase for it");
    }
    bundle_free(&bundle);
}

Test(credentials, a_bundle_without_passphrase_opens)
{
    struct bundle bundle = bundle_make("");
    struct tls_config config = {.pfx = bundle.der, .pfx_bytes = bundle.bytes};

    fixture_expect_role(TLS_SERVER, &config, NULL);
    config.passphrase = "one too many";
    fixture_refuse_role(TLS_SERVER, &config, "does not open with this passphrase", "");
    bundle_free(&bundle);
}

Test(credentials, what_is_no_bundle_is_refused_with_its_file)
{
    struct bundle bundle = bundle_make("");
    struct tls_config config = {.pfx_file = "/nonexistent/server.p12"};

    fixture_refuse_role(TLS_SERVER, &config, "pfx file '/nonexistent/server.p12' cannot be read",
                        "No such file");
    cr_assert_eq(truncate(bundle.file, (off_t)bundle.bytes / 2), 0);
    config.pfx_file = bundle.file;
    fixture_refuse_role(TLS_SERVER, &config, bundle.file, "is not a good PKCS#12 bundle");
    config.pfx_file = NULL;
    config.pfx = (const uint8_t *)certificate_pem(bundle.leaf);
    config.pfx_bytes = strlen(certificate_pem(bundle.leaf));
    fixture_refuse_role(TLS_SERVER, &config, "pfx file '(memory)'", "is not a good PKCS#12 bundle");
    bundle_free(&bundle);
}

/* CVE-2024-0727: parts that PKCS#7 allows to be left out, and that OpenSSL then looked into. */
Test(credentials, a_bundle_with_parts_left_out_is_refused)
{
#define VERSION_3 0x02, 0x01, 0x03
#define DATA      0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01
#define ENCRYPTED 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06
    static const uint8_t bundles[][48] = {
        {0x30, 0x10, VERSION_3, 0x30, 0x0b, DATA},                         /* no content */
        {0x30, 0x12, VERSION_3, 0x30, 0x0d, DATA, 0xa0, 0x00},             /* empty content */
        {0x30, 0x10, VERSION_3, 0x30, 0x0b, ENCRYPTED},                    /* likewise, of a kind */
        {0x30, 0x14, VERSION_3, 0x30, 0x0f, DATA, 0xa0, 0x02, 0x04, 0x00}, /* empty octets */
        /* one safe, without content */
        {0x30, 0x23, VERSION_3, 0x30, 0x1e, DATA, 0xa0, 0x11, 0x04, 0x0f, 0x30, 0x0d, 0x30, 0x0b,
         DATA},
        {0x30, 0x23, VERSION_3, 0x30, 0x1e, DATA, 0xa0, 0x11, 0x04, 0x0f, 0x30, 0x0d, 0x30, 0x0b,
         ENCRYPTED},
        {0x30, 0x00},
    };
#undef VERSION_3
#undef DATA
#undef ENCRYPTED

    for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++) {
        struct tls_config config = {.pfx = bundles[i], .pfx_bytes = 2u + bundles[i][1]};

        fixture_refuse_role(TLS_SERVER, &config, "pfx file '(memory)'", "");
        config.passphrase = "open sesame";
        fixture_refuse_role(TLS_SERVER, &config, "pfx file '(memory)'", "");
    }
}

Test(credentials, a_bundle_cut_at_any_length_is_refused)
{
    struct bundle bundle = bundle_make("");

    for (size_t bytes = 1; bytes < bundle.bytes; bytes += 7) {
        uint8_t *part = malloc(bytes); /* so that a sanitizer sees what is read beyond it */
        struct tls_config config = {.pfx = part, .pfx_bytes = bytes};

        memcpy(part, bundle.der, bytes);
        fixture_refuse_role(TLS_SERVER, &config, "pfx file '(memory)'", "");
        free(part);
    }
    bundle_free(&bundle);
}

Test(credentials, a_bundle_of_long_ago_is_refused_with_advice)
{
    struct fixture fixture = fixture_make();
    size_t bytes = 0;
    uint8_t *der = forge_legacy_bundle(fixture.certificate, &bytes);
    struct tls_config config = {.pfx = der, .pfx_bytes = bytes};

    if (der == NULL) {
        cr_skip_test("OpenSSL's legacy provider is not installed");
    }
    fixture_refuse_role(TLS_SERVER, &config, "is encrypted with RC2", "make it again with AES");
    free(der);
    fixture_free(&fixture);
}

Test(credentials, a_bundle_excludes_certificates_and_ca)
{
    struct bundle bundle = bundle_make("");
    struct fixture fixture = fixture_make();
    struct tls_config config = {.pfx_file = bundle.file};

    fixture_expect_role(TLS_SERVER, &config, NULL);
    config.ca_pem = certificate_pem(bundle.root);
    fixture_refuse_role(TLS_SERVER, &config, bundle.file, "excludes");
    config.ca_pem = NULL;
    config.ca_file = "ca.pem";
    fixture_refuse_role(TLS_SERVER, &config, bundle.file, "excludes");
    fixture.config.pfx_file = bundle.file;
    fixture_refuse(&fixture, bundle.file, "excludes");
    fixture_free(&fixture);
    bundle_free(&bundle);
}
