#include "cli/serve_options.h"

#include <string.h>

#include "base/error.h"
#include "stats/snapshot.h"
#include "tls/ticket.h"

enum { LISTEN_TEXT_BYTES = 256 };

/* ADDR:PORT[,SERVICE][,plain] */
static int take_listen(void *config, const char *value, struct error *error)
{
    struct serve_options *options = config;
    struct server_listener listener = {0};
    char text[LISTEN_TEXT_BYTES];
    char *rest = text;
    const char *address;
    const char *word;

    if (options->server.listener_count == SERVER_LISTENERS_MAX) {
        return error_set(error, "there are %d listeners already", SERVER_LISTENERS_MAX);
    }
    if (strlen(value) >= sizeof(text)) {
        return error_set(error, "longer than %zu characters", sizeof(text) - 1);
    }
    memcpy(text, value, strlen(value) + 1);
    address = strsep(&rest, ",");
    if (socket_parse(address, &listener.address, error) != 0) {
        return -1;
    }
    while ((word = strsep(&rest, ",")) != NULL) {
        if (strcmp(word, "plain") == 0) {
            listener.plain_tcp = true;
            continue;
        }
        listener.service = service_find(word, error);
        if (listener.service == NULL) {
            return error_prefix(error, "neither 'plain' nor a service");
        }
    }
    options->server.listeners[options->server.listener_count++] = listener;
    return 0;
}

static int take_service(void *config, const char *value, struct error *error)
{
    struct serve_options *options = config;

    options->service = service_find(value, error);
    return options->service != NULL ? 0 : -1;
}

static int take_admin(void *config, const char *value, struct error *error)
{
    struct serve_options *options = config;

    options->admin_given = true;
    return socket_parse(value, &options->admin, error);
}

const struct option_info serve_option_rows[SERVE_OPTION_COUNT] = {
    {.name = "listen",
     .letter = 'l',
     .kind = OPTION_FUNCTION,
     .argument = "ADDR:PORT[,WORD...]",
     .group = "Listening",
     .help = "where to listen: 127.0.0.1:4433, [::1]:4433, *:4433, unix:PATH; port 0 takes a free "
             "one; words are a service for this listener and 'plain' for no TLS; may be repeated",
     .default_text = "127.0.0.1:4433",
     .function = take_listen},
    {.name = "service",
     .letter = 's',
     .kind = OPTION_FUNCTION,
     .argument = "NAME",
     .group = "Listening",
     .help = "what to do with the plaintext: echo, discard, source, http or rr",
     .initial = "echo",
     .function = take_service},
    {.name = "source-bytes",
     .kind = OPTION_BYTES,
     .argument = "BYTES",
     .group = "Listening",
     .help = "bytes that the source service sends before it closes",
     .default_text = "without end",
     OPTION_FIELD(struct serve_options, server.source_bytes)},
    {.name = "threads",
     .letter = 't',
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Listening",
     .help = "worker threads",
     .default_text = "one for each CPU",
     .min = 1,
     .max = SNAPSHOT_WORKERS_MAX,
     OPTION_FIELD(struct serve_options, server.threads)},
    {.name = "pin",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     .group = "Listening",
     .help = "pin each worker to a CPU",
     .default_text = "pinned",
     OPTION_FIELD(struct serve_options, server.no_pin)},
    {.name = "max-connections",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Limits",
     .help = "open connections in total; more are refused at once",
     .default_text = "100k, or as many as files may be open",
     .min = 1,
     OPTION_FIELD(struct serve_options, server.connections_max)},
    {.name = "handshake-timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Limits",
     .help = "drop a client that has not finished its handshake by then",
     .initial = "120s",
     .min = 10 * OPTION_MILLISECOND,
     .max = 30 * OPTION_DAY,
     OPTION_FIELD(struct serve_options, server.handshake_timeout_ns)},
    {.name = "idle-timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Limits",
     .help = "drop a client that sends nothing for so long",
     .initial = "300s",
     .min = 10 * OPTION_MILLISECOND,
     .max = 30 * OPTION_DAY,
     OPTION_FIELD(struct serve_options, server.idle_timeout_ns)},
    {.name = "write-timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Limits",
     .help = "drop a client that takes none of our bytes for so long",
     .initial = "30s",
     .min = 10 * OPTION_MILLISECOND,
     .max = 30 * OPTION_DAY,
     OPTION_FIELD(struct serve_options, server.write_timeout_ns)},
    {.name = "drain-timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Limits",
     .help = "after SIGTERM, how long open connections may take to finish",
     .initial = "10s",
     .min = 10 * OPTION_MILLISECOND,
     .max = 30 * OPTION_DAY,
     OPTION_FIELD(struct serve_options, server.drain_timeout_ns)},
    {.name = "cert",
     .kind = OPTION_LIST,
     .argument = "FILE",
     .group = "Certificates and sessions",
     .help = "PEM certificate and its chain; may be repeated, each with its --key",
     .default_text = "one is made in memory for localhost",
     .max = TLS_CERTIFICATES_MAX,
     OPTION_FIELD(struct serve_options, certificates)},
    {.name = "key",
     .kind = OPTION_LIST,
     .argument = "FILE",
     .group = "Certificates and sessions",
     .help = "PEM private key of the --cert given in the same place",
     .max = TLS_CERTIFICATES_MAX,
     OPTION_FIELD(struct serve_options, keys)},
    {.name = "tickets",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     .group = "Certificates and sessions",
     .help = "issue session tickets",
     .default_text = "issued",
     OPTION_FIELD(struct serve_options, server.tls.no_tickets)},
    {.name = "num-tickets",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Certificates and sessions",
     .help = "TLS 1.3 tickets after a full handshake",
     .initial = "1",
     .min = 1,
     .max = 16,
     OPTION_FIELD(struct serve_options, server.tls.ticket_count)},
    {.name = "ticket-rotate",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Certificates and sessions",
     .help = "make a new ticket key that often",
     .initial = "1h",
     .min = 100 * OPTION_MILLISECOND,
     .max = 30 * OPTION_DAY,
     OPTION_FIELD(struct serve_options, server.ticket_rotate_ns)},
    {.name = "ticket-keep",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Certificates and sessions",
     .help = "previous ticket keys that still resume",
     .initial = "2",
     .max = TICKET_PREVIOUS_MAX,
     OPTION_FIELD(struct serve_options, server.ticket_previous)},
    {.name = "session-cache",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Certificates and sessions",
     .help = "TLS 1.2 sessions kept for resumption by ID",
     .initial = "20480",
     .min = 1,
     .max = 100000000,
     OPTION_FIELD(struct serve_options, server.session_cache)},
    {.name = "session-timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Certificates and sessions",
     .help = "how long a session or ticket may be resumed",
     .initial = "2h",
     .min = OPTION_SECOND,
     .max = 7 * OPTION_DAY, /* RFC 8446 4.6.1 */
     .unit_ns = OPTION_SECOND,
     OPTION_FIELD(struct serve_options, server.tls.session_timeout_s)},
    {.name = "server-preference",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     .group = "TLS",
     .help = "the server's cipher order decides, not the client's",
     .default_text = "the server's",
     OPTION_FIELD(struct serve_options, server.tls.client_preference)},
    {.name = "admin",
     .kind = OPTION_FUNCTION,
     .argument = "ADDRESS",
     .group = "Watching",
     .help = "serve /stats, /metrics and /healthz at 127.0.0.1:PORT or unix:PATH",
     .default_text = "off",
     .function = take_admin},
    {.name = "admin-allow-remote",
     .kind = OPTION_SWITCH,
     .group = "Watching",
     .help = "let --admin be an address that other machines reach; anyone there can read it",
     OPTION_FIELD(struct serve_options, admin_allow_remote)},
    {.name = "stats-interval",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Watching",
     .help = "print a line of rates that often",
     .default_text = "never",
     .min = 100 * OPTION_MILLISECOND,
     .max = OPTION_DAY,
     OPTION_FIELD(struct serve_options, stats_interval_ns)},
    {.name = "show-features",
     .kind = OPTION_SWITCH,
     .group = "Watching",
     .help = "print what OpenSSL and the kernel offer, and exit",
     OPTION_FIELD(struct serve_options, show_features)},
};
