/* What our provider (provider.h) knows: its context. Room-internal. */
#pragma once

#include "tls/provider.h"

struct provider_state {
    OSSL_LIB_CTX *library;
    tls_secret_hearer *hearer;
    void *user;
};
