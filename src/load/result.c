#include "load/result.h"

const char *load_phase_name(enum load_phase phase)
{
    static const char *const names[LOAD_PHASE_COUNT] = {
        [LOAD_PHASE_CONNECT] = "connect",
        [LOAD_PHASE_HANDSHAKE_FULL] = "handshake_full",
        [LOAD_PHASE_HANDSHAKE_RESUMED] = "handshake_resumed",
        [LOAD_PHASE_FIRST_BYTE] = "first_byte",
        [LOAD_PHASE_MESSAGE] = "message",
    };

    return names[phase];
}
