/* What the command line of `tlsdyno serve` says, and the rows that put it there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "server/server.h"

struct serve_options {
    struct server_config server;
    const struct service *service; /* of listeners that name none */
    struct option_list certificates;
    struct option_list keys;
    struct socket_address admin;
    bool admin_given;
    bool admin_allow_remote;
    uint64_t stats_interval_ns;
    bool show_features;
};

enum { SERVE_OPTION_COUNT = 23 };

/* Rows over struct serve_options. */
extern const struct option_info serve_option_rows[SERVE_OPTION_COUNT];
