#include "sweep/figure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "report/compare_value.h"

static const double GIB = 1024.0 * 1024 * 1024;
static const double NS = 1e-9;

struct figure_info {
    const char *name;
    const char *key;    /* path in the report; NULL: computed */
    const char *upload; /* likewise in mode upload, when it differs */
    double factor;      /* 0: 1 */
};

static const struct figure_info infos[SWEEP_FIGURE_COUNT] = {
    [SWEEP_HANDSHAKES_PER_SECOND] = {"handshakes_per_second", "handshakes.per_second", NULL, 0},
    [SWEEP_MESSAGES_PER_SECOND] = {"messages_per_second", "messages.per_second", NULL, 0},
    [SWEEP_GOODPUT] = {"goodput_bytes_per_second", "bytes.plain_in_bytes_per_second",
                       "bytes.plain_out_bytes_per_second", 0},
    [SWEEP_HANDSHAKE_SECONDS] = {"handshake_seconds", "latency.handshake_full.p50_ns", NULL, NS},
    [SWEEP_FIRST_BYTE_SECONDS] = {"first_byte_seconds", "latency.first_byte.p50_ns", NULL, NS},
    [SWEEP_MESSAGE_SECONDS] = {"message_seconds", "latency.message.p50_ns", NULL, NS},
    [SWEEP_LATENCY_P99_SECONDS] = {"latency_p99_seconds", NULL, NULL, 0},
    [SWEEP_RECORD_BYTES_MEAN] = {"record_bytes_mean", NULL, NULL, 0},
    [SWEEP_OVERHEAD_SHARE] = {"overhead_share", "bytes.overhead_in_share",
                              "bytes.overhead_out_share", 0},
    [SWEEP_SERVER_CPU_PER_BYTE] = {"server_cpu_seconds_per_byte", "server.cost.cpu_seconds_per_gib",
                                   NULL, 1 / GIB},
    [SWEEP_CLIENT_CPU_PER_BYTE] = {"client_cpu_seconds_per_byte", "client.cost.cpu_seconds_per_gib",
                                   NULL, 1 / GIB},
    [SWEEP_SERVER_CPU_PER_HANDSHAKE] = {"server_cpu_seconds_per_handshake",
                                        "server.cost.cpu_seconds_per_handshake", NULL, 0},
    [SWEEP_CLIENT_CPU_PER_HANDSHAKE] = {"client_cpu_seconds_per_handshake",
                                        "client.cost.cpu_seconds_per_handshake", NULL, 0},
    [SWEEP_SERVER_CPU_PER_MESSAGE] = {"server_cpu_seconds_per_message",
                                      "server.cost.cpu_seconds_per_message", NULL, 0},
    [SWEEP_CLIENT_CPU_PER_MESSAGE] = {"client_cpu_seconds_per_message",
                                      "client.cost.cpu_seconds_per_message", NULL, 0},
    [SWEEP_SERVER_BUSY_SHARE] = {"server_busy_share", "server.cost.busiest_thread_share", NULL, 0},
    [SWEEP_CLIENT_BUSY_SHARE] = {"client_busy_share", "client.cost.busiest_thread_share", NULL, 0},
    [SWEEP_ERRORS] = {"errors", "errors.count", NULL, 0},
};

const char *sweep_figure_name(enum sweep_figure figure)
{
    return infos[figure].name;
}

static double number_at(const json_t *report, const char *key)
{
    return compare_number(compare_find(report, key));
}

static double read_simple(const json_t *report, const struct figure_info *info, enum load_mode mode)
{
    const char *key = mode == LOAD_UPLOAD && info->upload != NULL ? info->upload : info->key;
    double factor = info->factor > 0 ? info->factor : 1;

    return key != NULL ? number_at(report, key) * factor : NAN;
}

/* Records in mode upload are those that the client sent. */
static double record_bytes(const json_t *report, enum load_mode mode)
{
    bool is_upload = mode == LOAD_UPLOAD;
    double bytes = number_at(report, is_upload ? "bytes.plain_out_bytes" : "bytes.plain_in_bytes");
    double records = number_at(report, is_upload ? "bytes.records_out" : "bytes.records_in");

    return records > 0 ? bytes / records : NAN;
}

void sweep_figures_read(const json_t *report, enum load_mode mode, double out[SWEEP_FIGURE_COUNT])
{
    for (unsigned i = 0; i < SWEEP_FIGURE_COUNT; i++) {
        out[i] = read_simple(report, &infos[i], mode);
    }
    if (mode == LOAD_HANDSHAKE) {
        out[SWEEP_LATENCY_P99_SECONDS] = number_at(report, "latency.handshake_full.p99_ns") * NS;
        out[SWEEP_GOODPUT] = NAN; /* of what came with handshakes nobody is interested */
        out[SWEEP_OVERHEAD_SHARE] = NAN;
    } else {
        out[SWEEP_LATENCY_P99_SECONDS] = number_at(report, "latency.message.p99_ns") * NS;
        out[SWEEP_RECORD_BYTES_MEAN] = record_bytes(report, mode);
        out[SWEEP_HANDSHAKES_PER_SECOND] = NAN; /* 0 of what the mode is not about */
    }
}

/* ---- What was negotiated ---- */

static void copy_text(const json_t *row, const char *key, char out[SWEEP_TEXT_BYTES])
{
    const char *text = json_string_value(json_object_get(row, key));

    snprintf(out, SWEEP_TEXT_BYTES, "%s", text != NULL ? text : "");
}

static void copy_row(const json_t *row, struct sweep_negotiated *out)
{
    copy_text(row, "version", out->version);
    copy_text(row, "suite", out->suite);
    copy_text(row, "group", out->group);
    copy_text(row, "signature", out->signature);
    copy_text(row, "certificate", out->certificate);
}

static int refuse(const char *got, const char *wanted, struct error *error)
{
    return error_set(error, "negotiated %s, not %s as asked", got[0] != '\0' ? got : "nothing",
                     wanted);
}

static bool suite_is(const struct sweep_capabilities *capabilities, const char *asked,
                     const char *got)
{
    const struct sweep_capability *suite = sweep_suite_find(capabilities, asked);

    return strcmp(asked, got) == 0 ||
           (suite != NULL && (strcmp(suite->name, got) == 0 || strcmp(suite->standard, got) == 0));
}

static int check_row(const struct sweep_negotiated *got,
                     const struct sweep_capabilities *capabilities, const struct sweep_cell *cell,
                     struct error *error)
{
    const struct sweep_value *values = cell->values;
    const struct sweep_certificate *certificate =
        sweep_certificate_find(values[SWEEP_CERTIFICATE].text);

    if (!values[SWEEP_VERSION].is_null && strcmp(got->version, values[SWEEP_VERSION].text) != 0) {
        return refuse(got->version, values[SWEEP_VERSION].text, error);
    }
    if (!values[SWEEP_SUITE].is_null &&
        !suite_is(capabilities, values[SWEEP_SUITE].text, got->suite)) {
        return refuse(got->suite, values[SWEEP_SUITE].text, error);
    }
    if (!values[SWEEP_GROUP].is_null && !sweep_groups_equal(values[SWEEP_GROUP].text, got->group)) {
        return refuse(got->group, values[SWEEP_GROUP].text, error);
    }
    if (certificate != NULL && strcmp(certificate->negotiated, got->certificate) != 0) {
        return refuse(got->certificate, certificate->negotiated, error);
    }
    return 0;
}

static bool is_same(const struct sweep_negotiated *a, const struct sweep_negotiated *b)
{
    return strcmp(a->version, b->version) == 0 && strcmp(a->suite, b->suite) == 0 &&
           strcmp(a->group, b->group) == 0 && strcmp(a->certificate, b->certificate) == 0;
}

int sweep_negotiated_read(const json_t *report, const struct sweep_capabilities *capabilities,
                          const struct sweep_cell *cell, struct sweep_negotiated *out,
                          struct error *error)
{
    const json_t *rows = compare_find(report, "negotiated.combinations");
    const json_t *row;
    size_t i;

    if (json_array_size(rows) == 0) {
        return error_set(error, "nothing was negotiated");
    }
    json_array_foreach(rows, i, row)
    {
        struct sweep_negotiated got;

        copy_row(row, &got);
        if (check_row(&got, capabilities, cell, error) != 0) {
            return -1;
        }
        if (i > 0 && !is_same(out, &got)) {
            return error_set(error,
                             "connections of one run negotiated different things: %s %s %s %s, and "
                             "%s %s %s %s",
                             out->version, out->suite, out->group, out->certificate, got.version,
                             got.suite, got.group, got.certificate);
        }
        *out = got;
    }
    if (number_at(report, "negotiated.other_connections") > 0) {
        return error_set(error, "what some connections negotiated is not known");
    }
    if (number_at(report, "messages.corrupt") > 0) {
        return error_set(error, "answers were corrupt");
    }
    return 0;
}
