#include "sweep/possible.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct sweep_capability capability(const char *name, const char *versions)
{
    struct sweep_capability row = {0};

    snprintf(row.name, sizeof(row.name), "%s", name);
    row.in_1_3 = strstr(versions, "TLSv1.3") != NULL;
    row.in_1_2 = strcmp(versions, "TLSv1.3") != 0; /* "TLSv1.2", "TLSv1-TLSv1.2", "TLSv1-TLSv1.3" */
    return row;
}

void sweep_capability_add_suite(struct sweep_capabilities *capabilities, const char *name,
                                const char *versions, const char *note)
{
    struct sweep_capability row = capability(name, versions);
    const char *standard = strstr(note, "TLS_");

    if (capabilities->suite_count < SWEEP_CAPABILITIES_MAX) {
        snprintf(row.standard, sizeof(row.standard), "%s", standard != NULL ? standard : "");
        capabilities->suites[capabilities->suite_count++] = row;
    }
}

void sweep_capability_add_group(struct sweep_capabilities *capabilities, const char *name,
                                const char *versions)
{
    if (capabilities->group_count < SWEEP_CAPABILITIES_MAX) {
        capabilities->groups[capabilities->group_count++] = capability(name, versions);
    }
}

const struct sweep_capability *sweep_suite_find(const struct sweep_capabilities *capabilities,
                                                const char *name)
{
    for (size_t i = 0; i < capabilities->suite_count; i++) {
        const struct sweep_capability *suite = &capabilities->suites[i];

        if (strcmp(suite->name, name) == 0 || strcmp(suite->standard, name) == 0) {
            return suite;
        }
    }
    return NULL;
}

/* NIST's name of a curve as SECG's, which OpenSSL and TLS use. */
static const char *group_name(const char *name)
{
    static const struct {
        const char *nist, *secg;
    } curves[] = {
        {"P-256", "secp256r1"},
        {"prime256v1", "secp256r1"},
        {"P-384", "secp384r1"},
        {"P-521", "secp521r1"},
    };

    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (strcasecmp(curves[i].nist, name) == 0) {
            return curves[i].secg;
        }
    }
    return name;
}

bool sweep_groups_equal(const char *a, const char *b)
{
    return strcasecmp(group_name(a), group_name(b)) == 0;
}

const struct sweep_capability *sweep_group_find(const struct sweep_capabilities *capabilities,
                                                const char *name)
{
    for (size_t i = 0; i < capabilities->group_count; i++) {
        if (sweep_groups_equal(capabilities->groups[i].name, name)) {
            return &capabilities->groups[i];
        }
    }
    return NULL;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Before TLS 1.3 the suite says how the server signs (RFC 8422 5.1 lets ECDSA suites have EdDSA
 * keys). */
static bool certificate_fits(const struct sweep_capability *suite, const char *certificate)
{
    const char *standard = suite->standard[0] != '\0' ? suite->standard : suite->name;

    if (strstr(standard, "_ECDSA_") != NULL) {
        return begins(certificate, "ecdsa") || begins(certificate, "ed25519");
    }
    return strstr(standard, "_RSA_") != NULL && begins(certificate, "rsa");
}

const char *sweep_obstacle(const struct sweep_capabilities *capabilities,
                           const struct sweep_cell *cell, char out[SWEEP_REASON_BYTES])
{
    const struct sweep_value *version = &cell->values[SWEEP_VERSION];
    const struct sweep_value *suite_value = &cell->values[SWEEP_SUITE];
    const struct sweep_value *group_value = &cell->values[SWEEP_GROUP];
    const struct sweep_value *certificate = &cell->values[SWEEP_CERTIFICATE];
    const struct sweep_capability *suite = NULL;
    const struct sweep_capability *group = NULL;
    bool is_1_2 = strcmp(version->text, "TLSv1.2") == 0;

    if (!suite_value->is_null &&
        (suite = sweep_suite_find(capabilities, suite_value->text)) == NULL) {
        /* Precisions are those of the fields (SWEEP_TEXT_BYTES), which gcc does not always see. */
        snprintf(out, SWEEP_REASON_BYTES, "this OpenSSL has no suite %.63s", suite_value->text);
    } else if (!group_value->is_null &&
               (group = sweep_group_find(capabilities, group_value->text)) == NULL) {
        snprintf(out, SWEEP_REASON_BYTES, "this OpenSSL has no group %.63s", group_value->text);
    } else if (suite != NULL && !(is_1_2 ? suite->in_1_2 : suite->in_1_3)) {
        snprintf(out, SWEEP_REASON_BYTES, "%.63s is no suite of %.63s", suite->name, version->text);
    } else if (group != NULL && !(is_1_2 ? group->in_1_2 : group->in_1_3)) {
        snprintf(out, SWEEP_REASON_BYTES, "%.63s is no group of %.63s", group_value->text,
                 version->text);
    } else if (cell->mode == LOAD_UPLOAD &&
               strcmp(cell->values[SWEEP_FRAGMENT].text, "dynamic") == 0) {
        snprintf(out, SWEEP_REASON_BYTES, "only servers have dynamic records, not the load");
    } else if (is_1_2 && begins(certificate->text, "mldsa")) {
        snprintf(out, SWEEP_REASON_BYTES, "ML-DSA certificates need TLSv1.3");
    } else if (is_1_2 && suite != NULL && !certificate->is_null &&
               !certificate_fits(suite, certificate->text)) {
        snprintf(out, SWEEP_REASON_BYTES, "%.63s does not go with a certificate of %.63s",
                 suite->name, certificate->text);
    } else if (is_1_2 && suite != NULL && group != NULL && strstr(suite->name, "ECDHE") == NULL) {
        snprintf(out, SWEEP_REASON_BYTES, "%.63s has no ECDHE, and so no group", suite->name);
    } else {
        return NULL;
    }
    return out;
}
