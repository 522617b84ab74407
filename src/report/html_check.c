/* Whether a file has the shape that the page reads. What is checked here is what pictures and
 * tables could be led astray by; a key that is merely missing shows as "-". */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "load/result.h"
#include "report/compare_value.h"
#include "report/html.h"
#include "report/html_sweep.h"
#include "report/html_value.h"

enum { KEYS_MAX = 64, TEXT_BYTES_MAX = 65536, ERROR_KEY_BYTES = 128 };

static const double NS_MAX = 1e13; /* a few hours, where histograms end at minutes */

static bool is_amount(const json_t *value, double max)
{
    double number = compare_number(value);

    return number >= 0 && number <= max;
}

/* ---- Whatever the schema: numbers within bounds, texts of a bearable length ---- */

enum { DEPTH_MAX = 8 };

static int check_values(const json_t *value, const char *path, unsigned depth, struct error *error)
{
    char below[ERROR_KEY_BYTES];
    const char *key;
    json_t *item;
    size_t i;

    if (depth > DEPTH_MAX) {
        return error_set(error, "%.100s lies too deep", path);
    }
    if (json_is_number(value) && !(fabs(json_number_value(value)) <= HTML_NUMBER_MAX)) {
        return error_set(error, "%.100s is beyond all measure", path);
    }
    if (json_is_string(value) && json_string_length(value) > TEXT_BYTES_MAX) {
        return error_set(error, "%.100s is longer than %d bytes", path, TEXT_BYTES_MAX);
    }
    json_array_foreach(value, i, item)
    {
        snprintf(below, sizeof(below), "%.96s[%zu]", path, i);
        if (check_values(item, below, depth + 1, error) != 0) {
            return -1;
        }
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        snprintf(below, sizeof(below), "%.64s%s%.48s", path, path[0] != '\0' ? "." : "", key);
        if (check_values(item, below, depth + 1, error) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- Load ---- */

static int check_buckets(const json_t *buckets, const char *phase, struct error *error)
{
    double last = 0;
    const json_t *pair;
    size_t i;

    if (!json_is_array(buckets) || json_array_size(buckets) > HISTOGRAM_BUCKETS) {
        return error_set(error, "latency.%.48s.buckets is not an array of at most %d pairs", phase,
                         (int)HISTOGRAM_BUCKETS);
    }
    json_array_foreach(buckets, i, pair)
    {
        double ns = compare_number(json_array_get(pair, 0));

        if (json_array_size(pair) != 2 || !(ns > last && ns <= NS_MAX) ||
            !(compare_number(json_array_get(pair, 1)) >= 1)) {
            return error_set(error,
                             "latency.%.48s.buckets[%zu] is not [ns, count] with ns above those "
                             "before",
                             phase, i);
        }
        last = ns;
    }
    return 0;
}

static int check_histogram(const json_t *histogram, const char *phase, struct error *error)
{
    static const char *const keys[] = {"p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"};

    if (!(compare_number(json_object_get(histogram, "count")) >= 1)) {
        return error_set(error, "latency.%.48s.count is not a number from 1 up", phase);
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!is_amount(json_object_get(histogram, keys[i]), NS_MAX)) {
            return error_set(error, "latency.%.48s.%s is not a number of ns", phase, keys[i]);
        }
    }
    return check_buckets(json_object_get(histogram, "buckets"), phase, error);
}

static int check_latency(const json_t *document, struct error *error)
{
    json_t *latency = json_object_get(document, "latency");
    const char *phase;
    json_t *value;

    if (!json_is_object(latency) || json_object_size(latency) > KEYS_MAX) {
        return error_set(error, "latency is missing or not an object of at most %d keys", KEYS_MAX);
    }
    json_object_foreach(latency, phase, value)
    {
        if (json_is_object(value) && check_histogram(value, phase, error) != 0) {
            return -1;
        }
    }
    return 0;
}

/* An array of objects that have these keys as numbers from 0 up. */
static int check_rows(const json_t *document, const char *path, size_t max,
                      const char *const numbers[], struct error *error)
{
    const json_t *rows = compare_find(document, path);
    const json_t *row;
    size_t i;

    if (!json_is_array(rows) || json_array_size(rows) > max) {
        return error_set(error, "%s is missing or not an array of at most %zu rows", path, max);
    }
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; numbers[k] != NULL; k++) {
            if (!is_amount(json_object_get(row, numbers[k]), HTML_NUMBER_MAX)) {
                return error_set(error, "%s[%zu].%s is not a number from 0 up", path, i,
                                 numbers[k]);
            }
        }
    }
    return 0;
}

static int check_load(const json_t *document, struct error *error)
{
    static const char *const series[] = {
        "start_seconds",  "seconds",         "handshakes", "messages",
        "plain_in_bytes", "plain_out_bytes", "errors",     NULL};
    static const char *const connections[] = {"connections", NULL};
    static const char *const count[] = {"count", NULL};

    if (!json_is_object(json_object_get(document, "plan")) ||
        !json_is_object(json_object_get(document, "environment"))) {
        return error_set(error, "plan or environment is missing or not an object");
    }
    if (check_rows(document, "series", LOAD_SERIES_MAX, series, error) != 0 ||
        check_rows(document, "negotiated.combinations", LOAD_NEGOTIATED_MAX, connections, error) !=
            0 ||
        check_rows(document, "errors.by_reason", LOAD_ERRORS_MAX, count, error) != 0) {
        return -1;
    }
    return check_latency(document, error);
}

/* ---- Sweep ---- */

static int check_figure(const json_t *cell, size_t index, const char *key, struct error *error)
{
    static const char *const members[] = {"median", "low", "high"};
    const json_t *figure = json_object_get(json_object_get(cell, "figures"), key);

    if (figure == NULL || json_is_null(figure) || is_amount(figure, HTML_NUMBER_MAX)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *value = json_object_get(figure, members[i]);

        if (!json_is_null(value) && !is_amount(value, HTML_NUMBER_MAX)) {
            return error_set(error, "cells[%zu].figures.%s.%s is not a number from 0 up", index,
                             key, members[i]);
        }
    }
    return 0;
}

static int check_cell(const json_t *cell, size_t index, struct error *error)
{
    json_t *parameters = json_object_get(cell, "parameters");
    const char *name;
    json_t *value;

    if (!json_is_object(parameters) || json_object_size(parameters) > SWEEP_AXES_MAX) {
        return error_set(error, "cells[%zu].parameters is missing or not an object of at most %d",
                         index, (int)SWEEP_AXES_MAX);
    }
    json_object_foreach(parameters, name, value)
    {
        if (json_is_object(value) || json_is_array(value)) {
            return error_set(error, "cells[%zu].parameters.%.48s is not a plain value", index,
                             name);
        }
    }
    if (!json_is_string(json_object_get(cell, "status"))) {
        return error_set(error, "cells[%zu].status is missing or not a text", index);
    }
    for (size_t i = 0; i < SWEEP_FIGURE_COUNT; i++) {
        if (check_figure(cell, index, sweep_figures[i].key, error) != 0) {
            return -1;
        }
    }
    return 0;
}

static int check_sweep(const json_t *document, struct error *error)
{
    const json_t *cells = json_object_get(document, "cells");
    const json_t *cell;
    size_t i;

    if (!json_is_array(cells) || json_array_size(cells) > SWEEP_CELLS_MAX) {
        return error_set(error, "cells is missing or not an array of at most %d",
                         (int)SWEEP_CELLS_MAX);
    }
    json_array_foreach(cells, i, cell)
    {
        if (check_cell(cell, i, error) != 0) {
            return -1;
        }
    }
    return 0;
}

int html_check(const json_t *document, struct error *error)
{
    const char *schema = html_text(document, "schema");

    if (schema == NULL) {
        return error_set(error, "is no result of tlsdyno load -J or tlsdyno sweep: there is no "
                                "schema");
    }
    if (check_values(document, "", 0, error) != 0) {
        return -1;
    }
    if (sweep_is(document)) {
        return check_sweep(document, error);
    }
    if (strcmp(schema, "tlsdyno-load/1") == 0) {
        return check_load(document, error);
    }
    return error_set(
        error, "is of schema '%.64s', where tlsdyno-load/1 or tlsdyno-sweep/1 is needed", schema);
}
