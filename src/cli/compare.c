/* tlsdyno compare: whether two groups of load reports differ by more than chance. */
#include <stdlib.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/report_files.h"

struct compare_options {
    struct option_list files; /* operands */
    struct option_list base;
    struct option_list changed;
    double tolerance;
    bool anyway;
    bool json;
};

/* What a comparison works with; too large for the stack. */
struct compare_session {
    struct compare_input input;
    struct compare_result result;
};

/* "5%" or "5" */
static int take_tolerance(void *config, const char *value, struct error *error)
{
    struct compare_options *options = config;
    char *end;
    double percent = strtod(value, &end);

    end += *end == '%';
    if (end == value || *end != '\0' || !(percent >= 0 && percent <= 1000)) {
        return error_set(error, "not a percentage from 0 to 1000, such as 5%% or 2.5%%");
    }
    options->tolerance = percent / 100;
    return 0;
}

static const struct option_info compare_option_rows[] = {
    {.name = "base",
     .kind = OPTION_LIST,
     .argument = "FILES",
     .group = "Runs",
     .help = "reports to compare with: files separated by commas, or a directory of *.json; may "
             "be repeated",
     OPTION_FIELD(struct compare_options, base)},
    {.name = "new",
     .kind = OPTION_LIST,
     .argument = "FILES",
     .group = "Runs",
     .help = "reports that are compared with them; likewise",
     OPTION_FIELD(struct compare_options, changed)},
    {.name = "tolerance",
     .kind = OPTION_FUNCTION,
     .argument = "PERCENT",
     .group = "Verdict",
     .help = "how much worse a figure may be before that is a regression",
     .initial = "5%",
     .function = take_tolerance},
    {.name = "anyway",
     .kind = OPTION_SWITCH,
     .group = "Verdict",
     .help = "compare also when what was negotiated, or the work done, differs",
     OPTION_FIELD(struct compare_options, anyway)},
    {.name = "json",
     .letter = 'J',
     .kind = OPTION_SWITCH,
     .group = "Output",
     .help = "print one JSON object instead of tables",
     OPTION_FIELD(struct compare_options, json)},
};

static int refuse_files(struct error *error)
{
    return error_set(error, "compare needs reports on two sides: BASE.json NEW.json..., or "
                            "--base FILES and --new FILES; see tlsdyno compare --help");
}

/* The first operand is the base, the others are new. */
static int read_files(const struct compare_options *options, struct compare_input *input,
                      struct error *error)
{
    const struct option_list *files = &options->files;
    bool named = options->base.count + options->changed.count > 0;

    if (named ? files->count > 0 || options->base.count == 0 || options->changed.count == 0
              : files->count < 2) {
        return refuse_files(error);
    }
    for (size_t i = 0; i < options->base.count; i++) {
        if (report_files_add_list(options->base.items[i], &input->base, error) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < options->changed.count; i++) {
        if (report_files_add_list(options->changed.items[i], &input->changed, error) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < files->count; i++) {
        if (report_files_add(files->items[i], i == 0 ? &input->base : &input->changed, error) !=
            0) {
            return -1;
        }
    }
    return 0;
}

static int print_json(const struct compare_result *result, struct error *error)
{
    json_t *document = compare_json(result);
    int outcome = document != NULL
                      ? json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9))
                      : -1;

    json_decref(document);
    if (outcome != 0) {
        return error_set(error, "cannot write the comparison");
    }
    putchar('\n');
    return 0;
}

static int judge(const struct compare_result *result, bool anyway, struct error *error)
{
    if (!result->comparable && !anyway) {
        error_set(error, "the runs are not comparable: what was negotiated, or the work done, "
                         "differs; --anyway compares them all the same");
        return EXIT_USAGE;
    }
    if (result->regressions > 0) {
        error_set(error, "%zu figure%s worse by more than %g%%, and not by chance",
                  result->regressions, result->regressions == 1 ? " is" : "s are",
                  result->tolerance * 100);
        return EXIT_VIOLATED;
    }
    return EXIT_SUCCESS;
}

static int run(void *config, char **argv, struct error *error)
{
    const struct compare_options *options = config;
    struct compare_session *session = calloc(1, sizeof(*session));
    int status = EXIT_USAGE;

    (void)argv;
    if (session == NULL) {
        error_set(error, "out of memory");
        return EXIT_FAILURE;
    }
    session->input.tolerance = options->tolerance;
    session->input.anyway = options->anyway;
    if (read_files(options, &session->input, error) == 0) {
        compare_reports(&session->input, &session->result);
        if (!options->json) {
            compare_text(stdout, &session->result);
            status = judge(&session->result, options->anyway, error);
        } else if (print_json(&session->result, error) == 0) {
            status = judge(&session->result, options->anyway, error);
        } else {
            status = EXIT_FAILURE;
        }
    }
    fflush(stdout); /* before the sentence on standard error */
    report_files_release(&session->input.base);
    report_files_release(&session->input.changed);
    free(session);
    return status;
}

const struct command compare_command = {
    .help = "says whether runs of load differ by more than chance",
    .table =
        {
            .command = "compare",
            .summary =
                "Compares reports of tlsdyno load -J figure by figure: medians, their ratio with a "
                "95% bootstrap interval, and a Mann-Whitney test. The first of several operands is "
                "the base; a directory stands for all its *.json. The exit status is 3 when a "
                "figure is significantly worse than the tolerance allows, and 2 when the reports "
                "cannot be read, or are of runs that negotiated something else or did other work.",
            .operand = "BASE NEW...",
            .operand_repeats = true,
            .operand_offset = offsetof(struct compare_options, files),
            .sections = {{compare_option_rows,
                          sizeof(compare_option_rows) / sizeof(compare_option_rows[0]), 0}},
            .epilogue = "Examples:\n"
                        "  tlsdyno compare before.json after.json\n"
                        "  tlsdyno compare --tolerance 2% before/ after/\n"
                        "  tlsdyno compare --base a1.json,a2.json --new b1.json,b2.json --json\n",
        },
    .manual =
        {{.heading = "STATISTICS",
          .text =
              "With several runs a side, a figure's values are one of each run. A difference "
              "counts when the two-sided Mann-Whitney U test gives p below 0.05, which takes at "
              "least four runs a side: fewer are undecided, however far apart they lie. Latencies "
              "of "
              "runs that had fewer than 20 operations of their kind are left out, and counted.\n\n"
              "When a side has but one run, rates are compared by the intervals of the runs, and "
              "latencies and CPU times have neither interval nor verdict. Intervals of one run "
              "share what that run was lucky or unlucky with, so that several runs, taken in "
              "turn, are the better evidence.\n\n"
              "The interval of the ratio is the middle 95% of the ratios of medians of 10,000 "
              "samples drawn anew from both sides, always from the same seed. Many figures are "
              "tested, each at 5%: now and then one of them differs by chance."}},
    .config_bytes = sizeof(struct compare_options),
    .run = run,
    .violated = "a figure is worse than --tolerance allows, and not by chance",
};
