#include "cli/passphrase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int read_environment(struct passphrase *out, struct error *error)
{
    const char *value = getenv("TLSDYNO_PASSPHRASE");

    if (value == NULL) {
        return 0;
    }
    if (strlen(value) >= PASSPHRASE_BYTES) {
        return error_set(error, "TLSDYNO_PASSPHRASE is longer than %d bytes", PASSPHRASE_BYTES - 1);
    }
    memcpy(out->text, value, strlen(value) + 1);
    out->given = true;
    return 0;
}

static int read_file(struct passphrase *out, const char *name, struct error *error)
{
    FILE *file = fopen(name, "re");
    bool failed;

    if (file == NULL) {
        return error_set(error, "cannot read %s: %m", name);
    }
    setvbuf(file, NULL, _IONBF, 0); /* a buffer would keep a copy of the secret */
    failed = fgets(out->text, PASSPHRASE_BYTES, file) == NULL && ferror(file);
    if (failed) {
        error_set(error, "cannot read %s: %m", name);
    }
    fclose(file);
    if (failed) {
        return -1;
    }
    if (strlen(out->text) == PASSPHRASE_BYTES - 1) {
        return error_set(error, "the first line of %s is longer than %d bytes", name,
                         PASSPHRASE_BYTES - 2);
    }
    out->text[strcspn(out->text, "\r\n")] = '\0';
    out->given = true;
    return 0;
}

int passphrase_read(struct passphrase *out, const char *file, struct error *error)
{
    int outcome;

    *out = (struct passphrase){0};
    if (file == NULL) {
        return read_environment(out, error);
    }
    outcome = read_file(out, file, error);
    return outcome == 0 ? 0 : error_prefix(error, "--passphrase-file");
}

void passphrase_cleanse(struct passphrase *passphrase)
{
    explicit_bzero(passphrase, sizeof(*passphrase));
}
