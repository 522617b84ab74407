#include <criterion/criterion.h>

#include "base/clock.h"
#include "load/client.h"

Test(client, rests_longer_after_each_failure_up_to_a_second)
{
    cr_expect_eq(client_backoff_ns(1), 10 * NS_PER_MS);
    cr_expect_eq(client_backoff_ns(2), 20 * NS_PER_MS);
    cr_expect_eq(client_backoff_ns(7), 640 * NS_PER_MS);
    cr_expect_eq(client_backoff_ns(8), NS_PER_S);
    cr_expect_eq(client_backoff_ns(UINT32_MAX), NS_PER_S);
}

Test(client, each_mode_and_peer_has_its_kind)
{
    struct load_plan plan = {.mode = LOAD_HANDSHAKE, .peer = LOAD_PEER_HTTP};

    cr_expect_eq(client_kind_of(&plan), &handshake_client);
    plan.mode = LOAD_RR;
    cr_expect_eq(client_kind_of(&plan), &http_client);
    plan.peer = LOAD_PEER_ECHO;
    cr_expect_eq(client_kind_of(&plan), &rr_client);
    plan.peer = LOAD_PEER_RR;
    cr_expect_eq(client_kind_of(&plan), &rr_client);
    plan.mode = LOAD_UPLOAD;
    plan.peer = LOAD_PEER_DISCARD;
    cr_expect_eq(client_kind_of(&plan), &upload_client);
    plan.mode = LOAD_DOWNLOAD;
    plan.peer = LOAD_PEER_SOURCE;
    cr_expect_eq(client_kind_of(&plan), &download_client);
}
