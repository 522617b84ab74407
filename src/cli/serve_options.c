#include "cli/serve_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "stats/snapshot.h"

enum { LISTEN_TEXT_BYTES = 256 };

static const char *const service_words[] = {"echo", "discard", "source", "http", "rr", NULL};

/* fd:N */
static int take_descriptor(struct server_listener *listener, const char *number,
                           struct error *error)
{
    size_t digits = strspn(number, "0123456789");

    if (digits == 0 || digits > 6 || number[digits] != '\0') {
        return error_set(error, "'fd:%s' names no file descriptor: fd:3 would", number);
    }
    listener->is_inherited = true;
    listener->descriptor = atoi(number);
    return 0;
}

/* ADDR:PORT[,SERVICE][,plain], or fd:N in the place of the address */
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
    if (strncmp(address, "fd:", strlen("fd:")) == 0) {
        if (take_descriptor(&listener, address + strlen("fd:"), error) != 0) {
            return -1;
        }
    } else if (socket_parse(address, &listener.address, error) != 0) {
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

static int take_user(void *config, const char *value, struct error *error)
{
    struct serve_options *options = config;

    return user_parse(value, &options->user, error);
}

const struct option_info serve_option_rows[SERVE_OPTION_COUNT] = {
    {.name = "listen",
     .letter = 'l',
     .kind = OPTION_FUNCTION,
     .argument = "ADDR:PORT[,WORD...]",
     .group = "Listening",
     .help = "where to listen: 127.0.0.1:4433, [::1]:4433, *:4433, unix:PATH, or fd:N for an "
             "inherited socket; port 0 takes a free one; words are a service for this listener and "
             "'plain' for no TLS; may be repeated",
     .default_text = "what systemd handed over, else 127.0.0.1:4433",
     .function = take_listen},
    {.name = "reuse",
     .kind = OPTION_SWITCH,
     .group = "Listening",
     .help = "share the addresses with a server that was started with --reuse too: to replace it, "
             "start the new one and send the old one SIGTERM when the new one listens",
     OPTION_FIELD(struct serve_options, reuse)},
    {.name = "service",
     .letter = 's',
     .kind = OPTION_FUNCTION,
     .argument = "NAME",
     .group = "Listening",
     .help = "what to do with the plaintext: echo, discard, source, http or rr",
     .initial = "echo",
     .choices = service_words,
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
     .default_text = "one for each CPU, or as many as the control group may use",
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
    {.name = "max-handshakes",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Limits",
     .help = "handshakes under way in each worker; more connections are refused at once",
     .default_text = "as many as connections",
     .min = 1,
     OPTION_FIELD(struct serve_options, server.handshakes_max)},
    {.name = "max-connections-per-address",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Limits",
     .help = "open connections from one IPv4 address or IPv6 /64, in all workers; more are refused "
             "at once",
     .default_text = "any number",
     .min = 1,
     OPTION_FIELD(struct serve_options, server.address_connections_max)},
    {.name = "max-handshakes-per-address",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Limits",
     .help = "handshakes that one such address may begin in a second; more connections are refused "
             "at once",
     .default_text = "any number",
     .min = 1,
     OPTION_FIELD(struct serve_options, server.address_handshakes_max)},
    {.name = "max-output",
     .kind = OPTION_BYTES,
     .argument = "BYTES",
     .group = "Limits",
     .help = "output that may wait for one client to take it; then nothing more is read from it",
     .initial = "128Ki",
     .min = SERVER_OUTPUT_BYTES_MIN,
     .max = 1 << 30,
     OPTION_FIELD(struct serve_options, server.connection_output_bytes_max)},
    {.name = "max-buffers",
     .kind = OPTION_BYTES,
     .argument = "BYTES",
     .group = "Limits",
     .help = "bytes that may wait for all clients, an equal share for each worker; from three "
             "quarters of it on, clients that take nothing are dropped",
     .default_text = "a quarter of the machine's memory",
     .min = 4 << 20,
     OPTION_FIELD(struct serve_options, server.buffer_bytes_max)},
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
    {.name = "pacing-rate",
     .kind = OPTION_COUNT,
     .argument = "BITS",
     .group = "Limits",
     .help = "send at most so many bits a second on each TCP connection, in packets of Ethernet's "
             "size, as a slow link would: 10M; only bursts of some ten KiB go faster",
     .default_text = "as fast as it goes",
     .min = 8000,
     .max = 1000000000000,
     OPTION_FIELD(struct serve_options, server.pacing_bits_per_second)},
    {.name = "user",
     .kind = OPTION_FUNCTION,
     .argument = "NAME[:GROUP]",
     .group = "Privileges",
     .help = "started as root, go on as this user once sockets are bound and files are read",
     .function = take_user},
    {.name = "sandbox",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     .group = "Privileges",
     .help = "give up files, system calls and core dumps that a server has no need of; in the "
             "negative debuggers and tracers can look inside",
     .default_text = "on",
     OPTION_FIELD(struct serve_options, no_sandbox)},
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
    {.name = "log-failures",
     .kind = OPTION_SWITCH,
     .group = "Watching",
     .help = "print a line for each client that fails before its connection is secure, at most "
             "20 a second",
     OPTION_FIELD(struct serve_options, log_failures)},
    {.name = "show-features",
     .kind = OPTION_SWITCH,
     .group = "Watching",
     .help = "print what OpenSSL and the kernel offer, and exit",
     OPTION_FIELD(struct serve_options, show_features)},
};
