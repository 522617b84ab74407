#include <string.h>

#include <criterion/criterion.h>

#include "tls/key_schedule.h"

static struct key_schedule_span text(const char *string)
{
    return (struct key_schedule_span){(const uint8_t *)string, strlen(string)};
}

/* The vector that the TLS working group's list settled on for SHA-256 (P_SHA256, 2008), whole. */
Test(key_schedule_prf, gives_the_known_answer)
{
    static const uint8_t secret[] = {0x9b, 0xbe, 0x43, 0x6b, 0xa9, 0x40, 0xf0, 0x17,
                                     0xb1, 0x76, 0x52, 0x84, 0x9a, 0x71, 0xdb, 0x35};
    static const uint8_t seed[] = {0xa0, 0xba, 0x9f, 0x93, 0x6c, 0xda, 0x31, 0x18,
                                   0x27, 0xa6, 0xf7, 0x96, 0xff, 0xd5, 0x19, 0x8c};
    static const uint8_t wanted[] = {
        0xe3, 0xf2, 0x29, 0xba, 0x72, 0x7b, 0xe1, 0x7b, 0x8d, 0x12, 0x26, 0x20, 0x55, 0x7c, 0xd4,
        0x53, 0xc2, 0xaa, 0xb2, 0x1d, 0x07, 0xc3, 0xd4, 0x95, 0x32, 0x9b, 0x52, 0xd4, 0xe6, 0x1e,
        0xdb, 0x5a, 0x6b, 0x30, 0x17, 0x91, 0xe9, 0x0d, 0x35, 0xc9, 0xc9, 0xa4, 0x6b, 0x4e, 0x14,
        0xba, 0xf9, 0xaf, 0x0f, 0xa0, 0x22, 0xf7, 0x07, 0x7d, 0xef, 0x17, 0xab, 0xfd, 0x37, 0x97,
        0xc0, 0x56, 0x4b, 0xab, 0x4f, 0xbc, 0x91, 0x66, 0x6e, 0x9d, 0xef, 0x9b, 0x97, 0xfc, 0xe3,
        0x4f, 0x79, 0x67, 0x89, 0xba, 0xa4, 0x80, 0x82, 0xd1, 0x22, 0xee, 0x42, 0xc5, 0xa7, 0x2e,
        0x5a, 0x51, 0x10, 0xff, 0xf7, 0x01, 0x87, 0x34, 0x7b, 0x66,
    };
    const struct key_schedule_prf_input input = {
        .digest = key_schedule_digest_find("SHA2-256"),
        .secret = {secret, sizeof(secret)},
        .seeds = {text("test label"), {seed, sizeof(seed)}},
        .seed_count = 2,
    };
    uint8_t out[sizeof(wanted)];

    key_schedule_prf(&input, out, sizeof(out));
    cr_assert_arr_eq(out, wanted, sizeof(wanted));
    memset(out, 0, sizeof(out));
    key_schedule_prf(&input, out, 33); /* part of a block, and not a byte more */
    cr_assert_arr_eq(out, wanted, 33);
    cr_assert_eq(out[33], 0);
}

Test(key_schedule_prf, seeds_are_one_text)
{
    const struct key_schedule_prf_input two = {
        .digest = key_schedule_digest_find("SHA2-384"),
        .secret = text("secret"),
        .seeds = {text("ab"), text("c")},
        .seed_count = 2,
    };
    struct key_schedule_prf_input one = two;
    uint8_t outs[2][100];

    one.seeds[0] = text("abc");
    one.seed_count = 1;
    key_schedule_prf(&two, outs[0], sizeof(outs[0]));
    key_schedule_prf(&one, outs[1], sizeof(outs[1]));
    cr_assert_arr_eq(outs[0], outs[1], sizeof(outs[0]));
    one.seeds[0] = text("abd");
    key_schedule_prf(&one, outs[1], sizeof(outs[1]));
    cr_assert_arr_neq(outs[0], outs[1], sizeof(outs[0]));
}
