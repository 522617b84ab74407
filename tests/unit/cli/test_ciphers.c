#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"

/* Runs the command with one argument or none and returns what it prints. */
static char *run(char *argument)
{
    char *argv[] = {"ciphers", argument, NULL};
    void *config = calloc(1, ciphers_command.config_bytes);
    struct option_files files = {0};
    struct error error = {0};
    char *text = calloc(1, 64 * 1024);
    FILE *captured = tmpfile();
    int saved = dup(STDOUT_FILENO);

    cr_assert_eq(options_parse(&ciphers_command.table, argument != NULL ? 2 : 1, argv, config,
                               &files, &error),
                 OPTIONS_PARSED, "%s", error.text);
    fflush(stdout);
    dup2(fileno(captured), STDOUT_FILENO);
    cr_assert_eq(ciphers_command.run(config, argv, &error), EXIT_SUCCESS, "%s", error.text);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(captured);
    cr_assert_lt(fread(text, 1, 64 * 1024 - 1, captured), 64 * 1024 - 1);
    fclose(captured);
    free(config);
    return text;
}

Test(ciphers, tables_have_suites_groups_and_signatures)
{
    char *text = run(NULL);

    cr_assert_not_null(strstr(text, "TLS_AES_128_GCM_SHA256"), "%s", text);
    cr_assert_not_null(strstr(text, "\nGroups:\n"), "%s", text);
    cr_assert_not_null(strstr(text, "\nSignature algorithms:\n"), "%s", text);
    free(text);
}

static bool has_name(const json_t *rows, const char *name)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (strcasecmp(json_string_value(json_object_get(row, "name")), name) == 0) {
            return json_string_value(json_object_get(row, "versions")) != NULL;
        }
    }
    return false;
}

Test(ciphers, json_says_the_same_in_one_object)
{
    char *text = run("--json");
    json_t *document = json_loads(text, 0, NULL);

    cr_assert_not_null(document, "%s", text);
    cr_assert(has_name(json_object_get(document, "ciphers"), "TLS_AES_128_GCM_SHA256"));
    cr_assert(has_name(json_object_get(document, "groups"), "x25519"), "%s", text);
    cr_assert(has_name(json_object_get(document, "signatures"), "ecdsa_secp256r1_sha256"), "%s",
              text);
    cr_assert_not(has_name(json_object_get(document, "ciphers"), "NULL-MD5"));
    cr_assert_not_null(json_object_get(document, "openssl"));
    json_decref(document);
    free(text);
}
