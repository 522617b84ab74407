#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/serve_material.h"

struct fixture {
    struct serve_options options;
    struct serve_material material;
    struct error error;
};

static struct fixture *new_fixture(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    unsetenv("TLSDYNO_PASSPHRASE");
    unsetenv("SSLKEYLOGFILE");
    fixture->options.server.listener_count = 1;
    return fixture;
}

static void free_fixture(struct fixture *fixture)
{
    serve_material_close(&fixture->material);
    free(fixture);
}

static int open_material(struct fixture *fixture)
{
    return serve_material_open(&fixture->material, &fixture->options, &fixture->error);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(serve_material, a_certificate_is_made_only_where_tls_has_none)
{
    struct fixture *fixture = new_fixture();

    cr_assert_eq(open_material(fixture), 0, "%s", fixture->error.text);
    cr_assert_not_null(fixture->material.generated);
    cr_assert_eq(fixture->options.server.tls.certificate_count, 1);
    free_fixture(fixture);

    fixture = new_fixture();
    fixture->options.server.listeners[0].plain_tcp = true;
    cr_assert_eq(open_material(fixture), 0);
    cr_assert_null(fixture->material.generated);
    free_fixture(fixture);

    fixture = new_fixture();
    fixture->options.server.tls.pfx_file = "server.p12";
    cr_assert_eq(open_material(fixture), 0);
    cr_assert_null(fixture->material.generated);
    free_fixture(fixture);
}

Test(serve_material, names_are_cut_into_their_parts)
{
    struct fixture *fixture = new_fixture();
    const struct server_name *name = &fixture->options.server.names[0];

    fixture->options.names = (struct option_list){{"*.a.example:a.pem:a.key"}, 1};
    cr_assert_eq(open_material(fixture), 0, "%s", fixture->error.text);
    cr_assert_eq(fixture->options.server.name_count, 1);
    cr_assert_str_eq(name->host, "*.a.example");
    cr_assert_str_eq(name->certificate_file, "a.pem");
    cr_assert_str_eq(name->key_file, "a.key");
    free_fixture(fixture);
}

Test(serve_material, reread_brings_what_the_files_say_now)
{
    char staple[] = "/tmp/tlsdyno-staple-XXXXXX";
    struct fixture *fixture = new_fixture();
    const struct tls_config *tls = &fixture->options.server.tls;

    fclose(fdopen(mkstemp(staple), "w"));
    write_file(staple, "old");
    fixture->options.ocsp_file = staple;
    cr_assert_eq(open_material(fixture), 0, "%s", fixture->error.text);
    cr_assert_eq(tls->ocsp_response_bytes, 3);
    write_file(staple, "newer");
    cr_assert_eq(serve_material_reread(&fixture->material, &fixture->options, &fixture->error), 0);
    cr_assert_eq(tls->ocsp_response_bytes, 5);
    cr_assert_eq(memcmp(tls->ocsp_response, "newer", 5), 0);
    remove(staple);
    cr_assert_eq(serve_material_reread(&fixture->material, &fixture->options, &fixture->error), -1);
    cr_assert_not_null(strstr(fixture->error.text, staple), "%s", fixture->error.text);
    write_file(staple, "again");
    cr_assert_eq(serve_material_reread(&fixture->material, &fixture->options, &fixture->error), 0);
    remove(staple);
    free_fixture(fixture);
}

Test(serve_material, files_that_are_missing_are_named_with_their_option)
{
    struct fixture *fixture = new_fixture();

    fixture->options.ocsp_file = "/nonexistent/staple";
    cr_assert_eq(open_material(fixture), -1);
    cr_assert_str_eq(fixture->error.text, "--ocsp-response: cannot read /nonexistent/staple: No "
                                          "such file or directory");
    free_fixture(fixture);

    fixture = new_fixture();
    fixture->options.files.passphrase_file = "/nonexistent/secret";
    cr_assert_eq(open_material(fixture), -1);
    cr_assert_not_null(strstr(fixture->error.text, "--passphrase-file"), "%s", fixture->error.text);
    free_fixture(fixture);
}
