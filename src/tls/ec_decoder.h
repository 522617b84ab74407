/* OpenSSL's decoder of certificates' EC keys, but that those on P-256 come in a fifth of the time:
 * OpenSSL computes all there is to the curve anew for each key. Room-internal. */
#pragma once

#include <stdbool.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

/* Takes the place of the function that decodes. `keys` is the key management of EC, and `provider`
 * the context of an instance of OpenSSL's provider that stays. Once in a process; false: they are
 * not such as it takes, and `decoder` stays as it is. */
bool ec_decoder_replace(OSSL_ALGORITHM *decoder, const OSSL_ALGORITHM *keys, void *provider);

/* By what a provider that shows the decoder reads (provider-base(7)): the same in all instances. */
void ec_decoder_hear_core(const OSSL_DISPATCH *core);
