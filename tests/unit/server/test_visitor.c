#include <criterion/criterion.h>

#include "server/visitor.h"

static bool answers(struct visitor visitor)
{
    return visitor_refusal(&visitor) == NULL;
}

Test(visitor, programs_are_answered_by_address_and_as_localhost)
{
    static const char *const hosts[] = {"localhost",      "LOCALHOST:9090", "127.0.0.1",
                                        "127.0.0.1:9090", "[::1]",          "[::1]:9090",
                                        "192.0.2.1"};

    cr_assert(answers((struct visitor){.host = NULL}));
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        cr_assert(answers((struct visitor){.host = hosts[i]}), "%s", hosts[i]);
    }
}

Test(visitor, names_that_could_point_anywhere_are_refused)
{
    static const char *const hosts[] = {
        "example.org",
        "example.org:9090",
        "localhost.example.org",
        "127.0.0.1.example.org",
        "",
        ":9090",
        "[example.org]",
        "[::1",
        "0123456789012345678901234567890123456789012345678901234567890123",
    };

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        bool is_cut_address = hosts[i][0] == '[' && hosts[i][1] == ':';

        /* An address without its bracket is an address all the same. */
        cr_assert_eq(answers((struct visitor){.host = hosts[i]}), is_cut_address, "%s", hosts[i]);
    }
}

Test(visitor, an_endpoint_for_other_machines_has_whatever_name_they_know)
{
    cr_assert(answers((struct visitor){.host = "bench-7.example.org", .is_from_afar = true}));
}

Test(visitor, a_persons_own_browser_is_answered)
{
    cr_assert(answers((struct visitor){.host = "localhost:9090", .fetch_site = "none"}));
    cr_assert(answers((struct visitor){.host = "localhost:9090", .fetch_site = "same-origin"}));
}

Test(visitor, web_pages_are_refused_even_where_other_machines_may_come)
{
    static const char *const sites[] = {"cross-site", "same-site", "", "None"};

    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        cr_assert_not(answers((struct visitor){.fetch_site = sites[i], .is_from_afar = true}), "%s",
                      sites[i]);
    }
    cr_assert_not(answers((struct visitor){.origin = "https://example.org"}));
    cr_assert_not(answers((struct visitor){.origin = "null", .is_from_afar = true}));
}
