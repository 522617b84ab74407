/* A study without running it: order, what becomes of reports, the file and back. */
#include "sweep/study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"

static atomic_bool stop;

/* Two suites at two sizes; the second suite is one that this OpenSSL lacks. */
static struct sweep_study *study_new(unsigned rounds)
{
    struct sweep_study *study = calloc(1, sizeof(*study));
    struct error error = {0};

    sweep_capability_add_suite(&study->capabilities, "TLS_AES_128_GCM_SHA256", "TLSv1.3", "");
    study->matrix.mode = LOAD_RR;
    sweep_values_parse(SWEEP_SUITE, "TLS_AES_128_GCM_SHA256,TLS_NONE",
                       &study->matrix.axes[SWEEP_SUITE], NULL);
    sweep_values_parse(SWEEP_MESSAGE, "64,1024", &study->matrix.axes[SWEEP_MESSAGE], NULL);
    cr_assert_eq(sweep_matrix_complete(&study->matrix, SWEEP_SERVER_OWN, &error), 0, "%s",
                 error.text);
    study->rounds = rounds;
    study->seed = 7;
    study->settings = (struct sweep_settings){
        .listen = "127.0.0.1", .duration_ns = 200000000, .warmup_ns = 1000000, .stop = &stop};
    CPU_SET(0, &study->settings.server_cpus);
    CPU_SET(1, &study->settings.load_cpus);
    CPU_SET(2, &study->settings.load_cpus);
    snprintf(study->environment.cpu_model, sizeof(study->environment.cpu_model), "a CPU");
    study->openssl_version = "OpenSSL 3";
    snprintf(study->environment.kernel, sizeof(study->environment.kernel), "Linux");
    snprintf(study->started, sizeof(study->started), "2026-01-31T12:00:00Z");
    cr_assert_eq(sweep_study_open(study, &error), 0, "%s", error.text);
    return study;
}

static void study_delete(struct sweep_study *study)
{
    sweep_study_close(study);
    free(study);
}

static json_t *report_of(const char *suite, double goodput)
{
    return json_pack("{s:{s:[{s:s, s:s, s:s, s:s}]}, s:{s:f, s:i, s:i}, s:{s:{s:i}}, s:{s:i}}",
                     "negotiated", "combinations", "version", "TLSv1.3", "suite", suite, "group",
                     "x25519", "certificate", "EC P-256", "bytes", "plain_in_bytes_per_second",
                     goodput, "plain_in_bytes", 3000, "records_in", 3, "latency", "message",
                     "p50_ns", 2000, "errors", "count", 0);
}

static void take(struct sweep_study *study, size_t cell, const char *suite, double goodput)
{
    json_t *report = report_of(suite, goodput);

    sweep_study_take(study, &study->cells[cell], report);
    json_decref(report);
}

static struct sweep_summary summary_of(const struct sweep_study *study, size_t cell,
                                       enum sweep_figure figure)
{
    static double room[SWEEP_ROUNDS_MAX];
    struct sweep_summary summary;

    sweep_summarize(&study->cells[cell], figure, room, &summary);
    return summary;
}

Test(study, order_is_a_permutation_by_seed_and_round)
{
    size_t first[100];
    size_t again[100];
    size_t second[100];
    bool seen[100] = {false};

    sweep_order(7, 0, 100, first);
    sweep_order(7, 0, 100, again);
    sweep_order(7, 1, 100, second);
    cr_assert_eq(memcmp(first, again, sizeof(first)), 0);
    cr_assert_neq(memcmp(first, second, sizeof(first)), 0);
    for (size_t i = 0; i < 100; i++) {
        cr_assert_lt(first[i], 100);
        cr_assert_not(seen[first[i]]);
        seen[first[i]] = true;
    }
}

Test(study, impossible_cells_are_skipped_with_the_reason)
{
    struct sweep_study *study = study_new(2);

    cr_assert_eq(study->cell_count, 4);
    cr_assert_eq(study->cells[2].status, SWEEP_SKIPPED);
    cr_assert_not_null(strstr(study->cells[3].reason, "TLS_NONE"));
    cr_assert_eq(sweep_study_runs_left(study), 4);
    study_delete(study);
}

Test(study, reports_become_medians)
{
    struct sweep_study *study = study_new(3);
    struct sweep_summary summary;

    take(study, 0, "TLS_AES_128_GCM_SHA256", 30);
    take(study, 0, "TLS_AES_128_GCM_SHA256", 10);
    cr_assert_eq(study->cells[0].status, SWEEP_PENDING);
    take(study, 0, "TLS_AES_128_GCM_SHA256", 20);
    cr_assert_eq(study->cells[0].status, SWEEP_DONE);
    summary = summary_of(study, 0, SWEEP_GOODPUT);
    cr_assert_eq(summary.count, 3);
    cr_assert_float_eq(summary.median, 20, 1e-9);
    cr_assert_float_eq(summary.low, 10, 1e-9);
    cr_assert_float_eq(summary.high, 30, 1e-9);
    cr_assert_float_eq(summary.values[0], 30, 1e-9);
    cr_assert_float_eq(summary_of(study, 0, SWEEP_RECORD_BYTES_MEAN).median, 1000, 1e-9);
    cr_assert_float_eq(summary_of(study, 0, SWEEP_MESSAGE_SECONDS).median, 2e-6, 1e-15);
    cr_assert_eq(summary_of(study, 0, SWEEP_SERVER_CPU_PER_BYTE).count, 0);
    study_delete(study);
}

Test(study, cell_that_negotiated_something_else_has_no_numbers)
{
    struct sweep_study *study = study_new(2);

    take(study, 0, "TLS_AES_128_GCM_SHA256", 30);
    take(study, 0, "TLS_AES_256_GCM_SHA384", 30);
    cr_assert_eq(study->cells[0].status, SWEEP_FAILED);
    cr_assert_not_null(strstr(study->cells[0].reason, "TLS_AES_256_GCM_SHA384, not "));
    cr_assert_eq(summary_of(study, 0, SWEEP_GOODPUT).count, 0);
    study_delete(study);
}

Test(study, report_without_what_was_negotiated_fails_the_cell)
{
    struct sweep_study *study = study_new(2);
    json_t *report = json_object();

    sweep_study_take(study, &study->cells[0], report);
    cr_assert_eq(study->cells[0].status, SWEEP_FAILED);
    json_decref(report);
    study_delete(study);
}

Test(study, resumed_study_keeps_finished_runs)
{
    struct sweep_study *study = study_new(2);
    struct sweep_study *later = study_new(2);
    struct error error = {0};
    json_t *file;

    take(study, 0, "TLS_AES_128_GCM_SHA256", 10);
    take(study, 0, "TLS_AES_128_GCM_SHA256", 20);
    take(study, 1, "TLS_AES_128_GCM_SHA256", 30);
    file = sweep_study_json(study);
    cr_assert(json_is_true(json_object_get(file, "partial")));
    later->seed = 8;
    cr_assert_eq(sweep_study_resume(later, file, &error), 0, "%s", error.text);
    cr_assert_eq(later->seed, 7);
    cr_assert_eq(later->cells[0].status, SWEEP_DONE);
    cr_assert_eq(later->cells[1].rounds_done, 1);
    cr_assert_eq(later->cells[2].status, SWEEP_SKIPPED);
    cr_assert_eq(sweep_study_runs_left(later), 1);
    cr_assert_float_eq(summary_of(later, 0, SWEEP_GOODPUT).median, 15, 1e-9);
    cr_assert_str_eq(later->cells[1].negotiated.group, "x25519");
    json_decref(file);
    study_delete(study);
    study_delete(later);
}

Test(study, failed_cells_start_again)
{
    struct sweep_study *study = study_new(2);
    struct sweep_study *later = study_new(2);
    json_t *file;

    take(study, 0, "TLS_AES_256_GCM_SHA384", 10);
    file = sweep_study_json(study);
    cr_assert_eq(sweep_study_resume(later, file, NULL), 0);
    cr_assert_eq(later->cells[0].status, SWEEP_PENDING);
    cr_assert_eq(sweep_study_runs_left(later), 4);
    json_decref(file);
    study_delete(study);
    study_delete(later);
}

Test(study, file_of_another_study_is_refused)
{
    struct sweep_study *study = study_new(2);
    struct error error = {0};
    json_t *file = sweep_study_json(study);
    json_t *nothing = json_object();

    study->settings.duration_ns *= 2;
    cr_assert_eq(sweep_study_resume(study, file, &error), -1);
    cr_assert_not_null(strstr(error.text, "'settings'"), "%s", error.text);
    cr_assert_eq(sweep_study_resume(study, nothing, &error), -1);
    json_decref(nothing);
    json_decref(file);
    study_delete(study);
}

Test(study, text_fits_a_hundred_columns_and_tells_all)
{
    struct sweep_study *study = study_new(2);
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    take(study, 0, "TLS_AES_128_GCM_SHA256", 10);
    take(study, 1, "TLS_AES_256_GCM_SHA384", 10);
    sweep_text(out, study, true);
    fclose(out);
    cr_assert_not_null(strstr(text, "on CPU 0, the load on CPU 1-2"));
    cr_assert_not_null(strstr(text, "Skipped:"));
    cr_assert_not_null(strstr(text, "Failed:"));
    cr_assert_not_null(strstr(text, "PARTIAL: 1 run is missing"));
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cr_assert_leq(strlen(line), 100, "%s", line);
    }
    free(text);
    study_delete(study);
}

Test(study, csv_has_a_row_for_each_cell)
{
    struct sweep_study *study = study_new(2);
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    size_t rows = 0;

    take(study, 0, "TLS_AES_128_GCM_SHA256", 10);
    sweep_csv(out, study);
    fclose(out);
    for (const char *end = text; (end = strstr(end, "\r\n")) != NULL; end += 2) {
        rows++;
    }
    cr_assert_eq(rows, 1 + 4);
    cr_assert_not_null(strstr(text, "skipped,\"this OpenSSL has no suite TLS_NONE\",0"));
    free(text);
    study_delete(study);
}
