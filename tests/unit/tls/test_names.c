#include <criterion/criterion.h>

#include "tls/context.h"
#include "tls/names.h"

static struct tls_names names;
static struct tls_context *first;
static struct tls_context *second;

static void set_up(void)
{
    struct tls_config config = {0};

    first = tls_context_new(TLS_CLIENT, &config, NULL, NULL);
    second = tls_context_new(TLS_CLIENT, &config, NULL, NULL);
    cr_assert(first && second);
}

static void tear_down(void)
{
    tls_names_clear(&names);
    tls_context_free(first);
    tls_context_free(second);
}

TestSuite(names, .init = set_up, .fini = tear_down);

Test(names, finds_an_exact_name_in_any_case)
{
    cr_assert(tls_names_add(&names, "www.Example.org", first));
    cr_assert(tls_names_add(&names, "a.example.org", second));
    cr_assert_eq(tls_names_find(&names, "WWW.example.org"), first);
    cr_assert_eq(tls_names_find(&names, "a.example.org"), second);
    cr_assert_null(tls_names_find(&names, "example.org"));
    cr_assert_null(tls_names_find(&names, NULL));
}

Test(names, a_wildcard_stands_for_one_label)
{
    cr_assert(tls_names_add(&names, "*.example.org", first));
    cr_assert_eq(tls_names_find(&names, "anything.example.org"), first);
    cr_assert_null(tls_names_find(&names, "two.labels.example.org"));
    cr_assert_null(tls_names_find(&names, "example.org"));
    cr_assert_null(tls_names_find(&names, ".example.org"));
}

Test(names, an_exact_name_wins_over_a_wildcard)
{
    cr_assert(tls_names_add(&names, "*.example.org", first));
    cr_assert(tls_names_add(&names, "www.example.org", second));
    cr_assert_eq(tls_names_find(&names, "www.example.org"), second);
}

Test(names, a_name_added_again_is_replaced)
{
    cr_assert(tls_names_add(&names, "www.example.org", first));
    cr_assert(tls_names_add(&names, "WWW.EXAMPLE.ORG", second));
    cr_assert_eq(names.count, 1);
    cr_assert_eq(tls_names_find(&names, "www.example.org"), second);
}

Test(names, what_is_no_name_is_refused)
{
    cr_assert_not(tls_names_add(&names, "", first));
    cr_assert_not(tls_names_add(&names, "*", first));
    cr_assert_not(tls_names_add(&names, "*.", first));
    cr_assert_not(tls_names_add(&names, "www.*.org", first));
    cr_assert_not(tls_names_add(&names, "f*.example.org", first));
    cr_assert_not(tls_names_add(&names, "two words", first));
    cr_assert_eq(names.count, 0);
}
