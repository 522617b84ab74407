/* A driver that answers whatever the server's handshake waits for. */
#pragma once

#include "pair.h"

enum { WANT_COUNT = TLS_WANT_SAVE + 1 };

struct answers {
    struct tls_context *context; /* for any server name; NULL: go on */
    const uint8_t *session;      /* for any ID; NULL: a miss */
    size_t session_bytes;
    const uint8_t *staple;
    size_t staple_bytes;
    enum tls_want refused;

    /* What was asked. */
    unsigned counts[WANT_COUNT];
    enum tls_want order[8];
    unsigned order_count;
    char server_name[256];
    uint8_t id[32];
    size_t id_bytes;
    uint8_t saved_id[32];
    size_t saved_id_bytes;
    uint8_t saved[4096];
    size_t saved_bytes;
    size_t own_bytes, issuer_bytes;
};

/* As pair_handshake(), answering on the way; each want is left open for one more call, which must
 * change nothing. */
enum tls_status asking_server_step(struct pair *pair, struct answers *answers);
bool asking_handshake(struct pair *pair, struct answers *answers);
