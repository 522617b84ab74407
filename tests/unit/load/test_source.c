#include "load/source.h"

#include <arpa/inet.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "load/plan.h"

static struct socket_address address_of(const char *text)
{
    struct socket_address address;

    cr_assert_eq(socket_parse(text, &address, NULL), 0);
    return address;
}

Test(source, loopback_needs_another_address_when_ports_run_out)
{
    const struct socket_address target = address_of("127.0.0.1:4433");

    cr_expect_eq(source_loopback_count(&target, 50, 28232), 0);
    cr_expect_eq(source_loopback_count(&target, 20000, 28232), 0);
    cr_expect_eq(source_loopback_count(&target, 22000, 28232), 2);
    cr_expect_eq(source_loopback_count(&target, 100000, 28232), 5);
    cr_expect_eq(source_loopback_count(&target, UINT64_MAX, 1), 253);
}

Test(source, elsewhere_the_kernel_chooses)
{
    const struct socket_address targets[] = {address_of("10.0.0.1:1"), address_of("[::1]:1"),
                                             address_of("unix:/tmp/x")};

    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        cr_expect_eq(source_loopback_count(&targets[i], 1000000, 1000), 0);
    }
}

Test(source, clients_take_turns)
{
    struct load_plan plan = {0};
    struct socket_address source;
    char text[SOCKET_TEXT_BYTES];

    cr_expect(!source_of(&plan, 0, &source));
    plan.loopback_sources = 3;
    for (uint32_t i = 0; i < 6; i++) {
        cr_assert(source_of(&plan, i, &source));
        cr_expect_eq(ntohl(source.in.sin_addr.s_addr), 0x7f000002 + i % 3);
        cr_expect_eq(source.in.sin_port, 0);
    }
    cr_expect_str_eq(socket_format(&source, text), "127.0.0.4:0");
}

Test(source, a_list_is_read)
{
    struct socket_address list[LOAD_SOURCES_MAX];
    struct load_plan plan = {.sources = list, .loopback_sources = 9};
    struct socket_address source;
    char text[SOCKET_TEXT_BYTES];

    cr_assert_eq(source_parse("10.0.0.2,10.0.0.3", list, &plan.source_count, NULL), 0);
    cr_expect_eq(plan.source_count, 2);
    cr_assert(source_of(&plan, 1, &source));
    cr_expect_str_eq(socket_format(&source, text), "10.0.0.3:0");
    cr_assert_eq(source_parse("fe80::1", list, &plan.source_count, NULL), 0);
    cr_expect_eq(list[0].any.sa_family, AF_INET6);
}

Test(source, what_is_no_list_is_refused)
{
    static const char *const bad[] = {
        "",
        ",",
        "10.0.0.2,",
        "localhost",
        "10.0.0.2:80",
        "10.0.0",
        "10000000000000000000000000000000000000000000000000000000000000000"};
    struct socket_address list[LOAD_SOURCES_MAX];
    uint32_t count;
    struct error error = {0};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_eq(source_parse(bad[i], list, &count, &error), -1, "%s", bad[i]);
        cr_expect_neq(error.text[0], '\0');
    }
}

Test(source, the_kernel_has_ports)
{
    cr_expect_gt(source_ports(), 0);
}
