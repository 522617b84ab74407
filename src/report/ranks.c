#include "report/ranks.h"

#include <math.h>
#include <string.h>

#include "report/json_words.h"
#include "report/text_words.h"

static bool is_stream(const struct load_plan *plan)
{
    return plan->mode == LOAD_UPLOAD || plan->mode == LOAD_DOWNLOAD;
}

static uint64_t count_operations(const struct load_plan *plan, const struct load_result *result)
{
    if (is_stream(plan)) {
        return 0;
    }
    if (plan->mode == LOAD_RR) {
        return result->messages;
    }
    return plan->plain_tcp ? result->connects : result->handshakes;
}

void report_rank_read(struct report_rank *out, const struct load_plan *plan,
                      const struct load_result *result)
{
    struct histogram latency = {0};

    load_main_latency(plan, result->phases, &latency);
    out->threads = result->threads;
    out->connections_asked = result->connections_asked;
    out->connections_peak = result->connections_peak;
    out->seconds = result->seconds;
    out->cpu_seconds = result->cpu_seconds;
    out->busiest_thread = result->busiest_thread;
    out->operations = count_operations(plan, result);
    out->bytes = result->bytes_in + result->bytes_out;
    out->errors = result->errors_total;
    if (result->error_count > 0) {
        out->most_frequent = result->errors[0];
    }
    out->latency = server_times_of(&latency);
}

static double per_second(uint64_t amount, const struct report_rank *rank)
{
    return rank->seconds > 0 ? (double)amount / rank->seconds : NAN;
}

static json_t *rank_json(const struct load_plan *plan, const struct report_rank *rank)
{
    const struct load_error *error = &rank->most_frequent;
    json_t *reason = rank->errors > 0
                         ? json_pack("{s:s, s:o}", "phase", load_error_phase_name(error->phase),
                                     "reason", json_text(error->reason))
                         : json_null();

    return json_pack(
        "{s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:o}",
        "host", json_text_filled(rank->host), "threads", json_count(rank->threads), "connections",
        "asked", json_count(rank->connections_asked), "peak", json_count(rank->connections_peak),
        "measured_seconds", json_number(rank->seconds), "operations",
        is_stream(plan) ? json_null() : json_count(rank->operations), "operations_per_second",
        is_stream(plan) ? json_null() : json_number(per_second(rank->operations, rank)),
        "plain_bytes", json_count(rank->bytes), "plain_bytes_per_second",
        json_number(per_second(rank->bytes, rank)), "latency", server_times_json(&rank->latency),
        "errors", "count", json_count(rank->errors), "most_frequent", reason, "cpu_seconds",
        json_number(rank->cpu_seconds), "busiest_thread_share", json_number(rank->busiest_thread),
        "environment", report_environment_json(&rank->environment, rank->openssl));
}

json_t *report_ranks_json(const struct report_input *input)
{
    json_t *rows = input->rank_count > 1 ? json_array() : json_null();

    for (unsigned i = 0; i < input->rank_count && input->rank_count > 1; i++) {
        rows = json_append(rows, rank_json(input->plan, &input->ranks[i]));
    }
    return rows;
}

static const char *format_rate(const struct load_plan *plan, const struct report_rank *rank,
                               char out[UNITS_TEXT_BYTES])
{
    return is_stream(plan)
               ? text_format_known(per_second(rank->bytes, rank), units_format_bytes, out)
               : text_format_known(per_second(rank->operations, rank), text_format_rate, out);
}

static double known_ns(const struct report_rank *rank, uint64_t value_ns)
{
    return rank->latency.count > 0 ? (double)value_ns : NAN;
}

static void print_row(FILE *out, const struct load_plan *plan, unsigned index,
                      const struct report_rank *rank)
{
    const struct load_error *error = &rank->most_frequent;
    char text[6][UNITS_TEXT_BYTES];
    char line[LOAD_REASON_BYTES + 64];

    fprintf(out, "  %-3u %-20.20s %11s %14s %10s %9s %9s %9s\n", index, rank->host,
            text_format_integer(rank->connections_asked, text[0]), format_rate(plan, rank, text[1]),
            text_format_integer(rank->errors, text[2]),
            text_format_known(known_ns(rank, rank->latency.p50_ns), units_format_duration, text[3]),
            text_format_known(known_ns(rank, rank->latency.p99_ns), units_format_duration, text[4]),
            text_format_known(rank->seconds > 0 ? rank->busiest_thread : NAN, text_format_percent,
                              text[5]));
    if (rank->errors > 0) {
        snprintf(line, sizeof line, "%s: %s", load_error_phase_name(error->phase), error->reason);
        fputs("      ", out);
        text_print_wrapped(out, line, 6);
    }
}

void report_ranks_print(FILE *out, const struct report_input *input)
{
    static const char *const rates[] = {
        [LOAD_HANDSHAKE] = "handshakes/s",
        [LOAD_RR] = "messages/s",
        [LOAD_UPLOAD] = "goodput/s",
        [LOAD_DOWNLOAD] = "goodput/s",
    };
    bool is_one_openssl = true;

    if (input->rank_count <= 1) {
        return;
    }
    fprintf(out, "\n%-26s %11s %14s %10s %9s %9s %9s\n", "Ranks", "connections",
            rates[input->plan->mode], "errors", "p50", "p99", "busiest");
    for (unsigned i = 0; i < input->rank_count; i++) {
        const struct report_rank *rank = &input->ranks[i];

        print_row(out, input->plan, i, rank);
        is_one_openssl = is_one_openssl && strcmp(rank->openssl, input->ranks[0].openssl) == 0;
    }
    if (!is_one_openssl) {
        fputs("  They run different versions of OpenSSL.\n", out);
    }
}
