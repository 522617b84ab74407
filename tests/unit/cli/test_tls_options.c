#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/tls_options.h"

/* A command with the shared rows alone. */
struct options {
    struct tls_config tls;
    struct tls_files files;
};

static const struct option_table table = {
    .command = "test",
    .sections = {{tls_option_rows, TLS_OPTION_COUNT, offsetof(struct options, tls)},
                 {tls_file_option_rows, TLS_FILE_OPTION_COUNT, offsetof(struct options, files)}},
};

enum { ARGUMENTS_MAX = 12 };

struct parsed {
    struct options options;
    struct option_files files;
    struct error error;
    enum options_result result;
};

#define PARSE(...) parse((char *[ARGUMENTS_MAX]){"test", __VA_ARGS__})

static struct parsed *parse(char **argv)
{
    struct parsed *parsed = calloc(1, sizeof(*parsed));
    int argc = 0;

    while (argv[argc] != NULL) {
        argc++;
    }
    parsed->result =
        options_parse(&table, argc, argv, &parsed->options, &parsed->files, &parsed->error);
    return parsed;
}

static void assert_refused(struct parsed *parsed, const char *named)
{
    cr_assert_eq(parsed->result, OPTIONS_WRONG, "%s", named);
    cr_assert_not_null(strstr(parsed->error.text, named), "%s", parsed->error.text);
    free(parsed);
}

Test(tls_options, methods_of_the_classic_api_set_both_versions)
{
    struct parsed *parsed = PARSE("--secure-protocol", "TLSv1_2_method");

    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert_eq(parsed->options.tls.version_min, TLS_VERSION_1_2);
    cr_assert_eq(parsed->options.tls.version_max, TLS_VERSION_1_2);
    free(parsed);
    assert_refused(PARSE("--secure-protocol", "SSLv3_method"), "SSLv3_method");
    assert_refused(PARSE("--secure-protocol", "TLSv9_method"), "TLSv9_method");
}

Test(tls_options, option_bits_add_up)
{
    struct parsed *parsed =
        PARSE("--secure-options", "no-ticket", "--secure-options", "prioritize-chacha");
    struct parsed *both = PARSE("--secure-options", "no-ticket,prioritize-chacha");

    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert_neq(parsed->options.tls.options, 0);
    cr_assert_eq(parsed->options.tls.options, both->options.tls.options);
    free(parsed);
    free(both);
    assert_refused(PARSE("--secure-options", "no-tickle"), "no-tickle");
}

Test(tls_options, pairs_of_files_reach_the_configuration_in_order)
{
    struct parsed *parsed =
        PARSE("--cert", "a.pem", "--cert", "b.pem", "--key=a.key", "--key", "b.key");
    struct tls_material material = {0};
    struct error error = {0};

    unsetenv("TLSDYNO_PASSPHRASE");
    unsetenv("SSLKEYLOGFILE");
    cr_assert_eq(tls_material_open(&material, &parsed->options.files, &parsed->options.tls, &error),
                 0, "%s", error.text);
    cr_assert_eq(parsed->options.tls.certificate_count, 2);
    cr_assert_str_eq(parsed->options.tls.certificates[1].certificate_file, "b.pem");
    cr_assert_str_eq(parsed->options.tls.certificates[1].key_file, "b.key");
    cr_assert_null(parsed->options.tls.passphrase);
    cr_assert_null(parsed->options.tls.on_keylog);
    tls_material_close(&material);
    free(parsed);
}

Test(tls_options, the_key_log_may_come_from_the_environment_and_always_warns)
{
    char path[] = "/tmp/tlsdyno-keylog-XXXXXX";
    struct parsed *parsed = PARSE("--alpn", "http/1.1");
    struct tls_material material = {0};
    struct error error = {0};

    fclose(fdopen(mkstemp(path), "w"));
    cr_redirect_stderr();
    setenv("SSLKEYLOGFILE", path, 1);
    cr_assert_eq(tls_material_open(&material, &parsed->options.files, &parsed->options.tls, &error),
                 0, "%s", error.text);
    cr_assert_not_null(parsed->options.tls.on_keylog);
    cr_assert_eq(parsed->options.tls.keylog_user, &material.keylog);
    fflush(stderr);
    cr_assert_stderr_neq_str("");
    tls_material_close(&material);
    setenv("SSLKEYLOGFILE", "/nonexistent/keys", 1);
    cr_assert_eq(tls_material_open(&material, &parsed->options.files, &parsed->options.tls, &error),
                 -1);
    cr_assert_eq(strncmp(error.text, "SSLKEYLOGFILE: cannot write", 27), 0, "%s", error.text);
    tls_material_close(&material);
    remove(path);
    free(parsed);
}
