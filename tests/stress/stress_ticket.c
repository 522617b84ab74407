/* Ticket keys rotate while readers use them: every set that a reader sees is whole. */
#include <string.h>

#include "stress.h"
#include "tls/ticket.h"

enum { ROUNDS = 5000, PREVIOUS = 3 };

static struct ticket_ring *ring;

static void rotate(void)
{
    for (int i = 0; i < ROUNDS / 10; i++) {
        CHECK(ticket_ring_rotate(ring, NULL) == 0);
    }
}

static void read_sets(void)
{
    static const struct ticket_key none;
    struct ticket_reader reader;

    ticket_reader_init(&reader, ring);
    for (int i = 0; i < ROUNDS; i++) {
        const struct ticket_key_set *set = ticket_reader_get(&reader);

        CHECK(set->count >= 1 && set->count <= PREVIOUS + 1);
        for (size_t key = 0; key < set->count; key++) {
            CHECK(memcmp(set->keys[key].name, none.name, sizeof none.name) != 0);
            CHECK(key == 0 ||
                  memcmp(set->keys[key].name, set->keys[key - 1].name, sizeof none.name) != 0);
        }
    }
    ticket_reader_deinit(&reader);
}

static void *work(void *index)
{
    if (*(size_t *)index == 0) {
        rotate();
    } else {
        read_sets();
    }
    return NULL;
}

int main(void)
{
    ring = ticket_ring_new(PREVIOUS, NULL);
    CHECK(ring != NULL);
    stress_run(work);
    ticket_ring_free(ring);
    return 0;
}
