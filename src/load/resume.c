#include "load/resume.h"

#include <stdlib.h>

#include "tls/engine.h"

bool resume_mix_next(struct resume_mix *mix, bool possible)
{
    const uint64_t due_max = 100ull * mix->owed_max + 99;

    mix->due += mix->percent;
    if (mix->due >= 100 && possible) {
        mix->due -= 100;
        return true;
    }
    mix->due = mix->due < due_max ? mix->due : due_max;
    return false;
}

void resume_mix_forget(struct resume_mix *mix)
{
    mix->due %= 100;
}

bool resume_pool_init(struct resume_pool *pool, size_t max)
{
    *pool = (struct resume_pool){.sessions = calloc(max, sizeof(struct tls_session *)), .max = max};
    return pool->sessions != NULL;
}

void resume_pool_deinit(struct resume_pool *pool)
{
    while (pool->count > 0) {
        tls_session_free(resume_pool_take(pool));
    }
    free(pool->sessions);
    *pool = (struct resume_pool){0};
}

void resume_pool_put(struct resume_pool *pool, struct tls_session *session)
{
    if (pool->count == pool->max) {
        tls_session_free(session);
        return;
    }
    pool->sessions[pool->count++] = session;
}

struct tls_session *resume_pool_take(struct resume_pool *pool)
{
    return pool->count > 0 ? pool->sessions[--pool->count] : NULL;
}
