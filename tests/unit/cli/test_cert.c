#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "base/error.h"
#include "cli/command.h"

static const char *const files[] = {"ca.pem",     "ca.key",     "server.pem", "server.key",
                                    "client.pem", "client.key", "server.p12", "client.p12"};

enum { FILE_COUNT = sizeof(files) / sizeof(files[0]), ARGUMENTS_MAX = 16, PATH_BYTES = 256 };

struct place {
    char directory[PATH_BYTES];
};

static void place_init(struct place *place)
{
    snprintf(place->directory, sizeof(place->directory), "/tmp/tlsdyno-cert-XXXXXX");
    cr_assert_not_null(mkdtemp(place->directory));
    cr_redirect_stdout();
}

static void path_of(const struct place *place, const char *file, char out[2 * PATH_BYTES])
{
    snprintf(out, 2 * PATH_BYTES, "%s/%s", place->directory, file);
}

static void place_deinit(const struct place *place)
{
    char path[2 * PATH_BYTES];

    for (size_t i = 0; i < FILE_COUNT; i++) {
        path_of(place, files[i], path);
        remove(path);
    }
    remove(place->directory);
}

static int run(struct error *error, char **argv)
{
    void *config = calloc(1, cert_command.config_bytes);
    struct option_files option_files = {0};
    int argc = 0;
    int status;

    while (argv[argc] != NULL) {
        argc++;
    }
    cr_assert_eq(options_parse(&cert_command.table, argc, argv, config, &option_files, error),
                 OPTIONS_PARSED, "%s", error->text);
    status = cert_command.run(config, argv, error);
    free(config);
    return status;
}

#define RUN(error, ...) run(error, (char *[ARGUMENTS_MAX]){"cert", __VA_ARGS__})

static int certificates_in(const struct place *place, const char *file)
{
    char path[2 * PATH_BYTES];
    char line[256];
    int count = 0;
    FILE *in;

    path_of(place, file, path);
    in = fopen(path, "re");
    cr_assert_not_null(in);
    while (fgets(line, sizeof(line), in) != NULL) {
        count += strncmp(line, "-----BEGIN CERTIFICATE-----", 27) == 0;
    }
    fclose(in);
    return count;
}

Test(cert, writes_every_file_and_keeps_secrets_private)
{
    struct error error = {0};
    struct place place;

    place_init(&place);
    cr_assert_eq(RUN(&error, place.directory), EXIT_SUCCESS, "%s", error.text);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char path[2 * PATH_BYTES];
        struct stat status;
        bool secret = strstr(files[i], ".key") != NULL || strstr(files[i], ".p12") != NULL;

        path_of(&place, files[i], path);
        cr_assert_eq(stat(path, &status), 0, "%s", path);
        cr_assert_gt(status.st_size, 0, "%s", path);
        cr_assert_eq(status.st_mode & (secret ? 0077u : 0022u), 0, "%s", path);
    }
    place_deinit(&place);
}

Test(cert, refuses_to_overwrite_and_changes_nothing_unless_forced)
{
    struct error error = {0};
    struct place place;
    char path[2 * PATH_BYTES];
    struct stat status;

    place_init(&place);
    path_of(&place, "client.p12", path);
    fclose(fopen(path, "we"));
    cr_assert_eq(RUN(&error, place.directory), EXIT_FAILURE);
    cr_assert_not_null(strstr(error.text, "client.p12"), "%s", error.text);
    path_of(&place, "ca.pem", path);
    cr_assert_eq(stat(path, &status), -1);
    cr_assert_eq(RUN(&error, "--force", place.directory), EXIT_SUCCESS, "%s", error.text);
    path_of(&place, "client.p12", path);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 0077u, 0);
    place_deinit(&place);
}

Test(cert, chain_counts_intermediates)
{
    struct error error = {0};
    struct place place;

    place_init(&place);
    cr_assert_eq(RUN(&error, "--chain", "2", place.directory), EXIT_SUCCESS, "%s", error.text);
    cr_assert_eq(certificates_in(&place, "ca.pem"), 1);
    cr_assert_eq(certificates_in(&place, "server.pem"), 3);
    cr_assert_eq(certificates_in(&place, "client.pem"), 3);
    place_deinit(&place);
}

Test(cert, missing_passphrase_file_is_named_and_nothing_is_written)
{
    struct error error = {0};
    struct place place;
    char path[2 * PATH_BYTES];
    struct stat status;

    place_init(&place);
    cr_assert_eq(RUN(&error, "--passphrase-file", "/nonexistent/p", place.directory), EXIT_FAILURE);
    cr_assert_not_null(strstr(error.text, "/nonexistent/p"));
    path_of(&place, "ca.pem", path);
    cr_assert_eq(stat(path, &status), -1);
    place_deinit(&place);
}

Test(cert, directory_that_cannot_be_made_is_named)
{
    struct error error = {0};

    cr_redirect_stdout();
    cr_assert_eq(RUN(&error, "/nonexistent/a/b"), EXIT_FAILURE);
    cr_assert_not_null(strstr(error.text, "/nonexistent/a/b"));
}
