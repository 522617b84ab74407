#include "cli/limit_output.h"

#include <math.h>
#include <string.h>

#include "base/units.h"
#include "report/text_words.h"

enum { LIMIT_CELL_BYTES = 128 };

/* ---- For a person ---- */

static const char *row_name(const struct limit_row *row, char out[LIMIT_CELL_BYTES])
{
    char size[UNITS_TEXT_BYTES];

    switch (row->work) {
    case CEILING_FULL:
        return "full handshake";
    case CEILING_TICKET:
        return "resumed by ticket";
    case CEILING_ID:
        return "resumed by ID";
    default:
        snprintf(out, LIMIT_CELL_BYTES, "echo of %s",
                 units_format_bytes((double)row->message_bytes, size));
        return out;
    }
}

/* "189 us (185-201)" */
static const char *spread_text(const struct limit_times *times, char out[LIMIT_CELL_BYTES])
{
    struct limit_spread spread = limit_spread(times);
    char median[UNITS_TEXT_BYTES], low[UNITS_TEXT_BYTES], high[UNITS_TEXT_BYTES];

    if (isnan(spread.median)) {
        return "-";
    }
    text_format_seconds(spread.low, low);
    low[strcspn(low, " ")] = '\0';
    text_format_seconds(spread.high, high);
    high[strcspn(high, " ")] = '\0';
    snprintf(out, LIMIT_CELL_BYTES, "%s (%s-%s)", text_format_seconds(spread.median, median), low,
             high);
    return out;
}

static void print_row(FILE *out, const struct limit *limit, const struct limit_row *row)
{
    char name[LIMIT_CELL_BYTES], server[LIMIT_CELL_BYTES], plain[LIMIT_CELL_BYTES];
    char client[UNITS_TEXT_BYTES], ceiling[UNITS_TEXT_BYTES], bytes[UNITS_TEXT_BYTES];
    double most = limit_ceiling(limit, row);

    if (row->ceiling == NULL) {
        fprintf(out, "  %-18s cannot be: %s\n", row_name(row, name), row->reason.text);
        return;
    }
    fprintf(out, "  %-18s %20s %9s %20s %10s", row_name(row, name),
            spread_text(&row->server, server),
            text_format_known(limit_spread(&row->client).median, text_format_seconds, client),
            spread_text(&limit->plains[row->plain].times, plain),
            text_format_known(most, text_format_rate, ceiling));
    if (row->work == CEILING_ECHO && isfinite(most)) {
        fprintf(out, " %9s/s", units_format_bytes(most * (double)row->message_bytes, bytes));
    }
    fputc('\n', out);
}

/* Whether both were asked to negotiate the same. */
static bool is_same(const struct limit_row *a, const struct limit_row *b)
{
    for (unsigned axis = SWEEP_VERSION; axis <= SWEEP_CERTIFICATE; axis++) {
        if (strcmp(a->cell.values[axis].text, b->cell.values[axis].text) != 0) {
            return false;
        }
    }
    return true;
}

/* "TLSv1.3, TLS_AES_256_GCM_SHA384, x25519, certificate EC P-256" */
static void print_heading(FILE *out, const struct limit_row *row)
{
    const struct sweep_value *values = row->cell.values;
    struct tls_facts facts;

    if (row->ceiling != NULL) {
        ceiling_facts(row->ceiling, &facts);
        fprintf(out, "\n%s, %s, %s, certificate %s\n", facts.version, facts.suite,
                facts.group[0] != '\0' ? facts.group : values[SWEEP_GROUP].text, facts.certificate);
    } else {
        fprintf(out, "\n%s, %s, %s, certificate %s\n", values[SWEEP_VERSION].text,
                values[SWEEP_SUITE].is_null ? "any suite" : values[SWEEP_SUITE].text,
                values[SWEEP_GROUP].text, values[SWEEP_CERTIFICATE].text);
    }
    fprintf(out, "  %-18s %20s %9s %20s %10s\n", "", "TLS, server", "client", "plain TCP, server",
            "ceiling/s");
}

void limit_text(FILE *out, const struct limit *limit)
{
    for (size_t i = 0; i < limit->row_count; i++) {
        size_t first = 0;

        while (!is_same(&limit->rows[first], &limit->rows[i])) {
            first++;
        }
        if (first < i) {
            continue; /* printed with that one */
        }
        print_heading(out, &limit->rows[i]);
        for (size_t j = i; j < limit->row_count; j++) {
            if (is_same(&limit->rows[i], &limit->rows[j])) {
                print_row(out, limit, &limit->rows[j]);
            }
        }
    }
    fputs("\nCPU time an operation: median (lowest-highest) of the rounds. TLS is two engines in "
          "memory;\nplain TCP is the same reactor and service without TLS. The ceiling is what a "
          "CPU second of the\nserver allows when the two are added.\n",
          out);
}

/* ---- For a program ---- */

static json_t *finite_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *times_json(const struct limit_times *times)
{
    struct limit_spread spread = limit_spread(times);
    json_t *values = json_array();

    if (times->count == 0) {
        json_decref(values);
        return json_null();
    }
    for (size_t i = 0; i < times->count; i++) {
        json_array_append_new(values, json_real(times->values[i]));
    }
    return json_pack("{s:f, s:f, s:f, s:o}", "median", spread.median, "low", spread.low, "high",
                     spread.high, "values", values);
}

static json_t *parameter(const struct limit_row *row, enum sweep_axis axis)
{
    const struct sweep_value *value = &row->cell.values[axis];

    return value->is_null ? json_null() : json_string(value->text);
}

static json_t *negotiated_json(const struct limit_row *row)
{
    struct tls_facts facts;

    if (row->ceiling == NULL) {
        return json_null();
    }
    ceiling_facts(row->ceiling, &facts);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "version", facts.version, "suite", facts.suite,
                     "group", facts.group, "signature", facts.signature, "certificate",
                     facts.certificate);
}

static json_t *row_json(const struct limit *limit, const struct limit_row *row)
{
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "work",
        ceiling_work_name(row->work), "message_bytes",
        row->message_bytes > 0 ? json_integer((json_int_t)row->message_bytes) : json_null(),
        "version", parameter(row, SWEEP_VERSION), "suite", parameter(row, SWEEP_SUITE), "group",
        parameter(row, SWEEP_GROUP), "certificate", parameter(row, SWEEP_CERTIFICATE), "negotiated",
        negotiated_json(row), "obstacle",
        row->ceiling == NULL ? json_string(row->reason.text) : json_null(), "tls_seconds",
        times_json(&row->server), "client_tls_seconds", times_json(&row->client), "tcp_seconds",
        times_json(&limit->plains[row->plain].times), "ceiling_per_second",
        finite_or_null(limit_ceiling(limit, row)));
}

json_t *limit_json(const struct limit *limit)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < limit->row_count; i++) {
        if (json_array_append_new(rows, row_json(limit, &limit->rows[i])) != 0) {
            json_decref(rows);
            return NULL;
        }
    }
    return json_pack("{s:s, s:i, s:f, s:i, s:o}", "schema", "tlsdyno-limit/1", "rounds",
                     (int)limit->options->rounds, "duration_seconds",
                     (double)limit->options->duration_ns / 1e9, "connections",
                     (int)limit->options->connections, "rows", rows);
}
