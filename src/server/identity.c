#include "server/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "server/server.h"

/* A server name has certificates of its own and everything else as configured. */
static struct tls_context *identity_context(const struct server_config *config,
                                            const struct server_name *name,
                                            const struct tls_shared *shared, struct error *error)
{
    struct tls_config tls = config->tls;

    tls.pfx_file = NULL;
    tls.pfx = NULL;
    tls.ocsp_response = NULL;
    tls.certificate_count = 1;
    tls.certificates[0].certificate_file = name->certificate_file;
    tls.certificates[0].key_file = name->key_file;
    return tls_context_new(TLS_SERVER, &tls, shared, error);
}

static int identity_add(struct identity *identity, const struct server_config *config,
                        const struct server_name *name, const struct tls_shared *shared,
                        struct error *error)
{
    struct tls_context *context = identity_context(config, name, shared, error);
    bool added;

    if (!context) {
        return error_prefix(error, "server name %s", name->host);
    }
    added = tls_names_add(&identity->names, name->host, context);
    tls_context_free(context);
    return added ? 0 : error_set(error, "'%s' is not a host name, nor *. and one", name->host);
}

struct identity *identity_new(const struct server_config *config, const struct tls_shared *shared,
                              struct error *error)
{
    struct identity *identity;

    /* The PKCS#12's authorities cannot be had without its certificate. */
    if (config->name_count > 0 && config->tls.request_certificate &&
        (config->tls.pfx_file || config->tls.pfx)) {
        error_set(error, "server names beside a PKCS#12 cannot verify clients: give the server's "
                         "certificate, key and authorities as PEM files");
        return NULL;
    }
    identity = calloc(1, sizeof *identity);
    if (!identity) {
        error_set(error, "no memory for TLS contexts");
        return NULL;
    }
    identity->context = tls_context_new(TLS_SERVER, &config->tls, shared, error);
    if (!identity->context) {
        goto fail;
    }
    for (size_t i = 0; i < config->name_count; i++) {
        if (identity_add(identity, config, &config->names[i], shared, error) < 0) {
            goto fail;
        }
    }
    return identity;

fail:
    identity_free(identity);
    return NULL;
}

void identity_free(struct identity *identity)
{
    if (identity) {
        tls_names_clear(&identity->names);
        tls_context_free(identity->context);
        free(identity);
    }
}

struct identity_name *identity_name_new(const char *host, const struct tls_config *tls,
                                        const struct tls_shared *shared, struct error *error)
{
    struct identity_name *name = calloc(1, sizeof *name);

    if (!name || !(name->host = strdup(host))) {
        error_set(error, "no memory for server name %s", host);
        goto fail;
    }
    if (!tls_names_valid(host)) {
        error_set(error, "'%s' is not a host name, nor *. and one", host);
        goto fail;
    }
    name->context = tls_context_new(TLS_SERVER, tls, shared, error);
    if (name->context) {
        return name;
    }
    error_prefix(error, "server name %s", host);

fail:
    identity_name_free(name);
    return NULL;
}

void identity_name_free(struct identity_name *name)
{
    if (name) {
        tls_context_free(name->context);
        free(name->host);
        free(name);
    }
}
