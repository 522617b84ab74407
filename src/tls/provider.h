/* What is inside a tls_library (context.h): an OpenSSL library context (OSSL_LIB_CTX(3)) with the
 * default provider (stock.h), and before it one of ours that derives keys (derivation.h). What ours
 * does not do itself it hands to the default provider, so that results and errors are OpenSSL's.
 * Room-internal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

struct tls_library;

OSSL_LIB_CTX *tls_library_context(const struct tls_library *library); /* NULL: NULL */

/* The calling thread gives back what OpenSSL keeps for it there, such as its random generator.
 * Whoever has set something up for another thread does so: else OpenSSL would look into the library
 * when the caller ends, by when it may be gone. NULL: nothing. */
void tls_library_leave(const struct tls_library *library);

/* Who hears the application traffic secrets of a handshake (RFC 8446 7.1: the first ones, which
 * KeyUpdates go on from) as they are derived in the library, until told otherwise; NULL: nobody. On
 * the library's thread. A library that is NULL hears nothing. */
typedef void tls_secret_hearer(void *user, bool of_server, const uint8_t *secret, size_t bytes);
void tls_library_hear(struct tls_library *library, tls_secret_hearer *hearer, void *user);

/* The record ciphers of record_cipher.h, fetched when first asked for and kept; `name` is a
 * constant. NULL: it cannot be had. */
EVP_CIPHER *tls_library_cipher(struct tls_library *library, const char *name);
