/* tlsdyno serve: from options to a running server, and to its end by a signal. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/file_limit.h"
#include "cli/serve_options.h"
#include "cli/serve_view.h"
#include "cli/tls_options.h"
#include "server/admin.h"
#include "tls/certificate.h"
#include "tls/context.h"

/* How often the main thread looks whether the workers have ended; soon after it told them to. */
static const uint64_t POLL_NS = 500 * 1000 * 1000;
static const uint64_t POLL_ENDING_NS = 10 * 1000 * 1000;

enum { CONNECTIONS_DEFAULT = 100 * 1000 };

/* Everything that runs, or NULL where nothing does. */
struct serving {
    struct certificate *generated;
    struct server *server;
    struct admin *admin;
};

static int complete_listeners(struct serve_options *options, struct error *error)
{
    struct server_config *server = &options->server;

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
    }
    return 0;
}

static bool any_listener_is_tls(const struct server_config *config)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        if (!config->listeners[i].plain_tcp) {
            return true;
        }
    }
    return false;
}

/* Takes the files that were named or, when there are none and one is needed, makes a certificate.
 */
static int complete_certificates(struct serve_options *options, struct certificate **out_generated,
                                 struct error *error)
{
    struct tls_config *tls = &options->server.tls;

    for (size_t i = 0; i < options->certificates.count; i++) {
        tls->certificates[i].certificate_file = options->certificates.items[i];
        tls->certificates[i].key_file = options->keys.items[i];
    }
    tls->certificate_count = options->certificates.count;
    if (tls->certificate_count != 0 || !any_listener_is_tls(&options->server)) {
        return 0;
    }
    *out_generated = certificate_new(&(struct certificate_options){0}, NULL, error);
    if (*out_generated == NULL) {
        return -1;
    }
    tls->certificates[0].certificate_pem = certificate_chain_pem(*out_generated);
    tls->certificates[0].key_pem = certificate_key_pem(*out_generated);
    tls->certificate_count = 1;
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
    if (serving->generated != NULL) {
        certificate_fingerprint(serving->generated, fingerprint);
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

/* SIGTERM lets open connections finish; the second one, and SIGINT, end them. Blocked before any
 * thread starts, so that this thread alone gets them, when it asks. */
static void block_signals(sigset_t *out_signals)
{
    sigemptyset(out_signals);
    sigaddset(out_signals, SIGTERM);
    sigaddset(out_signals, SIGINT);
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

/* Returns 0 when the server ended because it was asked to, -1 when by itself. */
static int wait_for_end(struct server *server, const sigset_t *signals, uint64_t interval_ns,
                        struct error *error)
{
    struct ticker ticker = {.interval_ns = interval_ns,
                            .next_ns = clock_now_ns() + interval_ns,
                            .last = interval_ns != 0 ? server_snapshot(server) : NULL};
    bool asked = false;

    while (!server_has_ended(server)) {
        int received =
            wait_signal(signals, ticker_wait_ns(&ticker, asked ? POLL_ENDING_NS : POLL_NS));

        if (received == SIGTERM && !asked) {
            server_drain(server);
            asked = true;
        } else if (received == SIGTERM || received == SIGINT) {
            server_stop(server);
            asked = true;
        }
        ticker_advance(&ticker, server);
    }
    snapshot_free(ticker.last);
    return asked ? 0 : error_set(error, "the server's workers ended by themselves");
}

static int start(struct serve_options *options, struct serving *serving, struct error *error)
{
    struct snapshot *snapshot;

    if (complete_certificates(options, &serving->generated, error) != 0) {
        return -1;
    }
    limit_connections(&options->server);
    serving->server = server_start(&options->server, error);
    if (serving->server == NULL) {
        return -1;
    }
    if (options->admin_given) {
        serving->admin =
            admin_start(&options->admin, options->admin_allow_remote, serving->server, error);
        if (serving->admin == NULL) {
            return error_prefix(error, "--admin");
        }
    }
    snapshot = server_snapshot(serving->server);
    if (snapshot == NULL) {
        return error_set(error, "out of memory");
    }
    announce(&options->server, serving, snapshot);
    snapshot_free(snapshot);
    return 0;
}

static void end(struct serving *serving, uint64_t started_ns)
{
    struct snapshot *snapshot;

    admin_stop(serving->admin);
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
    certificate_free(serving->generated);
}

static int run(void *config, char **argv, struct error *error)
{
    struct serve_options *options = config;
    struct serving serving = {0};
    uint64_t started_ns = 0;
    sigset_t signals;
    int outcome = -1;

    (void)argv;
    if (options->show_features) {
        capabilities_print(stdout);
        return EXIT_SUCCESS;
    }
    if (options->certificates.count != options->keys.count) {
        error_set(error,
                  "%zu --cert but %zu --key: each certificate needs "
                  "its key, in the same order",
                  options->certificates.count, options->keys.count);
        return EXIT_USAGE;
    }
    block_signals(&signals);
    if (complete_listeners(options, error) == 0 && start(options, &serving, error) == 0) {
        started_ns = clock_now_ns();
        outcome = wait_for_end(serving.server, &signals, options->stats_interval_ns, error);
    }
    end(&serving, started_ns);
    return outcome == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command serve_command = {
    .help = "runs a TLS server: echo, discard, source, http or rr",
    .table =
        {
            .command = "serve",
            .summary = "Runs a TLS server on every CPU. SIGTERM lets open connections finish, a "
                       "second one or SIGINT (Ctrl-C) ends them.",
            .sections =
                {
                    {serve_option_rows, SERVE_OPTION_COUNT, 0},
                    {tls_option_rows, TLS_OPTION_COUNT, offsetof(struct serve_options, server.tls)},
                },
            .epilogue = "Examples:\n"
                        "  tlsdyno serve --listen 127.0.0.1:8443,http\n"
                        "  tlsdyno serve --cert server.pem --key server.key --listen '*:443,http'\n"
                        "  tlsdyno serve --admin 127.0.0.1:9090 --stats-interval 1s\n",
        },
    .config_bytes = sizeof(struct serve_options),
    .run = run,
};
