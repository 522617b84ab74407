/* What a command line of `tlsdyno load` cannot mean, and what hangs on its target. */
#include <string.h>

#include "base/error.h"
#include "cli/load_options.h"

/* Many runs, each of an open loop whose rate the search chooses. */
static int check_find_max(const struct load_options *options, struct error *error)
{
    const struct load_plan *plan = &options->plan;

    if (plan->rate != 0) {
        return error_set(error, "--find-max searches the rate that --rate gives; leave one out");
    }
    if (plan->count != 0) {
        return error_set(error, "--find-max makes runs of --duration each; leave --count out");
    }
    if (plan->mode == LOAD_UPLOAD || plan->mode == LOAD_DOWNLOAD) {
        return error_set(error,
                         "--find-max means nothing in --mode %s; it belongs to handshake "
                         "and rr",
                         load_mode_name(plan->mode));
    }
    if (options->session_file != NULL) {
        return error_set(error, "--find-max makes many runs, and a session of --session-file can "
                                "be used once; say --resume instead");
    }
    return thresholds_check(&options->objective, plan, error);
}

int load_options_check(const struct load_options *options, struct error *error)
{
    const struct load_plan *plan = &options->plan;
    const char *mode = load_mode_name(plan->mode);

    if (plan->mode == LOAD_HANDSHAKE && plan->message_bytes != 0) {
        return error_set(error, "--message-bytes means nothing in --mode handshake, which sends "
                                "no messages; did you want --mode rr?");
    }
    if (plan->mode != LOAD_RR && plan->depth != 0) {
        return error_set(error, "--depth means nothing in --mode %s; it belongs to --mode rr",
                         mode);
    }
    if (plan->rate != 0 && (plan->mode == LOAD_UPLOAD || plan->mode == LOAD_DOWNLOAD)) {
        return error_set(error, "--rate means nothing in --mode %s; it belongs to handshake and rr",
                         mode);
    }
    if (options->find_max != NULL && check_find_max(options, error) != 0) {
        return -1;
    }
    if (plan->rate == 0 && options->find_max == NULL && plan->arrivals != LOAD_ARRIVALS_CONSTANT) {
        return error_set(error, "--arrivals %s spreads what --rate asks for; say --rate N, too",
                         load_arrivals_name(plan->arrivals));
    }
    if (options->session_file != NULL && plan->mode != LOAD_HANDSHAKE && plan->mode != LOAD_RR) {
        return error_set(error, "--session-file belongs to --mode handshake and rr, not %s", mode);
    }
    if (options->plain && (plan->early_data || options->session_file != NULL ||
                           plan->tls.request_ocsp || plan->dynamic_records)) {
        return error_set(error, "--plain has no TLS: --early-data, --session-file, --status and "
                                "--dynamic-records mean nothing with it");
    }
    if (plan->response_bytes != 0 &&
        (plan->mode != LOAD_RR || options->service != LOAD_SERVICE_FIRST_PEER + LOAD_PEER_RR)) {
        return error_set(error, "--response-bytes needs --mode rr and --service rr, whose requests "
                                "name the size of their answer");
    }
    if (plan->tls.insecure &&
        (plan->tls.ca_file != NULL || plan->tls.crl_file != NULL || plan->verify_host != NULL)) {
        return error_set(error, "--insecure accepts any certificate; leave it out to check with "
                                "--ca, --crl or --verify-host");
    }
    if (thresholds_check(&options->thresholds, plan, error) != 0) {
        return -1;
    }
    return tls_files_check(&options->files, &plan->tls, error);
}

int load_options_check_peer(const struct load_options *options, struct error *error)
{
    const struct load_plan *plan = &options->plan;

    if (plan->mode == LOAD_RR && plan->peer == LOAD_PEER_HTTP && plan->message_bytes != 0) {
        return error_set(error,
                         "--message-bytes means nothing to an HTTP server, which is sent GET "
                         "requests: its answer's size is the path's business, as in "
                         "https://host/16384 of tlsdyno serve --service http");
    }
    return 0;
}

static const char *name_to_verify(const struct load_plan *plan)
{
    if (plan->plain_tcp || plan->tls.insecure) {
        return NULL;
    }
    if (plan->verify_host != NULL) {
        return plan->verify_host;
    }
    if (plan->server_name != NULL) {
        return plan->server_name;
    }
    return plan->host[0] != '\0' ? plan->host : "localhost"; /* a Unix socket is on this machine */
}

int load_options_aim(struct load_options *options, struct error *error)
{
    struct load_plan *plan = &options->plan;

    if (load_plan_target(plan, options->target, error) != 0) {
        return -1;
    }
    plan->plain_tcp = plan->plain_tcp || options->plain;
    if (options->service != LOAD_SERVICE_AUTO) {
        plan->peer = (enum load_peer)(options->service - LOAD_SERVICE_FIRST_PEER);
    }
    plan->verify_host = name_to_verify(plan);
    plan->keep_session = options->session_file != NULL;
    plan->sources = plan->source_count > 0 ? options->sources : NULL;
    return 0;
}
