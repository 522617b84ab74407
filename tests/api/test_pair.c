#include <string.h>

#include "stage.h"

TestSuite(pair, .init = stage_set_up, .fini = stage_tear_down, .timeout = 30);

static struct dyno_pair *pairs[2]; /* client, server */

static void open_pairs(enum dyno_clients clients)
{
    struct dyno_error error = {0};

    stage_open(NULL);
    pairs[0] = dyno_pair_new(
        &(struct dyno_pair_options){.context = stage.client_context, .verify_host = "localhost"},
        &error);
    pairs[1] = dyno_pair_new(
        &(struct dyno_pair_options){.context = stage.server_context, .clients = clients}, &error);
    cr_assert(pairs[0] && pairs[1], "%s", error.text);
}

/* A byte at a time would do as well. */
static void settle(size_t piece)
{
    uint8_t bytes[1024];
    size_t moved;

    do {
        moved = 0;
        for (int i = 0; i < 2; i++) {
            size_t count = dyno_pair_take(pairs[i], bytes, piece);

            dyno_pair_feed(pairs[1 - i], bytes, count);
            moved += count;
        }
    } while (moved > 0);
}

static void close_pairs(void)
{
    dyno_pair_free(pairs[0]);
    dyno_pair_free(pairs[1]);
}

Test(pair, bytes_go_both_ways_in_any_pieces)
{
    static const size_t pieces[] = {1, 7, 1024};
    char heard[64];

    open_pairs(DYNO_CLIENTS_ANONYMOUS);
    for (size_t i = 0; i < 3; i++) {
        settle(pieces[i]);
        cr_assert(dyno_pair_is_secure(pairs[0]) && dyno_pair_is_secure(pairs[1]));
        cr_assert(dyno_pair_write(pairs[0], "there", 5));
        cr_assert(dyno_pair_write(pairs[1], "and back", 8));
        settle(pieces[i]);
        cr_assert_eq(dyno_pair_read(pairs[1], heard, sizeof heard), 5);
        cr_assert_eq(dyno_pair_read(pairs[0], heard, sizeof heard), 8);
        cr_assert_eq(dyno_pair_read(pairs[0], heard, sizeof heard), 0);
    }
    dyno_pair_end(pairs[0]);
    cr_assert_not(dyno_pair_write(pairs[0], "late", 4));
    settle(1024);
    dyno_pair_read(pairs[1], heard, sizeof heard);
    cr_assert(dyno_pair_has_ended(pairs[1]));
    cr_assert_not(dyno_pair_has_ended(pairs[0]));
    close_pairs();
}

Test(pair, a_client_may_have_to_be_authorized)
{
    open_pairs(DYNO_CLIENTS_AUTHORIZED);
    settle(1024);
    cr_assert_not(dyno_pair_is_secure(pairs[1]));
    cr_assert_str_eq(dyno_pair_failure(pairs[1]), "peer did not return a certificate");
    close_pairs();
}

Test(pair, a_client_that_is_only_asked_is_not_authorized_without)
{
    open_pairs(DYNO_CLIENTS_ASKED);
    settle(1024);
    cr_assert(dyno_pair_is_secure(pairs[1]));
    cr_assert_not(dyno_tls_authorized(dyno_pair_tls(pairs[1]), NULL));
    cr_assert(dyno_tls_authorized(dyno_pair_tls(pairs[0]), NULL));
    close_pairs();
}

Test(pair, what_is_no_tls_fails_and_stays_failed)
{
    open_pairs(DYNO_CLIENTS_ANONYMOUS);
    cr_assert_not(dyno_pair_write(pairs[1], "early", 5));
    cr_assert_eq(dyno_pair_feed(pairs[1], "GET / HTTP/1.0\r\n\r\n", 18), -1);
    cr_assert_str_eq(dyno_pair_failure(pairs[1]), "http request");
    cr_assert_eq(dyno_pair_feed(pairs[1], "", 1), -1);
    close_pairs();
}

Test(pair, contexts_are_lent_again_and_sessions_with_them)
{
    for (int i = 0; i < 3; i++) {
        if (i == 0) {
            open_pairs(DYNO_CLIENTS_ANONYMOUS);
        } else {
            pairs[0] =
                dyno_pair_new(&(struct dyno_pair_options){.context = stage.client_context}, NULL);
            pairs[1] =
                dyno_pair_new(&(struct dyno_pair_options){.context = stage.server_context}, NULL);
        }
        settle(1024);
        cr_assert(dyno_pair_is_secure(pairs[1]));
        close_pairs();
    }
}
