/* What a server's handshake waits for: want.c asks, answer.c takes the answers. Room-internal. */
#pragma once

#include "tls/hello.h"
#include "tls/internal.h"

/* OPENSSL_malloc'd, and cleansed before it goes. */
struct want_blob {
    uint8_t *data;
    size_t bytes;
};

void want_blob_clear(struct want_blob *blob);
void want_blob_set(struct want_blob *blob, const uint8_t *data, size_t bytes);

struct tls_wants {
    unsigned asks;      /* a bit for each want that has not been asked yet */
    bool external;      /* sessions are the driver's */
    bool saves;         /* and it hears of new ones */
    bool refused;       /* what `want` says */
    enum tls_want want; /* asked and not answered */

    char server_name[TLS_SERVER_NAME_BYTES]; /* "": none */
    struct want_blob hello;                  /* the ClientHello, while the context may change */
    struct tls_context *context;             /* to go over to; NULL: none */

    uint8_t id[SSL_MAX_SSL_SESSION_ID_LENGTH]; /* to look up, later to save */
    size_t id_bytes;
    SSL_SESSION *session; /* what was looked up */
    struct want_blob saved;

    X509 *stapled;                /* the certificate that was asked about; NULL: not asked */
    struct want_blob own, issuer; /* it, and its issuer's */
    struct want_blob staple;
};
