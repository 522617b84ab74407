/* What our provider (provider.h) knows: its context. Room-internal. */
#pragma once

#include "tls/provider.h"
#include "tls/x25519.h"

struct provider_state {
    OSSL_LIB_CTX *library;
    tls_secret_hearer *hearer;
    void *user;
    struct x25519 x25519;
    bool has_x25519;
};
