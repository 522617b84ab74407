/* Application protocols: ALPN (RFC 7301), and NPN, its predecessor in TLS <= 1.2. */
#include <string.h>

#include "base/error.h"
#include "tls/internal.h"
#include "tls/openssl_compat.h"
#include "tls/setup.h"

enum { NAME_BYTES_MAX = 255 };

/* Turns "h2,http/1.1" into length-prefixed names. */
static int protocols_parse(const char *option, const char *list, struct tls_protocols *out,
                           struct error *error)
{
    for (const char *name = list;; name++) {
        size_t bytes = strcspn(name, ",");

        if (bytes == 0 || bytes > NAME_BYTES_MAX) {
            return error_set(error, "%s: '%s' has a name that is empty or above %d bytes", option,
                             list, NAME_BYTES_MAX);
        }
        if (out->bytes + 1 + bytes > sizeof(out->names)) {
            return error_set(error, "%s: '%s' is too long a list", option, list);
        }
        out->names[out->bytes] = (uint8_t)bytes;
        memcpy(out->names + out->bytes + 1, name, bytes);
        out->bytes += 1 + bytes;
        name += bytes;
        if (*name == '\0') {
            return 0;
        }
    }
}

static int on_alpn_offer(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
                         const unsigned char *offer, unsigned offer_bytes, void *argument)
{
    const struct tls_context *context = argument;
    unsigned char *chosen;

    (void)ssl;
    /* Ours first, so that ours is the order of preference. RFC 7301 3.2: no overlap is fatal. */
    if (SSL_select_next_proto(&chosen, out_bytes, context->alpn.names,
                              (unsigned)context->alpn.bytes, offer,
                              offer_bytes) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int alpn_setup(struct tls_context *context, const char *list, struct error *error)
{
    if (protocols_parse("alpn", list, &context->alpn, error) != 0) {
        return -1;
    }
    if (context->role == TLS_SERVER) {
        SSL_CTX_set_alpn_select_cb(context->ssl, on_alpn_offer, context);
        return 0;
    }
    /* This one returns 0 for success. */
    if (SSL_CTX_set_alpn_protos(context->ssl, context->alpn.names, (unsigned)context->alpn.bytes) !=
        0) {
        return tls_error_set(error, "alpn: '%s'", list);
    }
    return 0;
}

static int on_npn_advertise(SSL *ssl, const unsigned char **out, unsigned *out_bytes,
                            void *argument)
{
    const struct tls_context *context = argument;

    (void)ssl;
    *out = context->npn.names;
    *out_bytes = (unsigned)context->npn.bytes;
    return SSL_TLSEXT_ERR_OK;
}

static int on_npn_select(SSL *ssl, unsigned char **out, unsigned char *out_bytes,
                         const unsigned char *offer, unsigned offer_bytes, void *argument)
{
    const struct tls_context *context = argument;

    (void)ssl;
    /* The server's order counts. Without overlap the client's first is taken: in NPN the client
     * decides, and may name what was not advertised. */
    SSL_select_next_proto(out, out_bytes, offer, offer_bytes, context->npn.names,
                          (unsigned)context->npn.bytes);
    return SSL_TLSEXT_ERR_OK;
}

static int npn_setup(struct tls_context *context, const char *list, struct error *error)
{
    if (protocols_parse("npn", list, &context->npn, error) != 0) {
        return -1;
    }
    if (!compat_npn_set(context->ssl, context->role == TLS_SERVER ? on_npn_advertise : NULL,
                        context->role == TLS_CLIENT ? on_npn_select : NULL, context)) {
        return error_set(error, "npn: %s was built without it", tls_library_version());
    }
    return 0;
}

int tls_protocols_setup(struct tls_context *context, const struct tls_config *config,
                        struct error *error)
{
    if (config->alpn != NULL && alpn_setup(context, config->alpn, error) != 0) {
        return -1;
    }
    return config->npn != NULL ? npn_setup(context, config->npn, error) : 0;
}
