#include "cli/sweep_files.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
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
    char part[PATH_MAX];
    json_t *document = sweep_study_json(study);
    int outcome = -1;

    if (document == NULL) {
        return error_set(error, "out of memory");
    }
    if (strcmp(json_file, "-") == 0) {
        outcome = json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
        putchar('\n');
    } else if (snprintf(part, sizeof(part), "%s.part", json_file) >= (int)sizeof(part)) {
        errno = ENAMETOOLONG;
    } else {
        outcome = json_dump_file(document, part, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
        if (outcome == 0) {
            outcome = rename(part, json_file);
        }
    }
    json_decref(document);
    return outcome == 0 ? 0 : error_set(error, "--json: cannot write %s: %m", json_file);
}

int sweep_files_write_csv(const struct sweep_study *study, const char *csv_file,
                          struct error *error)
{
    FILE *out = fopen(csv_file, "we");
    int wrong;

    if (out == NULL) {
        return error_set(error, "--csv: cannot write %s: %m", csv_file);
    }
    sweep_csv(out, study);
    wrong = ferror(out);
    if (fclose(out) != 0 || wrong != 0) {
        return error_set(error, "--csv: cannot write %s: %m", csv_file);
    }
    return 0;
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
