/* Load runs as tables, one column or row for each. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "report/compare_value.h"
#include "report/html_page.h"
#include "report/html_sweep.h"
#include "report/html_value.h"

/* ---- Figures and machines: a column for each run ---- */

struct row {
    const char *path;
    const char *title;
    text_format *format; /* NULL: a text, a number or a truth, as it is */
};

static const struct row figure_rows[] = {
    {"handshakes.per_second", "handshakes a second", text_format_rate},
    {"handshakes.full_per_second", "full", text_format_rate},
    {"handshakes.resumed_per_second", "resumed", text_format_rate},
    {"handshakes.resumed_share_of_offered", "resumed, of sessions offered", text_format_percent},
    {"handshakes.hello_retries", "hello retries", text_format_whole},
    {"messages.per_second", "messages a second", text_format_rate},
    {"open_loop.target_per_second", "rate asked for, a second", text_format_rate},
    {"open_loop.achieved_per_second", "rate achieved, a second", text_format_rate},
    {"bytes.plain_in_bytes_per_second", "goodput in", html_format_bytes_rate},
    {"bytes.plain_out_bytes_per_second", "goodput out", html_format_bytes_rate},
    {"bytes.overhead_in_share", "more on the wire, in", text_format_percent},
    {"bytes.overhead_out_share", "more on the wire, out", text_format_percent},
    {"errors.count", "errors", text_format_whole},
    {"server.cost.cpu_seconds_per_handshake", "server CPU, a handshake", text_format_seconds},
    {"server.cost.cpu_seconds_per_message", "server CPU, a message", text_format_seconds},
    {"server.cost.cpu_seconds_per_gib", "server CPU, a GiB", text_format_seconds},
    {"client.cost.cpu_seconds_per_handshake", "client CPU, a handshake", text_format_seconds},
    {"client.cost.cpu_seconds_per_message", "client CPU, a message", text_format_seconds},
    {"client.cost.cpu_seconds_per_gib", "client CPU, a GiB", text_format_seconds},
    {"server.cost.busiest_thread_share", "busiest server worker", text_format_percent},
    {"client.cost.busiest_thread_share", "busiest load thread", text_format_percent},
    {"verdict.machine_busy_share", "all CPUs of the machine", text_format_percent},
    {"verdict.kind", "verdict", NULL},
};

static const struct row machine_rows[] = {
    {"target", "target", NULL},
    {"started", "started", NULL},
    {"measured_seconds", "measured for", text_format_seconds},
    {"plan.warmup_seconds", "warm-up", text_format_seconds},
    {"plan.threads", "load threads", text_format_whole},
    {"plan.connections", "connections", text_format_whole},
    {"plan.message_bytes", "message bytes", text_format_whole},
    {"plan.depth", "requests under way, each", text_format_whole},
    {"environment.cpu_model", "CPU", NULL},
    {"environment.cpu_count", "CPUs online", text_format_whole},
    {"environment.cpus_allowed", "CPUs allowed", text_format_whole},
    {"environment.cpu_quota", "cgroup limit, CPUs", NULL},
    {"environment.smt", "SMT", NULL},
    {"environment.governor", "frequency governor", NULL},
    {"environment.open_files_max", "open files, at most", text_format_whole},
    {"environment.kernel", "kernel", NULL},
    {"environment.openssl", "OpenSSL, client", NULL},
    {"server.openssl", "OpenSSL, server", NULL},
    {"server.workers", "server workers", text_format_whole},
    {"version", "tlsdyno", NULL},
};

static void write_heads(FILE *out, const struct html_input *input)
{
    fputs("<div class=\"scroll\"><table><thead><tr><th></th>", out);
    for (size_t file = 0; file < input->count; file++) {
        if (!sweep_is(input->files[file].document)) {
            fputs("<th class=\"n\">", out);
            html_badge(out, file);
            fputs("</th>", out);
        }
    }
    fputs("</tr></thead><tbody>\n", out);
}

static void write_value(FILE *out, const json_t *value, const json_t *document,
                        const struct row *row)
{
    char text[UNITS_TEXT_BYTES];

    if (row->format != NULL) {
        html_number_cell(out, html_number(document, row->path), row->format);
    } else if (json_is_boolean(value)) {
        html_element(out, "td class=\"n\"", json_is_true(value) ? "on" : "off");
    } else if (json_is_number(value)) {
        snprintf(text, sizeof(text), "%.3g", compare_number(value));
        html_element(out, "td class=\"n\"", text);
    } else {
        html_element(out, "td class=\"n wrap\"", json_string_value(value));
    }
}

/* A row that no run has a value for is left out, and so is a rate of what no run did. */
static void write_row(FILE *out, const struct html_input *input, const struct row *row)
{
    bool any = false;

    for (size_t file = 0; file < input->count; file++) {
        const json_t *value = compare_find(input->files[file].document, row->path);
        bool is_rate = row->format == text_format_rate || row->format == html_format_bytes_rate;

        any |= !sweep_is(input->files[file].document) && value != NULL && !json_is_null(value) &&
               (!is_rate || compare_number(value) > 0);
    }
    if (!any) {
        return;
    }
    fputs("<tr>", out);
    html_element(out, "th", row->title);
    for (size_t file = 0; file < input->count; file++) {
        const json_t *document = input->files[file].document;

        if (!sweep_is(document)) {
            write_value(out, compare_find(document, row->path), document, row);
        }
    }
    fputs("</tr>\n", out);
}

static void write_rows(FILE *out, const struct html_input *input, const struct row *rows,
                       size_t count)
{
    write_heads(out, input);
    for (size_t i = 0; i < count; i++) {
        write_row(out, input, &rows[i]);
    }
    fputs("</tbody></table></div>\n", out);
}

/* ---- Latencies: a row for each phase and run ---- */

static void write_latency_row(FILE *out, size_t file, const char *phase, const json_t *histogram)
{
    static const char *const keys[] = {"p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"};

    fputs("<tr><td>", out);
    html_badge(out, file);
    fputs("</td>", out);
    html_element(out, "th", html_phase_title(phase));
    html_number_cell(out, html_number(histogram, "count"), text_format_whole);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        html_number_cell(out, html_number(histogram, keys[i]), html_format_ns);
    }
    fputs("</tr>\n", out);
}

static void write_latencies(FILE *out, const struct html_input *input)
{
    bool is_closed = false;

    fputs("<h2>Latency</h2>\n<div class=\"scroll\"><table><thead><tr><th></th><th>phase</th>"
          "<th class=\"n\">count</th><th class=\"n\">p50</th><th class=\"n\">p90</th>"
          "<th class=\"n\">p99</th><th class=\"n\">p99.9</th><th class=\"n\">max</th></tr></thead>"
          "<tbody>\n",
          out);
    for (size_t file = 0; file < input->count; file++) {
        json_t *latency = json_object_get(input->files[file].document, "latency");
        const char *model = html_text(latency, "model");
        const char *phase;
        json_t *value;

        json_object_foreach(latency, phase, value)
        {
            if (json_is_object(value)) {
                write_latency_row(out, file, phase, value);
            }
        }
        is_closed |= model != NULL && strcmp(model, "closed-loop") == 0;
    }
    fputs("</tbody></table></div>\n<p class=\"soft\">Corrected times count from when the schedule "
          "had the work due, so that a stall weighs on all that should have begun meanwhile.",
          out);
    if (is_closed) {
        fputs(" A closed loop has no schedule: a connection starts nothing new while it waits, a "
              "stall delays few operations, and these percentiles flatter a server that stalls.",
              out);
    }
    fputs("</p>\n", out);
}

/* ---- Negotiated, errors, commands ---- */

static void write_negotiated(FILE *out, const struct html_input *input)
{
    static const char *const keys[] = {"version",   "suite", "group",     "certificate",
                                       "signature", "alpn",  "resumption"};

    fputs("<h2>What was negotiated</h2>\n<div class=\"scroll\"><table><thead><tr><th></th>"
          "<th>version</th><th>suite</th><th>group</th><th>certificate</th><th>signature</th>"
          "<th>ALPN</th><th>handshake</th><th class=\"n\">connections</th></tr></thead><tbody>\n",
          out);
    for (size_t file = 0; file < input->count; file++) {
        const json_t *rows = compare_find(input->files[file].document, "negotiated.combinations");
        const json_t *row;
        size_t i;

        json_array_foreach(rows, i, row)
        {
            fputs("<tr><td>", out);
            html_badge(out, file);
            fputs("</td>", out);
            for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
                html_element(out, "td class=\"w\"", html_text(row, keys[k]));
            }
            html_number_cell(out, html_number(row, "connections"), text_format_whole);
            fputs("</tr>\n", out);
        }
    }
    fputs(
        "</tbody></table></div>\n<p class=\"soft\">Connections of the warm-up are included.</p>\n",
        out);
}

static void write_errors(FILE *out, const struct html_input *input)
{
    bool any = false;

    for (size_t file = 0; file < input->count; file++) {
        const json_t *rows = compare_find(input->files[file].document, "errors.by_reason");
        const json_t *row;
        size_t i;

        json_array_foreach(rows, i, row)
        {
            if (!any) {
                fputs("<h2>Errors</h2>\n<div class=\"scroll\"><table><thead><tr><th></th>"
                      "<th>phase</th><th>reason</th><th class=\"n\">count</th></tr></thead>"
                      "<tbody>\n",
                      out);
            }
            any = true;
            fputs("<tr><td>", out);
            html_badge(out, file);
            fputs("</td>", out);
            html_element(out, "td", html_text(row, "phase"));
            html_element(out, "td", html_text(row, "reason"));
            html_number_cell(out, html_number(row, "count"), text_format_whole);
            fputs("</tr>\n", out);
        }
    }
    if (any) {
        fputs("</tbody></table></div>\n", out);
    }
}

static void write_commands(FILE *out, const struct html_input *input)
{
    fputs("<h2>Commands</h2>\n", out);
    for (size_t file = 0; file < input->count; file++) {
        const json_t *document = input->files[file].document;

        fputs("<p>", out);
        html_badge(out, file);
        fputc(' ', out);
        html_element(out, "code", html_text(document, "command_line"));
        fputs("</p>\n", out);
        if (html_text(document, "verdict.text") != NULL) {
            html_element(out, "p class=\"soft\"", html_text(document, "verdict.text"));
        }
    }
}

void html_write_load_tables(FILE *out, const struct html_input *input)
{
    fputs("<h2>Figures</h2>\n", out);
    write_rows(out, input, figure_rows, sizeof(figure_rows) / sizeof(figure_rows[0]));
    write_latencies(out, input);
    write_negotiated(out, input);
    write_errors(out, input);
    fputs("<h2>Machines and settings</h2>\n", out);
    write_rows(out, input, machine_rows, sizeof(machine_rows) / sizeof(machine_rows[0]));
    write_commands(out, input);
}
