/* The options that mean the same for the server and the load generator, and what they name, read.
 */
#pragma once

#include "cli/keylog.h"
#include "cli/options.h"
#include "cli/passphrase.h"
#include "tls/config.h"

struct error;

/* Rows over struct tls_config. */
enum { TLS_OPTION_COUNT = 15 };

extern const struct option_info tls_option_rows[TLS_OPTION_COUNT];

/* What has to be read or paired before it is a struct tls_config's. */
struct tls_files {
    struct option_list certificates;
    struct option_list keys;
    const char *passphrase_file;
    const char *keylog_file;
};

/* Rows over struct tls_files. */
enum { TLS_FILE_OPTION_COUNT = 4 };

extern const struct option_info tls_file_option_rows[TLS_FILE_OPTION_COUNT];

/* What cannot be meant: certificates without keys, a PKCS#12 beside them. Returns 0 or -1. */
int tls_files_check(const struct tls_files *files, const struct tls_config *config,
                    struct error *error);

/* What was read; a struct tls_config points into it, so it stays where it is while that is used. */
struct tls_material {
    struct passphrase passphrase;
    struct keylog keylog;
};

/* Completes `config`: pairs of files, passphrase, key log (also of SSLKEYLOGFILE, and warns on
 * standard error). Returns 0, or -1 and a sentence; tls_material_close() in either case. */
int tls_material_open(struct tls_material *material, const struct tls_files *files,
                      struct tls_config *config, struct error *error);
/* Reads again what may have changed: the passphrase. */
int tls_material_reread(struct tls_material *material, const struct tls_files *files,
                        struct tls_config *config, struct error *error);
void tls_material_close(struct tls_material *material);

/* Says on standard error what is wrong with a configuration but no error, such as an expired
 * certificate. Silent about one that cannot be used: whoever uses it says why. */
void tls_warnings_print(enum tls_role role, const struct tls_config *config);
