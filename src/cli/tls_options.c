#include "cli/tls_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "tls/context.h"

static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3", NULL};
static const char *const record_layers[] = {"direct", "openssl", NULL};

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

static int take_method(void *config, const char *value, struct error *error)
{
    struct tls_config *tls = config;

    return tls_method_parse(value, &tls->version_min, &tls->version_max, error);
}

static int take_options(void *config, const char *value, struct error *error)
{
    struct tls_config *tls = config;
    uint64_t options;

    if (tls_options_parse(value, &options, error) != 0) {
        return -1;
    }
    tls->options |= options;
    return 0;
}

static int take_record_layer(void *config, const char *value, struct error *error)
{
    struct tls_config *tls = config;

    return tls_record_layer_parse(value, &tls->record_layer, error);
}

const struct option_info tls_file_option_rows[TLS_FILE_OPTION_COUNT] = {
    {.name = "cert",
     .kind = OPTION_LIST,
     .argument = "FILE",
     .group = "Own certificate",
     .help = "PEM certificate and its chain; may be repeated for keys of other types, each with "
             "its --key",
     .max = TLS_CERTIFICATES_MAX,
     OPTION_FIELD(struct tls_files, certificates)},
    {.name = "key",
     .kind = OPTION_LIST,
     .argument = "FILE",
     .group = "Own certificate",
     .help = "PEM private key of the --cert given in the same place",
     .max = TLS_CERTIFICATES_MAX,
     OPTION_FIELD(struct tls_files, keys)},
    {.name = "passphrase-file",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Own certificate",
     .help = "its first line decrypts encrypted keys and the PKCS#12 file",
     .default_text = "$TLSDYNO_PASSPHRASE",
     OPTION_FIELD(struct tls_files, passphrase_file)},
    {.name = "keylog-file",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "TLS",
     .help = "append the secrets of all connections, for Wireshark: whoever reads the file reads "
             "the traffic",
     .default_text = "$SSLKEYLOGFILE",
     OPTION_FIELD(struct tls_files, keylog_file)},
};

const struct option_info tls_option_rows[TLS_OPTION_COUNT] = {
    {.name = "pfx",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Own certificate",
     .help = "PKCS#12 file with key, chain and authorities, instead of --cert, --key and --ca",
     OPTION_FIELD(struct tls_config, pfx_file)},
    {.name = "ca",
     .kind = OPTION_STRING,
     .argument = "FILE|DIRECTORY",
     .group = "Peer's certificate",
     .help = "PEM certificates of the authorities to trust; a directory has them under the names "
             "that openssl rehash gives",
     .default_text = "the system's",
     OPTION_FIELD(struct tls_config, ca_file)},
    {.name = "crl",
     .kind = OPTION_STRING,
     .argument = "FILE|DIRECTORY",
     .group = "Peer's certificate",
     .help = "PEM revocation lists, one for each authority of the peer's chain",
     OPTION_FIELD(struct tls_config, crl_file)},
    {.name = "min-version",
     .kind = OPTION_FUNCTION,
     .argument = "VERSION",
     .group = "TLS",
     .help = "oldest TLS version allowed: 1.0, 1.1, 1.2 or 1.3",
     .default_text = "1.2",
     .choices = versions,
     .function = take_version_min},
    {.name = "max-version",
     .kind = OPTION_FUNCTION,
     .argument = "VERSION",
     .group = "TLS",
     .help = "newest TLS version allowed",
     .default_text = "1.3",
     .choices = versions,
     .function = take_version_max},
    {.name = "secure-protocol",
     .kind = OPTION_FUNCTION,
     .argument = "METHOD",
     .group = "TLS",
     .help = "both versions by the name of an OpenSSL method, such as TLS_method or "
             "TLSv1_2_method",
     .function = take_method},
    {.name = "secure-options",
     .kind = OPTION_FUNCTION,
     .argument = "LIST",
     .group = "TLS",
     .help = "OpenSSL option bits, by name, comma-separated, such as no-ticket,prioritize-chacha, "
             "or as a number; may be repeated",
     .function = take_options},
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
     .help = "key-exchange groups in order of preference, such as X25519:P-256; none is no ECDHE "
             "in TLS 1.2",
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
    {.name = "npn",
     .kind = OPTION_STRING,
     .argument = "LIST",
     .group = "TLS",
     .help = "the same by ALPN's predecessor, TLS 1.2 and older",
     OPTION_FIELD(struct tls_config, npn)},
    {.name = "max-send-fragment",
     .kind = OPTION_BYTES,
     .argument = "BYTES",
     .group = "TLS",
     .help = "plaintext bytes in a record that we send, at most",
     .initial = "16384",
     .min = 512,
     .max = 16384,
     OPTION_FIELD(struct tls_config, max_send_fragment)},
    {.name = "record-layer",
     .kind = OPTION_FUNCTION,
     .argument = "LAYER",
     .group = "TLS",
     .help = "who encrypts data on open connections: direct, which copies less than OpenSSL and is "
             "the same to peers (TLS 1.3 and 1.2 with AES-GCM or ChaCha20-Poly1305; else, and at "
             "first, it is OpenSSL); or openssl alone",
     .default_text = "direct",
     .choices = record_layers,
     .function = take_record_layer},
};

int tls_files_check(const struct tls_files *files, const struct tls_config *config,
                    struct error *error)
{
    const char *beside = files->certificates.count != 0 ? "--cert"
                         : files->keys.count != 0       ? "--key"
                         : config->ca_file != NULL      ? "--ca"
                                                        : NULL;

    if (files->certificates.count != files->keys.count) {
        return error_set(error,
                         "%zu --cert but %zu --key: each certificate needs its key, in the same "
                         "order",
                         files->certificates.count, files->keys.count);
    }
    if (config->pfx_file != NULL && beside != NULL) {
        return error_set(error, "--pfx brings key, certificates and authorities: it excludes %s",
                         beside);
    }
    return 0;
}

static int open_keylog(struct tls_material *material, const struct tls_files *files,
                       struct tls_config *config, struct error *error)
{
    const char *name = files->keylog_file;
    const char *source = "--keylog-file";

    if (name == NULL) {
        name = getenv("SSLKEYLOGFILE");
        source = "SSLKEYLOGFILE";
    }
    if (name == NULL || name[0] == '\0') {
        return 0;
    }
    if (keylog_open(&material->keylog, name, error) != 0) {
        return error_prefix(error, "%s", source);
    }
    fprintf(stderr,
            "tlsdyno: warning: %s: the secrets of all connections go to %s; whoever reads it reads "
            "the traffic\n",
            source, name);
    config->on_keylog = keylog_write;
    config->keylog_user = &material->keylog;
    return 0;
}

int tls_material_reread(struct tls_material *material, const struct tls_files *files,
                        struct tls_config *config, struct error *error)
{
    if (passphrase_read(&material->passphrase, files->passphrase_file, error) != 0) {
        return -1;
    }
    config->passphrase = material->passphrase.given ? material->passphrase.text : NULL;
    return 0;
}

int tls_material_open(struct tls_material *material, const struct tls_files *files,
                      struct tls_config *config, struct error *error)
{
    for (size_t i = 0; i < files->certificates.count; i++) {
        config->certificates[i].certificate_file = files->certificates.items[i];
        config->certificates[i].key_file = files->keys.items[i];
    }
    config->certificate_count = files->certificates.count;
    if (tls_material_reread(material, files, config, error) != 0) {
        return -1;
    }
    return open_keylog(material, files, config, error);
}

void tls_material_close(struct tls_material *material)
{
    passphrase_cleanse(&material->passphrase);
    keylog_close(&material->keylog);
}

void tls_warnings_print(enum tls_role role, const struct tls_config *config)
{
    struct tls_context *context = tls_context_new(role, config, NULL, NULL);
    const char *warning = context != NULL ? tls_context_warning(context) : NULL;

    if (warning != NULL) {
        fprintf(stderr, "tlsdyno: warning: %s\n", warning);
    }
    tls_context_free(context);
}
