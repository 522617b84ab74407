/* tlsdyno ciphers: what the OpenSSL at hand can negotiate. */
#include <stdlib.h>

#include <jansson.h>

#include "base/error.h"
#include "cli/command.h"
#include "tls/config.h"
#include "tls/context.h"

struct ciphers_options {
    bool json;
};

static const struct option_info ciphers_option_rows[] = {
    {.name = "json",
     .letter = 'J',
     .kind = OPTION_SWITCH,
     .group = "Output",
     .help = "print one JSON object instead of tables",
     OPTION_FIELD(struct ciphers_options, json)},
};

static const struct {
    enum tls_list what;
    const char *title;
    const char *key; /* in JSON */
} lists[] = {
    {TLS_LIST_CIPHERS, "Cipher suites", "ciphers"},
    {TLS_LIST_GROUPS, "Groups", "groups"},
    {TLS_LIST_SIGNATURES, "Signature algorithms", "signatures"},
};

enum { LIST_COUNT = sizeof(lists) / sizeof(lists[0]) };

static void print_row(void *user, const char *name, const char *versions, const char *note)
{
    (void)user;
    printf("  %-34s %-16s %s\n", name, versions, note);
}

static void print_tables(void)
{
    printf("%s\n", tls_library_version());
    for (size_t i = 0; i < LIST_COUNT; i++) {
        printf("\n%s:\n", lists[i].title);
        tls_list(lists[i].what, print_row, NULL);
    }
}

static void append_row(void *user, const char *name, const char *versions, const char *note)
{
    json_t *rows = user;

    json_array_append_new(
        rows, json_pack("{s:s, s:s, s:s}", "name", name, "versions", versions, "note", note));
}

static int print_json(struct error *error)
{
    json_t *document = json_object();
    int outcome;

    json_object_set_new(document, "openssl", json_string(tls_library_version()));
    for (size_t i = 0; i < LIST_COUNT; i++) {
        json_t *rows = json_array();

        tls_list(lists[i].what, append_row, rows);
        json_object_set_new(document, lists[i].key, rows);
    }
    outcome = json_dumpf(document, stdout, JSON_INDENT(2));
    json_decref(document);
    if (outcome != 0) {
        return error_set(error, "cannot write the list");
    }
    putchar('\n');
    return 0;
}

static int run(void *config, char **argv, struct error *error)
{
    const struct ciphers_options *options = config;

    (void)argv;
    if (options->json) {
        return print_json(error) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    print_tables();
    return EXIT_SUCCESS;
}

const struct command ciphers_command = {
    .help = "lists the suites, groups and signature algorithms at hand",
    .table =
        {
            .command = "ciphers",
            .summary = "Lists what the OpenSSL that runs can negotiate: cipher suites, "
                       "key-exchange groups and signature algorithms, with the TLS versions they "
                       "are good for, as --ciphers, --ciphersuites, --groups and --sigalgs take "
                       "them.",
            .sections = {{ciphers_option_rows,
                          sizeof(ciphers_option_rows) / sizeof(ciphers_option_rows[0]), 0}},
        },
    .config_bytes = sizeof(struct ciphers_options),
    .run = run,
};
