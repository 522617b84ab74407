#include "load/result.h"

#include "load/plan.h"

void load_main_latency(const struct load_plan *plan,
                       const struct histogram phases[LOAD_PHASE_COUNT], struct histogram *into)
{
    if (plan->mode != LOAD_HANDSHAKE) {
        histogram_merge(
            into, &phases[plan->rate > 0 ? LOAD_PHASE_MESSAGE_CORRECTED : LOAD_PHASE_MESSAGE]);
    } else if (plan->rate > 0) {
        histogram_merge(into, &phases[LOAD_PHASE_SET_UP_CORRECTED]);
    } else if (plan->plain_tcp) {
        histogram_merge(into, &phases[LOAD_PHASE_CONNECT]);
    } else {
        histogram_merge(into, &phases[LOAD_PHASE_HANDSHAKE_FULL]);
        histogram_merge(into, &phases[LOAD_PHASE_HANDSHAKE_RESUMED]);
    }
}

const char *load_error_phase_name(enum load_error_phase phase)
{
    static const char *const names[LOAD_ERROR_PHASE_COUNT] = {
        [LOAD_ERROR_CONNECT] = "connect",
        [LOAD_ERROR_HANDSHAKE] = "handshake",
        [LOAD_ERROR_TRANSFER] = "transfer",
        [LOAD_ERROR_OTHER] = "other",
    };

    return names[phase];
}

const char *load_phase_name(enum load_phase phase)
{
    static const char *const names[LOAD_PHASE_COUNT] = {
        [LOAD_PHASE_CONNECT] = "connect",
        [LOAD_PHASE_HELLO] = "hello",
        [LOAD_PHASE_FINISH] = "finish",
        [LOAD_PHASE_SET_UP] = "set_up",
        [LOAD_PHASE_HANDSHAKE_FULL] = "handshake_full",
        [LOAD_PHASE_HANDSHAKE_RESUMED] = "handshake_resumed",
        [LOAD_PHASE_HANDSHAKE_TICKET] = "handshake_ticket",
        [LOAD_PHASE_HANDSHAKE_ID] = "handshake_id",
        [LOAD_PHASE_HANDSHAKE_EARLY_ACCEPTED] = "handshake_early_accepted",
        [LOAD_PHASE_HANDSHAKE_EARLY_REJECTED] = "handshake_early_rejected",
        [LOAD_PHASE_TICKET] = "ticket",
        [LOAD_PHASE_FIRST_BYTE] = "first_byte",
        [LOAD_PHASE_FIRST_BYTE_EARLY] = "first_byte_early",
        [LOAD_PHASE_TO_FIRST_BYTE] = "to_first_byte",
        [LOAD_PHASE_TO_FIRST_BYTE_EARLY] = "to_first_byte_early",
        [LOAD_PHASE_MESSAGE] = "message",
        [LOAD_PHASE_MESSAGE_CORRECTED] = "message_corrected",
        [LOAD_PHASE_SET_UP_CORRECTED] = "set_up_corrected",
        [LOAD_PHASE_START_DELAY] = "start_delay",
    };

    return names[phase];
}
