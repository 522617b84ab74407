#include "cli/serve_material.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tls/certificate.h"

/* Some hundred bytes, a few KiB with the responder's certificate; far larger is another file. */
enum { OCSP_BYTES_MAX = 256 * 1024 };

static bool any_listener_is_tls(const struct server_config *config)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        if (!config->listeners[i].plain_tcp) {
            return true;
        }
    }
    return false;
}

static int make_certificate(struct serve_material *material, struct tls_config *tls,
                            struct error *error)
{
    material->generated = certificate_new(&(struct certificate_options){0}, NULL, error);
    if (material->generated == NULL) {
        return -1;
    }
    tls->certificates[0].certificate_pem = certificate_chain_pem(material->generated);
    tls->certificates[0].key_pem = certificate_key_pem(material->generated);
    tls->certificate_count = 1;
    return 0;
}

/* serve_options_settle() has seen that each name has its parts. */
static int name_contexts(struct serve_material *material, const struct option_list *names,
                         struct server_config *server, struct error *error)
{
    for (size_t i = 0; i < names->count; i++) {
        char *text = strdup(names->items[i]);
        char *rest = text;

        if (text == NULL) {
            return error_set(error, "out of memory");
        }
        material->name_texts[material->name_count++] = text;
        server->names[server->name_count].host = strsep(&rest, ":");
        server->names[server->name_count].certificate_file = strsep(&rest, ":");
        server->names[server->name_count].key_file = rest;
        server->name_count++;
    }
    return 0;
}

static int read_ocsp_response(struct serve_material *material, struct serve_options *options,
                              struct error *error)
{
    struct tls_config *tls = &options->server.tls;

    file_content_free(&material->ocsp);
    if (options->ocsp_file != NULL &&
        file_read(options->ocsp_file, OCSP_BYTES_MAX, &material->ocsp, error) != 0) {
        return error_prefix(error, "--ocsp-response");
    }
    tls->ocsp_response = material->ocsp.bytes;
    tls->ocsp_response_bytes = material->ocsp.count;
    return 0;
}

int serve_material_open(struct serve_material *material, struct serve_options *options,
                        struct error *error)
{
    struct tls_config *tls = &options->server.tls;

    if (tls_material_open(&material->tls, &options->files, tls, error) != 0 ||
        name_contexts(material, &options->names, &options->server, error) != 0 ||
        read_ocsp_response(material, options, error) != 0) {
        return -1;
    }
    if (tls->certificate_count == 0 && tls->pfx_file == NULL &&
        any_listener_is_tls(&options->server)) {
        return make_certificate(material, tls, error);
    }
    return 0;
}

int serve_material_reread(struct serve_material *material, struct serve_options *options,
                          struct error *error)
{
    if (tls_material_reread(&material->tls, &options->files, &options->server.tls, error) != 0) {
        return -1;
    }
    return read_ocsp_response(material, options, error);
}

void serve_warnings_print(const struct server_config *config)
{
    struct tls_config tls = config->tls;

    tls_warnings_print(TLS_SERVER, &tls);
    /* The names differ in their certificates alone. */
    tls = (struct tls_config){.passphrase = tls.passphrase, .certificate_count = 1};
    for (size_t i = 0; i < config->name_count; i++) {
        tls.certificates[0].certificate_file = config->names[i].certificate_file;
        tls.certificates[0].key_file = config->names[i].key_file;
        tls_warnings_print(TLS_SERVER, &tls);
    }
}

void serve_material_close(struct serve_material *material)
{
    tls_material_close(&material->tls);
    certificate_free(material->generated);
    file_content_free(&material->ocsp);
    for (size_t i = 0; i < material->name_count; i++) {
        free(material->name_texts[i]);
    }
}
