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

const char *tls_version_name(enum tls_version version)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (versions[i].version == version) {
            return versions[i].name;
        }
    }
    return version == TLS_VERSION_DEFAULT ? "default" : "unknown";
}
