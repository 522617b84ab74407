/* tlsdyno sweep: from options to a study, its runs, and a table. */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/file_limit.h"
#include "cli/interrupt.h"
#include "cli/record.h"
#include "cli/sweep_files.h"
#include "cli/sweep_options.h"
#include "tls/context.h"

/* Elsewhere than on a terminal a line about progress comes that often. */
static const uint64_t QUIET_NS = 10ull * 1000 * 1000 * 1000;

/* What a study works with; too large for the stack. */
struct sweep_session {
    struct sweep_study study;
    const struct sweep_options *options;
    char directory[SWEEP_DIRECTORY_BYTES];
    char command_line[RECORD_COMMAND_BYTES];
    bool on_terminal;
    bool line_open;
    size_t runs;      /* to be done now */
    size_t runs_done; /* of them */
    uint64_t began_ns;
    uint64_t told_ns;
};

/* ---- Progress ---- */

/* By how long the runs took so far; the study's first run has no example, but asked-for times. */
static const char *time_left(const struct sweep_session *session, char out[UNITS_TEXT_BYTES])
{
    const struct sweep_settings *settings = &session->study.settings;
    double run_s = (double)(settings->duration_ns + settings->warmup_ns) / 1e9 + 0.3;
    uint64_t seconds;

    if (session->runs_done > 0) {
        run_s = (double)(clock_now_ns() - session->began_ns) / 1e9 / (double)session->runs_done;
    }
    seconds = (uint64_t)(run_s * (double)(session->runs - session->runs_done) + 0.5);
    if (seconds >= 3600) {
        snprintf(out, UNITS_TEXT_BYTES, "%lu:%02lu:%02lu", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    } else {
        snprintf(out, UNITS_TEXT_BYTES, "%lu:%02lu", seconds / 60, seconds % 60);
    }
    return out;
}

static void on_begin(void *user, const struct sweep_cell_state *state, unsigned round)
{
    struct sweep_session *session = user;
    uint64_t now_ns = clock_now_ns();
    char name[SWEEP_NAME_BYTES];
    char left[UNITS_TEXT_BYTES];

    if (!session->on_terminal && now_ns < session->told_ns + QUIET_NS) {
        return;
    }
    session->told_ns = now_ns;
    fprintf(stderr, "%srun %zu of %zu, %s left; round %u of %u: %.60s%s",
            session->on_terminal ? "\r" : "", session->runs_done + 1, session->runs,
            time_left(session, left), round + 1, session->study.rounds,
            sweep_cell_name(&session->study, &state->cell, name),
            session->on_terminal ? "\033[K" : "\n");
    fflush(stderr);
    session->line_open = session->on_terminal;
}

static void end_line(struct sweep_session *session)
{
    if (session->line_open) {
        fputs("\r\033[K", stderr);
        session->line_open = false;
    }
}

static int on_end(void *user, const struct sweep_cell_state *state, struct error *error)
{
    struct sweep_session *session = user;
    const char *file = session->options->json_file;

    session->runs_done++;
    if (state->status == SWEEP_FAILED) {
        session->runs = session->runs_done + sweep_study_runs_left(&session->study);
    }
    return file == NULL || strcmp(file, "-") == 0 ? 0
                                                  : sweep_files_save(&session->study, file, error);
}

/* ---- The study ---- */

/* For the servers and load generators, which inherit it: told once, and before hours are spent. */
static void raise_file_limit(const struct sweep_values *connections)
{
    struct file_limit_need need = {.option = "connections"};

    for (size_t i = 0; i < connections->count; i++) {
        if (connections->items[i].number > need.connections) {
            need.connections = (uint32_t)connections->items[i].number;
        }
    }
    file_limit_raise(&need);
}

static int prepare(struct sweep_session *session, char **argv, struct error *error)
{
    struct sweep_study *study = &session->study;

    record_command_line(argv, session->command_line);
    record_time(study->started);
    study->command_line = session->command_line;
    study->openssl_version = tls_library_version();
    report_environment_read(&study->environment, "");
    capabilities_read(&study->capabilities);
    study->settings.directory = session->directory;
    study->settings.stop = &interrupt_requested;
    session->on_terminal = isatty(STDERR_FILENO) == 1;
    if (kernel_check(error) != 0 || sweep_study_open(study, error) != 0 ||
        sweep_directory_make(session->directory, error) != 0) {
        return -1;
    }
    if (study->settings.target == NULL && sweep_study_make_certificates(study, error) != 0) {
        return -1;
    }
    raise_file_limit(&study->matrix.axes[SWEEP_CONNECTIONS]);
    return sweep_files_open(study, session->options->json_file, session->options->resume, error);
}

static int write_results(struct sweep_session *session, struct error *error)
{
    const struct sweep_options *options = session->options;
    bool json_on_output = options->json_file != NULL && strcmp(options->json_file, "-") == 0;
    FILE *text = json_on_output ? stderr : stdout;

    sweep_text(text, &session->study, strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
    if (options->json_file != NULL &&
        sweep_files_save(&session->study, options->json_file, error) != 0) {
        return -1;
    }
    if (options->csv_file != NULL &&
        sweep_files_write_csv(&session->study, options->csv_file, error) != 0) {
        return -1;
    }
    fflush(stdout); /* before a sentence on standard error */
    return 0;
}

static int judge(const struct sweep_session *session, struct error *error)
{
    const struct sweep_study *study = &session->study;
    size_t left = sweep_study_runs_left(study);
    size_t failed = sweep_study_count(study, SWEEP_FAILED);

    if (left > 0) {
        error_set(error, "interrupted: %zu run%s missing; %s", left, left == 1 ? " is" : "s are",
                  session->options->json_file != NULL
                      ? "the same command with --resume does them"
                      : "with --json FILE such a study can be resumed");
        return EXIT_FAILURE;
    }
    if (failed > 0) {
        error_set(error, "%zu of %zu cells failed, for the reasons above", failed,
                  study->cell_count);
        return EXIT_FAILURE;
    }
    if (sweep_study_count(study, SWEEP_DONE) == 0) {
        error_set(error, "no cell can be run here, for the reasons above");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static int run_study(struct sweep_session *session, struct error *error)
{
    struct sweep_hooks hooks = {.on_begin = on_begin, .on_end = on_end, .user = session};
    int outcome;

    session->runs = sweep_study_runs_left(&session->study);
    session->began_ns = clock_now_ns();
    outcome = sweep_study_run(&session->study, &hooks, error);
    end_line(session);
    if (outcome != 0) {
        return EXIT_FAILURE;
    }
    if (sweep_study_runs_left(&session->study) == 0) {
        record_time(session->study.finished);
    }
    return write_results(session, error) == 0 ? judge(session, error) : EXIT_FAILURE;
}

static int run(void *config, char **argv, struct error *error)
{
    struct sweep_session *session = calloc(1, sizeof(*session));
    int status = EXIT_FAILURE;

    if (session == NULL) {
        error_set(error, "out of memory");
        return EXIT_FAILURE;
    }
    session->options = config;
    if (sweep_options_settle(config, &session->study, error) != 0) {
        status = EXIT_USAGE;
    } else {
        interrupt_catch();
        if (prepare(session, argv, error) == 0) {
            status = run_study(session, error);
        }
    }
    sweep_directory_remove(session->directory);
    sweep_study_close(&session->study);
    free(session);
    return status;
}

const struct command sweep_command = {
    .help = "studies what ciphers, groups and record sizes cost",
    .table =
        {
            .command = "sweep",
            .summary =
                "Measures every combination of the values given: starts a server and a load "
                "generator for each run, on CPUs of their own, checks what they negotiated, and "
                "tells medians of several rounds. PLAN is quick, fragments, ciphers or groups; "
                "options win over what it says. What cannot be is skipped, and said. Ctrl-C ends "
                "with what there is; with --json and --resume the study goes on later.",
            .operand = "PLAN",
            .operand_repeats = true,
            .operand_offset = offsetof(struct sweep_options, plans),
            .sections = {{sweep_option_rows, SWEEP_OPTION_COUNT, 0}},
            .epilogue = "Examples:\n"
                        "  tlsdyno sweep quick\n"
                        "  tlsdyno sweep fragments --json fragments.json\n"
                        "  tlsdyno sweep groups --certificates ecdsa-p256,rsa-2048\n"
                        "  tlsdyno sweep --suites TLS_AES_128_GCM_SHA256 --messages 64,1Ki,16Ki "
                        "-c 1,64\n"
                        "  tlsdyno sweep groups --target www.example.org:443\n",
        },
    .manual =
        {{.heading = "PLANS",
          .text = "quick: two suites at three sizes of messages, in less than a minute.\n\n"
                  "fragments: largest records of 1400, 4096 and 16384 bytes, and small ones first, "
                  "then large ones, for messages of 16 and 256 KiB, on three links.\n\n"
                  "ciphers: suites of TLS 1.2 and 1.3 at four sizes of messages.\n\n"
                  "groups: handshakes with each key exchange, post-quantum ones where this OpenSSL "
                  "has them.\n\n"
                  "A plan of your own is a file for --config: lines such as suites = A,B with the "
                  "names of the options."},
         {.heading = "LINKS",
          .text = "--links paces each connection (SO_MAX_PACING_RATE), which any machine can do. "
                  "What follows an idle moment still leaves in one burst, so that times to a first "
                  "byte are shorter than on a real link. As root, tools/link makes two network "
                  "namespaces with a slow link between them, for --server-namespace, "
                  "--load-namespace and --listen."}},
    .config_bytes = sizeof(struct sweep_options),
    .run = run,
};
