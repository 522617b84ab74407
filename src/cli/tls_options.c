#include "cli/tls_options.h"

#include "base/error.h"
#include "tls/config.h"

static int take_version_min(void *config, const char *value, struct error *error)
{
    struct tls_config *tls = config;

    return tls_version_parse(value, &tls->version_min, error);
}

static int take_version_max(void *config, const char *value, struct error *error)
{
    struct tls_config *tls = config;

    return tls_version_parse(value, &tls->version_max, error);
}

const struct option_info tls_option_rows[TLS_OPTION_COUNT] = {
    {.name = "min-version",
     .kind = OPTION_FUNCTION,
     .argument = "VERSION",
     .group = "TLS",
     .help = "oldest TLS version allowed: 1.0, 1.1, 1.2 or 1.3",
     .default_text = "1.2",
     .function = take_version_min},
    {.name = "max-version",
     .kind = OPTION_FUNCTION,
     .argument = "VERSION",
     .group = "TLS",
     .help = "newest TLS version allowed",
     .default_text = "1.3",
     .function = take_version_max},
    {.name = "ciphers",
     .kind = OPTION_STRING,
     .argument = "LIST",
     .group = "TLS",
     .help = "cipher list for TLS 1.2 and older, in OpenSSL's notation",
     .default_text = "forward-secret AEAD ciphers first",
     OPTION_FIELD(struct tls_config, ciphers)},
    {.name = "ciphersuites",
     .kind = OPTION_STRING,
     .argument = "LIST",
     .group = "TLS",
     .help = "TLS 1.3 suites, colon-separated",
     .default_text = "OpenSSL's",
     OPTION_FIELD(struct tls_config, ciphersuites)},
    {.name = "groups",
     .kind = OPTION_STRING,
     .argument = "LIST",
     .group = "TLS",
     .help = "key-exchange groups in order of preference, such as X25519:P-256",
     .default_text = "OpenSSL's",
     OPTION_FIELD(struct tls_config, groups)},
    {.name = "sigalgs",
     .kind = OPTION_STRING,
     .argument = "LIST",
     .group = "TLS",
     .help = "signature algorithms, colon-separated",
     .default_text = "OpenSSL's",
     OPTION_FIELD(struct tls_config, sigalgs)},
    {.name = "alpn",
     .kind = OPTION_STRING,
     .argument = "LIST",
     .group = "TLS",
     .help = "application protocols in order of preference, comma-separated",
     OPTION_FIELD(struct tls_config, alpn)},
    {.name = "max-send-fragment",
     .kind = OPTION_BYTES,
     .argument = "BYTES",
     .group = "TLS",
     .help = "plaintext bytes in a record that we send, at most",
     .initial = "16384",
     .min = 512,
     .max = 16384,
     OPTION_FIELD(struct tls_config, max_send_fragment)},
};
