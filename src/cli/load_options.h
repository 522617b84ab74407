/* What the command line of `tlsdyno load` says, and the rows that put it there. */
#pragma once

#include <stdbool.h>

#include "cli/options.h"
#include "cli/tls_options.h"
#include "load/plan.h"
#include "report/threshold.h"

/* --service: the words of load_peer_name(), and one that lets target and mode decide. */
enum load_service { LOAD_SERVICE_AUTO, LOAD_SERVICE_FIRST_PEER };

struct load_options {
    struct load_plan plan;
    struct tls_files files;
    const char *target;
    enum load_service service; /* AUTO, or FIRST_PEER + enum load_peer */
    bool plain;
    const char *json_file; /* "-": standard output */
    const char *csv_file;
    const char *percentiles_file; /* load_files_write() makes several names of it */
    const char *session_file;
    struct socket_address sources[LOAD_SOURCES_MAX]; /* of plan.source_count */
    const char *admin;
    const char *limit_file;
    struct thresholds thresholds; /* what the run must keep to */
    const char *find_max;         /* as it was typed; NULL: no search */
    struct thresholds objective;  /* of find_max: what a run must not do */
};

enum { LOAD_OPTION_COUNT = 36 };

/* Rows over struct load_options. */
extern const struct option_info load_option_rows[LOAD_OPTION_COUNT];

/* What the command line cannot mean: options that exclude each other, or that the mode would
 * ignore. Returns 0 or -1. */
int load_options_check(const struct load_options *options, struct error *error);

/* Likewise, once it is known what the server does. Returns 0 or -1. */
int load_options_check_peer(const struct load_options *options, struct error *error);

/* Looks the target up (blocks) and decides what hangs on it: TLS or not, what the server does, and
 * which name its certificate must have. load_plan_complete() is next. Returns 0 or -1. */
int load_options_aim(struct load_options *options, struct error *error);
