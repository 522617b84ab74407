/* tlsdyno report: results as one page to look at. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/gnuplot.h"
#include "cli/output_file.h"
#include "cli/report_files.h"
#include "report/html.h"

struct report_options {
    struct option_list files; /* operands */
    const char *output;
    const char *title;
    bool without_pictures;
};

struct report_session {
    struct html_input input;
    json_t *documents[HTML_FILES_MAX];
    struct error no_pictures;
};

static const struct option_info report_option_rows[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Output",
     .help = "where the page goes; - for standard output",
     .initial = "report.html",
     OPTION_FIELD(struct report_options, output)},
    {.name = "title",
     .kind = OPTION_STRING,
     .argument = "TEXT",
     .group = "Output",
     .help = "what the page is called",
     .initial = "TLS measurements",
     OPTION_FIELD(struct report_options, title)},
    {.name = "pictures",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     .group = "Output",
     .help = "draw pictures, with gnuplot where it is installed",
     .default_text = "on",
     OPTION_FIELD(struct report_options, without_pictures)},
};

static int read_files(struct report_session *session, const struct report_options *options,
                      struct error *error)
{
    struct html_input *input = &session->input;

    if (options->files.count == 0) {
        return error_set(error, "report needs results to show, of tlsdyno load -J or tlsdyno "
                                "sweep; see tlsdyno report --help");
    }
    for (size_t i = 0; i < options->files.count; i++) {
        const char *name = options->files.items[i];
        json_t *document;

        if (input->count == HTML_FILES_MAX) {
            return error_set(error,
                             "%s is one too many: a page shows at most %d files side by side; "
                             "tlsdyno compare takes more",
                             name, HTML_FILES_MAX);
        }
        document = report_file_read(name, html_check, error);
        if (document == NULL) {
            return -1;
        }
        session->documents[input->count] = document;
        input->files[input->count++] = (struct html_file){.name = name, .document = document};
    }
    return 0;
}

/* A picture that gnuplot cannot draw is left out, and the page says so. */
static void draw(struct report_session *session, struct plot_list *plots)
{
    struct error *error = &session->no_pictures;

    if (plots->count == 0 || !gnuplot_is_there(error)) {
        return;
    }
    for (size_t i = 0; i < plots->count; i++) {
        for (enum plot_width width = 0; width < PLOT_WIDTHS; width++) {
            char *script = plot_script(&plots->items[i], width);
            char *text = script != NULL ? gnuplot_draw(script, error) : NULL;

            if (text != NULL && plot_take_svg(&plots->items[i], width, text) != 0) {
                error_set(error, "gnuplot drew '%s' in a way that the page cannot take",
                          plots->items[i].title);
            }
            free(text);
            free(script);
        }
    }
}

static int write_page(const struct report_session *session, const struct report_options *options,
                      const struct plot_list *plots, struct error *error)
{
    bool to_stdout = strcmp(options->output, "-") == 0;
    struct output_file out;

    if (output_file_open(&out, options->output, error) != 0) {
        return -1;
    }
    html_write(out.stream, &session->input, plots);
    if (output_file_keep(&out, error) != 0) {
        return -1;
    }
    if (!to_stdout) {
        size_t drawn = 0;

        for (size_t i = 0; i < plots->count; i++) {
            drawn += plots->items[i].svg[PLOT_WIDE] != NULL;
        }
        printf("%s: %zu file%s, %zu picture%s\n", options->output, session->input.count,
               session->input.count == 1 ? "" : "s", drawn, drawn == 1 ? "" : "s");
    }
    return 0;
}

static int make(struct report_session *session, const struct report_options *options,
                struct error *error)
{
    struct plot_list *plots = html_plots(&session->input);
    int outcome;

    if (plots == NULL) {
        return error_set(error, "out of memory");
    }
    session->input.title = options->title;
    if (!options->without_pictures) {
        draw(session, plots);
    }
    if (session->no_pictures.text[0] != '\0') {
        session->input.no_pictures = session->no_pictures.text;
        fprintf(stderr, "tlsdyno: warning: %s\n", session->no_pictures.text);
    }
    outcome = write_page(session, options, plots, error);
    plot_list_free(plots);
    return outcome;
}

static int run(void *config, char **argv, struct error *error)
{
    const struct report_options *options = config;
    struct report_session *session = calloc(1, sizeof(*session));
    int status = EXIT_USAGE;

    (void)argv;
    if (session == NULL) {
        error_set(error, "out of memory");
        return EXIT_FAILURE;
    }
    if (read_files(session, options, error) == 0) {
        status = make(session, options, error) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    for (size_t i = 0; i < session->input.count; i++) {
        json_decref(session->documents[i]);
    }
    free(session);
    return status;
}

const struct command report_command = {
    .help = "writes results as one HTML page with pictures",
    .table =
        {
            .command = "report",
            .summary =
                "Writes one HTML page, with no network, script or font from elsewhere, from "
                "results of tlsdyno load -J and tlsdyno sweep: pictures (latency by percentile, "
                "rate over time, where a connection's time goes, sweeps) and tables with the "
                "figures, what was negotiated, the machines, and whatever makes the figures less "
                "than they seem. Several files stand side by side in the same pictures.",
            .operand = "FILE...",
            .operand_repeats = true,
            .operand_offset = offsetof(struct report_options, files),
            .sections = {{report_option_rows,
                          sizeof(report_option_rows) / sizeof(report_option_rows[0]), 0}},
            .epilogue = "Examples:\n"
                        "  tlsdyno report run.json\n"
                        "  tlsdyno report -o before-after.html before.json after.json\n"
                        "  tlsdyno report --title 'Fragments' sweep.json\n",
        },
    .manual = {{.heading = "PICTURES",
                .text = "gnuplot draws them, where it is installed; without it the page has its "
                        "tables and says so. They follow the reader's light or dark scheme and "
                        "width."}},
    .config_bytes = sizeof(struct report_options),
    .run = run,
};
