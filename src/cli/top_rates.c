#include "cli/top_rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* What counts as an error here: rows of the table of counters. Handshake timeouts are among the
 * failed handshakes. */
static const struct {
    enum counter counter;
    const char *name;
    bool overlaps; /* may be among the others too, so that it is told but not added up */
} error_infos[] = {
    {COUNTER_HANDSHAKE_FAILED_PROTOCOL, "handshake"},
    {COUNTER_HANDSHAKE_FAILED_VERSION, "handshake"},
    {COUNTER_HANDSHAKE_FAILED_NO_SHARED, "handshake"},
    {COUNTER_HANDSHAKE_FAILED_NOT_TLS, "handshake"},
    {COUNTER_HANDSHAKE_FAILED_CERTIFICATE, "handshake"},
    {COUNTER_HANDSHAKE_FAILED_ALERT, "handshake"},
    {COUNTER_HANDSHAKE_FAILED_CORRUPT, "handshake"},
    {COUNTER_HANDSHAKE_FAILED_INTERNAL, "handshake"},
    {COUNTER_HANDSHAKE_FAILED_CLOSED, "handshake"},
    {COUNTER_HANDSHAKE_FAILED_TIMEOUT, "handshake"},
    {COUNTER_TLS_ERRORS, "TLS, after the handshake"},
    {COUNTER_ACCEPT_ERRORS, "accept"},
    {COUNTER_REFUSED, "too many connections"},
    {COUNTER_CLOSED_TRUNCATED, "closed", .overlaps = true},
    {COUNTER_CLOSED_RESET, "closed", .overlaps = true},
    {COUNTER_TIMEOUTS_IDLE, "timeout"},
    {COUNTER_TIMEOUTS_WRITE, "timeout"},
};

enum { ERROR_INFO_COUNT = sizeof(error_infos) / sizeof(error_infos[0]) };

const char *top_order_name(enum top_order order)
{
    static const char *const names[TOP_ORDER_COUNT] = {"core", "CPU", "handshakes", "messages",
                                                       "errors"};

    return names[order];
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    double read = json_is_number(value) ? json_number_value(value) : NAN;

    return read >= 0 && read < 1e18 ? read : NAN;
}

static double counter(const json_t *counters, enum counter which)
{
    const struct counter_info *info = &counter_infos[which];

    if (info->label != NULL) {
        return number(json_object_get(counters, info->name), info->label_value);
    }
    return number(counters, info->name);
}

static double rate(const json_t *before, const json_t *after, enum counter which, double seconds)
{
    return (counter(after, which) - counter(before, which)) / seconds;
}

/* Text of the server for a terminal. */
static void copy_text(const json_t *object, const char *key, char out[TOP_TEXT_BYTES])
{
    const char *text = json_string_value(json_object_get(object, key));

    snprintf(out, TOP_TEXT_BYTES, "%s", text != NULL ? text : "not known");
    for (char *at = out; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~') {
            *at = '?';
        }
    }
}

/* `before` and `after`: counters of one worker, or the totals. */
static void fill_row(struct top_row *row, const json_t *before, const json_t *after, double seconds)
{
    row->full = rate(before, after, COUNTER_HANDSHAKES_FULL, seconds);
    row->resumed = rate(before, after, COUNTER_HANDSHAKES_TICKET, seconds) +
                   rate(before, after, COUNTER_HANDSHAKES_ID, seconds);
    row->messages = rate(before, after, COUNTER_MESSAGES, seconds);
    row->bytes_in = rate(before, after, COUNTER_PLAIN_BYTES_IN, seconds);
    row->bytes_out = rate(before, after, COUNTER_PLAIN_BYTES_OUT, seconds);
    row->open = counter(after, COUNTER_CONNECTIONS_OPEN);
    row->handshaking = counter(after, COUNTER_HANDSHAKES_IN_PROGRESS);
    for (size_t i = 0; i < ERROR_INFO_COUNT; i++) {
        double its = rate(before, after, error_infos[i].counter, seconds);

        /* An older server does not tell them all. */
        row->errors += isnan(its) || error_infos[i].overlaps ? 0 : its;
    }
}

static int fill_workers(const json_t *before, const json_t *after, struct top_rates *out,
                        struct error *error)
{
    const json_t *workers_before = json_object_get(before, "workers");
    const json_t *workers_after = json_object_get(after, "workers");
    size_t count = json_array_size(workers_after);

    if (count == 0 || count > SNAPSHOT_WORKERS_MAX || json_array_size(workers_before) != count) {
        return error_set(error, "the server's list of workers is missing or has changed");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *earlier = json_array_get(workers_before, i);
        const json_t *later = json_array_get(workers_after, i);
        double cpu = number(later, "cpu");
        struct top_row *row = &out->rows[i];

        *row = (struct top_row){.index = (int)i, .cpu = cpu < 1e6 ? (int)cpu : -1};
        row->busy = (number(later, "cpu_seconds") - number(earlier, "cpu_seconds")) / out->seconds;
        fill_row(row, json_object_get(earlier, "counters"), json_object_get(later, "counters"),
                 out->seconds);
        out->all.busy += row->busy;
    }
    out->row_count = count;
    return 0;
}

static int compare_reasons(const void *a, const void *b)
{
    const struct top_reason *left = a;
    const struct top_reason *right = b;

    if (left->per_second != right->per_second) {
        return left->per_second < right->per_second ? 1 : -1;
    }
    return left->total < right->total ? 1 : left->total > right->total ? -1 : 0;
}

static void fill_reasons(const json_t *before, const json_t *after, struct top_rates *out)
{
    for (size_t i = 0; i < ERROR_INFO_COUNT && out->reason_count < TOP_REASONS_MAX; i++) {
        enum counter which = error_infos[i].counter;
        double total = counter(after, which);
        const char *label = counter_infos[which].label_value;

        if (total > 0) {
            out->reasons[out->reason_count++] = (struct top_reason){
                .name = error_infos[i].name,
                .label = label != NULL ? label : "",
                .per_second = fmax(rate(before, after, which, out->seconds), 0),
                .total = total,
            };
        }
    }
    qsort(out->reasons, out->reason_count, sizeof(out->reasons[0]), compare_reasons);
}

int top_rates_compute(const json_t *before, const json_t *after, struct top_rates *out,
                      struct error *error)
{
    const char *schema = json_string_value(json_object_get(after, "schema"));
    const json_t *totals_before = json_object_get(before, "totals");
    const json_t *totals_after = json_object_get(after, "totals");

    out->all = (struct top_row){.index = -1, .cpu = -1};
    out->row_count = out->reason_count = 0;
    if (schema == NULL || strcmp(schema, "tlsdyno-stats/1") != 0) {
        return error_set(error, "the answer is not of schema tlsdyno-stats/1");
    }
    out->seconds = number(after, "monotonic_seconds") - number(before, "monotonic_seconds");
    if (!(out->seconds > 0) ||
        counter(totals_after, COUNTER_ACCEPTS) < counter(totals_before, COUNTER_ACCEPTS) ||
        counter(totals_after, COUNTER_ENTERS) < counter(totals_before, COUNTER_ENTERS)) {
        return error_set(error, "the server was started anew");
    }
    copy_text(after, "version", out->version);
    copy_text(after, "openssl", out->openssl);
    out->peak = counter(totals_after, COUNTER_CONNECTIONS_PEAK);
    out->process_busy =
        (number(after, "process_cpu_seconds") - number(before, "process_cpu_seconds")) /
        out->seconds;
    fill_row(&out->all, totals_before, totals_after, out->seconds);
    fill_reasons(totals_before, totals_after, out);
    return fill_workers(before, after, out, error);
}

static double key_of(const struct top_row *row, enum top_order order)
{
    double key = order == TOP_BY_CPU          ? row->busy
                 : order == TOP_BY_HANDSHAKES ? row->full + row->resumed
                 : order == TOP_BY_MESSAGES   ? row->messages
                                              : row->errors;

    return isnan(key) ? -1 : key;
}

static int compare_rows(const void *a, const void *b, void *order)
{
    const struct top_row *left = a;
    const struct top_row *right = b;
    enum top_order by = *(enum top_order *)order;

    if (by != TOP_BY_CORE && key_of(left, by) != key_of(right, by)) {
        return key_of(left, by) < key_of(right, by) ? 1 : -1;
    }
    return left->index - right->index;
}

void top_rates_sort(struct top_rates *rates, enum top_order order)
{
    qsort_r(rates->rows, rates->row_count, sizeof(rates->rows[0]), compare_rows, &order);
}
