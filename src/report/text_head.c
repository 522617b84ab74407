#include "report/text_head.h"

#include <stdlib.h>
#include <string.h>

#include "report/text_words.h"

enum { TEXT_NEGOTIATED_MAX = 8 }; /* combinations shown; the rest is summed up */

/* ---- What ran ---- */

static void print_load(FILE *out, const struct load_plan *plan, const struct load_result *result)
{
    char number[UNITS_TEXT_BYTES];
    char size[UNITS_TEXT_BYTES];
    char text[512];
    int used = snprintf(text, sizeof(text), "%s connections, %u thread%s, ",
                        text_format_integer(plan->connections, number), result->threads,
                        result->threads == 1 ? "" : "s");

    if (plan->rank.count > 1) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%u ranks, ", plan->rank.count);
    }

    if (plan->idle > 0) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%s idle, ",
                         text_format_integer(plan->idle, size));
    }
    if (plan->loopback_sources > 0) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "from %u addresses, ",
                         plan->loopback_sources);
    }
    if (plan->mode == LOAD_RR && plan->peer == LOAD_PEER_HTTP) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "GET requests, ");
    } else if (plan->mode == LOAD_RR || plan->mode == LOAD_UPLOAD) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "messages of %s bytes, ",
                         text_format_integer(plan->message_bytes, size));
    }
    if (plan->mode == LOAD_RR) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "depth %u, ", plan->depth);
    }
    if (plan->rate > 0) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%s a second (%s), ",
                         text_format_integer(plan->rate, size), load_arrivals_name(plan->arrivals));
    }
    if (plan->requests_per_connection > 0) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%s on each connection%s, ",
                         text_format_integer(plan->requests_per_connection, size),
                         plan->early_data ? ", the first as 0-RTT data" : "");
    }
    if (plan->resume != LOAD_RESUME_NONE) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%u%% to resume by %s, ",
                         plan->resume_percent,
                         plan->resume == LOAD_RESUME_TICKET ? "ticket" : "session ID");
    }
    used += snprintf(text + used, sizeof(text) - (size_t)used, "measured for %s",
                     text_format_seconds(result->seconds, number));
    if (plan->warmup_ns > 0) {
        snprintf(text + used, sizeof(text) - (size_t)used, " after a warm-up of %s",
                 units_format_duration((double)plan->warmup_ns, number));
    }
    text_print_fact(out, "load", text);
}

static void print_client(FILE *out, const struct report_input *input)
{
    const struct report_environment *environment = &input->environment;
    char cpus[UNITS_TEXT_BYTES] = "";
    char governor[REPORT_ENVIRONMENT_BYTES + 16] = "";
    char allowed[64] = "";
    char quota[64] = "";
    char text[512];

    if (environment->cpu_count > 0) {
        snprintf(cpus, sizeof(cpus), "%u CPU%s", environment->cpu_count,
                 environment->cpu_count == 1 ? "" : "s");
    }
    if (environment->governor[0] != '\0') {
        snprintf(governor, sizeof(governor), "governor %s", environment->governor);
    }
    if (environment->cpus_allowed > 0 && environment->cpus_allowed < environment->cpu_count) {
        snprintf(allowed, sizeof(allowed), "allowed on %u of them", environment->cpus_allowed);
    }
    if (environment->cpu_quota > 0) {
        snprintf(quota, sizeof(quota), "cgroup limit %.3g CPUs", environment->cpu_quota);
    }
    const char *const parts[] = {environment->cpu_model,
                                 cpus,
                                 allowed,
                                 quota,
                                 environment->smt == REPORT_SMT_ON ? "SMT on" : "",
                                 governor,
                                 environment->kernel,
                                 input->openssl_version != NULL ? input->openssl_version : ""};
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i][0] != '\0' && used < sizeof(text)) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "",
                                     parts[i]);
        }
    }
    text_print_fact(out, "client", used > 0 ? text : "not known");
}

static void print_server(FILE *out, const struct report_figures *figures)
{
    const struct server_side *side = &figures->server_side;
    char text[512];

    if (figures->server_known) {
        snprintf(text, sizeof(text), "tlsdyno %s, %u worker%s, %s",
                 side->version != NULL ? side->version : "of unknown version", side->worker_count,
                 side->worker_count == 1 ? "" : "s",
                 side->openssl != NULL ? side->openssl : "OpenSSL not known");
        text_print_fact(out, "server", text);
    } else if (figures->server_error.text[0] != '\0') {
        text_print_fact(out, "server", figures->server_error.text);
    } else {
        text_print_fact(out, "server", "its side is not known (--admin was not given)");
    }
}

/* Whose work the records were, without which CPU times tell nothing. A handshake's are always
 * OpenSSL's. */
static void print_records(FILE *out, const struct report_input *input,
                          const struct report_figures *figures)
{
    const struct load_result *result = input->result;
    const int64_t *server = figures->server_side.counted;
    uint64_t records = result->records_in + result->records_out;
    char text[160];
    int used;

    if (records == 0 || input->plan->mode == LOAD_HANDSHAKE) {
        return;
    }
    used = snprintf(text, sizeof(text), "%.1f%% of the client's",
                    100 * (double)result->records_direct / (double)records);
    if (figures->server_known && server[COUNTER_RECORDS_DIRECT] >= 0 &&
        server[COUNTER_RECORDS_IN] + server[COUNTER_RECORDS_OUT] > 0) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, " and %.1f%% of the server's",
                         100 * (double)server[COUNTER_RECORDS_DIRECT] /
                             (double)(server[COUNTER_RECORDS_IN] + server[COUNTER_RECORDS_OUT]));
    }
    snprintf(text + used, sizeof(text) - (size_t)used,
             " by the direct record layer, the others by OpenSSL's");
    text_print_fact(out, "records", text);
}

/* What makes an open loop less open than it was asked to be. */
static void print_rate_notes(FILE *out, const struct report_input *input,
                             const struct report_figures *figures)
{
    const struct load_result *result = input->result;
    char number[UNITS_TEXT_BYTES];
    char asked[UNITS_TEXT_BYTES];
    char text[256];

    if (figures->rate_missed) {
        snprintf(text, sizeof(text),
                 "RATE MISSED: %s a second of %s asked for, %.1f%% of what was due in this time.",
                 text_format_rate(figures->achieved_per_second, number),
                 text_format_integer(input->plan->rate, asked), figures->achieved_share * 100);
        text_print_fact(out, "WARNING", text);
    }
    if (result->unstarted > 0 && figures->rate_missed) {
        snprintf(text, sizeof(text),
                 "%s were due and had not begun at the end. Their waits are in no percentile.",
                 text_format_integer(result->unstarted, number));
        text_print_fact(out, "WARNING", text);
    }
    if (result->dropped > 0) {
        snprintf(text, sizeof(text),
                 "%s WERE DROPPED: a thread had %s waiting already. They are in no percentile.",
                 text_format_integer(result->dropped, number),
                 text_format_integer(LOAD_QUEUE_MAX, asked));
        text_print_fact(out, "WARNING", text);
    }
}

static void print_notes(FILE *out, const struct report_input *input,
                        const struct report_figures *figures)
{
    const struct load_result *result = input->result;
    char text[128];

    if (!figures->succeeded) {
        text_print_fact(out, "NOTE", "NOTHING SUCCEEDED. See the errors below.");
    }
    if (result->interrupted) {
        text_print_fact(out, "NOTE", "INTERRUPTED: the figures cover the time until then.");
    }
    print_rate_notes(out, input, figures);
    if (input->plan->mode != LOAD_HANDSHAKE && figures->succeeded &&
        result->connections_peak < result->connections_asked) {
        snprintf(text, sizeof(text), "only %u of %u connections were open at once.",
                 result->connections_peak, result->connections_asked);
        text_print_fact(out, "NOTE", text);
    }
    if (input->plan->plain_tcp) {
        text_print_fact(out, "NOTE", "PLAIN TCP: no TLS in this run.");
    } else if (input->plan->tls.insecure) {
        text_print_fact(out, "NOTE",
                        "--insecure: certificates were not verified, so the peer may be anybody.");
    }
    if (input->openssl_version != NULL && figures->server_known &&
        figures->server_side.openssl != NULL &&
        strcmp(input->openssl_version, figures->server_side.openssl) != 0) {
        text_print_fact(out, "NOTE", "client and server run different versions of OpenSSL.");
    }
}

void text_print_head(FILE *out, const struct report_input *input,
                     const struct report_figures *figures)
{
    const struct load_plan *plan = input->plan;

    fprintf(out, "tlsdyno load, mode %s", load_mode_name(plan->mode));
    if (plan->mode != LOAD_HANDSHAKE) { /* a handshake is over before the service matters */
        fprintf(out, " (%s)", load_peer_name(plan->peer));
    }
    fputc('\n', out);
    text_print_fact(out, "target", input->target != NULL ? input->target : "not known");
    if (input->command_line != NULL) {
        text_print_fact(out, "command", input->command_line);
    }
    if (input->started != NULL) {
        text_print_fact(out, "started", input->started);
    }
    print_load(out, plan, input->result);
    print_client(out, input);
    print_server(out, figures);
    print_records(out, input, figures);
    print_notes(out, input, figures);
}

/* ---- Negotiated ---- */

static const char *resumption_name(enum tls_resumption resumption)
{
    switch (resumption) {
    case TLS_RESUMED_TICKET:
        return "resumed by ticket";
    case TLS_RESUMED_ID:
        return "resumed by session ID";
    case TLS_FULL:
        break;
    }
    return "full handshake";
}

static int compare_negotiated(const void *a, const void *b)
{
    uint64_t left = (*(const struct load_negotiated *const *)a)->connections;
    uint64_t right = (*(const struct load_negotiated *const *)b)->connections;

    return left < right ? 1 : left > right ? -1 : 0;
}

static void print_combination(FILE *out, const struct load_negotiated *row, uint64_t total)
{
    const struct tls_facts *facts = &row->facts;
    char number[UNITS_TEXT_BYTES];
    char text[256];

    snprintf(text, sizeof(text), "%s, %s%s%s", facts->version, facts->suite,
             facts->group[0] != '\0' ? ", " : "", facts->group);
    fprintf(out, "  %-70s %14s %6.1f%%\n", text, text_format_integer(row->connections, number),
            100 * (double)row->connections / (double)total);
    snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", resumption_name(facts->resumption),
             facts->signature[0] != '\0' ? ", signed " : "", facts->signature,
             facts->certificate[0] != '\0' ? ", certificate " : "", facts->certificate,
             facts->alpn[0] != '\0' ? ", ALPN " : "", facts->alpn);
    fputs("    ", out);
    text_print_wrapped(out, text, 4);
}

static void print_staples(FILE *out, const uint64_t staples[TLS_STAPLE_COUNT])
{
    static const char *const names[TLS_STAPLE_COUNT] = {
        [TLS_STAPLE_NONE] = "asked for an OCSP staple, and none came",
        [TLS_STAPLE_UNVERIFIED] = "OCSP staple, NOT VERIFIED",
        [TLS_STAPLE_REVOKED] = "OCSP staple, verified: THE CERTIFICATE IS REVOKED",
        [TLS_STAPLE_GOOD] = "OCSP staple, verified, certificate good",
    };
    char number[UNITS_TEXT_BYTES];

    for (int i = TLS_STAPLE_COUNT - 1; i >= 0; i--) {
        if (staples[i] > 0) {
            fprintf(out, "  %-70s %14s\n", names[i], text_format_integer(staples[i], number));
        }
    }
}

void text_print_negotiated(FILE *out, const struct load_result *result)
{
    const struct load_negotiated *rows[LOAD_NEGOTIATED_MAX];
    uint64_t hidden = result->negotiated_other;
    uint64_t total = hidden;
    char number[UNITS_TEXT_BYTES];

    if (result->negotiated_count == 0 && result->negotiated_other == 0) {
        return;
    }
    for (size_t i = 0; i < result->negotiated_count; i++) {
        rows[i] = &result->negotiated[i];
        total += rows[i]->connections;
    }
    qsort(rows, result->negotiated_count, sizeof(rows[0]), compare_negotiated);
    fprintf(out, "\n%-72s %14s\n", "Negotiated (warm-up included)", "connections");
    for (size_t i = 0; i < result->negotiated_count; i++) {
        if (i < TEXT_NEGOTIATED_MAX) {
            print_combination(out, rows[i], total);
        } else {
            hidden += rows[i]->connections;
        }
    }
    if (hidden > 0) {
        fprintf(out, "  %-70s %14s %6.1f%%\n", "other combinations",
                text_format_integer(hidden, number), 100 * (double)hidden / (double)total);
    }
    print_staples(out, result->staples);
}
