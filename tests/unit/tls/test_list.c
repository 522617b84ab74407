#include <string.h>

#include <criterion/criterion.h>

#include "tls/config.h"

struct seen {
    const char *name; /* sought */
    char versions[32];
    char note[96];
    size_t count;       /* of all */
    size_t found_count; /* of the sought one */
};

static void on_each(void *user, const char *name, const char *versions, const char *note)
{
    struct seen *seen = user;

    cr_assert_gt(strlen(name), 0);
    cr_assert_eq(strncmp(versions, "TLSv1", 5), 0, "%s: %s", name, versions);
    seen->count++;
    if (strcmp(name, seen->name) == 0) {
        seen->found_count++;
        strncpy(seen->versions, versions, sizeof(seen->versions) - 1);
        strncpy(seen->note, note, sizeof(seen->note) - 1);
    }
}

static struct seen look_for(enum tls_list what, const char *name)
{
    struct seen seen = {.name = name};

    tls_list(what, on_each, &seen);
    cr_assert_gt(seen.count, 5);
    cr_assert_leq(seen.found_count, 1);
    return seen;
}

static void expect_listed(enum tls_list what, const char *name, const char *versions,
                          const char *note)
{
    struct seen seen = look_for(what, name);

    cr_assert_eq(seen.found_count, 1, "%s is missing", name);
    cr_assert_str_eq(seen.versions, versions);
    cr_assert_not_null(strstr(seen.note, note), "%s", seen.note);
}

Test(list, ciphers_of_every_version_are_listed)
{
    expect_listed(TLS_LIST_CIPHERS, "TLS_AES_128_GCM_SHA256", "TLSv1.3", "128 bits");
    expect_listed(TLS_LIST_CIPHERS, "ECDHE-RSA-AES256-GCM-SHA384", "TLSv1.2",
                  "256 bits, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    expect_listed(TLS_LIST_CIPHERS, "AES128-SHA", "TLSv1-TLSv1.2", "128 bits");
}

Test(list, ciphers_that_hide_or_prove_nothing_are_not)
{
    cr_assert_eq(look_for(TLS_LIST_CIPHERS, "NULL-SHA256").found_count, 0);
    cr_assert_eq(look_for(TLS_LIST_CIPHERS, "ADH-AES128-GCM-SHA256").found_count, 0);
    cr_assert_eq(look_for(TLS_LIST_CIPHERS, "PSK-AES128-GCM-SHA256").found_count, 0);
}

Test(list, a_group_is_listed_once_under_its_first_name)
{
    expect_listed(TLS_LIST_GROUPS, "x25519", "TLSv1-TLSv1.3", "128 bits of security");
    expect_listed(TLS_LIST_GROUPS, "secp256r1", "TLSv1-TLSv1.3", "128 bits of security");
    expect_listed(TLS_LIST_GROUPS, "ffdhe2048", "TLSv1.3", "112 bits of security");
    cr_assert_eq(look_for(TLS_LIST_GROUPS, "P-256").found_count, 0);
    cr_assert_eq(look_for(TLS_LIST_GROUPS, "bogus").found_count, 0);
}

Test(list, signature_algorithms_are_listed)
{
    expect_listed(TLS_LIST_SIGNATURES, "ed25519", "TLSv1.2-TLSv1.3", "EdDSA");
    expect_listed(TLS_LIST_SIGNATURES, "rsa_pkcs1_sha256", "TLSv1.2", "PKCS#1");
    cr_assert_eq(look_for(TLS_LIST_SIGNATURES, "rsa_md5").found_count, 0);
}
