/* Result files: read as JSON from a file, checked, and then shown and compared with themselves. */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/error.h"
#include "cli/report_files.h"
#include "fuzz.h"
#include "report/compare.h"
#include "report/html.h"

static FILE *nowhere;

static void compare(json_t *report)
{
    struct compare_input input = {.anyway = true};
    struct compare_result *result = malloc(sizeof *result);

    input.base.reports[0] = input.changed.reports[0] = report;
    input.base.count = input.changed.count = 1;
    compare_reports(&input, result);
    compare_text(nowhere, result);
    json_decref(compare_json(result));
    free(result);
}

static void show(const json_t *document)
{
    struct html_input input = {
        .files = {{"input", document}}, .count = 1, .title = "input", .no_pictures = "None."};
    struct plot_list *plots = html_plots(&input);

    html_write(nowhere, &input, plots);
    plot_list_free(plots);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    struct error error = {0};
    const char *path = fuzz_file(&input);
    json_t *document;

    nowhere = nowhere ? nowhere : fopen("/dev/null", "we");
    document = report_file_read(path, compare_check, &error);
    if (document) {
        compare(document);
        json_decref(document);
    }
    document = report_file_read(path, html_check, &error);
    if (document) {
        show(document);
        json_decref(document);
    }
    return 0;
}
