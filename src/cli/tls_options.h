/* The options that mean the same for the server and the load generator: what TLS may negotiate. */
#pragma once

#include "cli/options.h"

/* Rows over struct tls_config. */
enum { TLS_OPTION_COUNT = 8 };

extern const struct option_info tls_option_rows[TLS_OPTION_COUNT];
