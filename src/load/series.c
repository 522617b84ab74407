#include "load/series.h"

static void join(struct load_interval *into, const struct load_interval *next)
{
    into->seconds += next->seconds;
    into->handshakes += next->handshakes;
    into->messages += next->messages;
    into->bytes_in += next->bytes_in;
    into->bytes_out += next->bytes_out;
    into->errors += next->errors;
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
