/* What a server serves with: everything that its options name in files, read, or made where they
 * name nothing. */
#pragma once

#include "cli/file.h"
#include "cli/serve_options.h"

struct certificate;
struct error;

/* A struct server_config points into it, so it stays where it is while that is used. */
struct serve_material {
    struct tls_material tls;
    struct certificate *generated; /* NULL: one was named */
    struct file_content ocsp;
    char *name_texts[SERVER_NAMES_MAX];
    size_t name_count;
};

/* Completes the server's configuration; makes a certificate when a listener needs one and none was
 * named. Returns 0, or -1 and a sentence; serve_material_close() in either case. */
int serve_material_open(struct serve_material *material, struct serve_options *options,
                        struct error *error);
/* For a reload: reads again what the server does not read itself. Returns 0, or -1 and a sentence:
 * then the configuration is not to be used until this has succeeded. */
int serve_material_reread(struct serve_material *material, struct serve_options *options,
                          struct error *error);
/* Says on standard error what is wrong with certificates and options but no error. */
void serve_warnings_print(const struct server_config *config);
void serve_material_close(struct serve_material *material);
