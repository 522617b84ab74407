/* What differs between the OpenSSL versions that are supported, 3.0 to 3.5, and nothing else. */
#pragma once

#include <openssl/ssl.h>

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
