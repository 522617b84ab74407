#include "fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

struct fixture fixture_make(void)
{
    struct certificate *certificate = certificate_new(&(struct certificate_options){0}, NULL, NULL);

    return (struct fixture){
        .certificate = certificate,
        .config = {.certificates = {{.certificate_pem = certificate_pem(certificate),
                                     .key_pem = certificate_key_pem(certificate)}},
                   .certificate_count = 1},
    };
}

void fixture_free(struct fixture *fixture)
{
    certificate_free(fixture->certificate);
}

bool fixture_accepted(const struct fixture *fixture, struct error *error)
{
    struct tls_context *context = tls_context_new(TLS_SERVER, &fixture->config, NULL, error);
    bool good = context != NULL;

    cr_assert_eq(good, error->text[0] == '\0');
    tls_context_free(context);
    return good;
}

void fixture_expect_role(enum tls_role role, const struct tls_config *config, const char *warning)
{
    struct error error = {0};
    struct tls_context *context = tls_context_new(role, config, NULL, &error);
    const char *warned;

    cr_assert_not_null(context, "%s", error.text);
    warned = tls_context_warning(context);
    cr_assert_eq(warned == NULL, warning == NULL, "%s", warned);
    cr_assert(warning == NULL || strstr(warned, warning) != NULL, "%s", warned);
    tls_context_free(context);
}

void fixture_refuse_role(enum tls_role role, const struct tls_config *config, const char *word,
                         const char *other)
{
    struct error error = {0};

    cr_assert_null(tls_context_new(role, config, NULL, &error));
    cr_assert_not_null(strstr(error.text, word), "%s", error.text);
    cr_assert_not_null(strstr(error.text, other), "%s", error.text);
}

void fixture_expect(const struct fixture *fixture, const char *warning)
{
    fixture_expect_role(TLS_SERVER, &fixture->config, warning);
}

void fixture_refuse(const struct fixture *fixture, const char *word, const char *other)
{
    fixture_refuse_role(TLS_SERVER, &fixture->config, word, other);
}

static void write_all(int descriptor, const char *text)
{
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
}

void fixture_file(char out_path[FIXTURE_PATH_BYTES], const char *text)
{
    strcpy(out_path, "/tmp/tlsdyno-test-XXXXXX");
    write_all(mkstemp(out_path), text);
}

void fixture_directory(char out_path[FIXTURE_PATH_BYTES])
{
    strcpy(out_path, "/tmp/tlsdyno-test-XXXXXX");
    cr_assert_not_null(mkdtemp(out_path));
}

void fixture_put(const char *directory, const char *name, const char *text)
{
    char path[FIXTURE_PATH_BYTES + 64];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    fclose(file);
}

void fixture_remove(const char *directory)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;

    while ((entry = readdir(stream)) != NULL) {
        unlinkat(dirfd(stream), entry->d_name, 0);
    }
    closedir(stream);
    cr_assert_eq(rmdir(directory), 0);
}
