#include "report/csv.h"

#include <inttypes.h>
#include <locale.h>

static const char HEADER[] =
    "row,phase,count,min_ns,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns,"
    "start_seconds,seconds,handshakes,messages,plain_in_bytes,plain_out_bytes,errors\r\n";

static void write_phase(FILE *out, const char *name, const struct histogram *histogram)
{
    fprintf(out,
            "phase,%s,%" PRIu64 ",%" PRIu64 ",%.1f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
            ",%" PRIu64 ",,,,,,,\r\n",
            name, histogram->count, histogram->min_ns, histogram_mean(histogram),
            histogram_percentile(histogram, 50), histogram_percentile(histogram, 90),
            histogram_percentile(histogram, 99), histogram_percentile(histogram, 99.9),
            histogram->max_ns);
}

static void write_interval(FILE *out, const struct load_interval *interval)
{
    fprintf(out,
            "interval,,,,,,,,,,%.6f,%.6f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
            "\r\n",
            interval->start_s, interval->seconds, interval->handshakes, interval->messages,
            interval->bytes_in, interval->bytes_out, interval->errors);
}

void csv_write(FILE *out, const struct load_result *result)
{
    /* A decimal comma would split the columns. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(plain);

    fputs(HEADER, out);
    for (unsigned i = 0; i < LOAD_PHASE_COUNT; i++) {
        if (result->phases[i].count > 0) {
            write_phase(out, load_phase_name(i), &result->phases[i]);
        }
    }
    for (size_t i = 0; i < result->series_count; i++) {
        write_interval(out, &result->series[i]);
    }
    uselocale(before);
    freelocale(plain);
}
