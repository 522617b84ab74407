/* What is inside a tls_library (context.h): an OpenSSL library context (OSSL_LIB_CTX(3)) with the
 * default provider, and before it one of ours that derives TLS 1.3's keys (EVP_KDF-TLS13_KDF(7)) by
 * key_schedule.h. What ours does not do itself it hands to the default provider, so that results
 * and errors are OpenSSL's. Room-internal. */
#pragma once

#include <openssl/types.h>

struct tls_library;

OSSL_LIB_CTX *tls_library_context(const struct tls_library *library); /* NULL: NULL */

/* The calling thread gives back what OpenSSL keeps for it there, such as its random generator.
 * Whoever has set something up for another thread does so: else OpenSSL would look into the library
 * when the caller ends, by when it may be gone. NULL: nothing. */
void tls_library_leave(const struct tls_library *library);
