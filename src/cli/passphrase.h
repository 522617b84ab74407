/* The secret that decrypts keys and PKCS#12 files. */
#pragma once

#include <stdbool.h>

struct error;

enum { PASSPHRASE_BYTES = 1024 };

struct passphrase {
    char text[PASSPHRASE_BYTES];
    bool given;
};

/* The first line of `file`; or where that is NULL, TLSDYNO_PASSPHRASE of the environment; or none.
 * Never asks: a server may have no terminal. Returns 0, or -1 and a sentence. */
int passphrase_read(struct passphrase *out, const char *file, struct error *error);

void passphrase_cleanse(struct passphrase *passphrase);
