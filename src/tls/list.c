/* What the OpenSSL that runs can do, asked of it rather than known. */
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include "tls/config.h"

typedef void list_each(void *user, const char *name, const char *versions, const char *note);

enum { GROUPS_MAX = 128, NOTE_BYTES = 96 };

static void ciphers_list(SSL_CTX *context, list_each *each, void *user)
{
    const STACK_OF(SSL_CIPHER) * ciphers;

    /* Without those that hide or prove nothing, and those that need keys which nobody can give. */
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_cipher_list(context, "ALL:!aNULL:!eNULL:!PSK:!SRP");
    ciphers = SSL_CTX_get_ciphers(context);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        const char *since = SSL_CIPHER_get_version(cipher);
        bool newest = strcmp(since, "TLSv1.3") == 0;
        char note[NOTE_BYTES];

        snprintf(note, sizeof(note), "%d bits%s%s", SSL_CIPHER_get_bits(cipher, NULL),
                 newest ? "" : ", ", newest ? "" : SSL_CIPHER_standard_name(cipher));
        each(user, SSL_CIPHER_get_name(cipher),
             newest                          ? "TLSv1.3"
             : strcmp(since, "TLSv1.2") == 0 ? "TLSv1.2"
                                             : "TLSv1-TLSv1.2",
             note);
    }
}

/* Providers name a group once for each of its aliases; the first is the one to show. */
struct group_walk {
    list_each *each;
    void *user;
    unsigned seen[GROUPS_MAX];
    size_t seen_count;
};

static int number_of(const OSSL_PARAM parameters[], const char *key)
{
    const OSSL_PARAM *parameter = OSSL_PARAM_locate_const(parameters, key);
    int number = 0;

    return parameter != NULL && OSSL_PARAM_get_int(parameter, &number) ? number : 0;
}

static bool group_seen(struct group_walk *walk, unsigned id)
{
    for (size_t i = 0; i < walk->seen_count; i++) {
        if (walk->seen[i] == id) {
            return true;
        }
    }
    if (walk->seen_count < GROUPS_MAX) {
        walk->seen[walk->seen_count++] = id;
    }
    return false;
}

static int on_group(const OSSL_PARAM parameters[], void *argument)
{
    struct group_walk *walk = argument;
    const OSSL_PARAM *name = OSSL_PARAM_locate_const(parameters, OSSL_CAPABILITY_TLS_GROUP_NAME);
    const OSSL_PARAM *id = OSSL_PARAM_locate_const(parameters, OSSL_CAPABILITY_TLS_GROUP_ID);
    int min = number_of(parameters, OSSL_CAPABILITY_TLS_GROUP_MIN_TLS);
    int max = number_of(parameters, OSSL_CAPABILITY_TLS_GROUP_MAX_TLS); /* 0: no end */
    unsigned number;
    char note[NOTE_BYTES];

    /* A version below 0 says that TLS does not have it (DTLS may). */
    if (name == NULL || id == NULL || min < 0 || max < 0 || !OSSL_PARAM_get_uint(id, &number) ||
        group_seen(walk, number)) {
        return 1;
    }
    snprintf(note, sizeof(note), "%d bits of security",
             number_of(parameters, OSSL_CAPABILITY_TLS_GROUP_SECURITY_BITS));
    walk->each(walk->user, name->data,
               min >= TLS1_3_VERSION               ? "TLSv1.3"
               : max != 0 && max <= TLS1_2_VERSION ? "TLSv1-TLSv1.2"
                                                   : "TLSv1-TLSv1.3",
               note);
    return 1;
}

static int on_provider(OSSL_PROVIDER *provider, void *walk)
{
    OSSL_PROVIDER_get_capabilities(provider, "TLS-GROUP", on_group, walk);
    return 1;
}

/* libssl has no list of these: the names of IANA's registry, of which OpenSSL takes what it knows.
 */
static const struct {
    const char *name;
    const char *versions;
    const char *note;
} signatures[] = {
    {"ecdsa_secp256r1_sha256", "TLSv1.2-TLSv1.3", "ECDSA; any curve in TLSv1.2"},
    {"ecdsa_secp384r1_sha384", "TLSv1.2-TLSv1.3", "ECDSA; any curve in TLSv1.2"},
    {"ecdsa_secp521r1_sha512", "TLSv1.2-TLSv1.3", "ECDSA; any curve in TLSv1.2"},
    {"ecdsa_brainpoolP256r1tls13_sha256", "TLSv1.3", "ECDSA"},
    {"ecdsa_brainpoolP384r1tls13_sha384", "TLSv1.3", "ECDSA"},
    {"ecdsa_brainpoolP512r1tls13_sha512", "TLSv1.3", "ECDSA"},
    {"ed25519", "TLSv1.2-TLSv1.3", "EdDSA"},
    {"ed448", "TLSv1.2-TLSv1.3", "EdDSA"},
    {"rsa_pss_rsae_sha256", "TLSv1.2-TLSv1.3", "RSA key, PSS padding"},
    {"rsa_pss_rsae_sha384", "TLSv1.2-TLSv1.3", "RSA key, PSS padding"},
    {"rsa_pss_rsae_sha512", "TLSv1.2-TLSv1.3", "RSA key, PSS padding"},
    {"rsa_pss_pss_sha256", "TLSv1.2-TLSv1.3", "RSA-PSS key"},
    {"rsa_pss_pss_sha384", "TLSv1.2-TLSv1.3", "RSA-PSS key"},
    {"rsa_pss_pss_sha512", "TLSv1.2-TLSv1.3", "RSA-PSS key"},
    {"rsa_pkcs1_sha256", "TLSv1.2", "RSA key, PKCS#1 v1.5 padding"},
    {"rsa_pkcs1_sha384", "TLSv1.2", "RSA key, PKCS#1 v1.5 padding"},
    {"rsa_pkcs1_sha512", "TLSv1.2", "RSA key, PKCS#1 v1.5 padding"},
    {"mldsa44", "TLSv1.3", "post-quantum"},
    {"mldsa65", "TLSv1.3", "post-quantum"},
    {"mldsa87", "TLSv1.3", "post-quantum"},
    {"ecdsa_sha1", "TLSv1-TLSv1.2", "weak"},
    {"rsa_pkcs1_sha1", "TLSv1-TLSv1.2", "weak"},
};

static void signatures_list(SSL_CTX *context, list_each *each, void *user)
{
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
        if (SSL_CTX_set1_sigalgs_list(context, signatures[i].name)) {
            each(user, signatures[i].name, signatures[i].versions, signatures[i].note);
        }
    }
}

void tls_list(enum tls_list what, list_each *each, void *user)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL) {
        ERR_clear_error();
        return;
    }
    if (what == TLS_LIST_CIPHERS) {
        ciphers_list(context, each, user);
    } else if (what == TLS_LIST_SIGNATURES) {
        signatures_list(context, each, user);
    } else {
        OSSL_PROVIDER_do_all(NULL, on_provider, &(struct group_walk){.each = each, .user = user});
    }
    SSL_CTX_free(context);
    ERR_clear_error();
}
