/* TLS secrets in the NSS key log format, from which Wireshark decrypts what it captured. */
#pragma once

#include <stdbool.h>

struct error;

struct keylog {
    bool is_open;
    int descriptor;
};

/* Opens the file to append to, made for its owner's eyes only. One that is there must be a regular
 * file of ours with mode 0600, and no link. Returns 0, or -1 and a sentence. */
int keylog_open(struct keylog *keylog, const char *file, struct error *error);
void keylog_close(struct keylog *keylog); /* fine when it is closed */

/* The on_keylog of a struct tls_config, whose user is the keylog. Any thread; lines of several stay
 * whole. */
void keylog_write(void *keylog, const char *line);
