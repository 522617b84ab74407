/* What the command line of `tlsdyno serve` says, and the rows that put it there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/failure_log.h"
#include "cli/options.h"
#include "cli/tls_options.h"
#include "sandbox/user.h"
#include "server/server.h"

struct serve_options {
    struct server_config server;
    const struct service *service; /* of listeners that name none */
    struct tls_files files;
    enum option_decision reject_unauthorized;
    struct option_list names; /* HOST:CERT:KEY */
    const char *ocsp_file;
    bool reuse;
    struct socket_address admin;
    bool admin_given;
    bool admin_allow_remote;
    struct user user;
    bool no_sandbox;
    uint64_t stats_interval_ns;
    bool log_failures;
    struct failure_log failures;
    bool show_features;
};

/* Rows over struct serve_options: what the server does, and what its TLS has that a client's has
 * not. */
enum { SERVE_OPTION_COUNT = 24, SERVE_TLS_OPTION_COUNT = 19 };

extern const struct option_info serve_option_rows[SERVE_OPTION_COUNT];
extern const struct option_info serve_tls_option_rows[SERVE_TLS_OPTION_COUNT];

/* Settles options that hang on each other, and refuses those that would be ignored. Returns 0 or
 * -1. */
int serve_options_settle(struct serve_options *options, struct error *error);
