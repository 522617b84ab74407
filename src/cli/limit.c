/* tlsdyno limit: what TLS and TCP together allow on this machine. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/limit_options.h"
#include "cli/limit_output.h"
#include "cli/limit_plain.h"
#include "cli/output_file.h"
#include "cli/record.h"
#include "report/report.h"
#include "tls/context.h"

struct limit_session {
    struct limit limit;
    struct limit_plain_server server;
    const struct limit_options *options;
    char started[RECORD_TIME_BYTES];
    char command_line[RECORD_COMMAND_BYTES];
};

static void tell_progress(const struct limit_session *session, unsigned round)
{
    if (isatty(STDERR_FILENO) == 1) {
        fprintf(stderr, "\rround %u of %u\033[K", round + 1, session->options->rounds);
    }
}

static int check_stop(struct error *error)
{
    return atomic_load_explicit(&interrupt_requested, memory_order_relaxed)
               ? error_set(error, "interrupted: a limit needs all its rounds")
               : 0;
}

static int measure_round(struct limit_session *session, struct error *error)
{
    struct limit *limit = &session->limit;

    for (size_t i = 0; i < limit->row_count; i++) {
        if (check_stop(error) != 0 || (limit->rows[i].ceiling != NULL &&
                                       limit_measure_memory(limit, &limit->rows[i], error) != 0)) {
            return -1;
        }
    }
    for (size_t i = 0; i < limit->plain_count && !session->options->memory_only; i++) {
        if (limit_plain_measure(&session->server, session->options, &limit->plains[i], error) !=
            0) {
            return -1;
        }
    }
    return 0;
}

/* The engines run where the plain server runs: another CPU may be another kind of CPU. */
static int measure(struct limit_session *session, struct error *error)
{
    int result = 0;

    if (!session->options->memory_only) {
        if (limit_plain_open(&session->server, &interrupt_requested, error) != 0) {
            return -1;
        }
        sched_setaffinity(0, sizeof(cpu_set_t), &session->server.server_cpus);
    }
    for (unsigned round = 0; round < session->options->rounds && result == 0; round++) {
        tell_progress(session, round);
        result = measure_round(session, error);
    }
    if (isatty(STDERR_FILENO) == 1) {
        fputs("\r\033[K", stderr);
    }
    return result;
}

static int write_json(const struct limit_session *session, struct error *error)
{
    json_t *document = limit_json(&session->limit);
    struct report_environment environment;
    struct output_file out;
    int result = -1;

    if (document == NULL) {
        return error_set(error, "out of memory");
    }
    report_environment_read(&environment, "");
    json_object_set_new(document, "started", json_string(session->started));
    json_object_set_new(document, "command_line", json_string(session->command_line));
    json_object_set_new(document, "environment",
                        report_environment_json(&environment, tls_library_version()));
    if (output_file_open(&out, session->options->json_file, error) == 0) {
        result = output_file_keep_json(&out, document, JSON_INDENT(2), error);
    }
    json_decref(document);
    return result;
}

static int write_results(const struct limit_session *session, struct error *error)
{
    const char *file = session->options->json_file;
    FILE *text = file != NULL && strcmp(file, "-") == 0 ? stderr : stdout;
    struct report_environment environment;

    report_environment_read(&environment, "");
    fprintf(text, "tlsdyno limit: %s, %u CPUs, %s, %s\n", environment.cpu_model,
            environment.cpu_count, environment.kernel, tls_library_version());
    limit_text(text, &session->limit);
    return file != NULL ? write_json(session, error) : 0;
}

static int count_possible(const struct limit *limit)
{
    int count = 0;

    for (size_t i = 0; i < limit->row_count; i++) {
        count += limit->rows[i].ceiling != NULL;
    }
    return count;
}

static int run(void *config, char **argv, struct error *error)
{
    struct limit_session *session = calloc(1, sizeof(*session));
    int status = EXIT_FAILURE;

    if (session == NULL) {
        error_set(error, "out of memory");
        return EXIT_FAILURE;
    }
    session->options = config;
    record_command_line(argv, session->command_line);
    record_time(session->started);
    interrupt_catch();
    if (limit_open(&session->limit, config, error) != 0) {
        status = EXIT_USAGE;
    } else if (count_possible(&session->limit) == 0) {
        error_set(error, "nothing of it can be here: %s", session->limit.rows[0].reason.text);
    } else if (measure(session, error) == 0 && write_results(session, error) == 0) {
        status = EXIT_SUCCESS;
    }
    limit_plain_close(&session->server);
    limit_close(&session->limit);
    free(session);
    return status;
}

const struct command limit_command = {
    .help = "measures the ceiling: TLS in memory, and plain TCP",
    .table =
        {
            .command = "limit",
            .summary =
                "Measures what no server with this OpenSSL on this machine can beat: the CPU time "
                "of handshakes and messages between two TLS engines in memory, and of the same "
                "work over plain TCP on our own reactor. Their sum is the ceiling, for each suite, "
                "group and kind of certificate asked for. With the JSON of it, tlsdyno load "
                "--limit FILE tells the efficiency of a server.",
            .epilogue = "Examples:\n"
                        "  tlsdyno limit\n"
                        "  tlsdyno limit --works full --certificates ecdsa-p256,rsa-2048\n"
                        "  tlsdyno limit -J limit.json && tlsdyno load --limit limit.json ...\n",
            .sections = {{limit_option_rows, LIMIT_OPTION_COUNT, 0}},
        },
    .config_bytes = sizeof(struct limit_options),
    .run = run,
};
