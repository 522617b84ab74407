/* The steps in which a configuration becomes a context, each in the file of its name. They return
 * 0, or -1 and a sentence that names the file or option. Room-internal. */
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

struct error;
struct tls_config;
struct tls_context;

/* Versions, ciphers, groups, signature algorithms and DHE. Comes first: it settles the security
 * level that certificates must meet. */
int tls_algorithms_setup(struct tls_context *context, const struct tls_config *config,
                         struct error *error);

/* ALPN and NPN. */
int tls_protocols_setup(struct tls_context *context, const struct tls_config *config,
                        struct error *error);

/* Our certificates with their keys, from PEM or PKCS#12; the latter's roots become trusted. */
int tls_credentials_setup(struct tls_context *context, const struct tls_config *config,
                          struct error *error);
/* Adds our leaf certificates to a digest, in OpenSSL's order of key types. */
void tls_credentials_digest(SSL_CTX *ssl, EVP_MD_CTX *digest);

/* Whose certificates are good: roots and CRLs, and what becomes of a peer without. Comes after the
 * credentials. */
int tls_trust_setup(struct tls_context *context, const struct tls_config *config,
                    struct error *error);
/* Trusts one root. Returns 0 or -1, with OpenSSL's reason in its queue. */
int tls_trust_add(struct tls_context *context, X509 *root);
/* Adds the roots and CRLs that have been loaded to a digest. */
void tls_trust_digest(SSL_CTX *ssl, EVP_MD_CTX *digest);

/* The OCSP response that the configuration brings. */
int tls_staple_setup(struct tls_context *context, const struct tls_config *config,
                     struct error *error);

/* The limits on what a peer may start, and send. */
void tls_renegotiation_setup(struct tls_context *context, const struct tls_config *config);
void tls_flood_setup(struct tls_context *context, const struct tls_config *config);

/* The callbacks in which a handshake can wait, and staples of both roles. */
void tls_want_setup(struct tls_context *context);

/* 0-RTT of a server. */
int tls_early_setup(struct tls_context *context, const struct tls_config *config,
                    struct error *error);
