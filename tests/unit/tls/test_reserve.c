#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <openssl/rand.h>

#include "tls/context.h"
#include "tls/provider.h"
#include "tls/reserve.h"

enum { TAKE = 32, TAKES = 400, LARGE = 4096 };

/* Counts up, and never repeats. */
struct counter {
    uint64_t next;
    unsigned fills;
    bool fails;
};

static bool count_up(void *argument, uint8_t *out, size_t bytes)
{
    struct counter *counter = argument;

    counter->fills++;
    for (size_t i = 0; i + sizeof(counter->next) <= bytes; i += sizeof(counter->next)) {
        counter->next++;
        memcpy(out + i, &counter->next, sizeof(counter->next));
    }
    return !counter->fails;
}

static uint64_t take_one(struct counter *counter)
{
    uint64_t taken;

    cr_assert(reserve_take(counter, count_up, (uint8_t *)&taken, sizeof(taken)));
    return taken;
}

Test(reserve, nothing_is_given_out_twice)
{
    static bool seen[TAKES * 2];
    struct counter counter = {0};

    for (size_t i = 0; i < TAKES; i++) {
        uint64_t taken = take_one(&counter);

        cr_assert(taken < TAKES * 2 && !seen[taken]);
        seen[taken] = true;
    }
    cr_assert_lt(counter.fills, TAKES / 50);
}

Test(reserve, each_generator_has_its_own)
{
    struct counter counters[8] = {{0}}; /* more than there are places */

    for (size_t turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < 8; i++) {
            counters[i].next |= (uint64_t)i << 32;
            cr_assert_eq(take_one(&counters[i]) >> 32, i);
        }
    }
}

Test(reserve, large_pieces_come_from_the_generator)
{
    struct counter counter = {0};
    uint8_t large[LARGE];

    cr_assert(reserve_take(&counter, count_up, large, sizeof(large)));
    cr_assert_eq(counter.next, LARGE / sizeof(counter.next));
}

Test(reserve, a_failure_gives_nothing)
{
    struct counter counter = {.fails = true};
    uint64_t taken;

    cr_assert_not(reserve_take(&counter, count_up, (uint8_t *)&taken, sizeof(taken)));
    cr_assert_not(reserve_take(&counter, count_up, (uint8_t *)&taken, sizeof(taken)));
    cr_assert_eq(counter.fills, 2);
    counter.fails = false;
    take_one(&counter);
}

/* What a process and the child that it forks draw from `draw`. */
static void fork_and_draw(bool (*draw)(uint8_t *out), uint8_t parents[TAKE], uint8_t childs[TAKE])
{
    int ends[2];
    int status;
    pid_t child;

    cr_assert(draw(parents)); /* there is something in store now */
    cr_assert_eq(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        bool drawn = draw(childs);

        _exit(drawn && write(ends[1], childs, TAKE) == TAKE ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert_eq(read(ends[0], childs, TAKE), TAKE);
    cr_assert(draw(parents));
    close(ends[0]);
    close(ends[1]);
}

static bool draw_private(uint8_t *out)
{
    return reserve_private(out, TAKE);
}

static struct tls_library *library;

static bool draw_from_library(uint8_t *out)
{
    return RAND_bytes_ex(tls_library_context(library), out, TAKE, 0) == 1;
}

Test(reserve, a_child_draws_its_own)
{
    uint8_t parents[TAKE];
    uint8_t childs[TAKE];

    fork_and_draw(draw_private, parents, childs);
    cr_assert_arr_neq(parents, childs, TAKE);
    library = tls_library_new();
    fork_and_draw(draw_from_library, parents, childs);
    cr_assert_arr_neq(parents, childs, TAKE);
    tls_library_free(library);
}

Test(reserve, public_private_and_the_library_differ)
{
    uint8_t drawn[3][TAKE];

    library = tls_library_new();
    cr_assert(reserve_public(drawn[0], TAKE));
    cr_assert(reserve_private(drawn[1], TAKE));
    cr_assert(draw_from_library(drawn[2]));
    for (size_t i = 0; i < 3; i++) {
        cr_assert_arr_neq(drawn[i], drawn[(i + 1) % 3], TAKE);
    }
    tls_library_free(library);
}
