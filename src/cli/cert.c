/* tlsdyno cert: a certificate authority, a server and a client certificate, for trying things out.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/passphrase.h"
#include "tls/certificate.h"

enum {
    CHAIN_MAX = 8,
    MODE_PUBLIC = 0644,
    MODE_SECRET = 0600,
};

enum written_file {
    FILE_CA,
    FILE_CA_KEY,
    FILE_SERVER,
    FILE_SERVER_KEY,
    FILE_CLIENT,
    FILE_CLIENT_KEY,
    FILE_SERVER_P12,
    FILE_CLIENT_P12,
    FILE_COUNT,
};

static const struct {
    const char *name;
    const char *help;
    mode_t mode;
} file_infos[FILE_COUNT] = {
    [FILE_CA] = {"ca.pem", "the authority: trust it on the other side", MODE_PUBLIC},
    [FILE_CA_KEY] = {"ca.key", "its key", MODE_SECRET},
    [FILE_SERVER] = {"server.pem", "the server's certificate and chain", MODE_PUBLIC},
    [FILE_SERVER_KEY] = {"server.key", "its key", MODE_SECRET},
    [FILE_CLIENT] = {"client.pem", "a client's certificate and chain", MODE_PUBLIC},
    [FILE_CLIENT_KEY] = {"client.key", "its key", MODE_SECRET},
    [FILE_SERVER_P12] = {"server.p12", "the server's key and chain as PKCS#12", MODE_SECRET},
    [FILE_CLIENT_P12] = {"client.p12", "the client's key and chain as PKCS#12", MODE_SECRET},
};

static const char *const key_types[] = {"p256",    "p384",    "ed25519", "rsa2048", "rsa3072",
                                        "rsa4096", "mldsa44", "mldsa65", "mldsa87", NULL};

struct cert_options {
    const char *directory;
    int key_type; /* index in key_types */
    struct option_list names;
    uint32_t days;
    uint32_t chain; /* intermediates */
    const char *passphrase_file;
    bool force;
};

static const struct option_info cert_option_rows[] = {
    {.name = "type",
     .kind = OPTION_CHOICE,
     .argument = "TYPE",
     .group = "Certificates",
     .help =
         "kind of all keys: p256, p384, ed25519, rsa2048, rsa3072, rsa4096, or from OpenSSL 3.5 on "
         "mldsa44, mldsa65 or mldsa87",
     .initial = "p256",
     .choices = key_types,
     OPTION_FIELD(struct cert_options, key_type)},
    {.name = "name",
     .kind = OPTION_LIST,
     .argument = "NAME",
     .group = "Certificates",
     .help = "DNS name or IP address of the server; may be repeated",
     .default_text = "localhost, 127.0.0.1 and ::1",
     OPTION_FIELD(struct cert_options, names)},
    {.name = "days",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Certificates",
     .help = "how long they are valid",
     .initial = "365",
     .min = 1,
     .max = 36500,
     OPTION_FIELD(struct cert_options, days)},
    {.name = "chain",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Certificates",
     .help = "intermediate authorities between ca.pem and the certificates",
     .initial = "0",
     .max = CHAIN_MAX,
     OPTION_FIELD(struct cert_options, chain)},
    {.name = "passphrase-file",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Files",
     .help = "its first line encrypts the PKCS#12 files",
     .default_text = "$TLSDYNO_PASSPHRASE, else empty",
     OPTION_FIELD(struct cert_options, passphrase_file)},
    {.name = "force",
     .kind = OPTION_SWITCH,
     .group = "Files",
     .help = "overwrite files that exist",
     OPTION_FIELD(struct cert_options, force)},
};

/* What the files are made of; owned. */
struct authority {
    struct certificate *issuers[1 + CHAIN_MAX]; /* the root first */
    struct certificate *server;
    struct certificate *client;
};

/* All files, none of which has its name before all are written. */
struct written {
    char paths[FILE_COUNT][PATH_MAX];
    struct output_file files[FILE_COUNT];
};

/* Before anything is made, so that nothing is left half done. */
static int check_directory(const struct cert_options *options, struct written *written,
                           struct error *error)
{
    for (enum written_file file = 0; file < FILE_COUNT; file++) {
        char *path = written->paths[file];

        if (snprintf(path, PATH_MAX, "%s/%s", options->directory, file_infos[file].name) >=
            PATH_MAX) {
            return error_set(error, "the name of the directory is too long");
        }
        if (!options->force && access(path, F_OK) == 0) {
            return error_set(error, "%s exists; --force overwrites it", path);
        }
    }
    return 0;
}

static int make_directory(const struct cert_options *options, struct error *error)
{
    if (mkdir(options->directory, 0755) != 0 && errno != EEXIST) {
        return error_set(error, "cannot make the directory %s: %m", options->directory);
    }
    return 0;
}

static int write_file(struct written *written, enum written_file file, const void *bytes,
                      size_t count, struct error *error)
{
    const char *path = written->paths[file];
    struct output_file *out = &written->files[file];
    struct stat status;

    /* A new file, never a link's target. */
    if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode) && unlink(path) != 0) {
        return error_set(error, "cannot overwrite %s: %m", path);
    }
    if (output_file_open_as(out, path, file_infos[file].mode, error) != 0) {
        return -1;
    }
    setvbuf(out->stream, NULL, _IONBF,
            0); /* of keys there is no copy, and of failures none later */
    return fwrite(bytes, 1, count, out->stream) == count
               ? 0
               : error_set(error, "cannot write %s: %m", path);
}

static int write_pkcs12(struct written *written, enum written_file file,
                        const struct certificate *certificate, const char *passphrase,
                        struct error *error)
{
    uint8_t *der = NULL;
    size_t bytes = 0;
    int outcome;

    if (certificate_pkcs12(certificate, passphrase, &der, &bytes, error) != 0) {
        return -1;
    }
    outcome = write_file(written, file, der, bytes, error);
    explicit_bzero(der, bytes);
    free(der);
    return outcome;
}

static int make_certificates(const struct cert_options *options, struct authority *authority,
                             struct error *error)
{
    struct certificate_options wanted = {.key_type = key_types[options->key_type],
                                         .days = options->days};
    const struct certificate *issuer = NULL;
    char common_name[64];

    for (uint32_t i = 0; i <= options->chain; i++) {
        struct certificate_options issuer_wanted = wanted;

        snprintf(common_name, sizeof(common_name), "tlsdyno intermediate CA %" PRIu32, i);
        issuer_wanted.authority = true;
        issuer_wanted.common_name = i == 0 ? NULL : common_name;
        authority->issuers[i] = certificate_new(&issuer_wanted, issuer, error);
        if (authority->issuers[i] == NULL) {
            return -1;
        }
        issuer = authority->issuers[i];
    }
    if (options->names.count != 0) {
        wanted.names = options->names.items;
        wanted.common_name = options->names.items[0];
    }
    authority->server = certificate_new(&wanted, issuer, error);
    wanted.names = NULL;
    wanted.common_name = "tlsdyno client";
    wanted.client = true;
    authority->client = authority->server != NULL ? certificate_new(&wanted, issuer, error) : NULL;
    return authority->client != NULL ? 0 : -1;
}

static int write_all(struct written *written, const struct authority *authority,
                     const char *passphrase, struct error *error)
{
    const struct {
        enum written_file file;
        const char *text;
    } texts[] = {
        {FILE_CA, certificate_pem(authority->issuers[0])},
        {FILE_CA_KEY, certificate_key_pem(authority->issuers[0])},
        {FILE_SERVER, certificate_chain_pem(authority->server)},
        {FILE_SERVER_KEY, certificate_key_pem(authority->server)},
        {FILE_CLIENT, certificate_chain_pem(authority->client)},
        {FILE_CLIENT_KEY, certificate_key_pem(authority->client)},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (write_file(written, texts[i].file, texts[i].text, strlen(texts[i].text), error) != 0) {
            return -1;
        }
    }
    if (write_pkcs12(written, FILE_SERVER_P12, authority->server, passphrase, error) != 0 ||
        write_pkcs12(written, FILE_CLIENT_P12, authority->client, passphrase, error) != 0) {
        return -1;
    }
    for (enum written_file file = 0; file < FILE_COUNT; file++) {
        if (output_file_keep(&written->files[file], error) != 0) {
            return -1;
        }
    }
    return 0;
}

static void print_written(const struct cert_options *options, const struct authority *authority)
{
    char fingerprint[CERTIFICATE_FINGERPRINT_TEXT_BYTES];
    const char *directory = options->directory;

    for (enum written_file file = 0; file < FILE_COUNT; file++) {
        printf("%s/%-11s %s\n", directory, file_infos[file].name, file_infos[file].help);
    }
    certificate_fingerprint(authority->server, fingerprint);
    printf("\ncertificate SHA-256 %s\n\n"
           "Serve with it:  tlsdyno serve --cert %s/server.pem --key %s/server.key\n"
           "Trust it:       tlsdyno load --ca %s/ca.pem %s:4433\n",
           fingerprint, directory, directory, directory,
           options->names.count != 0 ? options->names.items[0] : "localhost");
}

static int run(void *config, char **argv, struct error *error)
{
    const struct cert_options *options = config;
    struct authority authority = {0};
    struct written written = {0};
    struct passphrase passphrase = {0};
    int status = EXIT_FAILURE;

    (void)argv;
    if (passphrase_read(&passphrase, options->passphrase_file, error) == 0 &&
        check_directory(options, &written, error) == 0 &&
        make_certificates(options, &authority, error) == 0 && make_directory(options, error) == 0 &&
        write_all(&written, &authority, passphrase.text, error) == 0) {
        print_written(options, &authority);
        status = EXIT_SUCCESS;
    }
    for (enum written_file file = 0; file < FILE_COUNT; file++) {
        output_file_drop(&written.files[file]);
    }
    passphrase_cleanse(&passphrase);
    certificate_free(authority.client);
    certificate_free(authority.server);
    for (size_t i = 0; i <= options->chain; i++) {
        certificate_free(authority.issuers[i]);
    }
    return status;
}

const struct command cert_command = {
    .help = "writes a certificate authority, server and client certificates",
    .table =
        {
            .command = "cert",
            .summary = "Writes a new certificate authority and, signed by it, a server's and a "
                       "client's certificate into DIR, as PEM and as PKCS#12. For tests; the "
                       "authority's key lies beside the rest.",
            .operand = "DIR",
            .operand_offset = offsetof(struct cert_options, directory),
            .sections = {{cert_option_rows, sizeof(cert_option_rows) / sizeof(cert_option_rows[0]),
                          0}},
            .epilogue = "Example:\n"
                        "  tlsdyno cert --name test.example --name 10.0.0.1 --chain 1 certs\n",
        },
    .config_bytes = sizeof(struct cert_options),
    .run = run,
};
