#include "cli/limit_rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/capabilities.h"
#include "report/statistics.h"
#include "sweep/possible.h"
#include "tls/certificate.h"
#include "tls/config.h"

/* ---- What there is to do ---- */

static int parse_works(const char *list, bool out_works[CEILING_WORK_COUNT], struct error *error)
{
    const char *word = list;

    memset(out_works, 0, CEILING_WORK_COUNT * sizeof(out_works[0]));
    while (true) {
        size_t count = strcspn(word, ",");
        int work = 0;

        while (work < CEILING_WORK_COUNT &&
               (strlen(ceiling_work_name((enum ceiling_work)work)) != count ||
                strncmp(ceiling_work_name((enum ceiling_work)work), word, count) != 0)) {
            work++;
        }
        if (work == CEILING_WORK_COUNT) {
            return error_set(error, "--works: '%.*s' is none of full, ticket, id and echo",
                             (int)count, word);
        }
        out_works[work] = true;
        if (word[count] == '\0') {
            return 0;
        }
        word += count + 1;
    }
}

static int parse_axis(const struct limit_options *options, enum sweep_axis axis,
                      struct sweep_values *out, struct error *error)
{
    const char *list = options->axes[axis];

    *out = (struct sweep_values){0};
    if (list != NULL && sweep_values_parse(axis, list, out, error) != 0) {
        return error_set(error, "--%s: %s", sweep_axis_infos[axis].option, error->text);
    }
    return 0;
}

/* Handshakes have no messages, so that they and echoes are two matrices. */
static int fill_matrix(const struct limit_options *options, enum load_mode mode,
                       struct sweep_matrix *out, struct error *error)
{
    static const enum sweep_axis axes[] = {SWEEP_VERSION, SWEEP_SUITE, SWEEP_GROUP,
                                           SWEEP_CERTIFICATE};

    *out = (struct sweep_matrix){.mode = mode};
    for (size_t i = 0; i < sizeof(axes) / sizeof(axes[0]); i++) {
        if (parse_axis(options, axes[i], &out->axes[axes[i]], error) != 0) {
            return -1;
        }
    }
    if (mode == LOAD_RR &&
        parse_axis(options, SWEEP_MESSAGE, &out->axes[SWEEP_MESSAGE], error) != 0) {
        return -1;
    }
    return sweep_matrix_complete(out, SWEEP_SERVER_OWN, error);
}

/* The plain TCP half for messages of this size; 0: for handshakes. */
static size_t find_plain(struct limit *limit, uint64_t message_bytes)
{
    for (size_t i = 0; i < limit->plain_count; i++) {
        if (limit->plains[i].message_bytes == message_bytes) {
            return i;
        }
    }
    assert(limit->plain_count < LIMIT_PLAINS_MAX);
    limit->plains[limit->plain_count].message_bytes = message_bytes;
    return limit->plain_count++;
}

/* ---- A row's engines ---- */

static struct certificate *find_certificate(struct limit *limit, const char *name,
                                            struct error *error)
{
    const struct sweep_certificate *kind = sweep_certificate_find(name);
    struct certificate **place = &limit->certificates[kind - sweep_certificates];

    if (*place == NULL) {
        *place =
            certificate_new(&(struct certificate_options){.key_type = kind->type}, NULL, error);
    }
    return *place;
}

static struct ceiling *make_ceiling(struct limit *limit, const struct limit_row *row,
                                    struct error *error)
{
    const struct sweep_value *values = row->cell.values;
    struct certificate *certificate =
        find_certificate(limit, values[SWEEP_CERTIFICATE].text, error);
    struct tls_config client = {.groups =
                                    values[SWEEP_GROUP].is_null ? NULL : values[SWEEP_GROUP].text};
    struct tls_config server = {
        .certificate_count = 1, .groups = client.groups, .no_tickets = row->work == CEILING_ID};
    char groups[SWEEP_TEXT_BYTES + sizeof(":P-256:P-384")];

    if (certificate == NULL ||
        tls_version_parse(values[SWEEP_VERSION].text, &server.version_max, error) != 0) {
        return NULL;
    }
    server.version_min = server.version_max;
    if (server.version_max == TLS_VERSION_1_2 && client.groups != NULL) {
        /* OpenSSL 3.0 wants the curve of a TLS 1.2 certificate among them, too. */
        snprintf(groups, sizeof(groups), "%s:P-256:P-384", client.groups);
        client.groups = groups;
    }
    if (!values[SWEEP_SUITE].is_null) {
        *(server.version_max == TLS_VERSION_1_3 ? &client.ciphersuites : &client.ciphers) =
            values[SWEEP_SUITE].text;
    }
    client.ca_pem = certificate_pem(certificate);
    server.certificates[0].certificate_pem = certificate_pem(certificate);
    server.certificates[0].key_pem = certificate_key_pem(certificate);
    return ceiling_new(&(struct ceiling_options){.work = row->work,
                                                 .server = &server,
                                                 .client = &client,
                                                 .message_bytes = row->message_bytes,
                                                 .connections = limit->options->connections},
                       error);
}

static void add_row(struct limit *limit, const struct sweep_capabilities *capabilities,
                    enum ceiling_work work, const struct sweep_cell *cell)
{
    struct limit_row *row = &limit->rows[limit->row_count++];

    row->work = work;
    row->cell = *cell;
    row->message_bytes = work == CEILING_ECHO ? cell->values[SWEEP_MESSAGE].number : 0;
    row->plain = find_plain(limit, row->message_bytes);
    if (work == CEILING_ID && strcmp(cell->values[SWEEP_VERSION].text, "TLSv1.3") == 0) {
        error_set(&row->reason, "TLS 1.3 resumes by ticket alone");
    } else if (sweep_obstacle(capabilities, cell, row->reason.text) == NULL) {
        row->ceiling = make_ceiling(limit, row, &row->reason);
    }
}

static int add_matrix(struct limit *limit, const struct sweep_capabilities *capabilities,
                      const struct sweep_matrix *matrix, const bool works[CEILING_WORK_COUNT],
                      struct error *error)
{
    size_t count = sweep_matrix_count(matrix);
    struct sweep_cell cell;

    for (size_t i = 0; i < count; i++) {
        sweep_matrix_cell(matrix, i, &cell);
        for (int work = 0; work < CEILING_WORK_COUNT; work++) {
            if (!works[work] || (work == CEILING_ECHO) != (matrix->mode == LOAD_RR)) {
                continue;
            }
            if (limit->row_count == LIMIT_ROWS_MAX) {
                return error_set(error, "more than %d combinations: ask for fewer at once",
                                 LIMIT_ROWS_MAX);
            }
            add_row(limit, capabilities, (enum ceiling_work)work, &cell);
        }
    }
    return count > 0 ? 0 : error_set(error, "too many combinations: ask for fewer at once");
}

int limit_open(struct limit *limit, const struct limit_options *options, struct error *error)
{
    bool works[CEILING_WORK_COUNT];
    struct sweep_matrix *matrix = malloc(sizeof(*matrix));
    struct sweep_capabilities *capabilities = calloc(1, sizeof(*capabilities));
    int result = -1;

    *limit = (struct limit){
        .options = options,
        .rows = calloc(LIMIT_ROWS_MAX, sizeof(limit->rows[0])),
    };
    if (matrix == NULL || capabilities == NULL || limit->rows == NULL) {
        error_set(error, "out of memory");
        goto out;
    }
    capabilities_read(capabilities);
    if (parse_works(options->works, works, error) != 0) {
        goto out;
    }
    if (works[CEILING_FULL] || works[CEILING_TICKET] || works[CEILING_ID]) {
        if (fill_matrix(options, LOAD_HANDSHAKE, matrix, error) != 0 ||
            add_matrix(limit, capabilities, matrix, works, error) != 0) {
            goto out;
        }
    }
    if (works[CEILING_ECHO] && (fill_matrix(options, LOAD_RR, matrix, error) != 0 ||
                                add_matrix(limit, capabilities, matrix, works, error) != 0)) {
        goto out;
    }
    result = 0;
out:
    free(capabilities);
    free(matrix);
    return result;
}

void limit_close(struct limit *limit)
{
    for (size_t i = 0; i < limit->row_count; i++) {
        ceiling_free(limit->rows[i].ceiling);
    }
    for (size_t i = 0; i < SWEEP_CERTIFICATE_COUNT; i++) {
        certificate_free(limit->certificates[i]);
    }
    free(limit->rows);
    *limit = (struct limit){0};
}

/* ---- Figures ---- */

static void add_time(struct limit_times *times, double seconds)
{
    if (times->count < LIMIT_ROUNDS_MAX) {
        times->values[times->count++] = seconds;
    }
}

int limit_measure_memory(struct limit *limit, struct limit_row *row, struct error *error)
{
    struct ceiling_cost cost;

    if (ceiling_run(row->ceiling, limit->options->duration_ns, &cost, error) != 0) {
        return -1;
    }
    add_time(&row->server, (double)cost.server_ns / 1e9 / (double)cost.operations);
    add_time(&row->client, (double)cost.client_ns / 1e9 / (double)cost.operations);
    return 0;
}

struct limit_spread limit_spread(const struct limit_times *times)
{
    double values[LIMIT_ROUNDS_MAX];
    struct limit_spread spread = {NAN, NAN, NAN};

    if (times->count > 0) {
        memcpy(values, times->values, times->count * sizeof(values[0]));
        spread.median = statistics_median(values, times->count); /* which sorts them */
        spread.low = values[0];
        spread.high = values[times->count - 1];
    }
    return spread;
}

double limit_ceiling(const struct limit *limit, const struct limit_row *row)
{
    return 1 / (limit_spread(&row->server).median +
                limit_spread(&limit->plains[row->plain].times).median);
}
