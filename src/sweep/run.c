#include "sweep/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "sweep/child.h"

enum { ADDRESS_BYTES = 256 };

static const uint64_t START_NS = 30ull * 1000 * 1000 * 1000; /* a key of RSA 4096 takes its time */
static const uint64_t END_NS = 60ull * 1000 * 1000 * 1000;

const char *sweep_cpus_format(const cpu_set_t *cpus, char out[SWEEP_CPUS_BYTES])
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t first = 0; first < CPU_SETSIZE && used < SWEEP_CPUS_BYTES; first++) {
        size_t last = first;

        if (!CPU_ISSET(first, cpus)) {
            continue;
        }
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus)) {
            last++;
        }
        used += (size_t)snprintf(out + used, SWEEP_CPUS_BYTES - used,
                                 first == last ? "%s%zu" : "%s%zu-%zu", used > 0 ? "," : "", first,
                                 last);
        first = last;
    }
    return out;
}

int sweep_run_make_certificate(const struct sweep_settings *settings,
                               const struct sweep_certificate *certificate, struct error *error)
{
    struct child_arguments arguments = {0};
    char complaint[CHILD_COMPLAINT_BYTES];
    struct child child;
    int status;

    child_argument(&arguments, "tlsdyno");
    child_argument(&arguments, "cert");
    child_argument(&arguments, "--type");
    child_argument(&arguments, "%s", certificate->type);
    if (strcmp(settings->listen, "127.0.0.1") != 0) {
        child_argument(&arguments, "--name");
        child_argument(&arguments, "%s", settings->listen);
    }
    child_argument(&arguments, "%s/%s", settings->directory, certificate->name);
    if (child_start(&child,
                    &(struct child_options){.arguments = &arguments, .stop = settings->stop},
                    error) != 0) {
        return -1;
    }
    status = child_wait(&child, END_NS, error);
    if (status > 0) {
        error_set(error, "%s", child_complaint(&child, complaint));
    }
    child_close(&child);
    return status == 0 ? 0 : -1;
}

/* ---- Command lines ---- */

static void add_word(struct child_arguments *arguments, const char *name, const char *value)
{
    child_argument(arguments, "%s", name);
    child_argument(arguments, "%s", value);
}

static void add_number(struct child_arguments *arguments, const char *name, uint64_t value)
{
    child_argument(arguments, "%s", name);
    child_argument(arguments, "%" PRIu64, value);
}

/* What both sides are told of TLS: then neither can choose anything else. */
static void add_tls(struct child_arguments *arguments, const struct sweep_cell *cell)
{
    const struct sweep_value *values = cell->values;

    if (!values[SWEEP_VERSION].is_null) {
        add_word(arguments, "--min-version", values[SWEEP_VERSION].text + strlen("TLSv"));
        add_word(arguments, "--max-version", values[SWEEP_VERSION].text + strlen("TLSv"));
    }
    if (!values[SWEEP_SUITE].is_null) {
        bool is_1_3 = strcmp(values[SWEEP_VERSION].text, "TLSv1.3") == 0;

        add_word(arguments, is_1_3 ? "--ciphersuites" : "--ciphers", values[SWEEP_SUITE].text);
    }
    if (!values[SWEEP_GROUP].is_null) {
        add_word(arguments, "--groups", values[SWEEP_GROUP].text);
    }
    if (values[SWEEP_FRAGMENT].number > 0) {
        add_number(arguments, "--max-send-fragment", values[SWEEP_FRAGMENT].number);
    }
    /* The direct one does not cover all suites: a study would compare layers, not ciphers. */
    add_word(arguments, "--record-layer", "openssl");
}

static const char *service_of(enum load_mode mode)
{
    static const char *const services[] = {
        [LOAD_HANDSHAKE] = "echo",
        [LOAD_RR] = "rr",
        [LOAD_UPLOAD] = "discard",
        [LOAD_DOWNLOAD] = "source",
    };

    return services[mode];
}

static void build_server(struct child_arguments *arguments, const struct sweep_settings *settings,
                         const struct sweep_cell *cell)
{
    const struct sweep_value *values = cell->values;
    const char *certificate = values[SWEEP_CERTIFICATE].text;
    bool is_ipv6 = strchr(settings->listen, ':') != NULL;

    add_word(arguments, "tlsdyno", "serve");
    child_argument(arguments, "--listen");
    child_argument(arguments, is_ipv6 ? "[%s]:0,%s" : "%s:0,%s", settings->listen,
                   service_of(cell->mode));
    child_argument(arguments, "--admin");
    child_argument(arguments, "unix:%s/admin", settings->directory);
    child_argument(arguments, "--cert");
    child_argument(arguments, "%s/%s/server.pem", settings->directory, certificate);
    child_argument(arguments, "--key");
    child_argument(arguments, "%s/%s/server.key", settings->directory, certificate);
    if (!settings->no_pin) {
        add_number(arguments, "--threads", (uint64_t)CPU_COUNT(&settings->server_cpus));
    }
    add_tls(arguments, cell);
    if (strcmp(values[SWEEP_FRAGMENT].text, "dynamic") == 0) {
        child_argument(arguments, "--dynamic-records");
    }
    if (!values[SWEEP_LINK].is_null) {
        add_number(arguments, "--pacing-rate", values[SWEEP_LINK].number);
    }
}

static void add_sizes(struct child_arguments *arguments, const struct sweep_settings *settings,
                      const struct sweep_cell *cell)
{
    const struct sweep_value *message = &cell->values[SWEEP_MESSAGE];

    if (message->is_null || cell->mode == LOAD_HANDSHAKE || cell->mode == LOAD_DOWNLOAD) {
        return;
    }
    if (cell->mode == LOAD_RR && settings->target == NULL) {
        add_number(arguments, "--message-bytes", SWEEP_REQUEST_BYTES);
        add_number(arguments, "--response-bytes", message->number);
        return;
    }
    add_number(arguments, "--message-bytes", message->number);
}

static void add_trust(struct child_arguments *arguments, const struct sweep_settings *settings,
                      const struct sweep_cell *cell)
{
    if (settings->target == NULL) {
        child_argument(arguments, "--ca");
        child_argument(arguments, "%s/%s/ca.pem", settings->directory,
                       cell->values[SWEEP_CERTIFICATE].text);
    } else if (settings->insecure) {
        child_argument(arguments, "--insecure");
    } else if (settings->ca != NULL) {
        add_word(arguments, "--ca", settings->ca);
    }
}

static void build_load(struct child_arguments *arguments, const struct sweep_settings *settings,
                       const struct sweep_cell *cell, const char *target)
{
    add_word(arguments, "tlsdyno", "load");
    child_argument(arguments, "%s", target);
    add_word(arguments, "--mode", load_mode_name(cell->mode));
    if (settings->target == NULL) {
        add_word(arguments, "--service", service_of(cell->mode));
        child_argument(arguments, "--admin");
        child_argument(arguments, "unix:%s/admin", settings->directory);
    } else if (settings->admin != NULL) {
        add_word(arguments, "--admin", settings->admin);
    }
    add_sizes(arguments, settings, cell);
    add_trust(arguments, settings, cell);
    add_tls(arguments, cell);
    add_number(arguments, "--connections", cell->values[SWEEP_CONNECTIONS].number);
    if (!settings->no_pin) {
        add_number(arguments, "--threads", (uint64_t)CPU_COUNT(&settings->load_cpus));
    }
    child_argument(arguments, "--duration");
    child_argument(arguments, "%" PRIu64 "ns", settings->duration_ns);
    child_argument(arguments, "--warmup");
    child_argument(arguments, "%" PRIu64 "ns", settings->warmup_ns);
    add_word(arguments, "--json", "-");
}

/* ---- The run ---- */

static int start_server(const struct sweep_settings *settings, const struct sweep_cell *cell,
                        struct child *server, char out_target[ADDRESS_BYTES], struct error *error)
{
    struct child_arguments arguments = {0};
    struct child_options options = {.arguments = &arguments,
                                    .cpus = settings->no_pin ? NULL : &settings->server_cpus,
                                    .network_namespace = settings->server_namespace,
                                    .stop = settings->stop};
    const char *line;

    build_server(&arguments, settings, cell);
    if (child_start(server, &options, error) != 0) {
        return -1;
    }
    /* The last of its lines, which names OpenSSL, comes when all is ready. */
    if (child_wait_line(server, "OpenSSL", START_NS, error) == NULL ||
        (line = child_wait_line(server, "listening on ", START_NS, error)) == NULL) {
        return error_prefix(error, "the server");
    }
    snprintf(out_target, ADDRESS_BYTES, "%.*s", (int)strcspn(line, " \n"), line);
    return 0;
}

static json_t *parse_report(const struct child *load, struct error *error)
{
    json_error_t reason;
    json_t *report = json_loadb(load->text.bytes != NULL ? load->text.bytes : "", load->text.count,
                                JSON_REJECT_DUPLICATES, &reason);

    if (report == NULL) {
        error_set(error, "the load's report is no JSON: %s", reason.text);
    }
    return report;
}

static json_t *run_load(const struct sweep_settings *settings, const struct sweep_cell *cell,
                        const char *target, struct error *error)
{
    struct child_arguments arguments = {0};
    struct child_options options = {.arguments = &arguments,
                                    .cpus = settings->no_pin ? NULL : &settings->load_cpus,
                                    .network_namespace = settings->load_namespace,
                                    .stop = settings->stop};
    char complaint[CHILD_COMPLAINT_BYTES];
    struct child load;
    json_t *report = NULL;
    int status;

    build_load(&arguments, settings, cell, target);
    if (child_start(&load, &options, error) != 0) {
        return NULL;
    }
    status = child_wait(&load, settings->duration_ns + settings->warmup_ns + END_NS, error);
    if (status == 0) {
        report = parse_report(&load, error);
    } else if (status > 0) {
        error_set(error, "%s", child_complaint(&load, complaint));
    }
    child_close(&load);
    return report;
}

json_t *sweep_run(const struct sweep_settings *settings, const struct sweep_cell *cell,
                  struct error *error)
{
    char target[ADDRESS_BYTES];
    struct child server = {0};
    json_t *report = NULL;

    if (settings->target != NULL) {
        return run_load(settings, cell, settings->target, error);
    }
    if (start_server(settings, cell, &server, target, error) == 0) {
        report = run_load(settings, cell, target, error);
    }
    child_close(&server);
    return report;
}
