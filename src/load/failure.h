/* Why a connection ended other than as intended, in words: where, and for what reason. */
#pragma once

#include "load/result.h"

struct conn;

/* What the server still had to send when the connection ended. */
enum failure_owed {
    FAILURE_OWED_NOTHING,
    FAILURE_OWED_ANSWER, /* a whole one, or the stream itself */
    FAILURE_OWED_REST,   /* the rest of one that had begun */
};

/* Returns the phase and writes the reason. The connection has ended. */
enum load_error_phase failure_describe(const struct conn *conn, enum failure_owed owed,
                                       char out_reason[LOAD_REASON_BYTES]);
