#include "load/plan.h"

#include <arpa/inet.h>
#include <sched.h>

#include "base/clock.h"
#include "base/error.h"
#include "service/services.h"

static const uint64_t INTERVAL_NS_MIN = 10 * 1000 * 1000;
static const uint64_t TIMEOUT_NS_MIN = 1000 * 1000;

const char *load_mode_name(enum load_mode mode)
{
    static const char *const names[] = {
        [LOAD_HANDSHAKE] = "handshake",
        [LOAD_RR] = "rr",
        [LOAD_UPLOAD] = "upload",
        [LOAD_DOWNLOAD] = "download",
    };

    return names[mode];
}

const char *load_peer_name(enum load_peer peer)
{
    static const char *const names[] = {
        [LOAD_PEER_ECHO] = "echo",     [LOAD_PEER_RR] = "rr",           [LOAD_PEER_HTTP] = "http",
        [LOAD_PEER_SOURCE] = "source", [LOAD_PEER_DISCARD] = "discard",
    };

    return names[peer];
}

const char *load_arrivals_name(enum load_arrivals arrivals)
{
    static const char *const names[] = {
        [LOAD_ARRIVALS_CONSTANT] = "constant",
        [LOAD_ARRIVALS_POISSON] = "poisson",
    };

    return names[arrivals];
}

static unsigned usable_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1; /* more CPUs than the set can name: the person must say how many threads */
    }
    return (unsigned)CPU_COUNT(&set);
}

static bool is_ip_address(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* Each has a share of the connections, and of the count, which must not be none. */
static void limit_threads(struct load_plan *plan)
{
    const struct load_rank *rank = &plan->rank;
    const uint64_t connections = load_share(plan->connections, rank->count, rank->index);
    const uint64_t count = load_share(plan->count, rank->count, rank->index);

    if (plan->threads > connections) {
        plan->threads = (unsigned)connections;
    }
    if (plan->count > 0 && plan->threads > count) {
        plan->threads = (unsigned)count;
    }
}

static void fill_defaults(struct load_plan *plan)
{
    const bool is_stream = plan->mode == LOAD_UPLOAD || plan->mode == LOAD_DOWNLOAD;

    if (plan->rank.count == 0) {
        plan->rank.count = 1;
    }

    if (plan->connections == 0) {
        plan->connections = 50;
    }
    if (plan->threads == 0) {
        plan->threads = plan->cpus.count > 0 ? plan->cpus.count : usable_cpus();
    }
    limit_threads(plan);
    if (plan->duration_ns == 0 && plan->count == 0) {
        plan->duration_ns = 10 * NS_PER_S;
    }
    if (plan->message_bytes == 0) {
        plan->message_bytes = is_stream ? 16384 : 64;
    }
    if (plan->response_bytes == 0) {
        plan->response_bytes = plan->message_bytes;
    }
    if (plan->depth == 0) {
        plan->depth = 1;
    }
    if (plan->early_data && plan->requests_per_connection == 0) {
        plan->requests_per_connection = 1; /* only new connections have early data */
    }
    if ((plan->early_data || plan->keep_session) && plan->resume == LOAD_RESUME_NONE) {
        plan->resume = LOAD_RESUME_TICKET;
    }
    if (plan->resume != LOAD_RESUME_NONE && plan->resume_percent == 0) {
        plan->resume_percent = 100;
    }
    if (plan->timeout_ns == 0) {
        plan->timeout_ns = 10 * NS_PER_S;
    }
    if (plan->interval_ns == 0) {
        plan->interval_ns = NS_PER_S;
    }
    if (plan->path[0] == '\0') {
        plan->path[0] = '/';
    }
    if (plan->ramp_rate > 0) {
        plan->ramp_ns = (plan->connections + (uint64_t)plan->idle) * NS_PER_S / plan->ramp_rate;
    }
    if (plan->source_count == 0) {
        plan->loopback_sources = source_loopback_count(
            &plan->address, plan->connections + (uint64_t)plan->idle, source_ports());
    }
    if (plan->server_name == NULL && plan->host[0] != '\0' && !is_ip_address(plan->host)) {
        plan->server_name = plan->host;
    }
}

/* The mode decides what the server must be; ECHO stands for "not said". */
static int match_peer(struct load_plan *plan, struct error *error)
{
    bool fits = true;

    switch (plan->mode) {
    case LOAD_HANDSHAKE:
        break;
    case LOAD_RR:
        fits = plan->peer != LOAD_PEER_SOURCE && plan->peer != LOAD_PEER_DISCARD;
        break;
    case LOAD_UPLOAD:
        if (plan->peer == LOAD_PEER_ECHO) {
            plan->peer = LOAD_PEER_DISCARD;
        }
        fits = plan->peer == LOAD_PEER_DISCARD;
        break;
    case LOAD_DOWNLOAD:
        if (plan->peer == LOAD_PEER_ECHO) {
            plan->peer = LOAD_PEER_SOURCE;
        }
        fits = plan->peer == LOAD_PEER_SOURCE || plan->peer == LOAD_PEER_HTTP;
        break;
    }
    if (!fits) {
        return error_set(error, "mode %s cannot be run against a server that does %s",
                         load_mode_name(plan->mode), load_peer_name(plan->peer));
    }
    return 0;
}

static int check_resume(struct load_plan *plan, struct error *error)
{
    if (plan->resume == LOAD_RESUME_NONE) {
        return 0;
    }
    if (!load_plan_reconnects(plan) && !plan->keep_session) {
        return error_set(error,
                         "--resume needs --mode handshake, or --requests-per-connection: in mode "
                         "%s connections stay open",
                         load_mode_name(plan->mode));
    }
    if (plan->plain_tcp) {
        return error_set(error, "--resume needs TLS, and the target is plain TCP");
    }
    if (plan->resume_percent > 100) {
        return error_set(error, "--resume %u: at most 100 percent of the connections can resume",
                         plan->resume_percent);
    }
    if (plan->resume == LOAD_RESUME_TICKET) {
        if (plan->tls.no_tickets) {
            return error_set(error, "--resume ticket and --no-tickets exclude each other");
        }
        return 0;
    }
    /* TLS 1.3 has no session IDs (RFC 8446 4.1.2). */
    if (plan->tls.version_min > TLS_VERSION_1_2 || plan->tls.version_max > TLS_VERSION_1_2) {
        return error_set(error, "--resume id needs TLS 1.2 or older: say --max-version 1.2");
    }
    plan->tls.version_max =
        plan->tls.version_max == TLS_VERSION_DEFAULT ? TLS_VERSION_1_2 : plan->tls.version_max;
    plan->tls.no_tickets = true; /* else the server prefers a ticket (RFC 5077 3.4) */
    return 0;
}

static int check_churn(const struct load_plan *plan, struct error *error)
{
    if (!plan->early_data) {
        return plan->requests_per_connection == 0 || plan->mode == LOAD_RR
                   ? 0
                   : error_set(error,
                               "--requests-per-connection belongs to --mode rr; mode %s has none",
                               load_mode_name(plan->mode));
    }
    if (plan->mode != LOAD_RR || plan->plain_tcp || plan->rate > 0) {
        return error_set(error, "--early-data sends the first request of a connection: it needs "
                                "--mode rr, TLS and no --rate");
    }
    if (plan->resume != LOAD_RESUME_TICKET ||
        (plan->tls.version_max != TLS_VERSION_DEFAULT && plan->tls.version_max < TLS_VERSION_1_3)) {
        return error_set(error, "--early-data needs TLS 1.3 and its tickets");
    }
    return 0;
}

static int check_many(const struct load_plan *plan, struct error *error)
{
    const bool is_stream = plan->mode == LOAD_UPLOAD || plan->mode == LOAD_DOWNLOAD;

    if (plan->connections > LOAD_CONNECTIONS_MAX || plan->idle > LOAD_CONNECTIONS_MAX) {
        return error_set(error, "%u connections and %u idle: at most %d of each can be made",
                         plan->connections, plan->idle, LOAD_CONNECTIONS_MAX);
    }
    if (plan->idle > 0 &&
        (is_stream || plan->peer == LOAD_PEER_SOURCE || plan->peer == LOAD_PEER_DISCARD)) {
        return error_set(error, "--idle asks each connection something at the end: it needs an "
                                "echo, rr or http server, and --mode handshake or rr");
    }
    if (plan->ramp_ns > 0 && plan->mode == LOAD_HANDSHAKE && plan->idle == 0) {
        return error_set(error, "--ramp spreads the opening of connections that stay; how many "
                                "handshakes begin a second is --rate's business");
    }
    for (uint32_t i = 0; i < plan->source_count; i++) {
        if (plan->sources[i].any.sa_family != plan->address.any.sa_family) {
            return error_set(error, "--source-addresses and the target are not of one family");
        }
    }
    return 0;
}

static int check_ranks(const struct load_plan *plan, struct error *error)
{
    const unsigned ranks = plan->rank.count;

    if (plan->connections < ranks) {
        return error_set(error, "--connections %u among %u ranks: each needs one",
                         plan->connections, ranks);
    }
    if (plan->count > 0 && plan->count < ranks) {
        return error_set(error, "--count %lu among %u ranks: each needs one", plan->count, ranks);
    }
    if (ranks > 1 && plan->session != NULL) {
        return error_set(error,
                         "a saved session is for one connection, and each of %u ranks would "
                         "offer it",
                         ranks);
    }
    return 0;
}

static int check_rate(const struct load_plan *plan, struct error *error)
{
    if (plan->rate > LOAD_RATE_MAX) {
        return error_set(error, "--rate %lu: at most %d a second can be scheduled", plan->rate,
                         LOAD_RATE_MAX);
    }
    if (plan->rate > 0 && (plan->mode == LOAD_UPLOAD || plan->mode == LOAD_DOWNLOAD)) {
        return error_set(error, "--rate means nothing in mode %s, which has no messages to begin",
                         load_mode_name(plan->mode));
    }
    return 0;
}

static int check_sizes(const struct load_plan *plan, struct error *error)
{
    if (plan->message_bytes > LOAD_MESSAGE_BYTES_MAX ||
        plan->response_bytes > LOAD_MESSAGE_BYTES_MAX) {
        return error_set(error, "a message may have at most %d bytes", LOAD_MESSAGE_BYTES_MAX);
    }
    if (plan->mode == LOAD_RR && plan->peer == LOAD_PEER_RR &&
        plan->message_bytes < RR_HEADER_BYTES) {
        return error_set(error, "--message-bytes %lu: an rr request has at least its header's %d",
                         plan->message_bytes, RR_HEADER_BYTES);
    }
    if (plan->mode == LOAD_RR && plan->peer == LOAD_PEER_ECHO &&
        plan->response_bytes != plan->message_bytes) {
        return error_set(error, "an echo answers with as many bytes as it was sent (%lu), not %lu",
                         plan->message_bytes, plan->response_bytes);
    }
    return 0;
}

int load_plan_complete(struct load_plan *plan, struct error *error)
{
    if (plan->address.bytes == 0) {
        return error_set(error, "no target: say HOST:PORT, https://host/path or unix:PATH");
    }
    fill_defaults(plan);
    if (plan->threads > LOAD_THREADS_MAX) {
        return error_set(error, "%u threads: at most %d can be started", plan->threads,
                         LOAD_THREADS_MAX);
    }
    if (plan->depth > LOAD_DEPTH_MAX) {
        return error_set(error, "--depth %u: at most %d requests can be under way", plan->depth,
                         LOAD_DEPTH_MAX);
    }
    if (plan->interval_ns < INTERVAL_NS_MIN) {
        return error_set(error, "the interval of the live view must be at least 10 ms");
    }
    if (plan->timeout_ns < TIMEOUT_NS_MIN) {
        return error_set(error, "the timeout must be at least 1 ms");
    }
    if (check_ranks(plan, error) != 0 || match_peer(plan, error) != 0 ||
        check_churn(plan, error) != 0 || check_resume(plan, error) != 0 ||
        check_many(plan, error) != 0 || check_rate(plan, error) != 0) {
        return -1;
    }
    return check_sizes(plan, error);
}
