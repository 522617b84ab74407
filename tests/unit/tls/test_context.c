#include <string.h>

#include <criterion/criterion.h>

#include "fixture.h"

Test(context, fragment_sizes_from_512_to_16384_are_accepted)
{
    struct fixture fixture = fixture_make();
    struct error error = {0};

    fixture.config.max_send_fragment = 512;
    cr_assert(fixture_accepted(&fixture, &error), "%s", error.text);
    fixture.config.max_send_fragment = 16384;
    cr_assert(fixture_accepted(&fixture, &error), "%s", error.text);
    fixture.config.max_send_fragment = 511;
    fixture_refuse(&fixture, "511", "512 to 16384");
    fixture.config.max_send_fragment = 16385;
    fixture_refuse(&fixture, "16385", "512 to 16384");
    fixture_free(&fixture);
}

Test(context, can_be_made_again_and_again)
{
    struct fixture fixture = fixture_make();

    /* More often than there are BIO types, as many reloads do. */
    for (int i = 0; i < 300; i++) {
        struct error error = {0};

        cr_assert(fixture_accepted(&fixture, &error), "%s", error.text);
    }
    tls_context_free(NULL);
    fixture_free(&fixture);
}

Test(context, is_silent_about_what_is_well)
{
    struct fixture fixture = fixture_make();

    fixture_expect(&fixture, NULL);
    fixture_free(&fixture);
}

Test(context, warnings_add_up)
{
    struct fixture fixture = fixture_make();
    struct tls_context *context;

    /* One for the version, one for a certificate that is no client's. */
    fixture.config.version_min = TLS_VERSION_1_0;
    context = tls_context_new(TLS_CLIENT, &fixture.config, NULL, NULL);
    cr_assert_not_null(strstr(tls_context_warning(context), "obsolete"));
    cr_assert_not_null(strstr(tls_context_warning(context), "; certificate file"));
    cr_assert_lt(strlen(tls_context_warning(context)), ERROR_TEXT_BYTES);
    tls_context_free(context);
    fixture_free(&fixture);
}
