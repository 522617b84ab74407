/* The options of `tlsdyno serve` about TLS as only a server does it. */
#include <string.h>

#include "base/error.h"
#include "base/units.h"
#include "cli/serve_options.h"
#include "tls/ticket.h"

static int take_reneg_limit(void *config, const char *value, struct error *error)
{
    struct serve_options *options = config;
    struct tls_config *tls = &options->server.tls;
    uint64_t limit;

    if (units_parse_count(value, &limit, error) != 0) {
        return -1;
    }
    if (limit > UINT32_MAX) {
        return error_set(error, "out of range");
    }
    tls->renegotiation_limit = (uint32_t)limit;
    tls->no_renegotiation = limit == 0; /* where 0 would mean the default */
    return 0;
}

static int take_max_empty_records(void *config, const char *value, struct error *error)
{
    struct serve_options *options = config;
    struct tls_config *tls = &options->server.tls;
    uint64_t limit;

    if (units_parse_count(value, &limit, error) != 0) {
        return -1;
    }
    if (limit > TLS_EMPTY_RECORDS_MAX) {
        return error_set(error, "not from 0 to %d", TLS_EMPTY_RECORDS_MAX);
    }
    tls->empty_record_limit = (uint32_t)limit;
    tls->no_empty_records = limit == 0;
    return 0;
}

const struct option_info serve_tls_option_rows[SERVE_TLS_OPTION_COUNT] = {
    {.name = "sni",
     .kind = OPTION_LIST,
     .argument = "HOST:CERT:KEY",
     .group = "Own certificate",
     .help = "another certificate for clients that ask for this name, exact or *.example.org; may "
             "be repeated",
     .max = SERVER_NAMES_MAX,
     OPTION_FIELD(struct serve_options, names)},
    {.name = "ocsp-response",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Own certificate",
     .help = "DER response of the authority to staple for clients that ask; read again on SIGHUP",
     OPTION_FIELD(struct serve_options, ocsp_file)},
    {.name = "request-cert",
     .kind = OPTION_SWITCH,
     .group = "Peer's certificate",
     .help = "ask clients for a certificate, and refuse those without a good one",
     OPTION_FIELD(struct serve_options, server.tls.request_certificate)},
    {.name = "reject-unauthorized",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .group = "Peer's certificate",
     .help = "refuse clients without a good certificate; in the negative only ask for one",
     .default_text = "with --request-cert",
     OPTION_FIELD(struct serve_options, reject_unauthorized)},
    {.name = "tickets",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     .group = "Sessions",
     .help = "issue session tickets",
     .default_text = "issued",
     OPTION_FIELD(struct serve_options, server.tls.no_tickets)},
    {.name = "num-tickets",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Sessions",
     .help = "TLS 1.3 tickets after a full handshake",
     .initial = "1",
     .min = 1,
     .max = 16,
     OPTION_FIELD(struct serve_options, server.tls.ticket_count)},
    {.name = "ticket-key-file",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Sessions",
     .help =
         "ticket keys of 48 or 80 bytes, raw or base64 lines, the last one current; for servers "
         "that resume each other's sessions; read again on SIGHUP",
     .default_text = "random keys",
     OPTION_FIELD(struct serve_options, server.ticket_key_file)},
    {.name = "ticket-rotate",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Sessions",
     .help = "make a new ticket key that often",
     .initial = "1h",
     .min = 100 * OPTION_MILLISECOND,
     .max = 30 * OPTION_DAY,
     OPTION_FIELD(struct serve_options, server.ticket_rotate_ns)},
    {.name = "ticket-keep",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Sessions",
     .help = "previous ticket keys that still resume",
     .initial = "2",
     .max = TICKET_PREVIOUS_MAX,
     OPTION_FIELD(struct serve_options, server.ticket_previous)},
    {.name = "session-cache",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Sessions",
     .help = "TLS 1.2 sessions kept for resumption by ID",
     .initial = "20480",
     .min = 1,
     .max = 100000000,
     OPTION_FIELD(struct serve_options, server.session_cache)},
    {.name = "session-id-context",
     .kind = OPTION_STRING,
     .argument = "TEXT",
     .group = "Sessions",
     .help = "resume only sessions that were made under the same text, whatever certificates and "
             "ciphers, by a server that verifies clients alike",
     .default_text = "derived from the configuration",
     OPTION_FIELD(struct serve_options, server.tls.session_id_context)},
    {.name = "session-timeout",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Sessions",
     .help = "how long a session or ticket may be resumed",
     .initial = "2h",
     .min = OPTION_SECOND,
     .max = 7 * OPTION_DAY, /* RFC 8446 4.6.1 */
     .unit_ns = OPTION_SECOND,
     OPTION_FIELD(struct serve_options, server.tls.session_timeout_s)},
    {.name = "early-data",
     .kind = OPTION_BYTES,
     .argument = "BYTES",
     .group = "Sessions",
     .help = "accept so much 0-RTT data, once from each ticket of this process: other servers' "
             "tickets, "
             "and those from before a restart, resume without it",
     .initial = "0",
     OPTION_FIELD(struct serve_options, server.tls.early_data_bytes_max)},
    {.name = "server-preference",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     .group = "TLS",
     .help = "the server's cipher order decides, not the client's",
     .default_text = "the server's",
     OPTION_FIELD(struct serve_options, server.tls.client_preference)},
    {.name = "dhparam",
     .kind = OPTION_STRING,
     .argument = "FILE|auto",
     .group = "TLS",
     .help = "parameters for DHE in TLS 1.2: a PEM file of 2048 bits or more, or auto",
     .default_text = "no DHE",
     OPTION_FIELD(struct serve_options, server.tls.dhparam)},
    {.name = "dynamic-records",
     .kind = OPTION_SWITCH,
     .group = "TLS",
     .help = "send small records at first and after silence, for a fast first byte, large ones "
             "later",
     OPTION_FIELD(struct serve_options, server.dynamic_records)},
    {.name = "reneg-limit",
     .kind = OPTION_FUNCTION,
     .argument = "N",
     .group = "Limits",
     .help = "renegotiations (TLS 1.2) that a client may start in --reneg-window, and 32 times as "
             "many key updates (TLS 1.3); 0 allows no renegotiation",
     .initial = "3",
     .function = take_reneg_limit},
    {.name = "reneg-window",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Limits",
     .help = "the time that --reneg-limit counts in",
     .initial = "600s",
     .min = OPTION_SECOND,
     .max = 30 * OPTION_DAY,
     .unit_ns = OPTION_SECOND,
     OPTION_FIELD(struct serve_options, server.tls.renegotiation_window_s)},
    {.name = "max-empty-records",
     .kind = OPTION_FUNCTION,
     .argument = "N",
     .group = "Limits",
     .help = "TLS records in a row, 0 to 32, that may bring neither data nor a handshake message; "
             "who sends one more is dropped",
     .initial = "32",
     .function = take_max_empty_records},
};

/* HOST:CERT:KEY */
static bool is_name(const char *text)
{
    const char *first = strchr(text, ':');
    const char *second = first != NULL ? strchr(first + 1, ':') : NULL;

    return second != NULL && first != text && second != first + 1 && second[1] != '\0' &&
           strchr(second + 1, ':') == NULL;
}

static int check_names(const struct option_list *names, struct error *error)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!is_name(names->items[i])) {
            return error_set(error,
                             "--sni: '%s' is not of the form HOST:CERT:KEY, with names of files "
                             "that have no colon",
                             names->items[i]);
        }
    }
    return 0;
}

/* A check of clients that would silently not take place is worse than none. */
static int settle_client_certificates(struct serve_options *options, struct error *error)
{
    struct tls_config *tls = &options->server.tls;
    const char *useless = tls->ca_file != NULL ? "--ca" : tls->crl_file != NULL ? "--crl" : NULL;

    if (options->reject_unauthorized == OPTION_NO && !tls->request_certificate) {
        useless = "--no-reject-unauthorized";
    }
    tls->request_certificate =
        tls->request_certificate || options->reject_unauthorized == OPTION_YES;
    tls->require_certificate =
        tls->request_certificate && options->reject_unauthorized != OPTION_NO;
    if (useless != NULL && !tls->request_certificate) {
        return error_set(error,
                         "%s is about the certificates of clients, who are not asked for one; add "
                         "--request-cert",
                         useless);
    }
    return 0;
}

static int check_tickets(const struct server_config *server, struct error *error)
{
    const char *useless = server->ticket_key_file != NULL         ? "--ticket-key-file"
                          : server->tls.early_data_bytes_max != 0 ? "--early-data"
                                                                  : NULL;

    if (server->tls.no_tickets && useless != NULL) {
        return error_set(error, "%s needs session tickets, but --no-tickets is given", useless);
    }
    return 0;
}

int serve_options_settle(struct serve_options *options, struct error *error)
{
    if (tls_files_check(&options->files, &options->server.tls, error) != 0 ||
        check_names(&options->names, error) != 0 ||
        settle_client_certificates(options, error) != 0) {
        return -1;
    }
    return check_tickets(&options->server, error);
}
