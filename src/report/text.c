/* The report for a person: its lower part, and the whole put together. Names start in column 2,
 * numbers are right-aligned behind them. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>

#include "base/units.h"
#include "report/efficiency.h"
#include "report/figures.h"
#include "report/find_max.h"
#include "report/ranks.h"
#include "report/sparkline.h"
#include "report/text_head.h"
#include "report/text_latency.h"
#include "report/text_words.h"

enum { ERRORS_SHOWN_MAX = 12, SPARKLINE_MARKS_MAX = 60 };

/* ---- Rates ---- */

static void print_rate(FILE *out, const char *name, double per_second, uint64_t total)
{
    char rate[UNITS_TEXT_BYTES];
    char sum[UNITS_TEXT_BYTES];

    if (!isnan(per_second)) {
        fprintf(out, "  %-28s %14s %18s\n", name, text_format_rate(per_second, rate),
                text_format_integer(total, sum));
    }
}

static void print_goodput(FILE *out, const char *name, double per_second, uint64_t total,
                          double overhead)
{
    char rate[UNITS_TEXT_BYTES];
    char rate_unit[UNITS_TEXT_BYTES + 2];
    char sum[UNITS_TEXT_BYTES];

    if (isnan(per_second) || total == 0) {
        return;
    }
    snprintf(rate_unit, sizeof(rate_unit), "%s/s", units_format_bytes(per_second, rate));
    fprintf(out, "  %-28s %14s %18s", name, rate_unit, units_format_bytes((double)total, sum));
    if (overhead >= 0) {
        fprintf(out, "   %.2f%% more on the wire", overhead * 100);
    }
    fputc('\n', out);
}

static void print_handshake_details(FILE *out, const struct load_result *result,
                                    double resumed_share)
{
    char number[UNITS_TEXT_BYTES];

    if (result->hello_retries > 0) {
        fprintf(out, "  %-28s %14s %18s   a round trip more each\n", "  hello retries", "",
                text_format_integer(result->hello_retries, number));
    }
    if (result->early_accepted + result->early_rejected > 0) {
        fprintf(out, "  %-28s %14s %18s   %.1f%% of them accepted\n", "  with 0-RTT data", "",
                text_format_integer(result->early_accepted + result->early_rejected, number),
                100 * (double)result->early_accepted /
                    (double)(result->early_accepted + result->early_rejected));
    }
    if (result->resumes_offered > 0) {
        fprintf(out, "  %-28s %14s %18s   %.1f%% of them resumed\n", "  sessions offered", "",
                text_format_integer(result->resumes_offered, number), resumed_share * 100);
    }
}

static void print_rates(FILE *out, const struct report_input *input,
                        const struct report_figures *figures)
{
    const struct load_result *result = input->result;

    if (!(result->seconds > 0)) {
        return;
    }
    fprintf(out, "\n%-30s %14s %18s\n", "Rates", "a second", "in all");
    if (figures->has_handshakes) {
        print_rate(out, input->plan->plain_tcp ? "connections" : "handshakes",
                   figures->handshakes_per_second, figures->handshakes);
    }
    if (figures->has_handshakes && figures->handshakes > 0) {
        print_rate(out, "  full", figures->full_per_second, result->handshakes_full);
        print_rate(out, "  resumed", figures->resumed_per_second,
                   result->handshakes_ticket + result->handshakes_id);
        print_handshake_details(out, result, figures->resumed_share);
    }
    print_rate(out, "messages", figures->messages_per_second, result->messages);
    print_goodput(out, "goodput in", figures->bytes_in_per_second, result->bytes_in,
                  figures->overhead_in);
    print_goodput(out, "goodput out", figures->bytes_out_per_second, result->bytes_out,
                  figures->overhead_out);
}

static void print_extent(FILE *out, const struct load_extent *extent, uint64_t count)
{
    const uint64_t values[] = {extent->sum / count, extent->min, extent->max};
    char text[UNITS_TEXT_BYTES];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        fprintf(out, " %9s", text_format_integer(values[i], text));
    }
}

static void print_handshake_bytes(FILE *out, const struct load_result *result)
{
    static const char *const names[] = {[TLS_FULL] = "full",
                                        [TLS_RESUMED_TICKET] = "by ticket",
                                        [TLS_RESUMED_ID] = "by session ID"};
    bool is_first = true;

    for (size_t i = 0; i < LOAD_RESUMPTION_COUNT; i++) {
        const struct load_handshake_bytes *bytes = &result->handshake_bytes[i];

        if (bytes->count == 0) {
            continue;
        }
        if (is_first) {
            fprintf(out, "\n%-30s %9s %9s %9s %9s %9s %9s\n", "Bytes of a handshake", "in, mean",
                    "min", "max", "out, mean", "min", "max");
            is_first = false;
        }
        fprintf(out, "  %-28s", names[i]);
        print_extent(out, &bytes->in, bytes->count);
        print_extent(out, &bytes->out, bytes->count);
        fputc('\n', out);
    }
}

static void print_idle(FILE *out, const struct load_result *result,
                       const struct report_figures *figures)
{
    const struct server_memory *memory = &figures->server_memory;
    char text[3][UNITS_TEXT_BYTES];

    if (result->idle_asked == 0) {
        return;
    }
    fprintf(out, "\nIdle connections: %s asked for, %s held, %s answered at the end\n",
            text_format_integer(result->idle_asked, text[0]),
            text_format_integer(result->idle_held, text[1]),
            text_format_integer(result->idle_verified, text[2]));
    if (!isnan(memory->bytes_per_connection)) {
        fprintf(out, "  server memory %s each: RSS %s, and %s",
                units_format_bytes(memory->bytes_per_connection, text[0]),
                units_format_bytes(memory->before_bytes, text[1]),
                units_format_bytes(memory->after_bytes, text[2]));
        fprintf(out, " with %s more open\n", text_format_whole(memory->connections, text[0]));
    }
}

/* What the mode is about, in one interval. */
static double interval_amount(enum load_mode mode, const struct load_interval *interval)
{
    switch (mode) {
    case LOAD_HANDSHAKE:
        return (double)interval->handshakes;
    case LOAD_RR:
        return (double)interval->messages;
    case LOAD_UPLOAD:
        return (double)interval->bytes_out;
    case LOAD_DOWNLOAD:
        break;
    }
    return (double)interval->bytes_in;
}

static void print_series(FILE *out, const struct report_input *input)
{
    const struct load_result *result = input->result;
    enum load_mode mode = input->plan->mode;
    text_format *format =
        mode == LOAD_UPLOAD || mode == LOAD_DOWNLOAD ? units_format_bytes : text_format_rate;
    /* So many intervals make one mark that the marks fit a line. */
    size_t group = (result->series_count + SPARKLINE_MARKS_MAX - 1) / SPARKLINE_MARKS_MAX;
    double rates[SPARKLINE_MARKS_MAX];
    size_t count = 0;
    double smallest = INFINITY;
    double largest = 0;
    char low[UNITS_TEXT_BYTES];
    char high[UNITS_TEXT_BYTES];

    for (size_t i = 0; i < result->series_count; i += group) {
        double amount = 0;
        double seconds = 0;

        for (size_t j = i; j < i + group && j < result->series_count; j++) {
            amount += interval_amount(mode, &result->series[j]);
            seconds += result->series[j].seconds;
        }
        if (seconds > 0) {
            rates[count] = amount / seconds;
            smallest = fmin(smallest, rates[count]);
            largest = fmax(largest, rates[count]);
            count++;
        }
    }
    if (count < 2) {
        return; /* one mark says nothing about time */
    }
    fputs("  over time   ", out);
    sparkline_write(out, rates, count, input->ascii);
    fprintf(out, "  %s to %s/s\n", format(smallest, low), format(largest, high));
}

/* ---- Errors ---- */

static int compare_errors(const void *a, const void *b)
{
    uint64_t left = (*(const struct load_error *const *)a)->count;
    uint64_t right = (*(const struct load_error *const *)b)->count;

    return left < right ? 1 : left > right ? -1 : 0;
}

static void print_error(FILE *out, const char *phase, const char *reason, uint64_t count)
{
    char number[UNITS_TEXT_BYTES];

    fprintf(out, "  %14s  %-10s ", text_format_integer(count, number), phase);
    text_print_wrapped(out, reason, 29);
}

static void print_errors(FILE *out, const struct load_result *result)
{
    const struct load_error *rows[LOAD_ERRORS_MAX];
    uint64_t hidden = result->errors_total;
    char number[UNITS_TEXT_BYTES];

    if (result->errors_total == 0) {
        fputs("\nErrors: none\n", out);
    } else {
        fprintf(out, "\n%-6s%10s\n", "Errors", text_format_integer(result->errors_total, number));
    }
    for (size_t i = 0; i < result->error_count; i++) {
        rows[i] = &result->errors[i];
    }
    qsort(rows, result->error_count, sizeof(rows[0]), compare_errors);
    for (size_t i = 0; i < result->error_count && i < ERRORS_SHOWN_MAX; i++) {
        print_error(out, load_error_phase_name(rows[i]->phase), rows[i]->reason, rows[i]->count);
        hidden -= rows[i]->count < hidden ? rows[i]->count : hidden;
    }
    if (hidden > 0) {
        print_error(out, "", "for other reasons", hidden);
    }
    if (result->http_status_other > 0) {
        print_error(out, "transfer", "HTTP answers that were not 2xx", result->http_status_other);
    }
}

/* ---- CPU ---- */

static void print_sides(FILE *out, const char *name, double client, double server,
                        text_format *format)
{
    char left[UNITS_TEXT_BYTES];
    char right[UNITS_TEXT_BYTES];

    if (!isnan(client) || !isnan(server)) {
        fprintf(out, "  %-36s %14s %14s\n", name, text_format_known(client, format, left),
                text_format_known(server, format, right));
    }
}

static double counted(const struct report_figures *figures, enum counter which)
{
    int64_t value = figures->server_known ? figures->server_side.counted[which] : -1;

    return value < 0 ? NAN : (double)value;
}

static void print_efficiency(FILE *out, const struct report_input *input,
                             const struct report_figures *figures)
{
    struct efficiency efficiency;
    char rate[UNITS_TEXT_BYTES];
    char name[2 * UNITS_TEXT_BYTES];

    if (input->limit == NULL) {
        return;
    }
    efficiency_compute(&efficiency, input, figures);
    if (efficiency.obstacle != NULL) {
        fprintf(out, "  efficiency: ");
        text_print_wrapped(out, efficiency.obstacle, 4);
        return;
    }
    snprintf(name, sizeof(name), "efficiency, of a ceiling of %s",
             text_format_rate(efficiency.ceiling_per_second, rate));
    print_sides(out, name, NAN, efficiency.share, text_format_percent);
}

static void print_cpu(FILE *out, const struct report_input *input,
                      const struct report_figures *figures)
{
    const struct load_result *result = input->result;
    const struct report_cost *client = &figures->client;
    const struct report_cost *server = &figures->server;
    bool plain = input->plan->plain_tcp;

    fprintf(out, "\n%-38s %14s %14s\n", "CPU, user and system", "client", "server");
    print_sides(out, "CPU time", client->cpu_seconds, server->cpu_seconds, text_format_seconds);
    print_sides(out, "busiest thread", client->busiest, server->busiest, text_format_percent);
    print_sides(out, plain ? "a connection" : "a handshake", client->cpu_seconds_per_handshake,
                server->cpu_seconds_per_handshake, text_format_seconds);
    print_sides(out, plain ? "connections a CPU second" : "handshakes a CPU second",
                client->handshakes_per_cpu_second, server->handshakes_per_cpu_second,
                text_format_rate);
    print_sides(out, "a message", client->cpu_seconds_per_message, server->cpu_seconds_per_message,
                text_format_seconds);
    print_sides(out, "messages a CPU second", client->messages_per_cpu_second,
                server->messages_per_cpu_second, text_format_rate);
    print_sides(out, "a GiB of plaintext, both directions", client->cpu_seconds_per_gib,
                server->cpu_seconds_per_gib, text_format_seconds);
    print_efficiency(out, input, figures);
    if (!figures->server_known) {
        return;
    }
    /* The other side of the same wire, so that one's loss or double count would show. */
    if (figures->has_handshakes) {
        print_sides(out, plain ? "connections counted" : "handshakes counted",
                    (double)figures->handshakes, figures->server_handshakes, text_format_whole);
    }
    if (figures->has_bytes) {
        print_sides(out, "plaintext, client to server", (double)result->bytes_out,
                    counted(figures, COUNTER_PLAIN_BYTES_IN), units_format_bytes);
        print_sides(out, "plaintext, server to client", (double)result->bytes_in,
                    counted(figures, COUNTER_PLAIN_BYTES_OUT), units_format_bytes);
    }
    print_sides(out, "watched for", result->seconds, figures->server_side.seconds,
                text_format_seconds);
}

static void print_verdict(FILE *out, const struct report_figures *figures)
{
    char text[VERDICT_TEXT_BYTES];

    fprintf(out, "\nVerdict: %s\n  ", verdict_name(figures->verdict));
    text_print_wrapped(out, verdict_explain(figures->verdict, &figures->evidence, text), 2);
}

void report_text(FILE *out, const struct report_input *input)
{
    struct report_figures figures;

    report_figures_compute(&figures, input);
    text_print_head(out, input, &figures);
    find_max_print(out, input->find_max);
    text_print_negotiated(out, input->result);
    print_rates(out, input, &figures);
    print_series(out, input);
    print_idle(out, input->result, &figures);
    print_handshake_bytes(out, input->result);
    text_print_latency(out, input, &figures);
    print_errors(out, input->result);
    report_ranks_print(out, input);
    print_cpu(out, input, &figures);
    print_verdict(out, &figures);
}
