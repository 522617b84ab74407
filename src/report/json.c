/* The report for a program; README.md documents the keys. */
#include "report/report.h"

#include <math.h>
#include <string.h>

#include "report/efficiency.h"
#include "report/figures.h"
#include "report/find_max.h"
#include "report/json_handshakes.h"
#include "report/json_words.h"
#include "report/ranks.h"

static const char *resume_name(enum load_resume resume)
{
    static const char *const names[] = {
        [LOAD_RESUME_NONE] = "none", [LOAD_RESUME_TICKET] = "ticket", [LOAD_RESUME_ID] = "id"};

    return names[resume];
}

/* null: wherever the kernel likes. */
static json_t *cpus_json(const struct load_cpus *cpus)
{
    json_t *items = cpus->count > 0 ? json_array() : json_null();

    for (uint32_t i = 0; i < cpus->count; i++) {
        items = json_append(items, json_count(cpus->items[i]));
    }
    return items;
}

static json_t *plan_json(const struct load_plan *plan)
{
    bool has_duration = plan->duration_ns > 0;
    bool sends = plan->mode == LOAD_RR || plan->mode == LOAD_UPLOAD;
    bool is_rr = plan->mode == LOAD_RR;
    const struct tls_config *tls = &plan->tls;

    return json_pack(
        "{s:s, s:s, s:o, s:o, s:b, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:f,"
        " s:o, s:b, s:b, s:b, s:o, s:f, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, "
        "s:s}}",
        "mode", load_mode_name(plan->mode), "peer", load_peer_name(plan->peer), "host",
        json_text_filled(plan->host), "path",
        plan->peer == LOAD_PEER_HTTP ? json_text(plan->path) : json_null(), "plain_tcp",
        plan->plain_tcp, "threads", json_count(plan->threads), "connections",
        json_count(plan->connections), "duration_seconds",
        has_duration ? json_number((double)plan->duration_ns / 1e9) : json_null(), "warmup_seconds",
        (double)plan->warmup_ns / 1e9, "count",
        plan->count > 0 ? json_count(plan->count) : json_null(), "message_bytes",
        sends ? json_count(plan->message_bytes) : json_null(), "response_bytes",
        is_rr && plan->peer == LOAD_PEER_RR ? json_count(plan->response_bytes) : json_null(),
        "depth", is_rr ? json_count(plan->depth) : json_null(), "rate_per_second",
        plan->rate > 0 ? json_count(plan->rate) : json_null(), "arrivals",
        json_text(plan->rate > 0 ? load_arrivals_name(plan->arrivals) : NULL), "resume",
        resume_name(plan->resume), "resume_percent",
        plan->resume != LOAD_RESUME_NONE ? json_count(plan->resume_percent) : json_null(),
        "timeout_seconds", (double)plan->timeout_ns / 1e9, "requests_per_connection",
        json_count_filled(plan->requests_per_connection), "early_data", plan->early_data,
        "dynamic_records", plan->dynamic_records, "saved_session", plan->session != NULL, "idle",
        json_count(plan->idle), "ramp_seconds", (double)plan->ramp_ns / 1e9, "source_addresses",
        json_count_filled(plan->source_count > 0 ? plan->source_count : plan->loopback_sources),
        "cpus", cpus_json(&plan->cpus), "ranks", json_count(plan->rank.count), "tls", "server_name",
        json_text(plan->server_name), "verify_host", json_text(plan->verify_host), "ciphers",
        json_text(tls->ciphers), "ciphersuites", json_text(tls->ciphersuites), "groups",
        json_text(tls->groups), "alpn", json_text(tls->alpn), "max_send_fragment_bytes",
        tls->max_send_fragment > 0 ? json_count(tls->max_send_fragment) : json_null(), "insecure",
        tls->insecure, "record_layer", tls_record_layer_name(tls->record_layer));
}

json_t *report_environment_json(const struct report_environment *environment,
                                const char *openssl_version)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cpu_model",
        json_text_filled(environment->cpu_model), "cpu_count",
        json_count_filled(environment->cpu_count), "cpus_allowed",
        json_count_filled(environment->cpus_allowed), "cpu_quota",
        environment->cpu_quota > 0 ? json_number(environment->cpu_quota) : json_null(), "governor",
        json_text_filled(environment->governor), "smt",
        environment->smt == REPORT_SMT_UNKNOWN ? json_null()
                                               : json_boolean(environment->smt == REPORT_SMT_ON),
        "open_files_max",
        environment->open_files_max == UINT64_MAX ? json_null()
                                                  : json_count_filled(environment->open_files_max),
        "kernel", json_text_filled(environment->kernel), "openssl", json_text(openssl_version));
}

/* null unless they were asked for. */
static json_t *staples_json(const struct load_plan *plan, const uint64_t staples[TLS_STAPLE_COUNT])
{
    if (!plan->tls.request_ocsp) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "none", json_count(staples[TLS_STAPLE_NONE]),
                     "unverified", json_count(staples[TLS_STAPLE_UNVERIFIED]), "revoked",
                     json_count(staples[TLS_STAPLE_REVOKED]), "good",
                     json_count(staples[TLS_STAPLE_GOOD]));
}

static json_t *negotiated_json(const struct load_plan *plan, const struct load_result *result)
{
    static const char *const resumptions[] = {
        [TLS_FULL] = "full", [TLS_RESUMED_TICKET] = "ticket", [TLS_RESUMED_ID] = "id"};
    json_t *rows = json_array();

    for (size_t i = 0; i < result->negotiated_count; i++) {
        const struct tls_facts *facts = &result->negotiated[i].facts;

        rows = json_append(rows, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "version",
                                           json_text_filled(facts->version), "suite",
                                           json_text_filled(facts->suite), "group",
                                           json_text_filled(facts->group), "signature",
                                           json_text_filled(facts->signature), "certificate",
                                           json_text_filled(facts->certificate), "alpn",
                                           json_text_filled(facts->alpn), "resumption",
                                           resumptions[facts->resumption], "connections",
                                           json_count(result->negotiated[i].connections)));
    }
    return json_pack("{s:b, s:o, s:o, s:o}", "includes_warmup", 1, "combinations", rows,
                     "other_connections", json_count(result->negotiated_other), "staples",
                     staples_json(plan, result->staples));
}

/* null unless some were asked for. */
static json_t *idle_json(const struct load_result *result, const struct report_figures *figures)
{
    const struct server_memory *memory = &figures->server_memory;

    if (result->idle_asked == 0) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "asked", json_count(result->idle_asked),
                     "held", json_count(result->idle_held), "verified",
                     json_count(result->idle_verified), "server_resident_before_bytes",
                     json_number(memory->before_bytes), "server_resident_after_bytes",
                     json_number(memory->after_bytes), "server_bytes_per_connection",
                     json_number(memory->bytes_per_connection));
}

static json_t *messages_json(const struct load_plan *plan, const struct load_result *result,
                             const struct report_figures *figures)
{
    if (!figures->has_messages) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "count", json_count(result->messages), "corrupt",
                     json_count(result->messages_corrupt), "http_status_other",
                     plan->peer == LOAD_PEER_HTTP ? json_count(result->http_status_other)
                                                  : json_null(),
                     "per_second", json_number(figures->messages_per_second));
}

static json_t *bytes_json(const struct load_result *result, const struct report_figures *figures)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "plain_in_bytes",
                     json_count(result->bytes_in), "plain_out_bytes", json_count(result->bytes_out),
                     "plain_in_bytes_per_second", json_number(figures->bytes_in_per_second),
                     "plain_out_bytes_per_second", json_number(figures->bytes_out_per_second),
                     "wire_in_bytes", json_count(result->wire_bytes_in), "wire_out_bytes",
                     json_count(result->wire_bytes_out), "overhead_in_share",
                     json_number(figures->overhead_in), "overhead_out_share",
                     json_number(figures->overhead_out), "records_in",
                     json_count(result->records_in), "records_out", json_count(result->records_out),
                     "records_direct", json_count(result->records_direct));
}

/* null when nothing was recorded. Buckets: [[highest ns, count], ...], the empty ones left out. */
static json_t *histogram_json(const struct histogram *histogram)
{
    json_t *buckets = NULL;

    if (histogram->count == 0) {
        return json_null();
    }
    buckets = json_array();
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] > 0) {
            buckets = json_append(buckets, json_pack("[o, o]", json_count(histogram_bucket_high(i)),
                                                     json_count(histogram->buckets[i])));
        }
    }
    return json_pack("{s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "count",
                     json_count(histogram->count), "sum_ns", json_count(histogram->sum_ns),
                     "min_ns", json_count(histogram->min_ns), "mean_ns", histogram_mean(histogram),
                     "p50_ns", json_count(histogram_percentile(histogram, 50)), "p90_ns",
                     json_count(histogram_percentile(histogram, 90)), "p99_ns",
                     json_count(histogram_percentile(histogram, 99)), "p999_ns",
                     json_count(histogram_percentile(histogram, 99.9)), "max_ns",
                     json_count(histogram->max_ns), "buckets", buckets);
}

/* null in a closed loop. */
static json_t *open_loop_json(const struct load_plan *plan, const struct load_result *result,
                              const struct report_figures *figures)
{
    if (plan->rate == 0) {
        return json_null();
    }
    return json_pack(
        "{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "target_per_second", json_count(plan->rate),
        "achieved_per_second", json_number(figures->achieved_per_second), "achieved_share",
        json_number(figures->achieved_share), "rate_missed", figures->rate_missed, "due",
        json_count(result->due), "dropped", json_count(result->dropped), "unstarted",
        json_count(result->unstarted), "queue_max", json_count(LOAD_QUEUE_MAX));
}

static json_t *latency_json(const struct load_plan *plan, const struct load_result *result)
{
    const bool is_open_loop = plan->rate > 0;
    json_t *object = json_pack("{s:s, s:b}", "model", is_open_loop ? "open-loop" : "closed-loop",
                               "corrected", is_open_loop);

    for (unsigned i = 0; i < LOAD_PHASE_COUNT; i++) {
        if (json_object_set_new(object, load_phase_name(i), histogram_json(&result->phases[i])) !=
            0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *series_json(const struct load_result *result)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < result->series_count; i++) {
        const struct load_interval *interval = &result->series[i];

        rows = json_append(rows, json_pack("{s:f, s:f, s:o, s:o, s:o, s:o, s:o}", "start_seconds",
                                           interval->start_s, "seconds", interval->seconds,
                                           "handshakes", json_count(interval->handshakes),
                                           "messages", json_count(interval->messages),
                                           "plain_in_bytes", json_count(interval->bytes_in),
                                           "plain_out_bytes", json_count(interval->bytes_out),
                                           "errors", json_count(interval->errors)));
    }
    return rows;
}

static json_t *errors_json(const struct load_result *result)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < result->error_count; i++) {
        const struct load_error *error = &result->errors[i];

        rows = json_append(rows,
                           json_pack("{s:o, s:o, s:o}", "phase",
                                     json_text(load_error_phase_name(error->phase)), "reason",
                                     json_text(error->reason), "count", json_count(error->count)));
    }
    return json_pack("{s:o, s:o}", "count", json_count(result->errors_total), "by_reason", rows);
}

static json_t *cost_json(const struct report_cost *cost)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cpu_seconds",
                     json_number(cost->cpu_seconds), "busiest_thread_share",
                     json_number(cost->busiest), "cpu_seconds_per_handshake",
                     json_number(cost->cpu_seconds_per_handshake), "cpu_seconds_per_message",
                     json_number(cost->cpu_seconds_per_message), "cpu_seconds_per_gib",
                     json_number(cost->cpu_seconds_per_gib), "handshakes_per_cpu_second",
                     json_number(cost->handshakes_per_cpu_second), "messages_per_cpu_second",
                     json_number(cost->messages_per_cpu_second));
}

/* As the server's own totals: rows of one name become an object by label. */
static json_t *counted_json(const int64_t counted[COUNTER_COUNT])
{
    json_t *object = json_object();

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = &counter_infos[i];
        json_t *value = counted[i] < 0 ? json_null() : json_integer(counted[i]);
        json_t *parent = object;
        const char *key = info->name;

        if (info->label != NULL) {
            if (json_object_get(object, info->name) == NULL) {
                json_object_set_new(object, info->name, json_object());
            }
            parent = json_object_get(object, info->name);
            key = info->label_value;
        }
        if (json_object_set_new(parent, key, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* What was done, whatever was asked for. */
static json_t *record_layer_json(int64_t records_direct)
{
    return records_direct < 0 ? json_null()
                              : json_string(tls_record_layer_name(
                                    records_direct > 0 ? TLS_RECORDS_DIRECT : TLS_RECORDS_OPENSSL));
}

static json_t *server_json(const struct report_figures *figures)
{
    const struct server_side *side = &figures->server_side;

    if (!figures->server_known) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:o, s:{s:o, s:o}}", "version",
                     json_text(side->version), "openssl", json_text(side->openssl), "record_layer",
                     record_layer_json(side->counted[COUNTER_RECORDS_DIRECT]), "workers",
                     json_count(side->worker_count), "seconds", side->seconds,
                     "workers_cpu_seconds", side->workers_cpu_seconds, "cost",
                     cost_json(&figures->server), "counted", counted_json(side->counted),
                     "handshake_time", "full", server_times_json(&side->handshake_full), "resumed",
                     server_times_json(&side->handshake_resumed));
}

static json_t *verdict_json(const struct report_figures *figures)
{
    const struct verdict_evidence *evidence = &figures->evidence;
    char text[VERDICT_TEXT_BYTES];

    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "kind", verdict_name(figures->verdict), "text",
                     verdict_explain(figures->verdict, evidence, text), "client_busiest_share",
                     json_number(evidence->client_busiest), "server_busiest_share",
                     json_number(evidence->server_busiest), "machine_busy_share",
                     json_number(evidence->machine_busy));
}

static json_t *efficiency_json(const struct report_input *input,
                               const struct report_figures *figures)
{
    struct efficiency efficiency;

    if (input->limit == NULL) {
        return json_null();
    }
    efficiency_compute(&efficiency, input, figures);
    return json_pack("{s:o, s:o, s:o}", "ceiling_per_second",
                     json_number(efficiency.ceiling_per_second), "share",
                     json_number(efficiency.share), "obstacle", json_text(efficiency.obstacle));
}

json_t *report_json(const struct report_input *input)
{
    const struct load_plan *plan = input->plan;
    const struct load_result *result = input->result;
    struct report_figures figures;

    report_figures_compute(&figures, input);
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:f, s:o, s:{s:o, s:o, s:o}, s:o, s:o, "
        "s:o,"
        " s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o}",
        "schema", "tlsdyno-load/1", "version", TLSDYNO_VERSION, "target", json_text(input->target),
        "command_line", json_text(input->command_line), "started", json_text(input->started),
        "plan", plan_json(plan), "environment",
        report_environment_json(&input->environment, input->openssl_version), "succeeded",
        figures.succeeded, "interrupted", result->interrupted, "insecure",
        plan->tls.insecure && !plan->plain_tcp, "measured_seconds", result->seconds, "negotiated",
        negotiated_json(plan, result), "connections", "asked",
        json_count(result->connections_asked), "peak", json_count(result->connections_peak),
        "opened", json_count(result->connects), "idle", idle_json(result, &figures), "handshakes",
        json_handshakes(plan, result, &figures), "messages", messages_json(plan, result, &figures),
        "bytes", bytes_json(result, &figures), "open_loop", open_loop_json(plan, result, &figures),
        "latency", latency_json(plan, result), "series", series_json(result), "errors",
        errors_json(result), "client", "threads", json_count(result->threads), "cost",
        cost_json(&figures.client), "server", server_json(&figures), "server_error",
        json_text_filled(figures.server_error.text), "efficiency", efficiency_json(input, &figures),
        "verdict", verdict_json(&figures), "find_max", find_max_json(input->find_max), "ranks",
        report_ranks_json(input));
}
