#include "load/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool facts_equal(const struct tls_facts *a, const struct tls_facts *b)
{
    return a->resumption == b->resumption && strcmp(a->suite, b->suite) == 0 &&
           strcmp(a->group, b->group) == 0 && strcmp(a->signature, b->signature) == 0 &&
           strcmp(a->version, b->version) == 0 && strcmp(a->certificate, b->certificate) == 0 &&
           strcmp(a->alpn, b->alpn) == 0;
}

void load_tally_negotiated(struct load_tally *tally, const struct tls_facts *facts,
                           uint64_t connections)
{
    size_t row = tally->negotiated_last;

    if (row >= tally->negotiated_count || !facts_equal(&tally->negotiated[row].facts, facts)) {
        for (row = 0; row < tally->negotiated_count; row++) {
            if (facts_equal(&tally->negotiated[row].facts, facts)) {
                break;
            }
        }
    }
    if (row == LOAD_NEGOTIATED_MAX) {
        tally->negotiated_other += connections;
        return;
    }
    if (row == tally->negotiated_count) {
        tally->negotiated[row] = (struct load_negotiated){.facts = *facts};
        tally->negotiated_count++;
    }
    tally->negotiated[row].connections += connections;
    tally->negotiated_last = row;
}

void load_tally_error(struct load_tally *tally, enum load_error_phase phase, const char *reason,
                      uint64_t count)
{
    struct load_error *error;
    size_t row;

    for (row = 0; row < tally->error_count; row++) {
        error = &tally->errors[row];
        if (error->phase == phase && strncmp(error->reason, reason, LOAD_REASON_BYTES - 1) == 0) {
            break;
        }
    }
    if (row >= LOAD_ERRORS_MAX - 1) {
        row = LOAD_ERRORS_MAX - 1;
        phase = LOAD_ERROR_OTHER;
        reason = "reasons beyond the table";
    }
    error = &tally->errors[row];
    if (row >= tally->error_count) {
        error->phase = phase;
        snprintf(error->reason, sizeof error->reason, "%s", reason);
        tally->error_count = row + 1;
    }
    error->count += count;
    tally->errors_total += count;
}

/* Some, of which there are `of` already. */
static void extend(struct load_extent *extent, uint64_t of, const struct load_extent *more)
{
    extent->sum += more->sum;
    extent->min = of == 0 || more->min < extent->min ? more->min : extent->min;
    extent->max = more->max > extent->max ? more->max : extent->max;
}

static void merge_bytes(struct load_handshake_bytes *into, const struct load_handshake_bytes *from)
{
    if (from->count > 0) {
        extend(&into->in, into->count, &from->in);
        extend(&into->out, into->count, &from->out);
        into->count += from->count;
    }
}

void load_tally_bytes(struct load_tally *tally, enum tls_resumption kind, uint64_t in, uint64_t out)
{
    merge_bytes(
        &tally->handshake_bytes[kind],
        &(struct load_handshake_bytes){.count = 1, .in = {in, in, in}, .out = {out, out, out}});
}

void load_tally_staple(struct load_tally *tally, enum tls_staple staple)
{
    tally->staples[staple]++;
}

void load_tally_merge(struct load_tally *into, const struct load_result *from)
{
    for (size_t i = 0; i < from->negotiated_count; i++) {
        load_tally_negotiated(into, &from->negotiated[i].facts, from->negotiated[i].connections);
    }
    into->negotiated_other += from->negotiated_other;
    for (size_t i = 0; i < from->error_count; i++) {
        const struct load_error *error = &from->errors[i];

        load_tally_error(into, error->phase, error->reason, error->count);
    }
    for (int staple = 0; staple < TLS_STAPLE_COUNT; staple++) {
        into->staples[staple] += from->staples[staple];
    }
    for (int kind = 0; kind < LOAD_RESUMPTION_COUNT; kind++) {
        merge_bytes(&into->handshake_bytes[kind], &from->handshake_bytes[kind]);
    }
}

static int more_connections_first(const void *left, const void *right)
{
    const struct load_negotiated *a = left;
    const struct load_negotiated *b = right;

    return (a->connections < b->connections) - (a->connections > b->connections);
}

static int more_errors_first(const void *left, const void *right)
{
    const struct load_error *a = left;
    const struct load_error *b = right;

    return (a->count < b->count) - (a->count > b->count);
}

void load_tally_publish(const struct load_tally *tally, struct load_result *out)
{
    memcpy(out->negotiated, tally->negotiated, sizeof out->negotiated);
    out->negotiated_count = tally->negotiated_count;
    out->negotiated_other = tally->negotiated_other;
    qsort(out->negotiated, out->negotiated_count, sizeof out->negotiated[0],
          more_connections_first);
    memcpy(out->staples, tally->staples, sizeof out->staples);
    memcpy(out->handshake_bytes, tally->handshake_bytes, sizeof out->handshake_bytes);
    memcpy(out->errors, tally->errors, sizeof out->errors);
    out->error_count = tally->error_count;
    out->errors_total = tally->errors_total;
    qsort(out->errors, out->error_count, sizeof out->errors[0], more_errors_first);
}
