/* Plans of studies: the first byte chooses a built-in plan or none, then comes a file as --config
 * takes it, and after a zero byte the results of an earlier run to go on from. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "cli/capabilities.h"
#include "cli/commands.h"
#include "cli/sweep_options.h"
#include "fuzz.h"

enum { RUNS_MAX = 20000 }; /* larger studies only take memory */

static FILE *nowhere;
static struct sweep_capabilities capabilities;

static void expect_cells(const struct sweep_study *study)
{
    char name[SWEEP_NAME_BYTES];

    FUZZ_EXPECT(study->cell_count > 0 && study->cell_count <= SWEEP_CELLS_MAX);
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct sweep_cell_state *state = &study->cells[i];

        FUZZ_EXPECT(state->status == SWEEP_PENDING || state->reason[0] != '\0');
        FUZZ_EXPECT(strlen(sweep_cell_name(study, &state->cell, name)) < sizeof(name));
    }
}

static void resume(struct sweep_study *study, struct fuzz_input *rest)
{
    json_t *file = json_loadb((const char *)rest->bytes, rest->count, 0, NULL);
    struct error error = {0};

    if (file != NULL && sweep_study_resume(study, file, &error) != 0) {
        FUZZ_EXPECT(error.text[0] != '\0');
    }
    json_decref(file);
}

static void open_study(struct sweep_study *study, struct fuzz_input *rest)
{
    struct error error = {0};

    study->command_line = study->openssl_version = "";
    study->capabilities = capabilities;
    FUZZ_EXPECT(sweep_study_open(study, &error) == 0);
    expect_cells(study);
    resume(study, rest);
    sweep_text(nowhere, study, true);
    sweep_csv(nowhere, study);
    json_decref(sweep_study_json(study));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    uint8_t choice = fuzz_byte(&input);
    char *text = fuzz_text(&input);
    struct fuzz_input plan = {(const uint8_t *)text, strlen(text)};
    const char *words[] = {"sweep", "--config", fuzz_file(&plan),
                           choice < SWEEP_PLAN_COUNT ? sweep_plans[choice].name : NULL, NULL};
    struct sweep_options options = {0};
    struct sweep_study *study = calloc(1, sizeof(*study));
    struct option_files files = {0};
    struct error error = {0};

    if (nowhere == NULL) {
        nowhere = fopen("/dev/null", "we");
        capabilities_read(&capabilities);
    }
    FUZZ_EXPECT(study != NULL);
    if (options_parse(&sweep_command.table, choice < SWEEP_PLAN_COUNT ? 4 : 3,
                      (char **)(uintptr_t)words, &options, &files, &error) != OPTIONS_PARSED ||
        sweep_options_settle(&options, study, &error) != 0) {
        FUZZ_EXPECT(error.text[0] != '\0');
    } else if (sweep_matrix_count(&study->matrix) * study->rounds <= RUNS_MAX) {
        open_study(study, &input);
    }
    sweep_study_close(study);
    option_files_free(&files);
    free(study);
    free(text);
    return 0;
}
