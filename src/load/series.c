#include "load/series.h"

#include <math.h>
#include <string.h>

static void add_counts(struct load_interval *into, const struct load_interval *next)
{
    into->handshakes += next->handshakes;
    into->messages += next->messages;
    into->bytes_in += next->bytes_in;
    into->bytes_out += next->bytes_out;
    into->errors += next->errors;
}

static void join(struct load_interval *into, const struct load_interval *next)
{
    into->seconds += next->seconds;
    add_counts(into, next);
}

static void halve(struct load_result *out)
{
    for (size_t i = 0; i < out->series_count / 2; i++) {
        out->series[i] = out->series[2 * i];
        join(&out->series[i], &out->series[2 * i + 1]);
    }
    out->series_count /= 2;
}

void series_add(struct series *series, const struct load_interval *interval)
{
    struct load_result *out = series->out;

    if (out->series_count > 0 && series->in_last < 1u << series->per_row_log2) {
        join(&out->series[out->series_count - 1], interval);
        series->in_last++;
        return;
    }
    if (out->series_count == LOAD_SERIES_MAX) {
        halve(out);
        series->per_row_log2++;
    }
    out->series[out->series_count++] = *interval;
    series->in_last = 1;
}

/* A place in the intervals of one process: those read last, joined. */
struct reader {
    const struct load_interval *rows;
    size_t count;
    size_t at;
    struct load_interval joined;
    double last_seconds;
};

static bool reader_has_more(const struct reader *reader)
{
    return reader->at < reader->count;
}

static void reader_begin(struct reader *reader)
{
    reader->joined = reader->rows[reader->at++];
    reader->last_seconds = reader->joined.seconds;
}

static void reader_go_on(struct reader *reader)
{
    const struct load_interval *next = &reader->rows[reader->at++];

    reader->last_seconds = next->seconds;
    join(&reader->joined, next);
}

static double end_of(const struct load_interval *interval)
{
    return interval->start_s + interval->seconds;
}

/* Reads from both until what they have read ends at one time, or the one that is behind ends. */
static struct load_interval read_both(struct reader *a, struct reader *b)
{
    struct load_interval both;

    reader_begin(a);
    reader_begin(b);
    for (;;) {
        const double ahead = end_of(&a->joined) - end_of(&b->joined);
        struct reader *behind = ahead < 0 ? a : b;

        if (fabs(ahead) < fmin(a->last_seconds, b->last_seconds) / 2 || !reader_has_more(behind)) {
            break;
        }
        reader_go_on(behind);
    }
    both = a->joined;
    add_counts(&both, &b->joined);
    both.start_s = fmin(a->joined.start_s, b->joined.start_s);
    both.seconds = fmax(end_of(&a->joined), end_of(&b->joined)) - both.start_s;
    return both;
}

void series_merge(struct load_result *into, const struct load_result *from)
{
    struct reader ours = {.rows = into->series, .count = into->series_count};
    struct reader theirs = {.rows = from->series, .count = from->series_count};
    const struct reader *rest;
    size_t count = 0;

    while (reader_has_more(&ours) && reader_has_more(&theirs)) {
        into->series[count] = read_both(&ours, &theirs); /* never ahead of what was read */
        count++;
    }
    rest = reader_has_more(&ours) ? &ours : &theirs;
    memmove(&into->series[count], &rest->rows[rest->at],
            (rest->count - rest->at) * sizeof rest->rows[0]);
    into->series_count = count + rest->count - rest->at;
}
