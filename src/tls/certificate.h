/* Making keys and certificates: for `tlsdyno cert`, and for the server that was given none. Any
 * thread, one at a time for each certificate. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum { CERTIFICATE_FINGERPRINT_TEXT_BYTES = 96 }; /* "AB:CD:..." of a SHA-256, and NUL */

/* A certificate with its key, and the chain above it; opaque. Heap; free accepts NULL. */
struct certificate;

struct certificate_options {
    /* "p256", "p384", "ed25519", "rsa2048", "rsa3072", "rsa4096"; "rsa" has 3072; from
     * OpenSSL 3.5 on "mldsa44", "mldsa65", "mldsa87"; NULL: p256 */
    const char *key_type;
    /* NULL: "localhost", "tlsdyno CA" for an authority, "tlsdyno client" for a client */
    const char *common_name;
    /* Subject alternative names, DNS or IP, NULL-ended. NULL: localhost, 127.0.0.1 and ::1 for a
     * server, none for an authority or a client. */
    const char *const *names;
    uint32_t days;  /* validity from an hour ago; 0: 365 */
    bool authority; /* may sign others */
    bool client;    /* extended key usage clientAuth rather than serverAuth */
};

/* Signed by `issuer`, or by itself when `issuer` is NULL. The result's chain is the issuer and the
 * issuer's chain without the root. NULL and a sentence on failure. */
struct certificate *certificate_new(const struct certificate_options *options,
                                    const struct certificate *issuer, struct error *error);
void certificate_free(struct certificate *certificate);

/* PEM texts, owned by the certificate: the leaf followed by its intermediates (no root); the leaf
 * alone; the key (PKCS#8). */
const char *certificate_chain_pem(const struct certificate *certificate);
const char *certificate_pem(const struct certificate *certificate);
const char *certificate_key_pem(const struct certificate *certificate);

/* SHA-256 of the DER as colon-separated hex pairs. */
void certificate_fingerprint(const struct certificate *certificate,
                             char out[CERTIFICATE_FINGERPRINT_TEXT_BYTES]);

/* PKCS#12 (RFC 7292) of key, certificate, chain and root under `passphrase` ("" allowed). Heap in
 * *out_der, to be freed with free(3). Returns 0 or -1. */
int certificate_pkcs12(const struct certificate *certificate, const char *passphrase,
                       uint8_t **out_der, size_t *out_bytes, struct error *error);
