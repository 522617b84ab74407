#include "report/text_latency.h"

#include "report/text_words.h"

static void print_latency_row(FILE *out, const char *name, const struct server_times *times)
{
    const uint64_t values_ns[] = {times->p50_ns, times->p90_ns, times->p99_ns, times->p999_ns,
                                  times->max_ns};
    char text[UNITS_TEXT_BYTES];

    if (times->count == 0) {
        return;
    }
    fprintf(out, "  %-25s %14s", name, text_format_integer(times->count, text));
    for (size_t i = 0; i < sizeof(values_ns) / sizeof(values_ns[0]); i++) {
        fprintf(out, " %9s", units_format_duration((double)values_ns[i], text));
    }
    fputc('\n', out);
}

static const char open_loop_note[] =
    "Open loop: corrected times count from when the schedule had the work due, so a stall of the "
    "server weighs on all that should have begun meanwhile; raw times count from when it began.";

void text_print_latency(FILE *out, const struct report_input *input,
                        const struct report_figures *figures)
{
    static const char *const names[LOAD_PHASE_COUNT] = {
        [LOAD_PHASE_CONNECT] = "TCP connect",
        [LOAD_PHASE_HELLO] = "then ServerHello",
        [LOAD_PHASE_FINISH] = "then handshake complete",
        [LOAD_PHASE_SET_UP] = "connection, whole",
        [LOAD_PHASE_HANDSHAKE_FULL] = "handshake, full",
        [LOAD_PHASE_HANDSHAKE_RESUMED] = "handshake, resumed",
        [LOAD_PHASE_HANDSHAKE_TICKET] = "  by ticket",
        [LOAD_PHASE_HANDSHAKE_ID] = "  by session ID",
        [LOAD_PHASE_HANDSHAKE_EARLY_ACCEPTED] = "  0-RTT accepted",
        [LOAD_PHASE_HANDSHAKE_EARLY_REJECTED] = "  0-RTT rejected",
        [LOAD_PHASE_TICKET] = "ticket, after handshake",
        [LOAD_PHASE_FIRST_BYTE] = "first byte",
        [LOAD_PHASE_FIRST_BYTE_EARLY] = "  asked by 0-RTT",
        [LOAD_PHASE_TO_FIRST_BYTE] = "connect to first byte",
        [LOAD_PHASE_TO_FIRST_BYTE_EARLY] = "  by 0-RTT",
        [LOAD_PHASE_MESSAGE] = "whole message",
        [LOAD_PHASE_MESSAGE_CORRECTED] = "whole message, corrected",
        [LOAD_PHASE_SET_UP_CORRECTED] = "connection, corrected",
        [LOAD_PHASE_START_DELAY] = "start, after it was due",
    };
    const struct load_result *result = input->result;
    const bool is_open_loop = input->plan->rate > 0;
    bool any = false;

    for (size_t i = 0; i < LOAD_PHASE_COUNT; i++) {
        any = any || result->phases[i].count > 0;
    }
    if (!any) {
        return;
    }
    fprintf(out, "\n%-27s %14s %9s %9s %9s %9s %9s\n", "Latency", "count", "p50", "p90", "p99",
            "p99.9", "max");
    for (size_t i = 0; i < LOAD_PHASE_COUNT; i++) {
        struct server_times times = server_times_of(&result->phases[i]);

        print_latency_row(
            out, i == LOAD_PHASE_MESSAGE && is_open_loop ? "whole message, raw" : names[i], &times);
    }
    if (figures->server_known) {
        print_latency_row(out, "at the server, full", &figures->server_side.handshake_full);
        print_latency_row(out, "at the server, resumed", &figures->server_side.handshake_resumed);
    }
    fputs("  ", out);
    text_print_wrapped(
        out,
        is_open_loop
            ? open_loop_note
            : "Closed loop: a connection starts nothing new while it waits, so a stall of the "
              "server delays few operations and weighs little in these percentiles. No "
              "intended send times, hence no corrected latency.",
        2);
}
