#include "cli/load_files.h"

#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "report/csv.h"

/* A folder that cannot be written to is better found out before the run than after. */
static int check_folder(const char *name, struct error *error)
{
    char path[PATH_MAX];

    if (strlen(name) >= sizeof(path)) {
        return error_set(error, "--percentiles: the file name is too long");
    }
    strcpy(path, name);
    if (access(dirname(path), W_OK | X_OK) != 0) {
        return error_set(error, "--percentiles: cannot write %s: %m", name);
    }
    return 0;
}

int load_files_open(struct load_files *files, const char *csv_name, const char *percentiles_name,
                    struct error *error)
{
    files->percentiles_name = percentiles_name;
    if (percentiles_name != NULL && check_folder(percentiles_name, error) != 0) {
        return -1;
    }
    if (csv_name != NULL && output_file_open(&files->csv, csv_name, error) != 0) {
        return error_prefix(error, "--csv");
    }
    return 0;
}

/* The phase's name goes before the last dot of the file's, or at its end. */
static int write_percentiles(const char *name, const char *phase, const struct histogram *histogram,
                             struct error *error)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    const char *dot = strrchr(base, '.');
    const char *end = dot != NULL && dot != base ? dot : name + strlen(name);
    char path[PATH_MAX + 64];
    struct output_file out;

    snprintf(path, sizeof(path), "%.*s.%s%s", (int)(end - name), name, phase, end);
    if (output_file_open(&out, path, error) != 0) {
        return error_prefix(error, "--percentiles");
    }
    histogram_write_percentiles(histogram, out.stream);
    return output_file_keep(&out, error) == 0 ? 0 : error_prefix(error, "--percentiles");
}

int load_files_write(struct load_files *files, const struct load_result *result,
                     struct error *error)
{
    if (files->csv.stream != NULL) {
        csv_write(files->csv.stream, result);
        if (output_file_keep(&files->csv, error) != 0) {
            return error_prefix(error, "--csv");
        }
    }
    for (unsigned i = 0; files->percentiles_name != NULL && i < LOAD_PHASE_COUNT; i++) {
        if (result->phases[i].count > 0 &&
            write_percentiles(files->percentiles_name, load_phase_name(i), &result->phases[i],
                              error) != 0) {
            return -1;
        }
    }
    return 0;
}

void load_files_close(struct load_files *files)
{
    output_file_drop(&files->csv);
    *files = (struct load_files){0};
}
