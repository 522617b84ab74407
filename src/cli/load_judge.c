#include "cli/load_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "report/report.h"

static const struct load_error *most_frequent(const struct load_result *result)
{
    const struct load_error *most = NULL;

    for (size_t i = 0; i < result->error_count; i++) {
        if (most == NULL || result->errors[i].count > most->count) {
            most = &result->errors[i];
        }
    }
    return most;
}

/* Whether it was us who refused the server's certificate. */
static bool certificate_was_refused(const struct load_error *error)
{
    return error->phase == LOAD_ERROR_HANDSHAKE &&
           strncmp(error->reason, "certificate", strlen("certificate")) == 0;
}

static int judge_search(const struct find_max *search, struct error *error)
{
    if (search == NULL || search->is_confirmed) {
        return EXIT_SUCCESS;
    }
    if (search->run_count > 0 && interrupt_requested) {
        error_set(error, "--find-max: interrupted before a rate was confirmed");
        return EXIT_FAILURE;
    }
    error_set(error, "--find-max %s: no rate kept it in several runs in a row", search->objective);
    return EXIT_VIOLATED;
}

static int judge_success(const struct load_judged *judged, struct error *error)
{
    const struct load_result *result = judged->result;
    const struct find_max *search = judged->find_max;
    const struct load_error *most = most_frequent(result);

    /* The last run of a search may be one at which nothing was due. */
    if (report_succeeded(&judged->options->plan, result) ||
        (search != NULL && search->run_count > 1 && most == NULL)) {
        return judge_search(search, error);
    }
    if (most == NULL) {
        error_set(error, "nothing was done in the measured time%s",
                  result->interrupted ? ", which was interrupted" : "");
    } else if (certificate_was_refused(most)) {
        error_set(error,
                  "nothing succeeded: %s; name the authority to trust with --ca FILE, or "
                  "accept any certificate with --insecure",
                  most->reason);
    } else if (most->phase == LOAD_ERROR_CONNECT) {
        error_set(error,
                  "nothing succeeded: connect: %s; is %s its address, and is the server running?",
                  most->reason, judged->options->target);
    } else {
        error_set(error, "nothing succeeded: %s: %s", load_error_phase_name(most->phase),
                  most->reason);
    }
    return EXIT_FAILURE;
}

/* A sentence for each condition that was broken: the last one is the error, as any command's. */
static int judge_thresholds(const struct load_judged *judged, struct error *error)
{
    const struct load_options *options = judged->options;
    char text[THRESHOLD_TEXT_BYTES];
    bool is_violated = false;

    for (size_t i = 0; i < options->thresholds.count; i++) {
        if (threshold_is_violated(&options->thresholds.rows[i], &options->plan, judged->result,
                                  text)) {
            if (is_violated) {
                fprintf(stderr, "tlsdyno: %s\n", error->text);
            }
            is_violated = true;
            error_set(error, "%s", text);
        }
    }
    return is_violated ? EXIT_VIOLATED : EXIT_SUCCESS;
}

int load_judge(const struct load_judged *judged, struct error *error)
{
    const int status = judge_success(judged, error);

    return status == EXIT_SUCCESS ? judge_thresholds(judged, error) : status;
}
