#include "tls/config.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

static const struct {
    enum tls_version version;
    const char *number;
    const char *name;
} versions[] = {
    {TLS_VERSION_1_0, "1.0", "TLSv1"},
    {TLS_VERSION_1_0, "1", "TLSv1"}, /* as OpenSSL writes it: TLSv1 */
    {TLS_VERSION_1_1, "1.1", "TLSv1.1"},
    {TLS_VERSION_1_2, "1.2", "TLSv1.2"},
    {TLS_VERSION_1_3, "1.3", "TLSv1.3"},
};

int tls_version_parse(const char *text, enum tls_version *out_version, struct error *error)
{
    const char *number = text;

    if (strncasecmp(text, "ssl", 3) == 0) {
        return error_set(error, "%s is broken and refused: use 1.2 or 1.3 (1.0 and 1.1 on request)",
                         text);
    }
    if (strncasecmp(number, "tls", 3) == 0) {
        number += 3;
        number += *number == 'v' || *number == 'V';
    }
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (strcmp(number, versions[i].number) == 0) {
            *out_version = versions[i].version;
            return 0;
        }
    }
    return error_set(error, "'%s' is no TLS version: there are 1.0, 1.1, 1.2 and 1.3", text);
}

/* Without their ending. The general ones stand for every version that is not refused. */
static const struct {
    const char *name;
    enum tls_version version;
} methods[] = {
    {"TLS", TLS_VERSION_DEFAULT}, {"SSLv23", TLS_VERSION_DEFAULT}, {"TLSv1", TLS_VERSION_1_0},
    {"TLSv1_1", TLS_VERSION_1_1}, {"TLSv1_2", TLS_VERSION_1_2},    {"TLSv1_3", TLS_VERSION_1_3},
};

/* The bytes of a method's name before "_method", "_server_method" or "_client_method"; 0: it has no
 * such ending. */
static size_t method_stem_bytes(const char *text)
{
    static const char *const endings[] = {"_server_method", "_client_method", "_method"};
    size_t bytes = strlen(text);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t ending = strlen(endings[i]);

        if (bytes > ending && strcmp(text + bytes - ending, endings[i]) == 0) {
            return bytes - ending;
        }
    }
    return 0;
}

int tls_method_parse(const char *text, enum tls_version *out_min, enum tls_version *out_max,
                     struct error *error)
{
    size_t stem = method_stem_bytes(text);

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strlen(methods[i].name) == stem && strncmp(text, methods[i].name, stem) == 0) {
            *out_min = methods[i].version;
            *out_max = methods[i].version;
            return 0;
        }
    }
    if (strncmp(text, "SSLv2_", 6) == 0 || strncmp(text, "SSLv3_", 6) == 0) {
        return error_set(error, "%.5s is broken and refused: use TLS_method or TLSv1_2_method",
                         text);
    }
    return error_set(error,
                     "'%s' is no method of a TLS version: there are TLS_method, TLSv1_method, "
                     "TLSv1_1_method, TLSv1_2_method, TLSv1_3_method and SSLv23_method",
                     text);
}

const char *tls_version_name(enum tls_version version)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (versions[i].version == version) {
            return versions[i].name;
        }
    }
    return version == TLS_VERSION_DEFAULT ? "default" : "unknown";
}

static const char *const record_layers[] = {
    [TLS_RECORDS_OPENSSL] = "openssl",
    [TLS_RECORDS_DIRECT] = "direct",
};

int tls_record_layer_parse(const char *text, enum tls_record_layer *out_layer, struct error *error)
{
    for (size_t i = 0; i < sizeof(record_layers) / sizeof(record_layers[0]); i++) {
        if (strcmp(text, record_layers[i]) == 0) {
            *out_layer = (enum tls_record_layer)i;
            return 0;
        }
    }
    return error_set(error, "'%s' is no record layer: there are openssl and direct", text);
}

const char *tls_record_layer_name(enum tls_record_layer layer)
{
    return record_layers[layer];
}
