/* What may be negotiated: versions, ciphers, groups, signature algorithms, DHE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "tls/internal.h"
#include "tls/pem.h"
#include "tls/setup.h"

enum { DH_BITS_MIN = 2048 }; /* Logjam: 1024 bits are within reach of some */

/* TLS <= 1.2: forward secrecy with AEAD first, then forward secrecy, then plain RSA key exchange
 * for the old and the embedded. */
static const char default_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:"
                                      "ECDHE+AES:DHE+AES:AESGCM:AES:"
                                      "!aNULL:!eNULL:!PSK:!SRP:!DSS:!MD5:!AESCCM";

/* Algorithms that a person may well ask for and an OpenSSL be too old for. */
static const struct {
    const char *part; /* of the name, in any case */
    const char *since;
} newcomers[] = {
    {"MLKEM", "3.5"},
    {"MLDSA", "3.5"},
};

typedef int list_setter(SSL_CTX *ssl, const char *list);

static int set_ciphers(SSL_CTX *ssl, const char *list)
{
    return SSL_CTX_set_cipher_list(ssl, list);
}

static int set_ciphersuites(SSL_CTX *ssl, const char *list)
{
    return SSL_CTX_set_ciphersuites(ssl, list);
}

static int set_groups(SSL_CTX *ssl, const char *list)
{
    return (int)SSL_CTX_set1_groups_list(ssl, list);
}

static int set_sigalgs(SSL_CTX *ssl, const char *list)
{
    return (int)SSL_CTX_set1_sigalgs_list(ssl, list);
}

static int unknown_entry(const char *what, const char *entry, struct error *error)
{
    for (size_t i = 0; i < sizeof(newcomers) / sizeof(newcomers[0]); i++) {
        if (strcasestr(entry, newcomers[i].part) != NULL) {
            return error_set(error, "%s: '%s' is not known to %s; the like need OpenSSL %s", what,
                             entry, tls_library_version(), newcomers[i].since);
        }
    }
    return error_set(error, "%s: '%s' is not known to %s", what, entry, tls_library_version());
}

/* Applies a list, and names the first entry that OpenSSL does not know: it accepts a cipher list in
 * which any entry is good, and refuses the others as a whole without a word. */
static int list_apply(SSL_CTX *ssl, list_setter *set, const char *what, const char *list,
                      const char *separators, struct error *error)
{
    char *copy;
    char *rest;
    char *entry;
    int result = 0;

    if (list == NULL) {
        return 0;
    }
    rest = copy = strdup(list);
    if (copy == NULL) {
        return error_set(error, "out of memory");
    }
    while (result == 0 && (entry = strsep(&rest, separators)) != NULL) {
        /* Operators (!, -, + and @) work on the list so far and mean nothing alone. */
        if (*entry != '\0' && strchr("!-+@?*", *entry) == NULL && !set(ssl, entry)) {
            result = unknown_entry(what, entry, error);
        }
    }
    free(copy);
    ERR_clear_error();
    if (result == 0 && !set(ssl, list)) {
        result = tls_error_set(error, "%s: '%s' is not a usable list", what, list);
    }
    return result;
}

static int versions_apply(struct tls_context *context, const struct tls_config *config,
                          struct error *error)
{
    int max = config->version_max != 0 ? (int)config->version_max : TLS1_3_VERSION;
    int min = config->version_min != 0 ? (int)config->version_min
              : max < TLS1_2_VERSION   ? max
                                       : TLS1_2_VERSION;

    if (min > max) {
        return error_set(error, "the minimum version %s is above the maximum version %s",
                         tls_version_name(config->version_min),
                         tls_version_name(config->version_max));
    }
    /* TLS 1.0 and 1.1 sign with MD5 and SHA-1, which OpenSSL allows at security level 0 only. */
    if (min < TLS1_2_VERSION) {
        SSL_CTX_set_security_level(context->ssl, 0);
        tls_warn(context,
                 "%s is obsolete (RFC 8996): for its sake OpenSSL's security level is 0, and weak "
                 "keys and signatures are accepted",
                 tls_version_name((enum tls_version)min));
    }
    if (!SSL_CTX_set_min_proto_version(context->ssl, min) ||
        !SSL_CTX_set_max_proto_version(context->ssl, max)) {
        return tls_error_set(error, "TLS versions %s to %s", tls_version_name(config->version_min),
                             tls_version_name(config->version_max));
    }
    return 0;
}

static bool groups_are_off(const struct tls_config *config)
{
    return config->groups != NULL && strcmp(config->groups, "none") == 0;
}

/* Without groups TLS 1.2 has no ECDHE. TLS 1.3 knows no other key exchange, and keeps OpenSSL's
 * groups. */
static int ecdhe_forbid(SSL_CTX *ssl, const struct tls_config *config, struct error *error)
{
    const char *ciphers = config->ciphers != NULL ? config->ciphers : default_ciphers;
    char *list;
    int result = 0;

    if (config->version_min == TLS_VERSION_1_3) {
        return error_set(error,
                         "groups: 'none' leaves TLS 1.3 without a key exchange: name groups, or "
                         "allow TLS 1.2");
    }
    if (asprintf(&list, "%s:!kECDHE:!kECDHEPSK", ciphers) < 0) {
        return error_set(error, "out of memory");
    }
    if (!SSL_CTX_set_cipher_list(ssl, list)) {
        result = tls_error_set(error, "groups: 'none' leaves no cipher of '%s'", ciphers);
    }
    free(list);
    return result;
}

static int dh_use(SSL_CTX *ssl, const struct pem_source *source, struct error *error)
{
    EVP_PKEY *parameters = pem_parameters(source, error);
    int result = 0;

    if (parameters == NULL) {
        return -1;
    }
    if (!EVP_PKEY_is_a(parameters, "DH") && !EVP_PKEY_is_a(parameters, "DHX")) {
        result = error_set(error, "dhparam file '%s' has parameters of %s, not of DH",
                           pem_source_name(source), EVP_PKEY_get0_type_name(parameters));
    } else if (EVP_PKEY_get_bits(parameters) < DH_BITS_MIN) {
        result = error_set(error, "dhparam file '%s' has %d bits: at least %d are needed",
                           pem_source_name(source), EVP_PKEY_get_bits(parameters), DH_BITS_MIN);
    } else if (!SSL_CTX_set0_tmp_dh_pkey(ssl, parameters)) {
        result = tls_error_set(error, "dhparam file '%s' is refused", pem_source_name(source));
    } else {
        return 0; /* they belong to the context now */
    }
    EVP_PKEY_free(parameters);
    return result;
}

static int dh_apply(SSL_CTX *ssl, const struct tls_config *config, struct error *error)
{
    struct pem_source source = {
        .what = "dhparam", .file = config->dhparam, .memory = config->dhparam_pem};

    if (config->dhparam != NULL && strcmp(config->dhparam, "auto") == 0) {
        /* OpenSSL's well-known primes, as strong as the certificate. */
        return SSL_CTX_set_dh_auto(ssl, 1) ? 0 : tls_error_set(error, "dhparam: 'auto'");
    }
    if (source.file == NULL && source.memory == NULL) {
        return 0;
    }
    return dh_use(ssl, &source, error);
}

int tls_algorithms_setup(struct tls_context *context, const struct tls_config *config,
                         struct error *error)
{
    SSL_CTX *ssl = context->ssl;
    const char *groups = groups_are_off(config) ? NULL : config->groups;

    if (versions_apply(context, config, error) != 0) {
        return -1;
    }
    if (!SSL_CTX_set_cipher_list(ssl, default_ciphers)) {
        return tls_error_set(error, "the default cipher list");
    }
    /* OpenSSL 3.5 also divides groups into tuples with a slash. */
    if (list_apply(ssl, set_ciphers, "ciphers", config->ciphers, ":, ", error) != 0 ||
        list_apply(ssl, set_ciphersuites, "ciphersuites", config->ciphersuites, ":", error) != 0 ||
        list_apply(ssl, set_groups, "groups", groups, ":/", error) != 0 ||
        list_apply(ssl, set_sigalgs, "signature algorithms", config->sigalgs, ":", error) != 0) {
        return -1;
    }
    if (groups_are_off(config) && ecdhe_forbid(ssl, config, error) != 0) {
        return -1;
    }
    return dh_apply(ssl, config, error);
}
