/* What stands above all figures: whatever makes a result less than it seems. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report/compare_value.h"
#include "report/html_page.h"
#include "report/html_sweep.h"
#include "report/html_value.h"

enum { WARNING_BYTES = 512, WARNINGS_MAX = 64 };

/* CPU time over wall time of the busiest thread: the limit, and working at all. */
static const double CLIENT_BUSY = 0.97;
static const double BUSY = 0.9;

enum { ROUNDS_MIN = 5 };

enum loudness { PLAIN, LOUD };

struct warning {
    char text[WARNING_BYTES];
    enum loudness loudness;
    uint32_t files; /* bits; none: it is about all of them together */
};

struct warnings {
    struct warning items[WARNINGS_MAX];
    size_t count;
};

/* Every file may have each of them, so a text that was said already only gets another letter.
 * `file` is HTML_FILES_MAX when it is about all of them together. */
static void __attribute__((format(printf, 4, 5)))
warn(struct warnings *warnings, size_t file, enum loudness loudness, const char *format, ...)
{
    struct warning warning = {.loudness = loudness,
                              .files = file < HTML_FILES_MAX ? 1u << file : 0};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(warning.text, sizeof(warning.text), format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < warnings->count; i++) {
        if (strcmp(warnings->items[i].text, warning.text) == 0) {
            warnings->items[i].files |= warning.files;
            return;
        }
    }
    if (warnings->count < WARNINGS_MAX) {
        warnings->items[warnings->count++] = warning;
    }
}

static void write_warnings(FILE *out, const struct warnings *warnings, enum loudness loudness)
{
    for (size_t i = 0; i < warnings->count; i++) {
        const struct warning *warning = &warnings->items[i];

        if (warning->loudness != loudness) {
            continue;
        }
        fputs(loudness == LOUD ? "<li class=\"loud\">" : "<li>", out);
        for (size_t file = 0; file < HTML_FILES_MAX; file++) {
            if ((warning->files >> file & 1) != 0) {
                html_badge(out, file);
                fputc(' ', out);
            }
        }
        html_escape(out, warning->text);
        fputs("</li>\n", out);
    }
}

static bool is_set(const json_t *document, const char *path)
{
    return json_is_true(compare_find(document, path));
}

/* ---- One run ---- */

static void warn_of_end(struct warnings *warnings, size_t file, const json_t *run)
{
    if (!is_set(run, "succeeded")) {
        warn(warnings, file, LOUD, "Nothing succeeded in this run.");
    }
    if (is_set(run, "interrupted")) {
        warn(warnings, file, LOUD, "Interrupted: the figures cover the time until then.");
    }
    if (html_number(run, "errors.count") > 0) {
        warn(warnings, file, LOUD, "%.0f errors; the table of errors has their reasons.",
             html_number(run, "errors.count"));
    }
    if (html_number(run, "messages.corrupt") > 0) {
        warn(warnings, file, LOUD, "%.0f answers were not the bytes that they should be.",
             html_number(run, "messages.corrupt"));
    }
    if (html_number(run, "messages.http_status_other") > 0) {
        warn(warnings, file, LOUD, "%.0f answers had a status other than 2xx.",
             html_number(run, "messages.http_status_other"));
    }
    if (html_number(run, "connections.peak") < html_number(run, "connections.asked") &&
        strcmp(html_text(run, "plan.mode") != NULL ? html_text(run, "plan.mode") : "",
               "handshake") != 0) {
        warn(warnings, file, LOUD, "Only %.0f of %.0f connections were open at once.",
             html_number(run, "connections.peak"), html_number(run, "connections.asked"));
    }
}

static void warn_of_limit(struct warnings *warnings, size_t file, const json_t *run)
{
    static const struct {
        const char *kind;
        const char *text;
    } kinds[] = {
        {"client-bound",
         "The load generator was the limit: the server can do more than this says."},
        {"client- and server-bound", "Load generator and server were both at their limit, so the "
                                     "server may be able to do a little more."},
        {"machine-bound", "All CPUs were busy: client and server took them from each other."},
        {"neither",
         "Neither client nor server was at its limit: the run waited for something else, "
         "so its rate is not the server's best."},
        {"unknown", "What limited this run is not known."},
    };
    const char *kind = html_text(run, "verdict.kind");

    for (size_t i = 0; kind != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            warn(warnings, file, i == 0 ? LOUD : PLAIN, "%s", kinds[i].text);
        }
    }
    if (is_set(run, "open_loop.rate_missed")) {
        warn(
            warnings, file, LOUD,
            "Rate missed: %.0f a second of %.0f asked for. What had not begun is in no percentile.",
            html_number(run, "open_loop.achieved_per_second"),
            html_number(run, "open_loop.target_per_second"));
    }
    if (html_number(run, "open_loop.dropped") > 0) {
        warn(warnings, file, LOUD, "%.0f due operations were dropped; they are in no percentile.",
             html_number(run, "open_loop.dropped"));
    }
}

static void warn_of_setting(struct warnings *warnings, size_t file, const json_t *run)
{
    const char *client = html_text(run, "environment.openssl");
    const char *server = html_text(run, "server.openssl");
    const char *governor = html_text(run, "environment.governor");

    if (is_set(run, "plan.plain_tcp")) {
        warn(warnings, file, LOUD, "Plain TCP: no TLS in this run.");
    } else if (is_set(run, "insecure")) {
        warn(warnings, file, PLAIN,
             "Insecure: certificates were not verified, so the peer may be anybody, and what "
             "verifying costs is not in the client's figures.");
    }
    if (json_array_size(compare_find(run, "negotiated.combinations")) > 1 &&
        html_number(run, "handshakes.resumed_share_of_offered") < 1) {
        warn(warnings, file, PLAIN,
             "%.1f%% of the sessions offered were resumed; the others made full handshakes.",
             100 * html_number(run, "handshakes.resumed_share_of_offered"));
    }
    if (json_is_null(compare_find(run, "server"))) {
        warn(warnings, file, PLAIN,
             "The server's side is not known: no CPU time, no check of its "
             "counts against the client's.");
    } else if (client != NULL && server != NULL && strcmp(client, server) != 0) {
        warn(warnings, file, PLAIN, "Client and server run different versions of OpenSSL.");
    }
    if (governor != NULL && strcmp(governor, "performance") != 0) {
        warn(warnings, file, PLAIN,
             "CPU frequency governor %.60s: the clock may have changed "
             "during the run.",
             governor);
    }
    if (html_number(run, "environment.cpu_quota") > 0) {
        warn(warnings, file, PLAIN, "A cgroup allowed the load generator %.3g CPUs' worth of time.",
             html_number(run, "environment.cpu_quota"));
    }
}

/* ---- Several ---- */

/* What tells apart runs that are not of the same work, or not of the same TLS. */
static const struct {
    const char *path;
    const char *what;
} alike[] = {
    {"plan.mode", "the mode"},
    {"plan.plain_tcp", "TLS or plain TCP"},
    {"plan.message_bytes", "the size of messages"},
    {"plan.connections", "the number of connections"},
    {"plan.depth", "requests under way at once"},
    {"plan.rate_per_second", "the rate asked for"},
    {"plan.resume", "resumption"},
    {"environment.cpu_model", "the CPU"},
    {"environment.kernel", "the kernel"},
    {"environment.openssl", "the client's OpenSSL"},
    {"server.openssl", "the server's OpenSSL"},
};

static void warn_of_differences(struct warnings *warnings, const struct html_input *input)
{
    static const char *const keys[] = {"version", "suite", "group", "certificate"};
    char text[WARNING_BYTES] = "";
    size_t used = 0;
    const json_t *first = NULL;
    bool negotiated_differs = false;
    uint32_t differs = 0;

    for (size_t file = 0; file < input->count; file++) {
        const json_t *run = input->files[file].document;

        if (sweep_is(run)) {
            continue;
        }
        first = first != NULL ? first : run;
        for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
            const json_t *a = compare_find(first, alike[i].path);
            const json_t *b = compare_find(run, alike[i].path);

            differs |= (uint32_t)(a != b && !json_equal(a, b)) << i;
        }
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            const json_t *a = json_array_get(compare_find(first, "negotiated.combinations"), 0);
            const json_t *b = json_array_get(compare_find(run, "negotiated.combinations"), 0);

            a = json_object_get(a, keys[i]);
            b = json_object_get(b, keys[i]);
            /* A resumed connection names no certificate, and may name no group. */
            negotiated_differs |= json_is_string(a) && json_is_string(b) && !json_equal(a, b);
        }
    }
    if (negotiated_differs) {
        warn(warnings, HTML_FILES_MAX, LOUD,
             "The runs negotiated different things: see the table before comparing their figures.");
    }
    for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
        if ((differs >> i & 1) != 0 && used < sizeof(text) - 1) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? ", " : "",
                                     alike[i].what);
        }
    }
    if (used > 0) {
        warn(warnings, HTML_FILES_MAX, PLAIN, "The runs differ in: %.400s.", text);
    }
}

/* ---- Sweeps ---- */

static void warn_of_cells(struct warnings *warnings, size_t file, const json_t *document)
{
    static const char *const statuses[] = {"failed", "skipped", "pending"};
    const json_t *cells = json_object_get(document, "cells");

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        size_t count = 0;
        const json_t *cell;
        size_t at;

        json_array_foreach(cells, at, cell)
        {
            const char *status = html_text(cell, "status");

            count += status != NULL && strcmp(status, statuses[i]) == 0;
        }
        if (count > 0) {
            warn(warnings, file, i == 1 ? PLAIN : LOUD, "Partial: %zu of %zu cells %s.", count,
                 json_array_size(cells), i == 2 ? "are still to be measured" : statuses[i]);
        }
    }
}

/* Cells whose figures say less than they seem to. */
static void warn_of_figures(struct warnings *warnings, size_t file, const json_t *document)
{
    const json_t *cells = json_object_get(document, "cells");
    const json_t *cell;
    size_t client_bound = 0;
    size_t with_errors = 0;
    size_t mixed = 0;
    size_t idle = 0;
    size_t i;

    json_array_foreach(cells, i, cell)
    {
        const json_t *link = compare_find(cell, "parameters.link_bits_per_second");

        /* A link that was asked for is what shall hold it down. */
        idle += !json_is_number(link) && sweep_median(cell, "client_busy_share") < BUSY &&
                sweep_median(cell, "server_busy_share") < BUSY;
        client_bound += sweep_median(cell, "client_busy_share") >= CLIENT_BUSY;
        with_errors += sweep_spread(cell, "errors").high > 0;
        mixed += html_number(cell, "rounds_done") > 0 &&
                 json_is_null(json_object_get(cell, "negotiated"));
    }
    if (client_bound > 0) {
        warn(warnings, file, LOUD,
             "The load generator was busy in %zu of %zu cells: the server can do more there.",
             client_bound, json_array_size(cells));
    }
    if (with_errors > 0) {
        warn(warnings, file, LOUD, "Connections went wrong in %zu of %zu cells.", with_errors,
             json_array_size(cells));
    }
    if (mixed > 0) {
        warn(warnings, file, LOUD, "In %zu of %zu cells not all connections negotiated the same.",
             mixed, json_array_size(cells));
    }
    if (idle > 0) {
        warn(warnings, file, PLAIN,
             "In %zu of %zu cells neither side was busy: something else held the rates down. CPU "
             "times tell more there.",
             idle, json_array_size(cells));
    }
    if (html_number(document, "rounds") < ROUNDS_MIN) {
        warn(warnings, file, PLAIN,
             "%.0f round%s of each cell: the intervals of fewer than %d say little.",
             html_number(document, "rounds"), html_number(document, "rounds") == 1 ? "" : "s",
             ROUNDS_MIN);
    }
    if (is_set(document, "partial")) {
        warn(warnings, file, LOUD, "Partial: some of the runs that were asked for are missing.");
    }
}

size_t html_write_warnings(FILE *out, const struct html_input *input)
{
    struct warnings *warnings = calloc(1, sizeof(*warnings));
    size_t count;

    if (warnings == NULL) {
        fputs("<li class=\"loud\">There was no memory to look for warnings.</li>\n", out);
        return 1;
    }

    for (size_t file = 0; file < input->count; file++) {
        const json_t *document = input->files[file].document;

        if (sweep_is(document)) {
            warn_of_cells(warnings, file, document);
            warn_of_figures(warnings, file, document);
        } else {
            warn_of_end(warnings, file, document);
            warn_of_limit(warnings, file, document);
            warn_of_setting(warnings, file, document);
        }
    }
    warn_of_differences(warnings, input);
    write_warnings(out, warnings, LOUD);
    write_warnings(out, warnings, PLAIN);
    count = warnings->count;
    free(warnings);
    return count;
}
