#include "cli/sweep_files.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/output_file.h"
#include "report/compare_value.h"

enum { WALK_DESCRIPTORS = 8 };

static const char DIRECTORY_SUFFIX[] = "/tlsdyno-sweep-XXXXXX";

static json_t *read_file(const char *name, struct error *error)
{
    json_error_t reason;
    json_t *file = json_load_file(name, JSON_REJECT_DUPLICATES, &reason);

    if (file == NULL) {
        error_set(error, "%s is no JSON: line %d: %s", name, reason.line, reason.text);
    }
    return file;
}

int sweep_files_open(struct sweep_study *study, const char *json_file, bool resume,
                     struct error *error)
{
    json_t *file;
    int outcome = 0;

    if (json_file == NULL || strcmp(json_file, "-") == 0 || access(json_file, F_OK) != 0) {
        return 0;
    }
    file = read_file(json_file, resume ? error : NULL);
    if (resume) {
        outcome = file != NULL ? sweep_study_resume(study, file, error) : -1;
        if (outcome != 0) {
            error_prefix(error, "--resume: %s", json_file);
        }
    } else if (json_is_true(json_object_get(file, "partial"))) {
        outcome = error_set(error,
                            "--json: %s has a study that was interrupted: --resume goes on with "
                            "it; to start anew, remove the file",
                            json_file);
    }
    json_decref(file);
    return outcome;
}

int sweep_files_save(const struct sweep_study *study, const char *json_file, struct error *error)
{
    json_t *document = sweep_study_json(study);
    struct output_file out = {0};
    int outcome = -1;

    if (document == NULL) {
        return error_set(error, "out of memory");
    }
    if (output_file_open(&out, json_file, error) == 0) {
        outcome =
            output_file_keep_json(&out, document, JSON_INDENT(1) | JSON_REAL_PRECISION(9), error);
    }
    json_decref(document);
    return outcome == 0 ? 0 : error_prefix(error, "--json");
}

int sweep_files_write_csv(const struct sweep_study *study, const char *csv_file,
                          struct error *error)
{
    struct output_file out;

    if (output_file_open(&out, csv_file, error) != 0) {
        return error_prefix(error, "--csv");
    }
    sweep_csv(out.stream, study);
    return output_file_keep(&out, error) == 0 ? 0 : error_prefix(error, "--csv");
}

int sweep_directory_make(char out[SWEEP_DIRECTORY_BYTES], struct error *error)
{
    const char *base = getenv("TMPDIR");

    if (base == NULL || strlen(base) + sizeof(DIRECTORY_SUFFIX) > SWEEP_DIRECTORY_BYTES) {
        base = "/tmp";
    }
    snprintf(out, SWEEP_DIRECTORY_BYTES, "%s%s", base, DIRECTORY_SUFFIX);
    if (mkdtemp(out) == NULL) {
        error_set(error, "cannot make a directory in %s: %m", base);
        out[0] = '\0';
        return -1;
    }
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void sweep_directory_remove(const char *name)
{
    if (name[0] != '\0') {
        nftw(name, remove_entry, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    }
}
