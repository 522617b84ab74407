/* Threads put, get and remove sessions with the same IDs: what comes out is always whole, and the
 * store never grows beyond its bound. */
#include <string.h>

#include "base/random.h"
#include "stress.h"
#include "tls/session_store.h"

enum { ROUNDS = 20000, SESSIONS_MAX = 256, ID_BYTES = 32, DATA_BYTES = 100 };

static struct session_store *store;

/* A session's bytes all equal the last byte of its ID. */
static void check_session(const uint8_t *data, size_t bytes, uint8_t value)
{
    CHECK(bytes == DATA_BYTES);
    for (size_t i = 0; i < bytes; i++) {
        CHECK(data[i] == value);
    }
}

static void *work(void *index)
{
    struct random random = {.state = *(size_t *)index};
    uint8_t id[ID_BYTES] = {0};
    uint8_t data[DATA_BYTES];
    uint8_t out[DATA_BYTES];

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t choice = random_below(&random, 10);
        size_t bytes;

        id[0] = (uint8_t)random_below(&random, 4);
        id[ID_BYTES - 1] = (uint8_t)random_below(&random, 256);
        if (choice < 4) {
            memset(data, id[ID_BYTES - 1], sizeof data);
            session_store_put(store, id, sizeof id, data, sizeof data, UINT64_MAX);
        } else if (choice < 9) {
            bytes = session_store_get(store, id, sizeof id, 1, out, sizeof out);
            if (bytes > 0) {
                check_session(out, bytes, id[ID_BYTES - 1]);
            }
        } else {
            session_store_remove(store, id, sizeof id);
        }
    }
    return NULL;
}

int main(void)
{
    store = session_store_new(SESSIONS_MAX);
    CHECK(store != NULL);
    stress_run(work);
    CHECK(session_store_count(store) <= SESSIONS_MAX);
    session_store_free(store);
    return 0;
}
