/* What a ClientHello says, inside the callback of SSL_CTX_set_client_hello_cb(3). Room-internal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

enum { TLS_SERVER_NAME_BYTES = 256 }; /* a DNS name, and its NUL */

/* The host name of the server name extension (RFC 6066 3). */
bool tls_hello_server_name(SSL *ssl, char out[TLS_SERVER_NAME_BYTES]);

/* The ID under which a session store may know what the client wants to resume. In TLS 1.3 that is a
 * ticket of the size of an ID, if we issue no others. */
bool tls_hello_session_id(SSL *ssl, uint8_t out[SSL_MAX_SSL_SESSION_ID_LENGTH], size_t *out_bytes);
