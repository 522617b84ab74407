/* Credentials that certificate.h does not make, good and bad ones. Texts are PEM on the heap, freed
 * with free(3); whatever fails, fails the test. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tls/certificate.h"

/* A CRL of `issuer` with the serials of `revoked` (NULL-ended; NULL: none), to be renewed
 * `next_update_s` seconds from now. */
char *forge_crl(const struct certificate *issuer, const struct certificate *const *revoked,
                long next_update_s);

/* The certificate, signed anew by `issuer` with another validity, in seconds from now. */
char *forge_validity(const struct certificate *certificate, const struct certificate *issuer,
                     long from_s, long to_s);

/* The certificate with `count` other bytes in every place where there were `from`, signed anew. */
char *forge_bytes(const struct certificate *certificate, const struct certificate *issuer,
                  const char *from, const char *to, size_t count);

/* A certificate's key as PKCS#8 under a passphrase. */
char *forge_encrypted_key(const struct certificate *certificate, const char *passphrase);

/* Parameters of a named group: "ffdhe2048" and "modp_1536" of DH, "P-256" of EC. */
char *forge_parameters(const char *type, const char *group);

/* "good" for `certificate`, in DER, to be renewed `next_update_s` seconds from now. */
uint8_t *forge_ocsp(const struct certificate *certificate, const struct certificate *issuer,
                    long next_update_s, size_t *out_bytes);
/* What a responder says that cannot answer. */
uint8_t *forge_ocsp_refusal(size_t *out_bytes);

/* The certificate and its key as PKCS#12 under an empty passphrase, encrypted with RC2 as long ago;
 * NULL where OpenSSL's legacy provider is not installed. */
uint8_t *forge_legacy_bundle(const struct certificate *certificate, size_t *out_bytes);
