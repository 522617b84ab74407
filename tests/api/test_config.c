#include <string.h>

#include "stage.h"

TestSuite(config, .init = stage_set_up, .fini = stage_tear_down, .timeout = 30);

static void refuse(enum dyno_role role, const char *word)
{
    struct dyno_config *config = role == DYNO_SERVER ? stage.server_config : stage.client_config;
    struct dyno_error error = {0};

    cr_assert_null(dyno_context_new(role, config, &error));
    cr_assert_not_null(strstr(error.text, word), "'%s' is not in: %s", word, error.text);
}

Test(config, the_first_thing_that_is_wrong_is_reported)
{
    dyno_config_set_versions(stage.server_config, "1.9", NULL);
    dyno_config_set_options(stage.server_config, "no-such-option");
    refuse(DYNO_SERVER, "1.9");
}

Test(config, sslv3_is_refused_by_name)
{
    dyno_config_set_method(stage.client_config, "SSLv3_method");
    refuse(DYNO_CLIENT, "SSLv3");
}

Test(config, a_file_that_is_not_there_is_named)
{
    dyno_config_set_ca_file(stage.client_config, "/no/such/roots.pem");
    refuse(DYNO_CLIENT, "/no/such/roots.pem");
}

Test(config, an_ocsp_response_that_is_not_there_is_named)
{
    dyno_config_set_ocsp_response_file(stage.server_config, "/no/such/response.der");
    refuse(DYNO_SERVER, "/no/such/response.der");
}

Test(config, ticket_keys_have_their_lengths)
{
    dyno_config_set_ticket_key_mem(stage.server_config, "too short", 9);
    refuse(DYNO_SERVER, "48");
}

Test(config, a_server_needs_a_certificate)
{
    struct dyno_config *config = dyno_config_new();
    struct dyno_error error = {0};

    cr_assert_null(dyno_context_new(DYNO_SERVER, config, &error));
    cr_assert_neq(error.text[0], '\0');
    dyno_config_free(config);
}

Test(config, what_is_right_outlives_its_configuration)
{
    dyno_config_set_versions(stage.client_config, "1.2", "1.3");
    dyno_config_set_alpn(stage.client_config, "two,one");
    dyno_config_set_alpn(stage.server_config, "one,two");
    stage_open(NULL);
    dyno_config_free(stage.client_config);
    stage.client_config = NULL;
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).facts.protocol, "one");
    cr_assert_str_eq(dyno_context_warning(stage.client_context), "");
}

static void each(void *user, const char *name, const char *versions, const char *note)
{
    (void)note;
    if (strcmp(name, "TLS_AES_128_GCM_SHA256") == 0) {
        cr_assert_str_eq(versions, "TLSv1.3");
        *(bool *)user = true;
    }
}

Test(config, the_suites_of_this_openssl_are_listed)
{
    bool found = false;

    dyno_list(DYNO_LIST_CIPHERS, each, &found);
    cr_assert(found);
    found = false;
    dyno_list(DYNO_LIST_GROUPS, each, &found);
    cr_assert_not(found);
    cr_assert_eq(strncmp(dyno_openssl_version(), "OpenSSL 3.", 10), 0);
}
