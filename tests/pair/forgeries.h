/* Records that no honest client sends. Each ends a connection or does not; whoever reads them must
 * agree with OpenSSL about that. */
#pragma once

#include "forge_record.h"

struct named_forgery {
    const char *name;
    struct forgery forgery;
};

extern const struct named_forgery forgeries[];
extern const size_t forgery_count;

/* For TLS 1.2 the inner type stands for the outer one. */
struct forgery forgery_for(enum tls_version version, size_t index);
