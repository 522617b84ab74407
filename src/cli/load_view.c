#include "cli/load_view.h"

#include <inttypes.h>

#include "base/units.h"

void load_view_update(struct load_view *view, const struct load_progress *progress)
{
    const struct load_interval *interval = &progress->interval;
    bool handshakes = view->mode == LOAD_HANDSHAKE;
    double seconds = interval->seconds > 0 ? interval->seconds : 1;
    uint64_t done = handshakes ? interval->handshakes : interval->messages;
    char texts[5][UNITS_TEXT_BYTES];
    char total[32] = "";

    if (view->out == NULL) {
        return;
    }
    view->errors += interval->errors;
    if (progress->total_s > 0) {
        snprintf(total, sizeof(total), "/%.1f", progress->total_s);
    }
    fprintf(view->out,
            "%s%s%-7s %5.1f%s s  %s %s/s  in %s/s  out %s/s  p50 %s  p99 %s  %" PRIu32
            " open  %" PRIu64 " error%s%s",
            view->in_place ? "\r" : "", view->is_of_rank ? "rank 0 " : "", progress->stage,
            progress->elapsed_s, total, units_format_count((double)done / seconds, texts[0]),
            handshakes ? "handshakes" : "messages",
            units_format_bytes((double)interval->bytes_in / seconds, texts[1]),
            units_format_bytes((double)interval->bytes_out / seconds, texts[2]),
            units_format_duration((double)progress->p50_ns, texts[3]),
            units_format_duration((double)progress->p99_ns, texts[4]), progress->connections,
            view->errors, view->errors == 1 ? "" : "s",
            view->in_place ? "\033[K" : "\n"); /* erases what a longer line left behind */
    fflush(view->out);
    view->line_open = view->in_place;
}

void load_view_end(struct load_view *view)
{
    if (view->line_open) {
        fputc('\n', view->out);
        view->line_open = false;
    }
}
