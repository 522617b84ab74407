#include "sweep/possible.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"

static struct sweep_capabilities capabilities;

static void add_all(void)
{
    capabilities = (struct sweep_capabilities){0};
    sweep_capability_add_suite(&capabilities, "TLS_AES_128_GCM_SHA256", "TLSv1.3", "128 bits");
    sweep_capability_add_suite(&capabilities, "ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2",
                               "128 bits, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    sweep_capability_add_suite(&capabilities, "ECDHE-ECDSA-AES128-SHA", "TLSv1-TLSv1.2",
                               "128 bits, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA");
    sweep_capability_add_suite(&capabilities, "AES128-SHA", "TLSv1-TLSv1.2",
                               "128 bits, TLS_RSA_WITH_AES_128_CBC_SHA");
    sweep_capability_add_group(&capabilities, "secp256r1", "TLSv1-TLSv1.3");
    sweep_capability_add_group(&capabilities, "X25519MLKEM768", "TLSv1.3");
}

static void put(struct sweep_cell *cell, enum sweep_axis axis, const char *text)
{
    struct sweep_value *value = &cell->values[axis];

    value->is_null = text == NULL;
    snprintf(value->text, sizeof(value->text), "%s", text != NULL ? text : "none");
}

struct wanted {
    const char *version, *suite, *group, *certificate;
};

static const char *obstacle(struct wanted wanted)
{
    static char reason[SWEEP_REASON_BYTES];
    struct sweep_cell cell = {.mode = LOAD_RR};

    put(&cell, SWEEP_VERSION, wanted.version);
    put(&cell, SWEEP_SUITE, wanted.suite);
    put(&cell, SWEEP_GROUP, wanted.group);
    put(&cell, SWEEP_CERTIFICATE, wanted.certificate);
    return sweep_obstacle(&capabilities, &cell, reason);
}

static void assert_obstacle(struct wanted wanted, const char *because)
{
    const char *reason = obstacle(wanted);

    cr_assert_not_null(reason, "%s", because);
    cr_assert_not_null(strstr(reason, because), "%s", reason);
}

Test(possible, cells_that_can_be_have_no_obstacle, .init = add_all)
{
    cr_assert_null(
        obstacle((struct wanted){"TLSv1.3", "TLS_AES_128_GCM_SHA256", "P-256", "mldsa-44"}));
    cr_assert_null(obstacle(
        (struct wanted){"TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", "secp256r1", "rsa-2048"}));
    cr_assert_null(obstacle((struct wanted){"TLSv1.2", "ECDHE-ECDSA-AES128-SHA", NULL, "ed25519"}));
    cr_assert_null(obstacle((struct wanted){"TLSv1.3", NULL, "x25519mlkem768", NULL}));
    cr_assert_null(obstacle((struct wanted){NULL, NULL, NULL, NULL}));
}

Test(possible, cells_that_cannot_be_say_why, .init = add_all)
{
    assert_obstacle((struct wanted){"TLSv1.2", "TLS_AES_128_GCM_SHA256", NULL, "ecdsa-p256"},
                    "no suite of TLSv1.2");
    assert_obstacle((struct wanted){"TLSv1.3", "AES128-SHA", NULL, "rsa-2048"},
                    "no suite of TLSv1.3");
    assert_obstacle((struct wanted){"TLSv1.3", "TLS_NONE", NULL, "rsa-2048"}, "has no suite");
    assert_obstacle((struct wanted){"TLSv1.3", NULL, "MLKEM1024", "rsa-2048"}, "has no group");
    assert_obstacle((struct wanted){"TLSv1.2", NULL, "X25519MLKEM768", "rsa-2048"},
                    "no group of TLSv1.2");
    assert_obstacle((struct wanted){"TLSv1.2", NULL, NULL, "mldsa-44"}, "need TLSv1.3");
    assert_obstacle((struct wanted){"TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", NULL, "ecdsa-p256"},
                    "does not go with");
    assert_obstacle((struct wanted){"TLSv1.2", "ECDHE-ECDSA-AES128-SHA", NULL, "rsa-2048"},
                    "does not go with");
    assert_obstacle((struct wanted){"TLSv1.2", "AES128-SHA", "P-256", "rsa-2048"}, "no ECDHE");
}

Test(possible, names_of_one_group_are_equal)
{
    cr_assert(sweep_groups_equal("P-256", "secp256r1"));
    cr_assert(sweep_groups_equal("prime256v1", "P-256"));
    cr_assert(sweep_groups_equal("X25519", "x25519"));
    cr_assert_not(sweep_groups_equal("P-256", "P-384"));
}
