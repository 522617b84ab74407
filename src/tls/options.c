/* OpenSSL's option bits by name. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "base/error.h"
#include "tls/config.h"

/* SSL_CTX_set_options(3), spelled as there without SSL_OP_. Those of DTLS, of kernel TLS, of
 * bugs long gone and those that other fields of the configuration set are not here. */
static const struct {
    const char *name;
    uint64_t bits;
} options[] = {
    {"all", SSL_OP_ALL},
    {"allow-no-dhe-kex", SSL_OP_ALLOW_NO_DHE_KEX},
    {"allow-unsafe-legacy-renegotiation", SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION},
    {"cleanse-plaintext", SSL_OP_CLEANSE_PLAINTEXT},
    {"disable-tlsext-ca-names", SSL_OP_DISABLE_TLSEXT_CA_NAMES},
    {"dont-insert-empty-fragments", SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS},
    {"enable-middlebox-compat", SSL_OP_ENABLE_MIDDLEBOX_COMPAT},
    {"ignore-unexpected-eof", SSL_OP_IGNORE_UNEXPECTED_EOF},
    {"legacy-server-connect", SSL_OP_LEGACY_SERVER_CONNECT},
    {"no-anti-replay", SSL_OP_NO_ANTI_REPLAY},
    {"no-compression", SSL_OP_NO_COMPRESSION},
    {"no-encrypt-then-mac", SSL_OP_NO_ENCRYPT_THEN_MAC},
    {"no-extended-master-secret", SSL_OP_NO_EXTENDED_MASTER_SECRET},
    {"no-renegotiation", SSL_OP_NO_RENEGOTIATION},
    {"no-session-resumption-on-renegotiation", SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION},
    {"no-ticket", SSL_OP_NO_TICKET},
    {"no-tlsv1", SSL_OP_NO_TLSv1},
    {"no-tlsv1-1", SSL_OP_NO_TLSv1_1},
    {"no-tlsv1-2", SSL_OP_NO_TLSv1_2},
    {"no-tlsv1-3", SSL_OP_NO_TLSv1_3},
    {"prioritize-chacha", SSL_OP_PRIORITIZE_CHACHA},
    {"tlsext-padding", SSL_OP_TLSEXT_PADDING},
};

enum { OPTION_COUNT = sizeof(options) / sizeof(options[0]) };

static int number_parse(const char *text, uint64_t *out_options, struct error *error)
{
    char *end;

    errno = 0;
    *out_options = strtoull(text, &end, 0);
    if (*end != '\0' || errno != 0) {
        return error_set(error, "secure options: '%s' is no number of 64 bits", text);
    }
    return 0;
}

static int unknown_option(const char *name, struct error *error)
{
    char known[OPTION_COUNT * 48] = "";
    size_t bytes = 0;

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        bytes += (size_t)snprintf(known + bytes, sizeof(known) - bytes, "%s%s", i == 0 ? "" : ", ",
                                  options[i].name);
    }
    return error_set(error, "secure options: '%.32s' is unknown; there are %s", name, known);
}

static int name_parse(const char *name, uint64_t *out_options, struct error *error)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(name, options[i].name) == 0) {
            *out_options |= options[i].bits;
            return 0;
        }
    }
    return unknown_option(name, error);
}

int tls_options_parse(const char *text, uint64_t *out_options, struct error *error)
{
    char *copy;
    char *rest;
    char *name;
    uint64_t parsed = 0;
    int result = 0;

    if (*text >= '0' && *text <= '9') {
        result = number_parse(text, &parsed, error);
    } else {
        rest = copy = strdup(text);
        if (copy == NULL) {
            return error_set(error, "out of memory");
        }
        while (result == 0 && (name = strsep(&rest, ",")) != NULL) {
            result = name_parse(name, &parsed, error);
        }
        free(copy);
    }
    if (result == 0) {
        *out_options = parsed;
    }
    return result;
}
