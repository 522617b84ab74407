#include "cli/load_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/units.h"
#include "report/find_max.h"

static const char *const mode_names[] = {
    [LOAD_HANDSHAKE] = "handshake",
    [LOAD_RR] = "rr",
    [LOAD_UPLOAD] = "upload",
    [LOAD_DOWNLOAD] = "download",
    NULL,
};

static const char *const service_names[] = {
    [LOAD_SERVICE_AUTO] = "auto",
    [LOAD_SERVICE_FIRST_PEER + LOAD_PEER_ECHO] = "echo",
    [LOAD_SERVICE_FIRST_PEER + LOAD_PEER_RR] = "rr",
    [LOAD_SERVICE_FIRST_PEER + LOAD_PEER_HTTP] = "http",
    [LOAD_SERVICE_FIRST_PEER + LOAD_PEER_SOURCE] = "source",
    [LOAD_SERVICE_FIRST_PEER + LOAD_PEER_DISCARD] = "discard",
    NULL,
};

static const char *const arrivals_names[] = {
    [LOAD_ARRIVALS_CONSTANT] = "constant", [LOAD_ARRIVALS_POISSON] = "poisson", NULL};

static int refuse_resume(struct error *error)
{
    return error_set(error, "neither none, ticket, id, a percentage from 0 to 100, nor ticket:N "
                            "or id:N with such a percentage");
}

/* none | ticket | id | PERCENT | ticket:PERCENT | id:PERCENT */
static int take_resume(void *config, const char *value, struct error *error)
{
    struct load_options *options = config;
    struct load_plan *plan = &options->plan;
    const char *colon = strchr(value, ':');
    size_t word_bytes = colon != NULL ? (size_t)(colon - value) : strlen(value);
    const char *percent = colon != NULL ? colon + 1 : "100";

    if (strcmp(value, "none") == 0) {
        plan->resume = LOAD_RESUME_NONE;
        plan->resume_percent = 0;
        return 0;
    }
    plan->resume = LOAD_RESUME_TICKET;
    if (word_bytes == strlen("id") && memcmp(value, "id", word_bytes) == 0) {
        plan->resume = LOAD_RESUME_ID;
    } else if (colon == NULL && strcmp(value, "ticket") != 0) {
        percent = value; /* a bare number */
    } else if (word_bytes != strlen("ticket") || memcmp(value, "ticket", word_bytes) != 0) {
        return refuse_resume(error);
    }
    if (percent[0] == '\0' || strlen(percent) > 3 ||
        percent[strspn(percent, "0123456789")] != '\0' || atoi(percent) > 100) {
        return refuse_resume(error);
    }
    plan->resume_percent = (unsigned)atoi(percent);
    if (plan->resume_percent == 0) { /* which the plan takes for all of them */
        plan->resume = LOAD_RESUME_NONE;
    }
    return 0;
}

static int take_fail_if(void *config, const char *value, struct error *error)
{
    struct load_options *options = config;

    return thresholds_parse(&options->thresholds, value, error);
}

static int take_find_max(void *config, const char *value, struct error *error)
{
    struct load_options *options = config;

    options->find_max = value;
    options->objective.count = 0;
    return find_max_parse(&options->objective, value, error);
}

static int take_expect_resumed(void *config, const char *value, struct error *error)
{
    struct load_options *options = config;

    return thresholds_expect_resumed(&options->thresholds, value, error);
}

static int take_cpus(void *config, const char *value, struct error *error)
{
    struct load_options *options = config;

    return load_cpus_parse(value, &options->plan.cpus, error);
}

static int take_sources(void *config, const char *value, struct error *error)
{
    struct load_options *options = config;

    return source_parse(value, options->sources, &options->plan.source_count, error);
}

/* "5s", or "1000/s" */
static int take_ramp(void *config, const char *value, struct error *error)
{
    struct load_options *options = config;
    const size_t bytes = strlen(value);
    char number[32];

    options->plan.ramp_ns = options->plan.ramp_rate = 0;
    if (bytes < 3 || bytes - 2 >= sizeof(number) || strcmp(value + bytes - 2, "/s") != 0) {
        return units_parse_duration(value, &options->plan.ramp_ns, error);
    }
    memcpy(number, value, bytes - 2);
    number[bytes - 2] = '\0';
    if (units_parse_count(number, &options->plan.ramp_rate, error) != 0) {
        return -1;
    }
    return options->plan.ramp_rate > 0 ? 0 : error_set(error, "no connection would ever open");
}

const struct option_info load_option_rows[LOAD_OPTION_COUNT] = {
    {.name = "mode",
     .kind = OPTION_CHOICE,
     .argument = "MODE",
     .group = "Load",
     .help = "handshake: connect, handshake, close; rr: send a request, wait for the answer, check "
             "every byte; upload; download",
     .initial = "handshake",
     .choices = mode_names,
     OPTION_FIELD(struct load_options, plan.mode)},
    {.name = "service",
     .letter = 's',
     .kind = OPTION_CHOICE,
     .argument = "NAME",
     .group = "Load",
     .help = "what the server does with plaintext: echo, rr, http, source or discard; auto is http "
             "for URLs, discard for uploads, source for downloads, otherwise echo",
     .initial = "auto",
     .choices = service_names,
     OPTION_FIELD(struct load_options, service)},
    {.name = "threads",
     .letter = 't',
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Load",
     .help = "load threads; under mpirun, of each process",
     .default_text = "one for each CPU",
     .min = 1,
     .max = LOAD_THREADS_MAX,
     OPTION_FIELD(struct load_options, plan.threads)},
    {.name = "connections",
     .letter = 'c',
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Load",
     .help = "connections at once, in total",
     .initial = "50",
     .min = 1,
     .max = LOAD_CONNECTIONS_MAX,
     OPTION_FIELD(struct load_options, plan.connections)},
    {.name = "idle",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Load",
     .help =
         "hold so many connections open besides, in silence, and ask each once at the end; with "
         "--admin the report has the server's memory for each",
     .default_text = "none",
     .max = LOAD_CONNECTIONS_MAX,
     OPTION_FIELD(struct load_options, plan.idle)},
    {.name = "ramp",
     .kind = OPTION_FUNCTION,
     .argument = "TIME",
     .group = "Load",
     .help = "open the connections evenly over this time, or so many a second: 5s, 1000/s",
     .default_text = "as fast as the server accepts",
     .function = take_ramp},
    {.name = "source-addresses",
     .kind = OPTION_FUNCTION,
     .argument = "LIST",
     .group = "Load",
     .help = "connect from these addresses of this machine in turn, since one has some 28,000 "
             "ports: 10.0.0.2,10.0.0.3",
     .default_text = "the kernel's choice; on loopback 127.0.0.2 and up when one does not do",
     .function = take_sources},
    {.name = "cpus",
     .kind = OPTION_FUNCTION,
     .argument = "LIST",
     .group = "Load",
     .help = "run the load threads on these CPUs only, one after another: 0,2-3",
     .default_text = "wherever the kernel likes",
     .function = take_cpus},
    {.name = "duration",
     .letter = 'd',
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Load",
     .help = "measured time",
     .default_text = "10s, unless --count is given",
     .min = 10 * OPTION_MILLISECOND,
     .max = 30 * OPTION_DAY,
     OPTION_FIELD(struct load_options, plan.duration_ns)},
    {.name = "count",
     .letter = 'n',
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Load",
     .help = "end after so many handshakes or messages",
     .default_text = "when the time is over",
     .min = 1,
     OPTION_FIELD(struct load_options, plan.count)},
    {.name = "rate",
     .letter = 'R',
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Load",
     .help = "open loop: begin so many messages, or in mode handshake connections, each second, "
             "however slow the server is; times then count from when each was due, too",
     .default_text = "closed loop: each connection waits for its answer",
     .min = 1,
     .max = LOAD_RATE_MAX,
     OPTION_FIELD(struct load_options, plan.rate)},
    {.name = "arrivals",
     .kind = OPTION_CHOICE,
     .argument = "HOW",
     .group = "Load",
     .help = "how --rate is spread over time: evenly, or at random as many people would",
     .initial = "constant",
     .choices = arrivals_names,
     OPTION_FIELD(struct load_options, plan.arrivals)},
    {.name = "find-max",
     .kind = OPTION_FUNCTION,
     .argument = "LIST",
     .group = "Load",
     .help = "search the highest --rate that keeps this, such as p99<5ms, without errors: one run "
             "after another of --duration (2s) each, the last ones to confirm it. Exit status 3 "
             "when none does",
     .function = take_find_max},
    {.name = "warmup",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Load",
     .help = "load before the measured time, not counted",
     .default_text = "none",
     .max = OPTION_DAY,
     OPTION_FIELD(struct load_options, plan.warmup_ns)},
    {.name = "message-bytes",
     .letter = 'm',
     .kind = OPTION_BYTES,
     .argument = "BYTES",
     .group = "Load",
     .help = "size of a request, or of what is uploaded in one piece",
     .default_text = "64, for uploads and downloads 16384",
     .min = 1,
     .max = LOAD_MESSAGE_BYTES_MAX,
     OPTION_FIELD(struct load_options, plan.message_bytes)},
    {.name = "response-bytes",
     .kind = OPTION_BYTES,
     .argument = "BYTES",
     .group = "Load",
     .help = "size of the answer that service rr is asked for",
     .default_text = "as the request",
     .min = 1,
     .max = LOAD_MESSAGE_BYTES_MAX,
     OPTION_FIELD(struct load_options, plan.response_bytes)},
    {.name = "depth",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Load",
     .help = "requests under way on each connection",
     .default_text = "1",
     .min = 1,
     .max = LOAD_DEPTH_MAX,
     OPTION_FIELD(struct load_options, plan.depth)},
    {.name = "resume",
     .kind = OPTION_FUNCTION,
     .argument = "HOW",
     .group = "Load",
     .help = "resume sessions: none, ticket, id, or only a percentage of the connections: 70, "
             "ticket:70, id:70",
     .default_text = "none",
     .function = take_resume},
    {.name = "requests-per-connection",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Load",
     .help = "rr: end a connection after so many answers and make another one",
     .default_text = "never, with --early-data 1",
     .min = 1,
     OPTION_FIELD(struct load_options, plan.requests_per_connection)},
    {.name = "early-data",
     .kind = OPTION_SWITCH,
     .group = "Load",
     .help = "rr: connections that resume send their first request as 0-RTT data",
     OPTION_FIELD(struct load_options, plan.early_data)},
    {.name = "session-file",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Load",
     .help = "resume the first connection from the session in FILE, if it has one, and leave "
             "another one there; as openssl s_client -sess_out writes it, and as secret as the "
             "connection. Implies --resume ticket",
     OPTION_FIELD(struct load_options, session_file)},
    {.name = "dynamic-records",
     .kind = OPTION_SWITCH,
     .group = "Load",
     .help = "send small records at first and after silence, larger ones later",
     OPTION_FIELD(struct load_options, plan.dynamic_records)},
    {.name = "timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Load",
     .help = "give up a connect, a handshake or an answer after so long",
     .initial = "10s",
     .min = 10 * OPTION_MILLISECOND,
     .max = OPTION_DAY,
     OPTION_FIELD(struct load_options, plan.timeout_ns)},
    {.name = "plain",
     .kind = OPTION_SWITCH,
     .group = "Load",
     .help = "no TLS, to measure what TCP alone would give",
     OPTION_FIELD(struct load_options, plain)},
    {.name = "insecure",
     .kind = OPTION_SWITCH,
     .group = "Peer's certificate",
     .help = "accept any certificate; the report says so",
     OPTION_FIELD(struct load_options, plan.tls.insecure)},
    {.name = "verify-host",
     .kind = OPTION_STRING,
     .argument = "NAME",
     .group = "Peer's certificate",
     .help = "name or IP address that the certificate must have",
     .default_text = "--sni-name, else the target's host, else localhost",
     OPTION_FIELD(struct load_options, plan.verify_host)},
    {.name = "sni-name",
     .kind = OPTION_STRING,
     .argument = "NAME",
     .group = "Peer's certificate",
     .help = "server name to ask for",
     .default_text = "the target's host, unless it is an address",
     OPTION_FIELD(struct load_options, plan.server_name)},
    {.name = "status",
     .kind = OPTION_SWITCH,
     .group = "Peer's certificate",
     .help = "ask the server to staple an OCSP response, check what comes, and count it",
     OPTION_FIELD(struct load_options, plan.tls.request_ocsp)},
    {.name = "interval",
     .letter = 'i',
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Report",
     .help = "show progress that often, even when standard error is no terminal",
     .default_text = "1s, on a terminal only",
     .min = 50 * OPTION_MILLISECOND,
     .max = OPTION_DAY,
     OPTION_FIELD(struct load_options, plan.interval_ns)},
    {.name = "json",
     .letter = 'J',
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Report",
     .help = "write the report as JSON too; - is standard output, and the text then goes to "
             "standard error",
     OPTION_FIELD(struct load_options, json_file)},
    {.name = "csv",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Report",
     .help = "write a table with a row for each phase and each interval",
     OPTION_FIELD(struct load_options, csv_file)},
    {.name = "percentiles",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Report",
     .help = "write HdrHistogram percentiles, one file for each phase: of lat.hgrm to "
             "lat.message.hgrm",
     OPTION_FIELD(struct load_options, percentiles_file)},
    {.name = "admin",
     .kind = OPTION_STRING,
     .argument = "URL",
     .group = "Report",
     .help = "the server's admin endpoint, http://HOST:PORT or unix:PATH, for both sides' figures",
     OPTION_FIELD(struct load_options, admin)},
    {.name = "limit",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Report",
     .help =
         "what tlsdyno limit --json wrote on the server's machine: tells, with --admin, how near "
         "to it the server came",
     OPTION_FIELD(struct load_options, limit_file)},
    {.name = "fail-if",
     .kind = OPTION_FUNCTION,
     .argument = "LIST",
     .group = "Report",
     .help = "exit with status 3 when one of these is true, such as p99>2ms,errors>0; there are "
             "p50, p90, p99, p99.9 and max, each also of one phase (hello.p99), errors, rate, "
             "lost, resumed, early and stapled, with > and <",
     .function = take_fail_if},
    {.name = "expect-resumed",
     .kind = OPTION_FUNCTION,
     .argument = "PERCENT",
     .group = "Report",
     .help = "exit with status 3 when a smaller share of the sessions offered was resumed, or none "
             "was offered",
     .function = take_expect_resumed},
};
