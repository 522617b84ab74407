/* tlsdyno load: from options to a plan, a run, and a report. */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/admin_client.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/file_limit.h"
#include "cli/find_max.h"
#include "cli/interrupt.h"
#include "cli/load_files.h"
#include "cli/load_judge.h"
#include "cli/load_options.h"
#include "cli/load_ranks.h"
#include "cli/load_view.h"
#include "cli/output_file.h"
#include "cli/record.h"
#include "cli/report_files.h"
#include "cli/thread_quota.h"
#include "load/load.h"
#include "report/efficiency.h"
#include "report/report.h"
#include "tls/context.h"
#include "tls/session_file.h"

/* What a run works with; owned. */
struct load_session {
    struct ranks ranks;
    struct report_rank *rows; /* of them, on the first of several; otherwise NULL */
    struct tls_material material;
    struct load_view view;
    struct admin_client *admin; /* NULL: not asked for */
    json_t *server_start;       /* before any connection */
    json_t *server_before;
    json_t *server_after;
    json_t *limit; /* NULL: not asked for */
    struct error admin_error;
    struct output_file json;
    struct load_files files;
    const char *session_file; /* NULL: not asked for */
    uint8_t *saved;           /* of that file */
    size_t saved_bytes;
    struct error session_error;
    struct load_result *result;
    struct find_max *find_max; /* NULL: not asked for */
    char started[RECORD_TIME_BYTES];
    char command_line[RECORD_COMMAND_BYTES];
};

static void on_progress(void *user, const struct load_progress *progress)
{
    struct load_session *session = user;

    load_view_update(&session->view, progress);
}

static void on_measure_begin(void *user)
{
    struct load_session *session = user;

    session->view.errors = 0;
    json_decref(session->server_before); /* --find-max: of the run before */
    json_decref(session->server_after);
    session->server_before = session->server_after = NULL;
    if (session->admin != NULL) {
        session->server_before = admin_client_stats(session->admin, &session->admin_error);
    }
}

static void on_measure_end(void *user)
{
    struct load_session *session = user;

    if (session->server_before != NULL) {
        session->server_after = admin_client_stats(session->admin, &session->admin_error);
    }
    if (session->find_max != NULL) {
        load_view_end(&session->view); /* a line about the run comes next */
    }
}

/* What goes wrong here is told after the report. */
static void on_session(void *user, const uint8_t *data, size_t bytes)
{
    struct load_session *session = user;

    tls_session_file_write(session->session_file, data, bytes, &session->session_error);
}

static bool on_meet(void *user, bool goes_on)
{
    const struct load_session *session = user;
    struct error error = {0};

    return ranks_agree(&session->ranks, goes_on ? EXIT_SUCCESS : EXIT_FAILURE, &error) ==
           EXIT_SUCCESS;
}

/* On a terminal always, elsewhere when an interval was asked for. */
static void view_init(struct load_session *session, const struct load_plan *plan)
{
    struct load_view *view = &session->view;

    if (session->ranks.index > 0) {
        return;
    }
    view->is_of_rank = session->ranks.count > 1;
    view->in_place = isatty(STDERR_FILENO) == 1;
    view->out = view->in_place || plan->interval_ns != 0 ? stderr : NULL;
    view->mode = plan->mode;
}

/* Everything that can be wrong without a run is found out before it. */
static int session_open(struct load_session *session, struct load_options *options,
                        struct error *error)
{
    session->result = calloc(1, sizeof(*session->result));
    if (session->result == NULL) {
        return error_set(error, "out of memory");
    }
    if (options->find_max != NULL) {
        session->find_max = calloc(1, sizeof(*session->find_max));
        if (session->find_max == NULL) {
            return error_set(error, "out of memory");
        }
        session->find_max->objective = options->find_max;
    }
    if (tls_material_open(&session->material, &options->files, &options->plan.tls, error) != 0) {
        return -1;
    }
    if (options->admin != NULL) {
        session->admin = admin_client_new(options->admin, error);
        session->server_start =
            session->admin != NULL ? admin_client_stats(session->admin, error) : NULL;
        if (session->server_start == NULL) {
            return error_prefix(error, "--admin");
        }
    }
    session->session_file = options->session_file;
    if (options->session_file != NULL) {
        if (tls_session_file_read(options->session_file, &session->saved, &session->saved_bytes,
                                  error) != 0) {
            return error_prefix(error, "--session-file");
        }
        options->plan.session = session->saved;
        options->plan.session_bytes = session->saved_bytes;
    }
    if (options->limit_file != NULL) {
        session->limit = report_file_read(options->limit_file, efficiency_check, error);
        if (session->limit == NULL) {
            return error_prefix(error, "--limit");
        }
    }
    if (options->json_file != NULL &&
        output_file_open(&session->json, options->json_file, error) != 0) {
        return error_prefix(error, "--json");
    }
    return load_files_open(&session->files, options->csv_file, options->percentiles_file, error);
}

static void session_close(struct load_session *session)
{
    output_file_drop(&session->json);
    load_files_close(&session->files);
    tls_material_close(&session->material);
    json_decref(session->server_start);
    json_decref(session->limit);
    json_decref(session->server_before);
    json_decref(session->server_after);
    admin_client_free(session->admin);
    if (session->saved != NULL) {
        explicit_bzero(session->saved, session->saved_bytes);
        free(session->saved);
    }
    free(session->find_max);
    free(session->rows);
    free(session->result);
}

static int write_json(struct load_session *session, const struct report_input *input,
                      struct error *error)
{
    json_t *report = report_json(input);
    int outcome;

    if (report == NULL) {
        return error_set(error, "--json: out of memory");
    }
    outcome = output_file_keep_json(&session->json, report, JSON_INDENT(2) | JSON_REAL_PRECISION(9),
                                    error);
    json_decref(report);
    return outcome == 0 ? 0 : error_prefix(error, "--json");
}

static int write_report(struct load_session *session, const struct load_options *options,
                        struct error *error)
{
    const struct load_plan *plan = &options->plan;
    struct report_input input = {
        .plan = plan,
        .result = session->result,
        .target = options->target,
        .command_line = session->command_line,
        .openssl_version = tls_library_version(),
        .started = session->started,
        .limit = session->limit,
        .server_error = session->admin_error.text[0] != '\0' ? session->admin_error.text : NULL,
        .find_max = session->find_max,
        .ranks = session->rows,
        .rank_count = session->ranks.count,
        .same_machine = socket_is_local(&plan->address) &&
                        load_ranks_share_machine(session->rows, session->ranks.count),
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
    };

    if (session->server_after != NULL) {
        input.server_start = session->server_start;
        input.server_before = session->server_before;
        input.server_after = session->server_after;
    }
    report_environment_read(&input.environment, "");
    report_text(session->json.stream == stdout ? stderr : stdout, &input);
    if (session->json.stream != NULL && write_json(session, &input, error) != 0) {
        return -1;
    }
    return load_files_write(&session->files, session->result, error);
}

static int run_load(struct load_options *options, struct load_session *session,
                    const struct load_hooks *hooks, struct error *error)
{
    if (session->find_max == NULL) {
        return load_run(&options->plan, hooks, session->result, error);
    }
    return find_max_search(&(struct find_max_task){.plan = &options->plan,
                                                   .objective = &options->objective,
                                                   .hooks = hooks,
                                                   .out = session->find_max,
                                                   .result = session->result},
                           error);
}

/* Returns an exit status. */
static int prepare(struct load_session *session, struct load_options *options, struct error *error)
{
    if (load_ranks_compare(&session->ranks, session->command_line, error) != 0 ||
        load_options_check(options, error) != 0 ||
        load_ranks_prepare(&session->ranks, options, error) != 0) {
        return EXIT_USAGE;
    }
    if (load_options_aim(options, error) != 0) {
        return EXIT_FAILURE;
    }
    if (load_options_check_peer(options, error) != 0) {
        return EXIT_USAGE;
    }
    view_init(session, &options->plan); /* before the plan gets its default interval */
    if (options->find_max != NULL) {
        find_max_defaults(&options->plan, &options->objective);
    }
    if (options->plan.cpus.count == 0) {
        thread_quota_fit(&options->plan.threads, "load thread");
    }
    if (load_plan_complete(&options->plan, error) != 0) {
        return EXIT_USAGE;
    }
    return kernel_check(error) == 0 && session_open(session, options, error) == 0 ? EXIT_SUCCESS
                                                                                  : EXIT_FAILURE;
}

static void warn(const struct load_session *session, const struct load_plan *plan)
{
    const struct load_rank *rank = &plan->rank;
    const uint64_t connections = (uint64_t)plan->connections + plan->idle;

    if (session->ranks.index == 0 && plan->tls.insecure && !plan->plain_tcp) {
        fprintf(stderr, "tlsdyno: warning: --insecure: the server's certificate is not checked\n");
    }
    if (session->ranks.index == 0 && !plan->plain_tcp) {
        tls_warnings_print(TLS_CLIENT, &plan->tls);
    }
    file_limit_raise(&(struct file_limit_need){
        .option = "connections",
        .connections = (uint32_t)load_share(connections, rank->count, rank->index),
        .threads = plan->threads});
}

/* The first rank's part alone. */
static int report(struct load_session *session, const struct load_options *options,
                  struct error *error)
{
    const struct load_judged judged = {
        .options = options, .result = session->result, .find_max = session->find_max};

    if (session->ranks.index > 0) {
        return EXIT_SUCCESS;
    }
    if (session->session_error.text[0] != '\0') {
        fprintf(stderr, "tlsdyno: warning: --session-file: %s\n", session->session_error.text);
    }
    return write_report(session, options, error) == 0 ? load_judge(&judged, error) : EXIT_FAILURE;
}

/* What ends one rank ends all, with one status. */
static int run_together(struct load_session *session, struct load_options *options,
                        struct error *error)
{
    const struct ranks *ranks = &session->ranks;
    const struct load_hooks hooks = {.progress = on_progress,
                                     .measure_begin = on_measure_begin,
                                     .measure_end = on_measure_end,
                                     .session = on_session,
                                     .meet = ranks->count > 1 ? on_meet : NULL,
                                     .user = session,
                                     .stop = &interrupt_requested};
    int status = ranks_agree(ranks, prepare(session, options, error), error);

    if (status != EXIT_SUCCESS) {
        return status;
    }
    options->plan.tls.no_verification = options->plan.tls.insecure;
    warn(session, &options->plan);
    interrupt_catch();
    status = run_load(options, session, &hooks, error) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    load_view_end(&session->view);
    status = ranks_agree(ranks, status, error);
    if (status != EXIT_SUCCESS) {
        return status;
    }
    if (ranks->count > 1) {
        session->rows = load_ranks_collect(ranks, &options->plan, session->result);
    }
    return ranks_agree(ranks, report(session, options, error), error);
}

static int run(void *config, char **argv, struct error *error)
{
    struct load_session session = {0};
    int status = EXIT_USAGE;

    record_command_line(argv, session.command_line);
    record_time(session.started);
    if (ranks_join(&session.ranks, error) == 0) {
        status = run_together(&session, config, error);
    }
    session_close(&session);
    return status;
}

const struct command load_command = {
    .help = "puts a TLS server under load and reports what it gave",
    .table =
        {
            .command = "load",
            .summary = "Puts a TLS server under load and reports rates, times, errors and what was "
                       "negotiated. TARGET is HOST:PORT, https://HOST[:PORT][/PATH], http://... or "
                       "unix:PATH. Ctrl-C ends early and still reports. The exit status is 1 when "
                       "nothing succeeded, and 3 when --fail-if, --expect-resumed or --find-max "
                       "says so.",
            .operand = "TARGET",
            .operand_offset = offsetof(struct load_options, target),
            .sections =
                {
                    {load_option_rows, LOAD_OPTION_COUNT, 0},
                    {tls_file_option_rows, TLS_FILE_OPTION_COUNT,
                     offsetof(struct load_options, files)},
                    {tls_option_rows, TLS_OPTION_COUNT, offsetof(struct load_options, plan.tls)},
                },
            .epilogue = "Examples:\n"
                        "  tlsdyno load --insecure --mode handshake -d 5s 127.0.0.1:4433\n"
                        "  tlsdyno load --ca ca.pem --mode rr -c 64 -m 16Ki localhost:4433\n"
                        "  tlsdyno load --mode rr https://www.example.org/\n"
                        "  tlsdyno load --mode rr -R 1000 --fail-if 'p99>5ms,errors>0' "
                        "localhost:4433\n"
                        "  tlsdyno load --mode rr --find-max 'p99<5ms' localhost:4433\n",
        },
    .manual =
        {{.heading = "MANY MACHINES",
          .text =
              "In a build with -Dmpi=enabled, \"mpirun -n 4 tlsdyno load ...\" makes one run of "
              "four processes, on as many machines as mpirun was told of. Connections, --count, "
              "--rate and --idle are those of all together and are split among them; "
              "--threads and --cpus are each one's. They begin together, and what they "
              "found is one report, which also has each one's part. The first process writes "
              "it and reads the server's counters.\n\n"
              "All must be given the same command line, and the same build of tlsdyno. What "
              "differs between machines, such as --source-addresses, belongs into a file of "
              "each machine for --config. Unless told otherwise (--bind-to none), Open MPI "
              "gives a process one CPU."}},
    .is_ranked = true,
    .config_bytes = sizeof(struct load_options),
    .run = run,
    .violated =
        "a condition of --fail-if is true, --expect-resumed is not met, or --find-max found "
        "no rate that keeps its objective",
};
