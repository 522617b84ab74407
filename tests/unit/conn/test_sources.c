#include "conn/sources.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "ring/socket.h"

static const uint64_t now_ns = 1000 * 1000 * 1000;

static struct sources *sources_with(uint32_t connections_max, uint32_t handshakes_max)
{
    struct error error = {0};
    struct sources *sources =
        sources_new(&(struct sources_options){.connections_max = connections_max,
                                              .handshakes_max = handshakes_max},
                    &error);

    cr_assert_not_null(sources, "%s", error.text);
    return sources;
}

static uint64_t key_of(const struct sources *sources, const char *text)
{
    struct socket_address address;
    struct error error = {0};

    cr_assert_eq(socket_parse(text, &address, &error), 0, "%s", error.text);
    return sources_key(sources, &address);
}

Test(sources, one_address_has_its_limit_and_another_its_own)
{
    struct sources *sources = sources_with(2, 0);
    uint64_t one = key_of(sources, "127.0.0.1:1");
    uint64_t two = key_of(sources, "127.0.0.2:1");

    cr_assert_eq(sources_take(sources, one, true, now_ns), SOURCES_GOOD);
    cr_assert_eq(sources_take(sources, one, false, now_ns), SOURCES_GOOD);
    cr_assert_eq(sources_take(sources, one, true, now_ns), SOURCES_CONNECTIONS);
    cr_assert_eq(sources_take(sources, two, true, now_ns), SOURCES_GOOD);
    sources_put(sources, one);
    cr_assert_eq(sources_take(sources, one, true, now_ns), SOURCES_GOOD);
    cr_assert_eq(sources_take(sources, one, true, now_ns), SOURCES_CONNECTIONS);
    sources_free(sources);
}

Test(sources, handshakes_are_counted_by_the_second)
{
    struct sources *sources = sources_with(0, 3);
    uint64_t key = key_of(sources, "127.0.0.1:1");

    for (uint64_t second = 1; second < 4; second++) {
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(sources_take(sources, key, true, second * NS_PER_S), SOURCES_GOOD);
            sources_put(sources, key); /* ending it does not make room for another */
        }
        cr_assert_eq(sources_take(sources, key, true, second * NS_PER_S + NS_PER_S - 1),
                     SOURCES_HANDSHAKES);
        cr_assert_eq(sources_take(sources, key, false, second * NS_PER_S), SOURCES_GOOD);
    }
    sources_free(sources);
}

Test(sources, what_was_refused_for_its_handshake_is_not_open)
{
    struct sources *sources = sources_with(2, 1);
    uint64_t key = key_of(sources, "127.0.0.1:1");

    cr_assert_eq(sources_take(sources, key, true, now_ns), SOURCES_GOOD);
    cr_assert_eq(sources_take(sources, key, true, now_ns), SOURCES_HANDSHAKES);
    cr_assert_eq(sources_take(sources, key, true, now_ns + NS_PER_S), SOURCES_GOOD);
    cr_assert_eq(sources_take(sources, key, true, now_ns + 2 * NS_PER_S), SOURCES_CONNECTIONS);
    sources_free(sources);
}

Test(sources, an_address_is_the_same_however_it_comes)
{
    struct sources *sources = sources_with(1, 0);
    uint64_t v4 = key_of(sources, "10.1.2.3:1");

    cr_assert_eq(v4, key_of(sources, "10.1.2.3:65535"));
    cr_assert_eq(v4, key_of(sources, "[::ffff:10.1.2.3]:1"));
    cr_assert_neq(v4, key_of(sources, "10.1.2.4:1"));
    cr_assert_eq(key_of(sources, "[2001:db8:0:1::1]:1"), key_of(sources, "[2001:db8:0:1:f::2]:9"));
    cr_assert_neq(key_of(sources, "[2001:db8:0:1::1]:1"), key_of(sources, "[2001:db8:0:2::1]:1"));
    cr_assert_eq(key_of(sources, "unix:/tmp/socket"), 0);
    sources_free(sources);
}

Test(sources, unix_sockets_have_no_limits)
{
    struct sources *sources = sources_with(1, 1);

    for (int i = 0; i < 10; i++) {
        cr_assert_eq(sources_take(sources, 0, true, now_ns), SOURCES_GOOD);
    }
    sources_put(sources, 0);
    sources_free(sources);
}

Test(sources, many_addresses_at_their_limit_refuse_hardly_anybody_else)
{
    struct sources *sources = sources_with(4, 0);
    unsigned refused = 0;
    char text[64];

    for (unsigned i = 0; i < 6000; i++) {
        snprintf(text, sizeof text, "10.0.%u.%u:1", i / 256, i % 256);
        for (int k = 0; k < 4; k++) {
            sources_take(sources, key_of(sources, text), true, now_ns);
        }
    }
    for (unsigned i = 0; i < 6000; i++) {
        snprintf(text, sizeof text, "10.1.%u.%u:1", i / 256, i % 256);
        refused += sources_take(sources, key_of(sources, text), true, now_ns) != SOURCES_GOOD;
    }
    /* 0.4 are to be expected; 20 by chance are beyond belief. */
    cr_assert_lt(refused, 20, "%u", refused);
    sources_free(sources);
}
