/* tlsdyno serve: from options to a running server, and to its end by a signal. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/file_limit.h"
#include "cli/inherited.h"
#include "cli/serve_guard.h"
#include "cli/serve_material.h"
#include "cli/serve_notify.h"
#include "cli/serve_options.h"
#include "cli/serve_view.h"
#include "cli/thread_quota.h"
#include "server/admin.h"
#include "tls/certificate.h"
#include "tls/context.h"

/* How often the main thread looks whether the workers have ended; soon after it told them to. */
static const uint64_t POLL_NS = 500 * 1000 * 1000;
static const uint64_t POLL_ENDING_NS = 10 * 1000 * 1000;

enum { CONNECTIONS_DEFAULT = 100 * 1000 };

/* Everything that runs, or NULL where nothing does. */
struct serving {
    struct serve_material material;
    struct server *server;
    struct admin *admin;
    struct serve_notify notify;
};

static int complete_listeners(struct serve_options *options, struct error *error)
{
    struct server_config *server = &options->server;

    if (server->listener_count == 0 && inherited_listeners_add(server, error) != 0) {
        return -1;
    }
    if (server->listener_count == 0) {
        if (socket_parse("127.0.0.1:4433", &server->listeners[0].address, error) != 0) {
            return -1;
        }
        server->listener_count = 1;
    }
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].service == NULL) {
            server->listeners[i].service = options->service;
        }
        server->listeners[i].is_handed_over = options->reuse;
    }
    return 0;
}

static void limit_connections(struct server_config *config)
{
    bool given = config->connections_max != 0;
    struct file_limit_need need = {
        .option = given ? "max-connections" : NULL,
        .connections = given ? config->connections_max : CONNECTIONS_DEFAULT,
        .threads = config->threads,
    };
    uint32_t fitting = file_limit_raise(&need);

    if (!given) {
        config->connections_max = fitting;
    }
}

/* The lines that people and scripts wait for: all of them, once everything is ready. */
static void announce(const struct server_config *config, const struct serving *serving,
                     const struct snapshot *snapshot)
{
    char text[SOCKET_TEXT_BYTES];
    char fingerprint[CERTIFICATE_FINGERPRINT_TEXT_BYTES];
    char cpus[SERVE_CPUS_BYTES];
    unsigned workers = server_worker_count(serving->server);
    const char *version = tls_library_version();
    /* "OpenSSL 3.0.22", without the date of its release. */
    size_t name_bytes = strcspn(version, " ");
    size_t version_bytes = name_bytes + (version[name_bytes] != '\0') +
                           strcspn(version + name_bytes + (version[name_bytes] != '\0'), " ");

    for (size_t i = 0; i < config->listener_count; i++) {
        printf("listening on %s (%s, %s)\n",
               socket_format(server_address(serving->server, i), text),
               config->listeners[i].service->name,
               config->listeners[i].plain_tcp ? "plain TCP" : "TLS");
    }
    if (serving->admin != NULL) {
        const struct socket_address *address = admin_address(serving->admin);

        printf("admin on %s%s\n", socket_is_unix(address) ? "" : "http://",
               socket_format(address, text));
    }
    if (serving->material.generated != NULL) {
        certificate_fingerprint(serving->material.generated, fingerprint);
        printf("certificate SHA-256 %s\n", fingerprint);
    }
    serve_view_cpus(snapshot, cpus);
    printf("%.*s, %u worker%s%s %s\n", (int)version_bytes, version, workers,
           workers == 1 ? "" : "s",
           cpus[0] == 'n' ? ","
           : workers == 1 ? " on CPU"
                          : " on CPUs",
           cpus);
    fflush(stdout);
}

/* SIGTERM lets open connections finish; the second one, and SIGINT, end them; SIGHUP reloads.
 * Blocked before any thread starts, so that this thread alone gets them, when it asks. */
static void block_signals(sigset_t *out_signals)
{
    sigemptyset(out_signals);
    sigaddset(out_signals, SIGTERM);
    sigaddset(out_signals, SIGINT);
    sigaddset(out_signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, out_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* The signal that came within `wait_ns`, or -1. */
static int wait_signal(const sigset_t *signals, uint64_t wait_ns)
{
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / NS_PER_S),
                            .tv_nsec = (long)(wait_ns % NS_PER_S)};

    return sigtimedwait(signals, NULL, &wait);
}

/* The lines of --stats-interval. */
struct ticker {
    uint64_t interval_ns; /* 0: none */
    uint64_t next_ns;
    struct snapshot *last; /* owned; NULL when memory was out */
};

static void ticker_advance(struct ticker *ticker, const struct server *server)
{
    uint64_t now_ns = clock_now_ns();
    struct snapshot *snapshot;

    if (ticker->interval_ns == 0 || now_ns < ticker->next_ns) {
        return;
    }
    snapshot = server_snapshot(server);
    if (ticker->last != NULL && snapshot != NULL) {
        serve_view_interval(stdout, ticker->last, snapshot);
    }
    snapshot_free(ticker->last);
    ticker->last = snapshot;
    /* Not from now on, so that lines do not drift; but never to catch up with a stopped process. */
    ticker->next_ns += ticker->interval_ns;
    if (ticker->next_ns <= now_ns) {
        ticker->next_ns = now_ns + ticker->interval_ns;
    }
}

static uint64_t ticker_wait_ns(const struct ticker *ticker, uint64_t poll_ns)
{
    uint64_t now_ns = clock_now_ns();

    if (ticker->interval_ns == 0 || ticker->next_ns > now_ns + poll_ns) {
        return poll_ns;
    }
    return ticker->next_ns > now_ns ? ticker->next_ns - now_ns : 0;
}

/* One line about how it went; a failure leaves everything as it was. */
static void reload_files(struct serving *serving, struct serve_options *options)
{
    struct error error = {0};

    if (serve_material_reread(&serving->material, options, &error) != 0 ||
        server_reload(serving->server, &options->server, &error) != 0) {
        bool denied = strstr(error.text, strerror(EACCES)) != NULL;

        fprintf(stderr, "tlsdyno: not reloaded, all stays as it was: %s%s\n", error.text,
                denied && !options->no_sandbox
                    ? " (only the directories that the files were in at the start can be read: "
                      "start anew, or with --no-sandbox)"
                    : "");
        return;
    }
    serve_warnings_print(&options->server);
    printf("reloaded certificates and keys\n");
    fflush(stdout);
}

static void reload(struct serving *serving, struct serve_options *options)
{
    serve_notify_reloading(&serving->notify);
    reload_files(serving, options);
    serve_notify_ready(&serving->notify);
}

/* Lets connections finish, or ends them when that was asked for before, or is now. */
static void finish(struct serving *serving, const struct serve_options *options, bool at_once)
{
    serve_notify_stopping(&serving->notify, at_once ? 0 : options->server.drain_timeout_ns);
    if (at_once) {
        server_stop(serving->server);
    } else {
        server_drain(serving->server);
    }
}

/* Returns 0 when the server ended because it was asked to, -1 when by itself. */
static int wait_for_end(struct serving *serving, struct serve_options *options,
                        const sigset_t *signals, struct error *error)
{
    struct server *server = serving->server;
    uint64_t interval_ns = options->stats_interval_ns;
    struct ticker ticker = {.interval_ns = interval_ns,
                            .next_ns = clock_now_ns() + interval_ns,
                            .last = interval_ns != 0 ? server_snapshot(server) : NULL};
    bool asked = false;

    while (!server_has_ended(server)) {
        uint64_t wait_ns = ticker_wait_ns(&ticker, asked ? POLL_ENDING_NS : POLL_NS);
        int received =
            wait_signal(signals, serve_notify_wait_ns(&serving->notify, wait_ns, clock_now_ns()));

        if (received == SIGTERM || received == SIGINT) {
            finish(serving, options, asked || received == SIGINT);
            asked = true;
        } else if (received == SIGHUP) {
            reload(serving, options);
        }
        serve_notify_advance(&serving->notify, server, clock_now_ns());
        ticker_advance(&ticker, server);
    }
    snapshot_free(ticker.last);
    return asked ? 0 : error_set(error, "the server's workers ended by themselves");
}

static int start(struct serve_options *options, struct serving *serving, struct error *error)
{
    struct snapshot *snapshot;

    if (serve_material_open(&serving->material, options, error) != 0) {
        return -1;
    }
    thread_quota_fit(&options->server.threads, "worker");
    limit_connections(&options->server);
    if (options->log_failures) {
        options->server.on_failed = failure_log_write;
        options->server.user = &options->failures;
    }
    serving->server = server_new(&options->server, error);
    if (serving->server == NULL) {
        return -1;
    }
    serve_warnings_print(&options->server);
    kernel_warning_print(stderr);
    if (options->admin_given) {
        serving->admin =
            admin_open(&options->admin, options->admin_allow_remote, serving->server, error);
        if (serving->admin == NULL) {
            return error_prefix(error, "--admin");
        }
    }
    serve_notify_open(&serving->notify);
    if (serve_guard_before_threads(options, error) != 0 ||
        server_run(serving->server, error) != 0 ||
        (serving->admin != NULL && admin_run(serving->admin, error) != 0)) {
        return -1;
    }
    serve_guard_after_threads(options);
    snapshot = server_snapshot(serving->server);
    if (snapshot == NULL) {
        return error_set(error, "out of memory");
    }
    announce(&options->server, serving, snapshot);
    snapshot_free(snapshot);
    serve_notify_ready(&serving->notify);
    return 0;
}

static void end(struct serving *serving, uint64_t started_ns)
{
    struct snapshot *snapshot;

    admin_close(serving->admin);
    if (serving->server != NULL) {
        server_stop(serving->server); /* harmless when it has ended */
        snapshot = started_ns != 0 ? server_snapshot(serving->server) : NULL;
        if (snapshot != NULL) {
            serve_view_summary(stderr, snapshot,
                               (double)(clock_now_ns() - started_ns) / (double)NS_PER_S);
        }
        snapshot_free(snapshot);
        server_free(serving->server);
    }
    serve_material_close(&serving->material);
    serve_notify_close(&serving->notify);
}

static int run(void *config, char **argv, struct error *error)
{
    struct serve_options *options = config;
    struct serving serving = {.notify.descriptor = -1};
    uint64_t started_ns = 0;
    sigset_t signals;
    int outcome = -1;

    (void)argv;
    if (options->show_features) {
        capabilities_print(stdout);
        return EXIT_SUCCESS;
    }
    if (serve_options_settle(options, error) != 0) {
        return EXIT_USAGE;
    }
    block_signals(&signals);
    if (kernel_check(error) == 0 && complete_listeners(options, error) == 0 &&
        start(options, &serving, error) == 0) {
        started_ns = clock_now_ns();
        outcome = wait_for_end(&serving, options, &signals, error);
    }
    end(&serving, started_ns);
    return outcome == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command serve_command = {
    .help = "runs a TLS server: echo, discard, source, http or rr",
    .table =
        {
            .command = "serve",
            .summary = "Runs a TLS server on every CPU. Without --cert or --pfx it makes a "
                       "certificate for localhost in memory. SIGTERM lets open connections finish, "
                       "a second one or SIGINT (Ctrl-C) ends them; SIGHUP reads certificates, "
                       "keys, CRLs, OCSP responses and ticket keys again.",
            .sections =
                {
                    {serve_option_rows, SERVE_OPTION_COUNT, 0},
                    {tls_file_option_rows, TLS_FILE_OPTION_COUNT,
                     offsetof(struct serve_options, files)},
                    {serve_tls_option_rows, SERVE_TLS_OPTION_COUNT, 0},
                    {tls_option_rows, TLS_OPTION_COUNT, offsetof(struct serve_options, server.tls)},
                },
            .epilogue = "Examples:\n"
                        "  tlsdyno serve --listen 127.0.0.1:8443,http\n"
                        "  tlsdyno serve --cert server.pem --key server.key --listen '*:443,http'\n"
                        "  tlsdyno serve --admin 127.0.0.1:9090 --stats-interval 1s\n",
        },
    .manual =
        {
            {"SIGNALS",
             "SIGTERM ends the server: no new connections, open ones may finish until "
             "--drain-timeout. A second SIGTERM, or SIGINT, ends them at once.\n\n"
             "SIGHUP reads certificates, keys, revocation lists, OCSP responses and ticket keys "
             "again. When any of them is wrong, all stays as it was, and a line on standard error "
             "says why. Open connections are left alone; listeners and limits do not change."},
            {"PRIVILEGES",
             "Started as root, for port 443, it goes on as --user once sockets are bound and files "
             "are read; that account must be able to read the files that SIGHUP reads again. "
             "Whoever it runs as, it then enters a sandbox: of all files it can read those in the "
             "directories that held certificates, keys and the like at the start (a file in / by "
             "itself), and what symbolic links led to (Landlock); it can start no program, make no "
             "connection and no executable memory (seccomp); its rings carry out what a server "
             "needs and nothing else; and there are no core dumps. What the kernel has no means "
             "for is said on standard error. --no-sandbox leaves files, system calls and dumps "
             "alone, for debuggers and tracers."},
            {"OUTPUT",
             "When all is ready, standard output has a line for each listener (listening on "
             "127.0.0.1:4433 (echo, TLS)), one for --admin (admin on http://127.0.0.1:9090), one "
             "with the fingerprint of a certificate made in memory, and one that begins with the "
             "version of OpenSSL."},
            {"SOCKET ACTIVATION",
             "Without --listen, the sockets that systemd hands over (LISTEN_FDS and LISTEN_PID, "
             "see sd_listen_fds(3)) are the listeners, with --service. To give them services of "
             "their own, name them: --listen fd:3,http --listen fd:4,echo. Such a socket is left "
             "as it is when the server ends, with the connections that wait in it: who handed it "
             "over keeps it, and the next server accepts them."},
            {"UNDER SYSTEMD",
             "The units tlsdyno.service and tlsdyno.socket are installed with it; what is served "
             "is "
             "said in /etc/default/tlsdyno (OPTIONS=--listen ...). The service manager hears "
             "(NOTIFY_SOCKET, see sd_notify(3)) when the server listens, reloads and ends, how "
             "many "
             "connections there are, and, at half of WatchdogSec=, that the main thread and the "
             "loop of every worker answer; which of them does not is said on standard error."},
            {"REPLACING A RUNNING SERVER",
             "With --reuse a new server listens beside an old one (SO_REUSEPORT; the same user "
             "must have started both). At SIGTERM the old one answers no new client "
             "for 0.8 s (those try again after a second, and get the new one), accepts what waits "
             "in its queues, and closes them; its connections then finish as ever. So nobody is "
             "refused, nor reset who is less than 0.8 s away, there and back. For those who are "
             "farther the kernel must help (sysctl net.ipv4.tcp_migrate_req=1), or the sockets "
             "must outlive the server (SOCKET ACTIVATION). Port 0 and Unix sockets cannot be "
             "handed over."},
        },
    .config_bytes = sizeof(struct serve_options),
    .run = run,
};
