#include "cli/serve_view.h"

#include <inttypes.h>
#include <stdbool.h>
#include <time.h>

#include "base/clock.h"
#include "base/units.h"
#include "stats/snapshot.h"

static uint64_t resumed(const struct snapshot *snapshot)
{
    return snapshot->values[COUNTER_HANDSHAKES_TICKET] + snapshot->values[COUNTER_HANDSHAKES_ID];
}

static uint64_t handshakes_failed(const struct snapshot *snapshot)
{
    uint64_t sum = 0;

    for (int i = COUNTER_HANDSHAKE_FAILED_PROTOCOL; i <= COUNTER_HANDSHAKE_FAILED_TIMEOUT; i++) {
        sum += snapshot->values[i];
    }
    return sum;
}

static uint64_t refused(const struct snapshot *snapshot)
{
    uint64_t sum = 0;

    for (int i = COUNTER_REFUSED; i <= COUNTER_REFUSED_BUFFERS; i++) {
        sum += snapshot->values[i];
    }
    return sum;
}

static uint64_t grown(const struct snapshot *before, const struct snapshot *after,
                      enum counter which)
{
    return after->values[which] - before->values[which];
}

void serve_view_interval(FILE *out, const struct snapshot *before, const struct snapshot *after)
{
    double seconds = (double)(after->taken_ns - before->taken_ns) / (double)NS_PER_S;
    char texts[5][UNITS_TEXT_BYTES];
    char clock_text[16] = "";
    time_t now = time(NULL);
    struct tm local;

    if (seconds <= 0) {
        return;
    }
    if (localtime_r(&now, &local) != NULL) {
        strftime(clock_text, sizeof(clock_text), "%H:%M:%S", &local);
    }
    fprintf(out,
            "%s  open %" PRIu64 "  handshakes/s %s full %s resumed  messages/s %s  in %s/s  out "
            "%s/s  failed %" PRIu64 "  CPU %.0f%%\n",
            clock_text, after->values[COUNTER_CONNECTIONS_OPEN],
            units_format_count((double)grown(before, after, COUNTER_HANDSHAKES_FULL) / seconds,
                               texts[0]),
            units_format_count((double)(resumed(after) - resumed(before)) / seconds, texts[1]),
            units_format_count((double)grown(before, after, COUNTER_MESSAGES) / seconds, texts[2]),
            units_format_bytes((double)grown(before, after, COUNTER_PLAIN_BYTES_IN) / seconds,
                               texts[3]),
            units_format_bytes((double)grown(before, after, COUNTER_PLAIN_BYTES_OUT) / seconds,
                               texts[4]),
            handshakes_failed(after) - handshakes_failed(before) +
                grown(before, after, COUNTER_TLS_ERRORS),
            100.0 * (double)(after->process_cpu_ns - before->process_cpu_ns) / (double)NS_PER_S /
                seconds);
    fflush(out);
}

void serve_view_summary(FILE *out, const struct snapshot *end, double seconds)
{
    const uint64_t *values = end->values;
    char in[UNITS_TEXT_BYTES];
    char out_bytes[UNITS_TEXT_BYTES];

    fprintf(out,
            "served for %.1f s: %" PRIu64 " connections accepted (%" PRIu64 " at once at most, "
            "%" PRIu64 " refused, %" PRIu64 " still open at the end),\n"
            "%" PRIu64 " full and %" PRIu64 " resumed handshakes, %" PRIu64 " failed; "
            "%" PRIu64 " messages; %s in and %s out;\n"
            "timeouts: %" PRIu64 " in handshakes, %" PRIu64 " idle, %" PRIu64 " writing, %" PRIu64
            " draining; %.2f s of CPU time.\n",
            seconds, values[COUNTER_ACCEPTS], values[COUNTER_CONNECTIONS_PEAK], refused(end),
            values[COUNTER_CONNECTIONS_OPEN], values[COUNTER_HANDSHAKES_FULL], resumed(end),
            handshakes_failed(end), values[COUNTER_MESSAGES],
            units_format_bytes((double)values[COUNTER_PLAIN_BYTES_IN], in),
            units_format_bytes((double)values[COUNTER_PLAIN_BYTES_OUT], out_bytes),
            values[COUNTER_TIMEOUTS_HANDSHAKE], values[COUNTER_TIMEOUTS_IDLE],
            values[COUNTER_TIMEOUTS_WRITE], values[COUNTER_TIMEOUTS_DRAIN],
            (double)end->process_cpu_ns / (double)NS_PER_S);
}

/* The first index from `from` on whose CPU does not follow its predecessor's. */
static unsigned run_end(const struct snapshot *snapshot, unsigned from)
{
    unsigned end = from + 1;

    while (end < snapshot->worker_count &&
           snapshot->workers[end].cpu == snapshot->workers[end - 1].cpu + 1) {
        end++;
    }
    return end;
}

const char *serve_view_cpus(const struct snapshot *snapshot, char out[SERVE_CPUS_BYTES])
{
    size_t used = 0;
    unsigned end;

    out[0] = '\0';
    for (unsigned i = 0; i < snapshot->worker_count && used < SERVE_CPUS_BYTES; i = end) {
        int first = snapshot->workers[i].cpu;

        end = run_end(snapshot, i);
        if (first < 0) {
            snprintf(out, SERVE_CPUS_BYTES, "not pinned");
            return out;
        }
        if (end - i < 3) { /* "0,1" reads better than "0-1" */
            end = i + 1;
            used += (size_t)snprintf(out + used, SERVE_CPUS_BYTES - used, "%s%d", i == 0 ? "" : ",",
                                     first);
        } else {
            used += (size_t)snprintf(out + used, SERVE_CPUS_BYTES - used, "%s%d-%d",
                                     i == 0 ? "" : ",", first, snapshot->workers[end - 1].cpu);
        }
    }
    return out;
}
