/* tlsdyno load: from options to a plan, a run, and a report. */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/file_limit.h"
#include "cli/find_max.h"
#include "cli/interrupt.h"
#include "cli/load_files.h"
#include "cli/load_options.h"
#include "cli/load_view.h"
#include "cli/output_file.h"
#include "cli/record.h"
#include "cli/report_files.h"
#include "load/load.h"
#include "report/efficiency.h"
#include "report/report.h"
#include "tls/context.h"
#include "tls/session_file.h"

/* What a run works with; owned. */
struct load_session {
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

/* On a terminal always, elsewhere when an interval was asked for. */
static void view_init(struct load_view *view, const struct load_plan *plan)
{
    view->in_place = isatty(STDERR_FILENO) == 1;
    view->out = view->in_place || plan->interval_ns != 0 ? stderr : NULL;
    view->mode = plan->mode;
}

/* Everything that can be wrong without a run is found out before it. */
static int session_open(struct load_session *session, struct load_options *options, char **argv,
                        struct error *error)
{
    record_command_line(argv, session->command_line);
    record_time(session->started);
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
        .same_machine = socket_is_local(&plan->address),
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

static const struct load_error *most_frequent(const struct load_result *result)
{
    const struct load_error *most = NULL;

    for (size_t i = 0; i < result->error_count; i++) {
        if (most == NULL || result->errors[i].count > most->count) {
            most = &result->errors[i];
        }
    }
    return most;
}

/* Whether it was us who refused the server's certificate. */
static bool certificate_was_refused(const struct load_error *error)
{
    return error->phase == LOAD_ERROR_HANDSHAKE &&
           strncmp(error->reason, "certificate", strlen("certificate")) == 0;
}

static int judge_search(const struct find_max *search, struct error *error)
{
    if (search == NULL || search->is_confirmed) {
        return EXIT_SUCCESS;
    }
    if (search->run_count > 0 && interrupt_requested) {
        error_set(error, "--find-max: interrupted before a rate was confirmed");
        return EXIT_FAILURE;
    }
    error_set(error, "--find-max %s: no rate kept it in several runs in a row", search->objective);
    return EXIT_VIOLATED;
}

static int judge(const struct load_session *session, const struct load_plan *plan,
                 struct error *error)
{
    const struct load_error *most = most_frequent(session->result);

    if (report_succeeded(plan, session->result)) {
        return judge_search(session->find_max, error);
    }
    if (most == NULL) {
        error_set(error, "nothing was done in the measured time%s",
                  session->result->interrupted ? ", which was interrupted" : "");
    } else if (certificate_was_refused(most)) {
        error_set(error,
                  "nothing succeeded: %s; name the authority to trust with --ca FILE, or "
                  "accept any certificate with --insecure",
                  most->reason);
    } else {
        error_set(error, "nothing succeeded: %s: %s", load_error_phase_name(most->phase),
                  most->reason);
    }
    return EXIT_FAILURE;
}

/* A sentence for each condition that was broken: the last one is the error, as any command's. */
static int judge_thresholds(const struct load_session *session, const struct load_options *options,
                            struct error *error)
{
    char text[THRESHOLD_TEXT_BYTES];
    bool is_violated = false;

    for (size_t i = 0; i < options->thresholds.count; i++) {
        if (threshold_is_violated(&options->thresholds.rows[i], &options->plan, session->result,
                                  text)) {
            if (is_violated) {
                fprintf(stderr, "tlsdyno: %s\n", error->text);
            }
            is_violated = true;
            error_set(error, "%s", text);
        }
    }
    return is_violated ? EXIT_VIOLATED : EXIT_SUCCESS;
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

static int run(void *config, char **argv, struct error *error)
{
    struct load_options *options = config;
    struct load_session session = {0};
    struct load_hooks hooks = {.progress = on_progress,
                               .measure_begin = on_measure_begin,
                               .measure_end = on_measure_end,
                               .session = on_session,
                               .user = &session,
                               .stop = &interrupt_requested};
    int status = EXIT_FAILURE;

    if (load_options_check(options, error) != 0) {
        return EXIT_USAGE;
    }
    if (load_options_aim(options, error) != 0) {
        return EXIT_FAILURE;
    }
    view_init(&session.view, &options->plan); /* before the plan gets its default interval */
    if (options->find_max != NULL) {
        find_max_defaults(&options->plan, &options->objective);
    }
    if (load_plan_complete(&options->plan, error) != 0) {
        return EXIT_USAGE;
    }
    if (session_open(&session, options, argv, error) != 0) {
        goto out;
    }
    options->plan.tls.no_verification = options->plan.tls.insecure;
    if (options->plan.tls.insecure && !options->plan.plain_tcp) {
        fprintf(stderr, "tlsdyno: warning: --insecure: the server's certificate is not checked\n");
    }
    if (!options->plan.plain_tcp) {
        tls_warnings_print(TLS_CLIENT, &options->plan.tls);
    }
    file_limit_raise(
        &(struct file_limit_need){.option = "connections",
                                  .connections = options->plan.connections + options->plan.idle,
                                  .threads = options->plan.threads});
    interrupt_catch();
    if (run_load(options, &session, &hooks, error) == 0) {
        load_view_end(&session.view);
        if (session.session_error.text[0] != '\0') {
            fprintf(stderr, "tlsdyno: warning: --session-file: %s\n", session.session_error.text);
        }
        if (write_report(&session, options, error) == 0) {
            status = judge(&session, &options->plan, error);
            if (status == EXIT_SUCCESS) {
                status = judge_thresholds(&session, options, error);
            }
        }
    }
    load_view_end(&session.view);
out:
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
    .config_bytes = sizeof(struct load_options),
    .run = run,
    .violated =
        "a condition of --fail-if is true, --expect-resumed is not met, or --find-max found "
        "no rate that keeps its objective",
};
