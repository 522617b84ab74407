/* The key derivations that our provider serves in place of OpenSSL's own, for the parameters that
 * libssl gives: TLS 1.3's (EVP_KDF-TLS13_KDF(7)) and TLS 1.2's (EVP_KDF-TLS1_PRF(7)), by
 * key_schedule.h. All else goes to the default provider. Room-internal. */
#pragma once

#include <openssl/core.h>

extern const OSSL_ALGORITHM tls_derivations[];
