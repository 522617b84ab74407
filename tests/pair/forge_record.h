/* Records that no honest client sends, sealed with the keys of one that is open: a client with the
 * direct record layer, whose keys are within reach. */
#pragma once

#include "pair.h"

enum forgery_change {
    FORGERY_AS_IT_IS,
    FORGERY_FLIPPED,  /* one bit of the tag */
    FORGERY_SKIPPED,  /* sealed under the number after next: a record before it is missing */
    FORGERY_OLD,      /* under the first number since the handshake: an old one comes again */
    FORGERY_UNSEALED, /* in the clear */
};

struct forgery {
    uint8_t outer_type; /* 0: 23 */
    uint8_t version;    /* its low byte; 0: 3 */
    uint8_t inner_type; /* TLS 1.3 only; 0: none, as if padding had been all */
    const uint8_t *bytes;
    size_t count;
    size_t padding; /* TLS 1.3 only */
    enum forgery_change change;
};

/* Gives the server that record. The client must have written data before. */
void forge_record(struct pair *pair, const struct forgery *forgery);
