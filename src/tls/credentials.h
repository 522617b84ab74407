/* Certificates, keys and roots from PEM into an OpenSSL context. Room-internal. */
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

struct error;
struct tls_config;

/* Loads each certificate chain with its key; every error names its file. Returns 0 or -1. */
int credentials_load(SSL_CTX *ssl, const struct tls_config *config, struct error *error);

/* Whom a client trusts: the configured roots, the system's, or with `insecure` anybody. Returns 0
 * or -1. */
int roots_load(SSL_CTX *ssl, const struct tls_config *config, struct error *error);

/* Adds the loaded leaf certificates to a digest, in OpenSSL's order of key types. */
void credentials_digest(SSL_CTX *ssl, EVP_MD_CTX *digest);
