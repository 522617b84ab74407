#include "fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "stats/counters.h"

static void init(struct fixture *fixture, enum load_mode mode)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->result = calloc(1, sizeof(*fixture->result));
    cr_assert_not_null(fixture->result);
    fixture->plan = (struct load_plan){
        .mode = mode,
        .peer = LOAD_PEER_ECHO,
        .host = "127.0.0.1",
        .path = "/",
        .threads = 2,
        .connections = 50,
        .duration_ns = 10000000000,
        .warmup_ns = 1000000000,
        .message_bytes = 1000,
        .depth = 1,
        .timeout_ns = 10000000000,
    };
    fixture->input = (struct report_input){
        .plan = &fixture->plan,
        .result = fixture->result,
        .target = "127.0.0.1:4433",
        .command_line = "tlsdyno load 127.0.0.1:4433 --mode handshake",
        .openssl_version = "OpenSSL 3.0.22 25 Aug 2026",
        .environment = {.cpu_model = "Test CPU", .kernel = "Linux 6.1.0", .cpu_count = 4},
        .started = "2026-01-31T12:00:00Z",
    };
    fixture->result->threads = 2;
    fixture->result->connections_asked = 50;
}

static void add_negotiated(struct load_result *result, const char *signature,
                           enum tls_resumption resumption, uint64_t connections)
{
    struct load_negotiated *row = &result->negotiated[result->negotiated_count++];

    *row = (struct load_negotiated){
        .facts = {.version = "TLSv1.3",
                  .suite = "TLS_AES_256_GCM_SHA384",
                  .group = "x25519",
                  .certificate = "EC P-256",
                  .resumption = resumption},
        .connections = connections,
    };
    strcpy(row->facts.signature, signature);
}

void fixture_init_handshakes(struct fixture *fixture)
{
    init(fixture, LOAD_HANDSHAKE);
    fixture->plan.resume = LOAD_RESUME_TICKET;
    fixture->plan.resume_percent = 50;

    struct load_result *result = fixture->result;

    result->seconds = 10;
    result->cpu_seconds = 15;
    result->busiest_thread = 0.80;
    result->connections_peak = 50;
    result->connects = 100000;
    result->handshakes = 100000;
    result->handshakes_full = 51000;
    result->handshakes_ticket = 49000;
    result->resumes_offered = 50000;
    result->tickets_received = 100000;
    result->handshake_bytes[TLS_FULL] = (struct load_handshake_bytes){
        .count = 51000, .in = {51000 * 834ull, 832, 835}, .out = {51000 * 373ull, 373, 373}};
    result->handshake_bytes[TLS_RESUMED_TICKET] = (struct load_handshake_bytes){
        .count = 49000, .in = {49000 * 241ull, 241, 241}, .out = {49000 * 676ull, 676, 676}};
    result->errors_total = 7;
    result->error_count = 1;
    result->errors[0] = (struct load_error){
        .phase = LOAD_ERROR_HANDSHAKE, .reason = "wrong version number", .count = 7};
    add_negotiated(result, "ecdsa_secp256r1_sha256", TLS_FULL, 56000);
    add_negotiated(result, "", TLS_RESUMED_TICKET, 54000);
    for (uint64_t i = 0; i < 1000; i++) {
        histogram_record(&result->phases[LOAD_PHASE_CONNECT], 30000 + i);
        histogram_record(&result->phases[LOAD_PHASE_HANDSHAKE_FULL], 2000000 + i);
        histogram_record(&result->phases[LOAD_PHASE_HANDSHAKE_TICKET], 900000 + i);
        histogram_record(&result->phases[LOAD_PHASE_HANDSHAKE_RESUMED], 900000 + i);
    }
    for (size_t i = 0; i < 10; i++) {
        result->series[result->series_count++] = (struct load_interval){
            .start_s = (double)i, .seconds = 1, .handshakes = 9000 + 200 * i};
    }
}

void fixture_init_messages(struct fixture *fixture)
{
    init(fixture, LOAD_RR);

    struct load_result *result = fixture->result;

    result->seconds = 10;
    result->cpu_seconds = 10;
    result->busiest_thread = 0.55;
    result->connections_peak = 50;
    result->messages = 500000;
    result->bytes_in = result->bytes_out = 500000000;
    result->wire_bytes_in = result->wire_bytes_out = 511000000;
    result->records_in = result->records_out = 500000;
    add_negotiated(result, "ecdsa_secp256r1_sha256", TLS_FULL, 50);
    for (uint64_t i = 0; i < 1000; i++) {
        histogram_record(&result->phases[LOAD_PHASE_FIRST_BYTE], 800000 + i);
        histogram_record(&result->phases[LOAD_PHASE_MESSAGE], 1000000 + i);
    }
}

void fixture_init_open_loop(struct fixture *fixture)
{
    fixture_init_messages(fixture);

    struct load_result *result = fixture->result;

    fixture->plan.rate = 60000;
    fixture->plan.arrivals = LOAD_ARRIVALS_POISSON;
    result->due = 600000;
    result->unstarted = 99943;
    result->dropped = 7;
    for (uint64_t i = 0; i < 1000; i++) {
        histogram_record(&result->phases[LOAD_PHASE_MESSAGE_CORRECTED], 70000000 + i);
        histogram_record(&result->phases[LOAD_PHASE_START_DELAY], 69000000);
    }
}

void fixture_init_refused(struct fixture *fixture)
{
    init(fixture, LOAD_HANDSHAKE);

    struct load_result *result = fixture->result;

    result->seconds = 10;
    result->cpu_seconds = 0.5;
    result->busiest_thread = 0.05;
    result->errors_total = 1234;
    result->error_count = 1;
    result->errors[0] = (struct load_error){
        .phase = LOAD_ERROR_CONNECT, .reason = "connection refused", .count = 1234};
}

void fixture_deinit(struct fixture *fixture)
{
    json_decref(fixture->before);
    json_decref(fixture->after);
    free(fixture->result);
}

/* /stats with every counter at zero. */
static json_t *make_stats(double monotonic_seconds, double first_cpu, double second_cpu)
{
    json_t *totals = json_object();

    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = &counter_infos[i];

        if (info->label == NULL) {
            json_object_set_new(totals, info->name, json_integer(0));
            continue;
        }
        if (json_object_get(totals, info->name) == NULL) {
            json_object_set_new(totals, info->name, json_object());
        }
        json_object_set_new(json_object_get(totals, info->name), info->label_value,
                            json_integer(0));
    }
    return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:o, s:[{s:f}, {s:f}],"
                     " s:{s:{s:[[i,i],[i,i]]}, s:{s:[]}}}",
                     "schema", "tlsdyno-stats/1", "version", "0.1.0", "openssl",
                     "OpenSSL 3.0.22 25 Aug 2026", "monotonic_seconds", monotonic_seconds,
                     "process_cpu_seconds", first_cpu + second_cpu + 0.1, "workers_cpu_seconds",
                     first_cpu + second_cpu, "totals", totals, "workers", "cpu_seconds", first_cpu,
                     "cpu_seconds", second_cpu, "handshake_time", "full", "buckets", 1000, 10, 2000,
                     10, "resumed", "buckets");
}

void fixture_add_server(struct fixture *fixture, double busiest)
{
    double seconds = 10.1;

    fixture->before = make_stats(1000, 3, 4);
    fixture->after = make_stats(1000 + seconds, 3 + seconds * busiest, 4 + seconds * 0.40);

    json_t *totals = json_object_get(fixture->after, "totals");
    json_t *full = json_object_get(json_object_get(fixture->after, "handshake_time"), "full");

    json_object_set_new(totals, "handshakes",
                        json_pack("{s:i, s:i, s:i}", "full", 51006, "ticket", 49004, "id", 0));
    json_object_set_new(totals, "plain_bytes_in", json_integer(500000000));
    json_object_set_new(totals, "plain_bytes_out", json_integer(500000000));
    /* Beyond the earlier 10 and 10: 90 of 2,000 ns, 9 of 3,000 and one of 9,000. */
    json_object_set_new(
        full, "buckets",
        json_pack("[[i,i],[i,i],[i,i],[i,i]]", 1000, 10, 2000, 100, 3000, 9, 9000, 1));
    fixture->input.server_before = fixture->before;
    fixture->input.server_after = fixture->after;
}

char *fixture_text(const struct fixture *fixture)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    cr_assert_not_null(out);
    report_text(out, &fixture->input);
    fclose(out);
    return text;
}
