#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "fixture.h"
#include "forge.h"

static struct certificate *make_root(void)
{
    struct certificate_options authority = {.authority = true};

    return certificate_new(&authority, NULL, NULL);
}

static void expect_client(const struct tls_config *config, const char *warning)
{
    fixture_expect_role(TLS_CLIENT, config, warning);
}

static void refuse_client(const struct tls_config *config, const char *word, const char *other)
{
    fixture_refuse_role(TLS_CLIENT, config, word, other);
}

Test(trust, roots_are_read_from_memory_or_a_file)
{
    struct certificate *root = make_root();
    struct tls_config config = {.ca_pem = certificate_pem(root)};
    char file[FIXTURE_PATH_BYTES];

    expect_client(&config, NULL);
    fixture_file(file, certificate_pem(root));
    config = (struct tls_config){.ca_file = file};
    expect_client(&config, NULL);
    unlink(file);
    refuse_client(&config, file, "No such file");

    config = (struct tls_config){.ca_pem = "no roots at all"};
    refuse_client(&config, "CA file '(memory)' is not a good PEM certificate", "no start line");
    certificate_free(root);
}

Test(trust, the_system_is_trusted_in_place_of_roots)
{
    expect_client(&(struct tls_config){0}, NULL);
    expect_client(&(struct tls_config){.insecure = true}, NULL);
}

Test(trust, every_pem_in_a_directory_is_a_root)
{
    struct certificate *first = make_root();
    struct certificate *second = make_root();
    char directory[FIXTURE_PATH_BYTES];
    struct tls_config config = {.ca_file = directory};
    struct error error = {0};
    struct tls_context *context;

    fixture_directory(directory);
    refuse_client(&config, directory, "has no PEM certificate in it");
    fixture_put(directory, "a.pem", certificate_pem(first));
    fixture_put(directory, "b.crt", certificate_pem(second));
    fixture_put(directory, "again.pem", certificate_pem(first));
    fixture_put(directory, "README", "not a certificate\n");
    context = tls_context_new(TLS_CLIENT, &config, NULL, &error);
    cr_assert_not_null(context, "%s", error.text);
    tls_context_free(context);

    fixture_put(directory, "c.pem",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    refuse_client(&config, "/c.pem'", "not a good PEM certificate");
    fixture_remove(directory);
    certificate_free(first);
    certificate_free(second);
}

Test(trust, crls_are_read_from_memory_a_file_or_a_directory)
{
    struct certificate *root = make_root();
    char *crl = forge_crl(root, NULL, 3600);
    char directory[FIXTURE_PATH_BYTES];
    char file[FIXTURE_PATH_BYTES];
    struct tls_config config = {.ca_pem = certificate_pem(root), .crl_pem = crl};

    expect_client(&config, NULL);
    fixture_file(file, crl);
    config.crl_pem = NULL;
    config.crl_file = file;
    expect_client(&config, NULL);
    unlink(file);
    refuse_client(&config, file, "No such file");

    fixture_directory(directory);
    config.crl_file = directory;
    refuse_client(&config, directory, "has no PEM CRL in it");
    fixture_put(directory, "root.crl", crl);
    expect_client(&config, NULL);
    fixture_remove(directory);
    free(crl);
    certificate_free(root);
}

Test(trust, what_is_no_crl_is_refused_with_its_file)
{
    struct certificate *root = make_root();
    char *crl = forge_crl(root, NULL, 3600);
    struct tls_config config = {.crl_pem = certificate_pem(root)};
    char file[FIXTURE_PATH_BYTES];
    char text[4096];

    refuse_client(&config, "CRL file '(memory)' is not a good PEM CRL", "no start line");
    snprintf(text, sizeof(text), "%s-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", crl);
    fixture_file(file, text);
    config = (struct tls_config){.crl_file = file};
    refuse_client(&config, file, "is not a good PEM CRL");
    unlink(file);
    free(crl);
    certificate_free(root);
}

/* Every letter of a CRL's PEM changed in turn: refused with its file, or taken for what it then
 * says (its signature counts when it is used), never more. */
Test(trust, a_damaged_crl_is_survived)
{
    struct certificate *root = make_root();
    const struct certificate *const revoked[] = {root, NULL};
    char *crl = forge_crl(root, revoked, 3600);

    for (size_t at = 0; crl[at] != '\0'; at++) {
        struct tls_config config = {.crl_pem = crl, .ca_pem = certificate_pem(root)};
        struct error error = {0};
        struct tls_context *context;
        char before = crl[at];

        crl[at] = before == 'A' ? 'z' : 'A';
        context = tls_context_new(TLS_CLIENT, &config, NULL, &error);
        cr_assert(context != NULL || strstr(error.text, "CRL file '(memory)'") != NULL, "%s",
                  error.text);
        tls_context_free(context);
        crl[at] = before;
    }
    free(crl);
    certificate_free(root);
}

Test(trust, a_crl_past_its_next_update_is_warned_about)
{
    struct certificate *root = make_root();
    char *crl = forge_crl(root, NULL, -60);
    struct tls_config config = {.ca_pem = certificate_pem(root), .crl_pem = crl};

    expect_client(&config, "past its next update");
    free(crl);
    certificate_free(root);
}
