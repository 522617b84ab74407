#include <criterion/criterion.h>

#include "tls/failure.h"

Test(failure, every_kind_has_a_name)
{
    cr_assert_str_eq(tls_failure_name(TLS_FAILURE_PROTOCOL), "protocol");
    cr_assert_str_eq(tls_failure_name(TLS_FAILURE_NOT_TLS), "not_tls");
    for (int kind = 0; kind < TLS_FAILURE_COUNT; kind++) {
        cr_assert_str_not_empty(tls_failure_name((enum tls_failure)kind));
    }
}

Test(failure, an_unknown_kind_is_called_so)
{
    cr_assert_str_eq(tls_failure_name(TLS_FAILURE_COUNT), "unknown");
}

Test(failure, an_empty_queue_is_an_internal_failure)
{
    struct tls_failure_detail failure;

    tls_failure_take(0, &failure);
    cr_assert_eq(failure.kind, TLS_FAILURE_INTERNAL);
    cr_assert_str_eq(failure.reason, "no reason given");
}
