/* What differs between the OpenSSL versions that are supported, 3.0 to 3.5, and nothing else. */
#pragma once

#include <stdbool.h>

#include <openssl/ssl.h>

/* Whether OpenSSL looks for decoders anew for each key that it reads (stock.c). */
static const bool compat_decoders_are_slow = OPENSSL_VERSION_NUMBER < 0x30200000L;

/* Whether OpenSSL makes keys that have one of X25519 within (stock.c). */
static const bool compat_has_hybrids = OPENSSL_VERSION_NUMBER >= 0x30500000L;

/* The key-exchange group of the connection as TLS spells it ("x25519"), NULL when there was none.
 */
static inline const char *compat_group_name(SSL *ssl)
{
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    return SSL_get0_group_name(ssl);
#else
    /* 3.0 fails an assertion of its own on group 0, so that nothing negotiated is asked about
     * first. */
    int group = (int)SSL_get_negotiated_group(ssl);

    return group == NID_undef ? NULL : SSL_group_to_name(ssl, group);
#endif
}

/* What the server signed with, as TLS spells it ("mldsa65"); NULL when OpenSSL cannot tell. */
static inline const char *compat_signature_name(SSL *ssl)
{
    const char *name = NULL;

#if OPENSSL_VERSION_NUMBER >= 0x30500000L
    if (!(SSL_is_server(ssl) ? SSL_get0_signature_name(ssl, &name)
                             : SSL_get0_peer_signature_name(ssl, &name))) {
        name = NULL;
    }
#else
    (void)ssl;
#endif
    return name;
}

/* NPN, which OpenSSL may be built without: the callback of either role, NULL in the other. Returns
 * false where there is none. */
static inline bool compat_npn_set(
    SSL_CTX *context,
    int (*advertise)(SSL *ssl, const unsigned char **out, unsigned *out_bytes, void *argument),
    int (*select)(SSL *ssl, unsigned char **out, unsigned char *out_bytes,
                  const unsigned char *offer, unsigned offer_bytes, void *argument),
    void *argument)
{
#ifdef OPENSSL_NO_NEXTPROTONEG
    (void)context;
    (void)advertise;
    (void)select;
    (void)argument;
    return false;
#else
    if (advertise != NULL) {
        SSL_CTX_set_next_protos_advertised_cb(context, advertise, argument);
    }
    if (select != NULL) {
        SSL_CTX_set_next_proto_select_cb(context, select, argument);
    }
    return true;
#endif
}

/* The protocol that NPN settled on; *out_bytes is 0 when there is none. */
static inline void compat_npn_get(const SSL *ssl, const unsigned char **out, unsigned *out_bytes)
{
    *out = NULL;
    *out_bytes = 0;
#ifndef OPENSSL_NO_NEXTPROTONEG
    SSL_get0_next_proto_negotiated(ssl, out, out_bytes);
#else
    (void)ssl;
#endif
}

/* How records are refused after a TLS 1.3 handshake. */
enum {
    COMPAT_IS_3_0 = OPENSSL_VERSION_NUMBER < 0x30200000L,
    /* The longest record that OpenSSL has room for; one in excess is said to be that. */
    COMPAT_RECORD_BYTES_MAX =
        COMPAT_IS_3_0
            ? SSL3_RT_MAX_PLAIN_LENGTH + SSL3_RT_MAX_ENCRYPTED_OVERHEAD + SSL3_ALIGN_PAYLOAD - 1
            : UINT16_MAX,
};

/* Whether its content is measured before its type is looked at. */
static const bool compat_length_first = !COMPAT_IS_3_0;
/* Whether every alert of the level "warning" counts as one, and not only user_canceled. */
static const bool compat_counts_level = COMPAT_IS_3_0;

/* Whether a header has a version that is no TLS. */
static inline bool compat_condemns_version(const unsigned char *header)
{
    return COMPAT_IS_3_0 ? header[1] != SSL3_VERSION_MAJOR : header[1] == 0 && header[2] == 2;
}
