#include "results.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *document = json_loads(text, 0, &error);

    cr_assert_not_null(document, "%s", error.text);
    return document;
}

json_t *results_load(void)
{
    return parse(
        "{\"schema\": \"tlsdyno-load/1\", \"version\": \"0.1.0\", \"target\": \"127.0.0.1:4433\","
        " \"command_line\": \"tlsdyno load 127.0.0.1:4433\", \"started\": \"2026-01-31T12:00:00Z\","
        " \"plan\": {\"mode\": \"rr\", \"plain_tcp\": false, \"message_bytes\": 1000},"
        " \"environment\": {\"cpu_model\": \"Abacus\", \"smt\": true, \"governor\": \"powersave\"},"
        " \"succeeded\": true, \"interrupted\": false, \"insecure\": true, \"measured_seconds\": 2,"
        " \"negotiated\": {\"combinations\": [{\"version\": \"TLSv1.3\", \"suite\": \"S\","
        " \"group\": \"x25519\", \"certificate\": \"EC P-256\", \"resumption\": \"full\","
        " \"connections\": 16}], \"other_connections\": 0},"
        " \"connections\": {\"asked\": 16, \"peak\": 16, \"opened\": 16},"
        " \"messages\": {\"count\": 200, \"per_second\": 100},"
        " \"latency\": {\"model\": \"open-loop\", \"corrected\": true,"
        " \"message\": {\"count\": 200, \"p50_ns\": 1000, \"p90_ns\": 1000, \"p99_ns\": 2000,"
        " \"p999_ns\": 2000, \"max_ns\": 2000, \"buckets\": [[1000, 190], [2000, 10]]},"
        " \"message_corrected\": {\"count\": 200, \"p50_ns\": 1000, \"p90_ns\": 9000,"
        " \"p99_ns\": 9000, \"p999_ns\": 9000, \"max_ns\": 9000,"
        " \"buckets\": [[1000, 100], [9000, 100]]}, \"connect\": {\"count\": 16, \"p50_ns\": 500,"
        " \"p90_ns\": 500, \"p99_ns\": 500, \"p999_ns\": 500, \"max_ns\": 500,"
        " \"buckets\": [[500, 16]]}, \"handshake_full\": {\"count\": 16, \"p50_ns\": 5000,"
        " \"p90_ns\": 5000, \"p99_ns\": 5000, \"p999_ns\": 5000, \"max_ns\": 5000,"
        " \"buckets\": [[5000, 16]]}},"
        " \"series\": [{\"start_seconds\": 0, \"seconds\": 1, \"handshakes\": 0, \"messages\": 90,"
        " \"plain_in_bytes\": 0, \"plain_out_bytes\": 0, \"errors\": 0},"
        " {\"start_seconds\": 1, \"seconds\": 1, \"handshakes\": 0, \"messages\": 110,"
        " \"plain_in_bytes\": 0, \"plain_out_bytes\": 0, \"errors\": 0}],"
        " \"errors\": {\"count\": 0, \"by_reason\": []}, \"server\": null,"
        " \"verdict\": {\"kind\": \"client-bound\", \"text\": \"The client was busy.\"}}");
}

json_t *results_sweep(void)
{
    json_t *cells = json_array();
    static const char *const suites[] = {"S1", "S2"};
    static const char *const fragments[] = {"4096", "512", "16384"};

    for (int suite = 0; suite < 2; suite++) {
        for (int i = 0; i < 3; i++) {
            double goodput = (suite + 1) * atoi(fragments[i]) * 1e3;

            json_array_append_new(
                cells,
                json_pack("{s:{s:s, s:s, s:s, s:n}, s:s, s:n, s:{s:s}, s:{s:{s:f, s:f, s:f}}}",
                          "parameters", "version", "TLSv1.3", "suite", suites[suite], "fragment",
                          fragments[i], "link_bits_per_second", "status", "done", "reason",
                          "negotiated", "suite", suites[suite], "figures",
                          "goodput_bytes_per_second", "median", goodput, "low", goodput * 0.9,
                          "high", goodput * 1.1));
        }
    }
    return json_pack("{s:s, s:s, s:{s:s}, s:[], s:o}", "schema", "tlsdyno-sweep/1", "plan",
                     "fragments", "environment", "cpu_model", "Abacus", "axes", "cells", cells);
}

static json_t *step(json_t *at, const char *name)
{
    return json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
}

void results_set(json_t *document, const char *path, json_t *value)
{
    char name[128];
    json_t *at = document;
    const char *dot;

    for (; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
        at = step(at, name);
        cr_assert_not_null(at, "%s", name);
    }
    if (json_is_array(at)) {
        cr_assert_eq(json_array_set_new(at, (size_t)atoi(path), value), 0);
    } else if (value == NULL) {
        json_object_del(at, path);
    } else {
        json_object_set_new(at, path, value);
    }
}
