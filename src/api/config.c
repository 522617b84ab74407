/* The configuration: setters that copy. What is wrong is remembered, the first thing first, and
 * reported when a context is made. */
#include <stdlib.h>

#include "api/api.h"

enum { TICKET_KEEP_DEFAULT = 2, TICKET_KEEP_MAX = 16 };

struct dyno_config *dyno_config_new(void)
{
    struct dyno_config *config = calloc(1, sizeof *config);

    if (config && !(config->blobs = blobs_new())) {
        free(config);
        return NULL;
    }
    if (config) {
        config->ticket_keep = TICKET_KEEP_DEFAULT;
    }
    return config;
}

void dyno_config_free(struct dyno_config *config)
{
    if (config) {
        blobs_free(config->blobs);
        free(config);
    }
}

/* Where a setter notes what is wrong; NULL when something was already. */
static struct error *config_error(struct dyno_config *config)
{
    return config->error.text[0] ? NULL : &config->error;
}

static void set_bytes(struct dyno_config *config, const void **field, size_t *field_bytes,
                      const void *bytes, size_t count)
{
    *field = bytes ? blobs_add(config->blobs, bytes, count) : NULL;
    if (bytes && !*field) {
        error_set(config_error(config), "no memory for the configuration");
    }
    if (field_bytes) {
        *field_bytes = *field ? count : 0;
    }
}

static void set_text(struct dyno_config *config, const char **field, const char *text)
{
    *field = blobs_add_text(config->blobs, text);
    if (text && !*field) {
        error_set(config_error(config), "no memory for the configuration");
    }
}

/* Of a file and a text that stand for the same, the last one set counts. */
static void set_either(struct dyno_config *config, const char **field, const char *text,
                       const char **other)
{
    set_text(config, field, text);
    *other = NULL;
}

static size_t next_certificate(struct dyno_config *config)
{
    if (config->tls.certificate_count == TLS_CERTIFICATES_MAX) {
        error_set(config_error(config), "more than %d certificates", TLS_CERTIFICATES_MAX);
        return TLS_CERTIFICATES_MAX - 1;
    }
    return config->tls.certificate_count++;
}

void dyno_config_add_certificate_file(struct dyno_config *config, const char *chain,
                                      const char *key)
{
    size_t index = next_certificate(config);

    set_either(config, &config->tls.certificates[index].certificate_file, chain,
               &config->tls.certificates[index].certificate_pem);
    set_either(config, &config->tls.certificates[index].key_file, key,
               &config->tls.certificates[index].key_pem);
}

void dyno_config_add_certificate_mem(struct dyno_config *config, const char *chain, const char *key)
{
    size_t index = next_certificate(config);

    set_either(config, &config->tls.certificates[index].certificate_pem, chain,
               &config->tls.certificates[index].certificate_file);
    set_either(config, &config->tls.certificates[index].key_pem, key,
               &config->tls.certificates[index].key_file);
}

void dyno_config_set_pfx_file(struct dyno_config *config, const char *file)
{
    set_text(config, &config->tls.pfx_file, file);
}

void dyno_config_set_pfx_mem(struct dyno_config *config, const void *der, size_t bytes)
{
    const void *pfx;

    set_bytes(config, &pfx, &config->tls.pfx_bytes, der, bytes);
    config->tls.pfx = pfx;
    config->tls.pfx_file = NULL;
}

void dyno_config_set_passphrase(struct dyno_config *config, const char *passphrase)
{
    set_text(config, &config->tls.passphrase, passphrase);
}

void dyno_config_set_ca_file(struct dyno_config *config, const char *file)
{
    set_either(config, &config->tls.ca_file, file, &config->tls.ca_pem);
}

void dyno_config_set_ca_mem(struct dyno_config *config, const char *pem)
{
    set_either(config, &config->tls.ca_pem, pem, &config->tls.ca_file);
}

void dyno_config_set_crl_file(struct dyno_config *config, const char *file)
{
    set_either(config, &config->tls.crl_file, file, &config->tls.crl_pem);
}

void dyno_config_set_crl_mem(struct dyno_config *config, const char *pem)
{
    set_either(config, &config->tls.crl_pem, pem, &config->tls.crl_file);
}

void dyno_config_set_dhparam_file(struct dyno_config *config, const char *file)
{
    set_either(config, &config->tls.dhparam, file, &config->tls.dhparam_pem);
}

void dyno_config_set_dhparam_mem(struct dyno_config *config, const char *pem)
{
    set_either(config, &config->tls.dhparam_pem, pem, &config->tls.dhparam);
}

void dyno_config_set_ocsp_response_file(struct dyno_config *config, const char *file)
{
    set_text(config, &config->ocsp_response_file, file);
}

void dyno_config_set_ocsp_response_mem(struct dyno_config *config, const void *der, size_t bytes)
{
    const void *response;

    set_bytes(config, &response, &config->tls.ocsp_response_bytes, der, bytes);
    config->tls.ocsp_response = response;
    config->ocsp_response_file = NULL;
}

void dyno_config_set_ticket_keys_file(struct dyno_config *config, const char *file)
{
    set_text(config, &config->ticket_keys_file, file);
    config->ticket_key = NULL;
}

void dyno_config_set_ticket_key_mem(struct dyno_config *config, const void *key, size_t bytes)
{
    const void *copy;

    set_bytes(config, &copy, &config->ticket_key_bytes, key, bytes);
    config->ticket_key = copy;
    config->ticket_keys_file = NULL;
}

void dyno_config_set_ticket_keep(struct dyno_config *config, unsigned keep)
{
    if (keep > TICKET_KEEP_MAX) {
        error_set(config_error(config), "%u previous ticket keys are too many: at most %d", keep,
                  TICKET_KEEP_MAX);
        return;
    }
    config->ticket_keep = keep;
}

void dyno_config_set_ticket_count(struct dyno_config *config, unsigned count)
{
    config->tls.ticket_count = count;
}

void dyno_config_disable_tickets(struct dyno_config *config)
{
    config->tls.no_tickets = true;
}

void dyno_config_set_ciphers(struct dyno_config *config, const char *list)
{
    set_text(config, &config->tls.ciphers, list);
}

void dyno_config_set_ciphersuites(struct dyno_config *config, const char *list)
{
    set_text(config, &config->tls.ciphersuites, list);
}

void dyno_config_set_groups(struct dyno_config *config, const char *list)
{
    set_text(config, &config->tls.groups, list);
}

void dyno_config_set_sigalgs(struct dyno_config *config, const char *list)
{
    set_text(config, &config->tls.sigalgs, list);
}

void dyno_config_set_client_preference(struct dyno_config *config, bool client_decides)
{
    config->tls.client_preference = client_decides;
}

void dyno_config_set_versions(struct dyno_config *config, const char *min, const char *max)
{
    config->tls.version_min = config->tls.version_max = TLS_VERSION_DEFAULT;
    if (min) {
        tls_version_parse(min, &config->tls.version_min, config_error(config));
    }
    if (max) {
        tls_version_parse(max, &config->tls.version_max, config_error(config));
    }
}

void dyno_config_set_method(struct dyno_config *config, const char *name)
{
    config->tls.version_min = config->tls.version_max = TLS_VERSION_DEFAULT;
    if (name) {
        tls_method_parse(name, &config->tls.version_min, &config->tls.version_max,
                         config_error(config));
    }
}

void dyno_config_set_options(struct dyno_config *config, const char *names)
{
    config->tls.options = 0;
    if (names) {
        tls_options_parse(names, &config->tls.options, config_error(config));
    }
}

void dyno_config_set_alpn(struct dyno_config *config, const char *protocols)
{
    set_text(config, &config->tls.alpn, protocols);
}

void dyno_config_set_npn(struct dyno_config *config, const char *protocols)
{
    set_text(config, &config->tls.npn, protocols);
}

void dyno_config_set_session_timeout(struct dyno_config *config, uint32_t seconds)
{
    config->tls.session_timeout_s = seconds;
}

void dyno_config_set_session_id_context(struct dyno_config *config, const char *context)
{
    set_text(config, &config->tls.session_id_context, context);
}

void dyno_config_set_max_send_fragment(struct dyno_config *config, unsigned bytes)
{
    config->tls.max_send_fragment = bytes;
}

void dyno_config_set_early_data(struct dyno_config *config, uint32_t bytes_max)
{
    config->tls.early_data_bytes_max = bytes_max;
}

void dyno_config_set_clients(struct dyno_config *config, enum dyno_clients clients)
{
    config->tls.request_certificate = clients != DYNO_CLIENTS_ANONYMOUS;
    config->tls.require_certificate = clients == DYNO_CLIENTS_AUTHORIZED;
}

void dyno_config_request_ocsp(struct dyno_config *config)
{
    config->tls.request_ocsp = true;
}

void dyno_config_set_renegotiation(struct dyno_config *config, uint32_t limit, uint32_t window_s)
{
    config->tls.renegotiation_limit = limit;
    config->tls.renegotiation_window_s = window_s;
    config->tls.no_renegotiation = false;
}

void dyno_config_refuse_renegotiation(struct dyno_config *config)
{
    config->tls.no_renegotiation = true;
}

void dyno_config_set_empty_records(struct dyno_config *config, uint32_t limit)
{
    config->tls.empty_record_limit = limit;
    config->tls.no_empty_records = false;
}

void dyno_config_refuse_empty_records(struct dyno_config *config)
{
    config->tls.no_empty_records = true;
}

void dyno_config_reveal_secrets(struct dyno_config *config,
                                void (*each)(void *user, const char *line), void *user)
{
    config->tls.on_keylog = each;
    config->tls.keylog_user = user;
}

void dyno_config_accept_any_certificate(struct dyno_config *config)
{
    config->tls.insecure = true;
}
