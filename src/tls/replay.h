/* Tickets that have brought early data lately, shared by all workers, so that the same ClientHello
 * is not served twice (RFC 8446 8.2).
 *
 * It need not remember a ticket for its life: OpenSSL takes early data only from a ClientHello
 * whose ticket age is right to some ten seconds (RFC 8446 8.3), so what is older cannot be
 * replayed. What cannot be remembered is refused, and costs the client a round trip. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct replay_guard; /* opaque; any thread */

enum {
    REPLAY_DIGEST_BYTES = 32,
    REPLAY_ORIGIN_BYTES = 16,
    REPLAY_WINDOW_S = 30, /* more than twice OpenSSL's allowance of 10 s and its seconds' grain */
    REPLAY_TICKETS_MAX = 1 << 24,
    REPLAY_TICKETS_DEFAULT = 1 << 18, /* in each window: 8,700 a second, and 16 MiB */
};

/* `ticket_max` in one window; 0: REPLAY_TICKETS_DEFAULT. NULL and a sentence when it is too large
 * or memory is out. */
struct replay_guard *replay_guard_new(size_t ticket_max, struct error *error);
void replay_guard_free(struct replay_guard *guard); /* NULL: nothing */

/* What the tickets made under this guard carry, random: those of another one, in another process or
 * before a restart, bring no early data here, for what they brought there is not known here (RFC
 * 8446 8.1). REPLAY_ORIGIN_BYTES. */
const uint8_t *replay_guard_origin(const struct replay_guard *guard);

/* True the first time in at least REPLAY_WINDOW_S that this digest, of a ticket's secret, is seen,
 * when there is room to remember it. `now_ns` may differ between threads by less than a second. */
bool replay_guard_admit(struct replay_guard *guard, const uint8_t digest[REPLAY_DIGEST_BYTES],
                        uint64_t now_ns);
