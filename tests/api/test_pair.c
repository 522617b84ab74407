#include <string.h>

#include "stage.h"

TestSuite(pair, .init = stage_set_up, .fini = stage_tear_down, .timeout = 30);

Test(pair, bytes_go_both_ways_in_any_pieces)
{
    static const size_t pieces[] = {1, 7, 1024};
    char heard[64];

    stage_pairs_open(DYNO_CLIENTS_ANONYMOUS);
    for (size_t i = 0; i < 3; i++) {
        stage_pairs_settle(pieces[i]);
        cr_assert(dyno_pair_is_secure(stage.pairs[0]) && dyno_pair_is_secure(stage.pairs[1]));
        cr_assert(dyno_pair_write(stage.pairs[0], "there", 5));
        cr_assert(dyno_pair_write(stage.pairs[1], "and back", 8));
        stage_pairs_settle(pieces[i]);
        cr_assert_eq(dyno_pair_read(stage.pairs[1], heard, sizeof heard), 5);
        cr_assert_eq(dyno_pair_read(stage.pairs[0], heard, sizeof heard), 8);
        cr_assert_eq(dyno_pair_read(stage.pairs[0], heard, sizeof heard), 0);
    }
    dyno_pair_end(stage.pairs[0]);
    cr_assert_not(dyno_pair_write(stage.pairs[0], "late", 4));
    stage_pairs_settle(1024);
    dyno_pair_read(stage.pairs[1], heard, sizeof heard);
    cr_assert(dyno_pair_has_ended(stage.pairs[1]));
    cr_assert_not(dyno_pair_has_ended(stage.pairs[0]));
    stage_pairs_close();
}

Test(pair, a_client_may_have_to_be_authorized)
{
    stage_pairs_open(DYNO_CLIENTS_AUTHORIZED);
    stage_pairs_settle(1024);
    cr_assert_not(dyno_pair_is_secure(stage.pairs[1]));
    cr_assert_str_eq(dyno_pair_failure(stage.pairs[1]), "peer did not return a certificate");
    stage_pairs_close();
}

Test(pair, a_client_that_is_only_asked_is_not_authorized_without)
{
    stage_pairs_open(DYNO_CLIENTS_ASKED);
    stage_pairs_settle(1024);
    cr_assert(dyno_pair_is_secure(stage.pairs[1]));
    cr_assert_not(dyno_tls_authorized(dyno_pair_tls(stage.pairs[1]), NULL));
    cr_assert(dyno_tls_authorized(dyno_pair_tls(stage.pairs[0]), NULL));
    stage_pairs_close();
}

Test(pair, what_is_no_tls_fails_and_stays_failed)
{
    stage_pairs_open(DYNO_CLIENTS_ANONYMOUS);
    cr_assert_not(dyno_pair_write(stage.pairs[1], "early", 5));
    cr_assert_eq(dyno_pair_feed(stage.pairs[1], "GET / HTTP/1.0\r\n\r\n", 18), -1);
    cr_assert_str_eq(dyno_pair_failure(stage.pairs[1]), "http request");
    cr_assert_eq(dyno_pair_feed(stage.pairs[1], "", 1), -1);
    stage_pairs_close();
}

Test(pair, contexts_are_lent_again_and_sessions_with_them)
{
    for (int i = 0; i < 3; i++) {
        if (i == 0) {
            stage_pairs_open(DYNO_CLIENTS_ANONYMOUS);
        } else {
            stage.pairs[0] =
                dyno_pair_new(&(struct dyno_pair_options){.context = stage.client_context}, NULL);
            stage.pairs[1] =
                dyno_pair_new(&(struct dyno_pair_options){.context = stage.server_context}, NULL);
        }
        stage_pairs_settle(1024);
        cr_assert(dyno_pair_is_secure(stage.pairs[1]));
        stage_pairs_close();
    }
}
