#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "fixture.h"
#include "forge.h"

struct option_row {
    char option[24];
    char value[64];
    char culprit[32]; /* "": accepted */
};

ParameterizedTestParameters(algorithms, lists_are_checked_entry_by_entry)
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
        {"groups", "X25519:none", "'none'"},
        {"groups", "none", ""},
        {"sigalgs", "ecdsa_secp256r1_sha256:RSA-PSS+SHA256", ""},
        {"sigalgs", "ecdsa_secp256r1_sha256:bogus", "'bogus'"},
    };

    return cr_make_param_array(struct option_row, rows, sizeof(rows) / sizeof(rows[0]));
}

static void set_option(struct tls_config *config, const struct option_row *row)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {
        {"ciphers", &config->ciphers},
        {"ciphersuites", &config->ciphersuites},
        {"groups", &config->groups},
        {"sigalgs", &config->sigalgs},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].name, row->option) == 0) {
            *options[i].value = row->value;
            return;
        }
    }
    cr_assert_fail("no option %s", row->option);
}

ParameterizedTest(struct option_row *row, algorithms, lists_are_checked_entry_by_entry)
{
    struct fixture fixture = fixture_make();

    set_option(&fixture.config, row);
    if (row->culprit[0] == '\0') {
        fixture_expect(&fixture, NULL);
    } else {
        fixture_refuse(&fixture, row->culprit, "");
    }
    fixture_free(&fixture);
}

static void on_listed(void *sought, const char *name, const char *versions, const char *note)
{
    const char **text = sought;

    (void)versions;
    (void)note;
    if (*text != NULL && strcmp(*text, name) == 0) {
        *text = NULL;
    }
}

static bool openssl_has(enum tls_list what, const char *name)
{
    tls_list(what, on_listed, &name);
    return name == NULL;
}

/* Whichever OpenSSL runs, one half of this is at work. */
Test(algorithms, a_post_quantum_group_is_taken_or_the_version_that_has_it_named)
{
    struct fixture fixture = fixture_make();

    fixture.config.groups = "X25519MLKEM768:X25519";
    if (openssl_has(TLS_LIST_GROUPS, "X25519MLKEM768")) {
        fixture_expect(&fixture, NULL);
    } else {
        fixture_refuse(&fixture, "groups: 'X25519MLKEM768'", "need OpenSSL 3.5");
    }
    fixture.config.groups = "X25519MLKEM769";
    fixture_refuse(&fixture, "groups: 'X25519MLKEM769' is not known to OpenSSL", "");
    fixture_free(&fixture);
}

Test(algorithms, a_post_quantum_signature_is_taken_or_the_version_that_has_it_named)
{
    struct fixture fixture = fixture_make();

    fixture.config.sigalgs = "mldsa65:ecdsa_secp256r1_sha256";
    if (openssl_has(TLS_LIST_SIGNATURES, "mldsa65")) {
        fixture_expect(&fixture, NULL);
    } else {
        fixture_refuse(&fixture, "signature algorithms: 'mldsa65'", "need OpenSSL 3.5");
    }
    fixture_free(&fixture);
}

Test(algorithms, versions_must_be_in_order)
{
    struct fixture fixture = fixture_make();

    fixture.config.version_min = TLS_VERSION_1_2;
    fixture.config.version_max = TLS_VERSION_1_2;
    fixture_expect(&fixture, NULL);
    fixture.config.version_min = TLS_VERSION_1_3;
    fixture_refuse(&fixture, "TLSv1.3 is above", "TLSv1.2");
    fixture_free(&fixture);
}

Test(algorithms, an_obsolete_version_is_warned_about)
{
    struct fixture fixture = fixture_make();

    fixture.config.version_max = TLS_VERSION_1_1; /* the minimum follows */
    fixture_expect(&fixture, "TLSv1.1 is obsolete");
    fixture.config.version_min = TLS_VERSION_1_0;
    fixture.config.version_max = TLS_VERSION_1_3;
    fixture_expect(&fixture, "TLSv1 is obsolete");
    fixture.config.version_min = TLS_VERSION_1_2;
    fixture_expect(&fixture, NULL);
    fixture_free(&fixture);
}

Test(algorithms, no_groups_are_an_error_for_tls_1_3_alone)
{
    struct fixture fixture = fixture_make();

    fixture.config.groups = "none";
    fixture.config.version_min = TLS_VERSION_1_3;
    fixture_refuse(&fixture, "groups: 'none'", "TLS 1.3");
    fixture.config.version_min = TLS_VERSION_1_2;
    fixture_expect(&fixture, NULL);
    fixture_free(&fixture);
}

Test(algorithms, no_groups_and_only_ecdhe_ciphers_are_an_error)
{
    struct fixture fixture = fixture_make();

    fixture.config.groups = "none";
    fixture.config.ciphers = "ECDHE+AESGCM";
    fixture.config.version_max = TLS_VERSION_1_2;
    fixture_refuse(&fixture, "groups: 'none' leaves no cipher of 'ECDHE+AESGCM'", "");
    fixture.config.ciphers = "ECDHE+AESGCM:DHE+AESGCM";
    fixture_expect(&fixture, NULL);
    fixture_free(&fixture);
}

struct dh_row {
    char type[8];
    char group[16]; /* "": the text is `type` itself */
    char culprit[32];
    char reason[40];
};

ParameterizedTestParameters(algorithms, dh_parameters_are_of_2048_bits_at_least)
{
    static struct dh_row rows[] = {
        {"DH", "ffdhe2048", "", ""},
        {"DH", "modp_3072", "", ""},
        {"DH", "modp_1536", "has 1536 bits", "at least 2048"},
        {"EC", "P-256", "parameters of EC", "not of DH"},
        {"text", "", "no good PEM parameters", "there is none in it"},
        {"", "", "no good PEM parameters", "there is none in it"},
    };

    return cr_make_param_array(struct dh_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct dh_row *row, algorithms, dh_parameters_are_of_2048_bits_at_least)
{
    struct fixture fixture = fixture_make();
    char *text =
        row->group[0] != '\0' ? forge_parameters(row->type, row->group) : strdup(row->type);
    char file[FIXTURE_PATH_BYTES];

    fixture_file(file, text);
    for (int in_memory = 0; in_memory <= 1; in_memory++) {
        fixture.config.dhparam = in_memory ? NULL : file;
        fixture.config.dhparam_pem = in_memory ? text : NULL;
        if (row->culprit[0] == '\0') {
            fixture_expect(&fixture, NULL);
        } else {
            fixture_refuse(&fixture, row->culprit, row->reason);
            fixture_refuse(&fixture, "dhparam", in_memory ? "(memory)" : file);
        }
    }
    unlink(file);
    free(text);
    fixture_free(&fixture);
}

Test(algorithms, dh_parameters_are_automatic_or_a_file_that_can_be_read)
{
    struct fixture fixture = fixture_make();

    fixture.config.dhparam = "auto";
    fixture_expect(&fixture, NULL);
    fixture.config.dhparam = "/nonexistent/dh.pem";
    fixture_refuse(&fixture, "dhparam file '/nonexistent/dh.pem'", "No such file");
    fixture_free(&fixture);
}
