/* What a load run found, for a person (text) and for a program (JSON, documented in README.md).
 *
 * Pure functions of their input: nothing is measured, guessed or looked up here. A figure that was
 * not measured is left out, null, or said to be unknown. Any thread; the input is only borrowed. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "load/plan.h"
#include "load/result.h"

struct find_max;
struct report_rank;

enum { REPORT_ENVIRONMENT_BYTES = 96 };

enum report_smt { REPORT_SMT_UNKNOWN, REPORT_SMT_OFF, REPORT_SMT_ON };

/* The machine that the load generator ran on, and what it was allowed of it. An empty text or 0:
 * not known. */
struct report_environment {
    char cpu_model[REPORT_ENVIRONMENT_BYTES];
    char kernel[REPORT_ENVIRONMENT_BYTES];
    char governor[REPORT_ENVIRONMENT_BYTES]; /* "performance"; several: "performance, powersave" */
    enum report_smt smt;                     /* whether two hardware threads share a core */
    unsigned cpu_count;                      /* online, whether or not the process may use them */
    unsigned cpus_allowed;                   /* to this process, by its affinity */
    uint64_t open_files_max;                 /* RLIMIT_NOFILE as it is; UINT64_MAX: no limit */
    double cpu_quota; /* CPUs' worth of time that the cgroups allow; 0: no limit found */
};

struct report_input {
    const struct load_plan *plan;     /* after load_plan_complete() */
    const struct load_result *result; /* of load_run() */
    const char *target;               /* as it was typed: "https://localhost:8443/1k" */
    const char *command_line;         /* NULL: left out */
    const char *openssl_version;      /* the client's, tls_library_version(); NULL: not known */
    struct report_environment environment;
    const char *started; /* when, RFC 3339 in UTC: "2026-01-31T12:00:00Z"; NULL: left out */

    /* The server's /stats (see server/exposition.h) from when the measured time began and ended;
     * both borrowed, both NULL when not asked for or not got. */
    const json_t *server_start; /* before the first connection; NULL: not known */
    const json_t *server_before;
    const json_t *server_after;
    const json_t *limit; /* of tlsdyno limit --json; borrowed; NULL: no efficiency is asked for */
    const struct find_max *find_max; /* of whose runs `result` is the last; NULL: no search */
    const char *server_error; /* why --admin gave nothing: a sentence; NULL: it was not asked */
    const struct report_rank *ranks; /* report/ranks.h; of a run that several processes made */
    unsigned rank_count;             /* below 2: one did */
    bool same_machine; /* client and server share the CPUs (loopback or Unix socket) */

    bool ascii; /* text: nothing beyond ASCII, for terminals that are not UTF-8 */
};

/* Fills in the machine from uname(2), sysconf(3), getrlimit(2), sched_getaffinity(2) and the files
 * of /proc and /sys; what they do not say stays empty. `root` goes before the files' names: "" but
 * in tests. */
void report_environment_read(struct report_environment *out, const char *root);

/* As the key `environment` of reports; a new reference. `openssl_version` NULL: not known. */
json_t *report_environment_json(const struct report_environment *environment,
                                const char *openssl_version);

/* Whether at least one operation that the mode is about (a handshake, an answer, a byte moved)
 * succeeded in the measured time. The exit status of `tlsdyno load` hangs on it. */
bool report_succeeded(const struct load_plan *plan, const struct load_result *result);

/* At most 96 columns. */
void report_text(FILE *out, const struct report_input *input);

/* A new reference, schema "tlsdyno-load/1"; NULL when memory is out. */
json_t *report_json(const struct report_input *input);
