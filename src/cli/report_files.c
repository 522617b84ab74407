#include "cli/report_files.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cli/file.h"

enum { FILE_BYTES_MAX = 16 << 20 }; /* a report has at most some hundred KiB */

json_t *report_file_read(const char *name, report_file_check *check, struct error *error)
{
    struct file_content content;
    json_error_t reason;
    json_t *report;

    if (file_read(name, FILE_BYTES_MAX, &content, error) != 0) {
        return NULL;
    }
    report =
        json_loadb((const char *)content.bytes, content.count, JSON_REJECT_DUPLICATES, &reason);
    file_content_free(&content);
    if (report == NULL) {
        error_set(error, "%s is no JSON: line %d: %s", name, reason.line, reason.text);
        return NULL;
    }
    if (check(report, error) != 0) {
        error_prefix(error, "%s", name);
        json_decref(report);
        return NULL;
    }
    return report;
}

static int add_file(const char *name, struct compare_side *side, struct error *error)
{
    json_t *report;

    if (side->count == COMPARE_RUNS_MAX) {
        return error_set(error, "%s is one too many: a side has at most %d reports", name,
                         COMPARE_RUNS_MAX);
    }
    report = report_file_read(name, compare_check, error);
    if (report == NULL) {
        return -1;
    }
    side->reports[side->count++] = report;
    return 0;
}

static int is_report_name(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > strlen(".json") && entry->d_name[0] != '.' &&
           strcmp(entry->d_name + length - strlen(".json"), ".json") == 0;
}

static int add_directory(const char *name, struct compare_side *side, struct error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(name, &entries, is_report_name, alphasort);
    int outcome = 0;

    if (count < 0) {
        return error_set(error, "cannot read %s: %m", name);
    }
    if (count == 0) {
        outcome = error_set(error, "%s has no files whose names end in .json", name);
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];

        if (outcome == 0) {
            snprintf(path, sizeof(path), "%s/%s", name, entries[i]->d_name);
            outcome = add_file(path, side, error);
        }
        free(entries[i]);
    }
    free(entries);
    return outcome;
}

int report_files_add(const char *path, struct compare_side *side, struct error *error)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return add_directory(path, side, error);
    }
    return add_file(path, side, error);
}

int report_files_add_list(const char *paths, struct compare_side *side, struct error *error)
{
    while (*paths != '\0') {
        size_t length = strcspn(paths, ",");
        char path[PATH_MAX];

        if (length >= sizeof(path)) {
            return error_set(error, "a file name of %zu bytes is too long", length);
        }
        memcpy(path, paths, length);
        path[length] = '\0';
        if (report_files_add(path, side, error) != 0) {
            return -1;
        }
        paths += length + (paths[length] == ',');
    }
    return 0;
}

void report_files_release(struct compare_side *side)
{
    for (size_t i = 0; i < side->count; i++) {
        json_decref(side->reports[i]);
    }
    side->count = 0;
}
