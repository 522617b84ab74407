/* Which connections resume, and from what. Each session is used once: a TLS 1.3 ticket used twice
 * lets observers link the two connections (RFC 8446 C.4), and real clients do not do it. One
 * thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_session;

/* Spreads `percent` of all decisions as evenly as can be: 30 gives N N N Y N N Y N N Y ... What is
 * due while it is not possible, with no session in hand, is made up for as soon as it is, so that
 * the share is exact in the end. */
struct resume_mix {
    unsigned percent;
    unsigned owed_max; /* no more than so many are made up for */
    uint64_t due;      /* hundredths of a resumption owed */
};

bool resume_mix_next(struct resume_mix *mix, bool possible);

/* What is owed from before does not count any more. */
void resume_mix_forget(struct resume_mix *mix);

/* Sessions in hand, the newest taken first. */
struct resume_pool {
    struct tls_session **sessions;
    size_t count;
    size_t max;
};

/* Returns false when memory is out. */
bool resume_pool_init(struct resume_pool *pool, size_t max);
void resume_pool_deinit(
    struct resume_pool *pool); /* frees the sessions left; harmless when zeroed */

/* Takes ownership; a session that finds no room is freed. */
void resume_pool_put(struct resume_pool *pool, struct tls_session *session);

/* The caller owns it; NULL when there is none. */
struct tls_session *resume_pool_take(struct resume_pool *pool);
