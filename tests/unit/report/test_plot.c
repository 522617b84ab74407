#include "report/plot.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "report/html.h"
#include "results.h"

Test(plot, labels_keep_nothing_that_gnuplot_could_run)
{
    char out[PLOT_LABEL_BYTES];

    cr_assert_str_eq(plot_label("TLS_AES_128-GCM 1,024", out), "TLS_AES_128-GCM 1,024");
    cr_assert_str_eq(plot_label("'`id`\"\\n$x%{}\n;", out), "??id???n?x?????");
    cr_assert_str_eq(plot_label("0123456789012345678901234567890123456789012345678901", out),
                     "012345678901234567890123456789012345678901234..");
}

static char *script_of(json_t *document, size_t index, char title[200])
{
    struct html_input input = {.files = {{.name = "a'b", .document = document}}, .count = 1};
    struct plot_list *list = html_plots(&input);
    char *script;

    cr_assert_not_null(list);
    cr_assert_lt(index, list->count);
    strcpy(title, list->items[index].title);
    script = plot_script(&list->items[index], PLOT_WIDE);
    plot_list_free(list);
    return script;
}

Test(plot, a_run_has_latencies_corrected_and_raw_a_rate_and_a_waterfall)
{
    json_t *document = results_load();
    char title[200];
    char *script = script_of(document, 0, title);

    cr_assert_str_eq(title, "Latency by percentile: messages");
    /* 190 of 200 within 1 us: at 1 / (1 - 0.95). */
    cr_assert_not_null(strstr(script, "\n20 1e-06\n"), "%s", script);
    cr_assert_not_null(strstr(script, "\n200 2e-06\n"), "the slowest, at their number: %s", script);
    cr_assert_not_null(strstr(script, "dt (6,5) title 'whole message, raw'"), "%s", script);
    cr_assert_not_null(strstr(script, "dt solid title 'whole message, corrected'"), "%s", script);
    free(script);
    script = script_of(document, 2, title);
    cr_assert_str_eq(title, "Messages a second, over time");
    cr_assert_not_null(strstr(script, "\n0 90\n1 90\n1 110\n2 110\n"), "%s", script);
    free(script);
    script = script_of(document, 3, title);
    cr_assert_str_eq(title, "Where the time of a connection goes");
    cr_assert_not_null(strstr(script, "from 5e-07,1.32 to 5.5e-06,0.68"), "%s", script);
    free(script);
    json_decref(document);
}

Test(plot, a_sweep_has_curves_and_a_heat_map)
{
    json_t *document = results_sweep();
    char title[200];
    char *script = script_of(document, 0, title);

    cr_assert_str_eq(title, "Goodput by fragment size: suite S1");
    cr_assert_not_null(strstr(script, "\n0 512000 460800 563200\n"), "%s", script);
    free(script);
    script = script_of(document, 2, title);
    cr_assert_str_eq(title, "Goodput");
    cr_assert_not_null(strstr(script, "set label '32.8 MB/s' at 2,1"), "%s", script);
    free(script);
    json_decref(document);
}

Test(plot, words_of_files_stand_in_scripts_as_harmless_labels)
{
    json_t *document = results_sweep();
    char title[200];
    char *script;

    for (int i = 0; i < 3; i++) {
        results_set(json_array_get(json_object_get(document, "cells"), (size_t)i),
                    "parameters.suite", json_string("'\nsystem('id')\n`id`"));
    }
    script = script_of(document, 2, title);
    cr_assert_not_null(strstr(script, "'??system??id????id?'"), "%s", script);
    cr_assert_null(strstr(script, "`"));
    cr_assert_null(strstr(script, "system("));
    free(script);
    json_decref(document);
}

Test(plot, only_a_picture_is_taken)
{
    struct plot plot = {0};

    cr_assert_eq(plot_take_svg(&plot, PLOT_WIDE, "<?xml?><svg a><defs><x/></defs><g>1</g></svg>\n"),
                 0);
    cr_assert_str_eq(plot.svg[PLOT_WIDE], "<svg a><g>1</g></svg>");
    cr_assert_eq(plot_take_svg(&plot, PLOT_NARROW, ""), -1);
    cr_assert_eq(plot_take_svg(&plot, PLOT_NARROW, "<svg><defs></defs>"), -1);
    cr_assert_eq(plot_take_svg(&plot, PLOT_NARROW, "<svg></svg><defs></defs>"), -1);
    cr_assert_eq(plot_take_svg(&plot, PLOT_NARROW, "<svg><defs></defs><script>x</script></svg>"),
                 -1);
    cr_assert_null(plot.svg[PLOT_NARROW]);
    free(plot.svg[PLOT_WIDE]);
}
